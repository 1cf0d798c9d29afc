// SPDX-License-Identifier: Apache-2.0
/* Each number of a sweep that is refused, with why and where; and machines that only the device can refuse. */
#include "guest.h"

static int fd;
static struct pbit_card_rom rom;
static struct pbit_ioc_info info;
static uint32_t device, host;

#define N	  100u
#define AT(field) offsetof(struct pbit_cmd, field)

/* Where the arrays lie in the device buffer. */
enum { ROWS = 0, COLUMNS = 4096, VALUES = 8192, BIAS = 12288, VISITS = 16384, END = 32768 };

static int set_up(void **state)
{
	(void)state;
	fd = test_open();
	info = (struct pbit_ioc_info){
		.size = sizeof(info), .rom = (uintptr_t)&rom, .rom_size = sizeof(rom)};
	assert_int_equal(call(fd, PBIT_IOC_INFO, &info), 0);
	device = make_buffer(fd, PBIT_BUFFER_DEVICE, END);
	host = make_buffer(fd, PBIT_BUFFER_HOST, END);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return close(fd);
}

static struct pbit_cmd good(void)
{
	return (struct pbit_cmd){
		.op = PBIT_OP_SWEEP,
		.sweep =
			{
				.rows = {.handle = device, .offset = ROWS},
				.columns = {.handle = device, .offset = COLUMNS},
				.values = {.handle = device, .offset = VALUES},
				.bias = {.handle = device, .offset = BIAS},
				.state = {.handle = host},
				.output = {.handle = host, .offset = 4096},
				.scale = 0x3ff0000000000000ull,
				.n_values = 2,
				.n = N,
				.replicas = 3,
				.sweeps = 10,
				.interval = 5,
			},
	};
}

static void refused(const char *what, const struct pbit_cmd *cmd, int code, uint32_t reason,
		    uint64_t arg)
{
	struct pbit_ioc_submit req = submit_of(cmd, 1);

	print_message("%s\n", what);
	assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), code);
	assert_int_equal(req.reason, reason);
	assert_int_equal(req.reason_arg, arg);
	assert_int_equal(req.job, 0);
}

#define REFUSED(change, code, reason, arg)                                  \
	do {                                                                \
		struct pbit_cmd cmd = good();                               \
		struct pbit_cmd_sweep *s = &cmd.sweep;                      \
                                                                            \
		(void)s;                                                    \
		change;                                                     \
		refused(#change, &cmd, -(code), PBIT_REASON_##reason, arg); \
	} while (0)

static void numbers(void **state)
{
	(void)state;
	REFUSED(s->n = 0, EINVAL, RANGE, AT(sweep.n));
	REFUSED(s->n = rom.max_pbits + 1, EINVAL, RANGE, AT(sweep.n));
	REFUSED(s->n = UINT32_MAX, EINVAL, RANGE, AT(sweep.n));
	if ((uint64_t)N * rom.max_degree < UINT32_MAX)
		REFUSED(s->n_values = N * rom.max_degree + 1, EINVAL, RANGE, AT(sweep.n_values));
	REFUSED(s->replicas = 0, EINVAL, RANGE, AT(sweep.replicas));
	REFUSED(s->sweeps = 0, EINVAL, RANGE, AT(sweep.sweeps));
	REFUSED(s->sweeps = rom.max_samples, EINVAL, RANGE, AT(sweep.sweeps));
	REFUSED((s->replicas = UINT32_MAX, s->sweeps = UINT32_MAX), EINVAL, RANGE,
		AT(sweep.sweeps));
	REFUSED(s->synchronous = 2, EINVAL, RANGE, AT(sweep.synchronous));
	REFUSED(s->synchronous = 255, EINVAL, RANGE, AT(sweep.synchronous));
	REFUSED(s->interval = 0, EINVAL, RANGE, AT(sweep.interval));
	REFUSED(s->interval = 11, EINVAL, RANGE, AT(sweep.interval));
	REFUSED(memset(&s->output, 0, sizeof(s->output)), EINVAL, RANGE, AT(sweep.interval));
	REFUSED(s->first_pbit = 64, EINVAL, ALIGN, AT(sweep.first_pbit));
}

static void reserved(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 7; i++)
		REFUSED(s->reserved[i] = 0x80, EINVAL, RESERVED, AT(sweep.reserved));
	REFUSED(s->rows.reserved = 1, EINVAL, RESERVED, AT(sweep.rows));
	REFUSED(s->clamp.offset = 8, EINVAL, RESERVED, AT(sweep.clamp));
	REFUSED(s->visits.reserved = 8, EINVAL, RESERVED, AT(sweep.visits));
	for (i = sizeof(struct pbit_cmd_sweep) / 8; i < 31; i++)
		REFUSED(cmd.raw[i] = 1ull << 63, EINVAL, RESERVED,
			8 + sizeof(struct pbit_cmd_sweep));
}

static void places(void **state)
{
	(void)state;
	REFUSED(s->rows.handle = 0, ENOENT, HANDLE, AT(sweep.rows));
	REFUSED(s->columns.handle = 77, ENOENT, HANDLE, AT(sweep.columns));
	REFUSED(s->values.handle = 0, ENOENT, HANDLE, AT(sweep.values));
	REFUSED(s->bias.handle = 0, ENOENT, HANDLE, AT(sweep.bias));
	REFUSED(s->state.handle = 0, ENOENT, HANDLE, AT(sweep.state));
	REFUSED(s->clamp.handle = 77, ENOENT, HANDLE, AT(sweep.clamp));
	REFUSED(s->rows.handle = host, EINVAL, PLACE, AT(sweep.rows));
	REFUSED(s->columns.handle = host, EINVAL, PLACE, AT(sweep.columns));
	REFUSED(s->values.handle = host, EINVAL, PLACE, AT(sweep.values));
	REFUSED(s->visits.handle = host, EINVAL, PLACE, AT(sweep.visits));
	REFUSED(s->rows.offset = 2, EINVAL, ALIGN, AT(sweep.rows));
	REFUSED(s->bias.offset = 1, EINVAL, ALIGN, AT(sweep.bias));
	REFUSED(s->state.offset = 4, EINVAL, ALIGN, AT(sweep.state));
	REFUSED(s->output.offset = 4, EINVAL, ALIGN, AT(sweep.output));
}

static void extents(void **state)
{
	(void)state;
	REFUSED(s->rows.offset = END - 4 * N, EINVAL, EXTENT, AT(sweep.rows));
	REFUSED(s->rows.offset = ~3ull, EINVAL, EXTENT, AT(sweep.rows));
	REFUSED(s->columns.offset = END - 4, EINVAL, EXTENT, AT(sweep.columns));
	REFUSED(s->values.offset = END - 4, EINVAL, EXTENT, AT(sweep.values));
	REFUSED(s->bias.offset = END - 4 * N + 4, EINVAL, EXTENT, AT(sweep.bias));
	REFUSED((s->visits.handle = device, s->visits.offset = END - 4 * N + 4), EINVAL, EXTENT,
		AT(sweep.visits));
	REFUSED((s->clamp.handle = host, s->clamp.offset = END - 8), EINVAL, EXTENT,
		AT(sweep.clamp));
	REFUSED(s->state.offset = END - 3 * 16 + 8, EINVAL, EXTENT, AT(sweep.state));
	REFUSED(s->output.offset = END - 2 * 3 * 16 + 8, EINVAL, EXTENT, AT(sweep.output));
	/* Outputs whose size does not fit where it is computed in 32 bits. */
	REFUSED((s->replicas = 1u << 10, s->sweeps = 1u << 10, s->interval = 1), EINVAL, EXTENT,
		AT(sweep.output));
	REFUSED((s->sweeps = 1u << 18, s->interval = 1), EINVAL, EXTENT, AT(sweep.output));
}

/* n + n_values times replicas times sweeps. */
static void too_much_work(void **state)
{
	struct pbit_cmd cmd = good();
	const uint64_t sweeps = info.max_work / rom.max_pbits + 1;

	(void)state;
	if (sweeps > rom.max_samples) {
		print_message("the device's own limits are narrower than its limit of work\n");
		skip();
	}
	cmd.sweep.n = rom.max_pbits;
	cmd.sweep.replicas = 1;
	cmd.sweep.sweeps = (uint32_t)sweeps;
	cmd.sweep.interval = cmd.sweep.sweeps;
	refused("work", &cmd, -E2BIG, PBIT_REASON_WORK, info.max_work);
}

/* Fills the device's arrays from the host's. */
static void fill(const uint32_t *rows, const uint32_t *columns, const uint32_t *visits)
{
	uint8_t *at = map_buffer(fd, host, END);
	const struct pbit_cmd copy = copy_of(host, device, END);
	struct pbit_event event;

	memset(at, 0, END);
	memcpy(at + ROWS, rows, 4 * (N + 1));
	memcpy(at + COLUMNS, columns, 8);
	memcpy(at + VISITS, visits, 4 * N);
	assert_int_equal(run(fd, &copy, 1, &event), 0);
	assert_int_equal(event.status, 0);
	munmap(at, END);
}

static void device_says(const struct pbit_cmd *cmd, uint32_t card_status)
{
	struct pbit_event event;

	assert_int_equal(run(fd, cmd, 1, &event), 0);
	assert_int_equal(event.card_status, card_status);
	assert_int_equal(event.status, card_status ? -EINVAL : 0);
	assert_int_equal(event.command, card_status ? 0 : 1);
}

/* What lies in memory can be changed at any time: the device looks, and a bad index touches nothing. */
static void bad_indices(void **state)
{
	uint32_t rows[N + 1] = {0}, columns[2] = {1, 0}, visits[N];
	struct pbit_cmd cmd = good();
	uint32_t i;

	(void)state;
	for (i = 0; i < N; i++)
		visits[i] = i;
	for (i = 1; i <= N; i++)
		rows[i] = i > 1 ? 2 : 1;
	cmd.sweep.visits = (struct pbit_ref){.handle = device, .offset = VISITS};
	fill(rows, columns, visits);
	device_says(&cmd, PBIT_DONE_OK);
	columns[1] = N;
	fill(rows, columns, visits);
	device_says(&cmd, PBIT_DONE_BAD_ADDRESS);
	columns[1] = UINT32_MAX;
	fill(rows, columns, visits);
	device_says(&cmd, PBIT_DONE_BAD_ADDRESS);
	columns[1] = 0;
	rows[N] = 3;
	fill(rows, columns, visits);
	device_says(&cmd, PBIT_DONE_BAD_ADDRESS);
	rows[N] = 2;
	rows[1] = UINT32_MAX;
	fill(rows, columns, visits);
	device_says(&cmd, PBIT_DONE_BAD_ADDRESS);
	rows[1] = 1;
	visits[N - 1] = N;
	fill(rows, columns, visits);
	device_says(&cmd, PBIT_DONE_BAD_ADDRESS);
	visits[N - 1] = N - 1;
	fill(rows, columns, visits);
	device_says(&cmd, PBIT_DONE_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),	 cmocka_unit_test(reserved),
		cmocka_unit_test(places),	 cmocka_unit_test(extents),
		cmocka_unit_test(too_much_work), cmocka_unit_test(bad_indices),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
