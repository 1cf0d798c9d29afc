// SPDX-License-Identifier: Apache-2.0
/* Each number of a layer and of a copy that is refused, with why and where. */
#include "guest.h"

static int fd;
static uint32_t device, host, small_device, small_host;
static struct pbit_card_rom rom;
static struct pbit_ioc_info info;

#define IN	  64u
#define OUT	  32u
#define AT(field) offsetof(struct pbit_cmd, field)

static int set_up(void **state)
{
	(void)state;
	fd = test_open();
	info = (struct pbit_ioc_info){
		.size = sizeof(info), .rom = (uintptr_t)&rom, .rom_size = sizeof(rom)};
	assert_int_equal(call(fd, PBIT_IOC_INFO, &info), 0);
	device = make_buffer(fd, PBIT_BUFFER_DEVICE, 1 << 20);
	host = make_buffer(fd, PBIT_BUFFER_HOST, 1 << 20);
	small_device = make_buffer(fd, PBIT_BUFFER_DEVICE, 1);
	small_host = make_buffer(fd, PBIT_BUFFER_HOST, 1);
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
		.op = PBIT_OP_LAYER,
		.layer =
			{
				.weights.handle = device,
				.factors = {.handle = device, .offset = 65536},
				.input.handle = host,
				.output = {.handle = host, .offset = 65536},
				.n_inputs = IN,
				.n_outputs = OUT,
				.n_images = 2,
				.n_samples = 3,
				.in_stride = IN,
				.out_stride = OUT / 8,
				.weight_bits = 4,
				.in_kind = PBIT_IN_CODE8,
				.out_kind = PBIT_OUT_BITS,
			},
	};
}

static void refused(const char *what, const struct pbit_cmd *cmd, int code, uint32_t reason,
		    uint64_t arg)
{
	/* Behind one that is right: the index is told. */
	const struct pbit_cmd both[2] = {good(), *cmd};
	struct pbit_ioc_submit req = submit_of(both, 2);

	print_message("%s\n", what);
	assert_int_equal(call(fd, PBIT_IOC_SUBMIT, &req), code);
	assert_int_equal(req.reason, reason);
	assert_int_equal(req.reason_command, 1);
	assert_int_equal(req.reason_arg, arg);
	assert_int_equal(req.job, 0);
}

#define REFUSED(change, code, reason, arg)                                  \
	do {                                                                \
		struct pbit_cmd cmd = good();                               \
		struct pbit_cmd_layer *l = &cmd.layer;                      \
                                                                            \
		(void)l;                                                    \
		change;                                                     \
		refused(#change, &cmd, -(code), PBIT_REASON_##reason, arg); \
	} while (0)

static void accepted(void **state)
{
	struct pbit_cmd cmd = good();
	struct pbit_event event;

	(void)state;
	assert_int_equal(run(fd, &cmd, 1, &event), 0);
	assert_int_equal(event.status, 0);
	assert_int_equal(event.command, 1);
}

static void numbers(void **state)
{
	(void)state;
	REFUSED(l->n_inputs = 0, EINVAL, RANGE, AT(layer.n_inputs));
	REFUSED(l->n_inputs = rom.max_inputs + 1, EINVAL, RANGE, AT(layer.n_inputs));
	REFUSED(l->n_inputs = UINT32_MAX, EINVAL, RANGE, AT(layer.n_inputs));
	REFUSED(l->n_outputs = 0, EINVAL, RANGE, AT(layer.n_outputs));
	REFUSED(l->n_outputs = rom.max_outputs + 1, EINVAL, RANGE, AT(layer.n_outputs));
	REFUSED(l->n_images = 0, EINVAL, RANGE, AT(layer.n_images));
	REFUSED(l->n_samples = 0, EINVAL, RANGE, AT(layer.n_samples));
	REFUSED(l->n_samples = rom.max_samples, EINVAL, RANGE, AT(layer.n_samples));
	REFUSED((l->n_images = 1u << 16, l->n_samples = 1u << 16), EINVAL, RANGE,
		AT(layer.n_samples));
	REFUSED((l->n_images = UINT32_MAX, l->n_samples = UINT32_MAX), EINVAL, RANGE,
		AT(layer.n_samples));
	REFUSED(l->weight_bits = 0, EINVAL, RANGE, AT(layer.weight_bits));
	REFUSED(l->weight_bits = 3, EINVAL, RANGE, AT(layer.weight_bits));
	REFUSED(l->weight_bits = 16, EINVAL, RANGE, AT(layer.weight_bits));
	REFUSED(l->weight_bits = 255, EINVAL, RANGE, AT(layer.weight_bits));
	REFUSED(l->in_kind = 3, EINVAL, RANGE, AT(layer.in_kind));
	REFUSED(l->in_kind = 255, EINVAL, RANGE, AT(layer.in_kind));
	REFUSED(l->out_kind = 3, EINVAL, RANGE, AT(layer.out_kind));
	REFUSED(l->out_kind = PBIT_OUT_TOTAL | PBIT_OUT_BITS, EINVAL, RANGE, AT(layer.out_kind));
	REFUSED(l->out_kind = 0x40, EINVAL, RANGE, AT(layer.out_kind));
	REFUSED(l->first_output = 64, EINVAL, ALIGN, AT(layer.first_output));
	REFUSED(l->in_stride = IN - 1, EINVAL, EXTENT, AT(layer.in_stride));
	REFUSED((l->in_kind = PBIT_IN_CODE16, l->in_stride = 2 * IN + 1), EINVAL, ALIGN,
		AT(layer.in_stride));
	REFUSED((l->in_kind = PBIT_IN_BITS, l->in_stride = IN / 8 + 2), EINVAL, ALIGN,
		AT(layer.in_stride));
	REFUSED(l->out_stride = 0, EINVAL, EXTENT, AT(layer.out_stride));
	REFUSED(l->out_stride = OUT / 8 + 2, EINVAL, ALIGN, AT(layer.out_stride));
	REFUSED(l->out_kind = PBIT_OUT_SUM, EINVAL, RESERVED, AT(layer.out_stride));
}

/* More than a command may hold the device for. */
static void too_much_work(void **state)
{
	struct pbit_cmd cmd = good();
	const uint64_t per_row = (uint64_t)rom.max_inputs * rom.max_outputs;
	const uint64_t rows = info.max_work / per_row + 2;

	(void)state;
	if (rows > rom.max_samples) {
		print_message("the device's own limits are narrower than its limit of work\n");
		skip();
	}
	cmd.layer.n_inputs = rom.max_inputs;
	cmd.layer.n_outputs = rom.max_outputs;
	cmd.layer.in_stride = rom.max_inputs;
	cmd.layer.out_stride = (rom.max_outputs + 15) / 16 * 16;
	cmd.layer.n_images = (uint32_t)rows;
	cmd.layer.n_samples = 1;
	refused("work", &cmd, -E2BIG, PBIT_REASON_WORK, info.max_work);
}

static void reserved(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++)
		REFUSED(l->reserved[i] = 1, EINVAL, RESERVED, AT(layer.reserved));
	REFUSED(cmd.flags = 1, EINVAL, RESERVED, AT(flags));
	REFUSED(l->weights.reserved = 1, EINVAL, RESERVED, AT(layer.weights));
	REFUSED(l->image_numbers.reserved = 1, EINVAL, RESERVED, AT(layer.image_numbers));
	REFUSED(l->image_numbers.offset = 8, EINVAL, RESERVED, AT(layer.image_numbers));
	for (i = sizeof(struct pbit_cmd_layer) / 8; i < 31; i++)
		REFUSED(cmd.raw[i] = 1, EINVAL, RESERVED, 8 + sizeof(struct pbit_cmd_layer));
	REFUSED((memset(cmd.raw, 0, sizeof(cmd.raw)), cmd.op = PBIT_OP_NOP, cmd.raw[30] = 1),
		EINVAL, RESERVED, AT(raw));
}

static void places(void **state)
{
	(void)state;
	REFUSED(l->weights.handle = 0, ENOENT, HANDLE, AT(layer.weights));
	REFUSED(l->weights.handle = 99, ENOENT, HANDLE, AT(layer.weights));
	REFUSED(l->weights.handle = UINT32_MAX, ENOENT, HANDLE, AT(layer.weights));
	REFUSED(l->factors.handle = 0, ENOENT, HANDLE, AT(layer.factors));
	REFUSED(l->input.handle = 0, ENOENT, HANDLE, AT(layer.input));
	REFUSED(l->output.handle = 0, ENOENT, HANDLE, AT(layer.output));
	REFUSED(l->image_numbers.handle = 99, ENOENT, HANDLE, AT(layer.image_numbers));
	REFUSED(l->weights.handle = host, EINVAL, PLACE, AT(layer.weights));
	REFUSED(l->factors.handle = host, EINVAL, PLACE, AT(layer.factors));
	REFUSED(l->weights.offset = 32, EINVAL, ALIGN, AT(layer.weights));
	REFUSED(l->factors.offset = 2, EINVAL, ALIGN, AT(layer.factors));
	REFUSED(l->input.offset = 4, EINVAL, ALIGN, AT(layer.input));
	REFUSED(l->output.offset = 1, EINVAL, ALIGN, AT(layer.output));
	REFUSED((l->image_numbers.handle = host, l->image_numbers.offset = 4), EINVAL, ALIGN,
		AT(layer.image_numbers));
}

static void extents(void **state)
{
	const uint64_t end = 1 << 20;
	const uint64_t weights = IN * OUT / 2;

	(void)state;
	REFUSED(l->weights.offset = end - weights + 64, EINVAL, EXTENT, AT(layer.weights));
	REFUSED(l->weights.offset = ~63ull, EINVAL, EXTENT, AT(layer.weights));
	REFUSED(l->factors.offset = end - 8 * OUT + 4, EINVAL, EXTENT, AT(layer.factors));
	REFUSED(l->input.offset = end - 2 * IN + 8, EINVAL, EXTENT, AT(layer.input));
	REFUSED(l->input.offset = ~7ull, EINVAL, EXTENT, AT(layer.input));
	REFUSED(l->output.offset = end - 2 * 3 * OUT / 8 + 8, EINVAL, EXTENT, AT(layer.output));
	REFUSED((l->image_numbers.handle = host, l->image_numbers.offset = end - 8), EINVAL, EXTENT,
		AT(layer.image_numbers));
	/* A stride that makes the last row end far away, also past 4 GiB. */
	REFUSED(l->in_stride = 1u << 20, EINVAL, EXTENT, AT(layer.input));
	REFUSED((l->in_stride = 0x80000000u, l->n_images = 4), EINVAL, EXTENT, AT(layer.input));
	REFUSED(l->out_stride = 0xfffffff8u, EINVAL, EXTENT, AT(layer.output));
	/* A total of 64 bits an output. */
	REFUSED((l->out_kind = PBIT_OUT_LEVEL | PBIT_OUT_TOTAL, l->out_stride = 0,
		 l->output.offset = end - 8 * OUT * 2 + 8),
		EINVAL, EXTENT, AT(layer.output));
}

static void operations(void **state)
{
	(void)state;
	/* CLEAR is the driver's own. */
	REFUSED((memset(&cmd, 0, sizeof(cmd)), cmd.op = PBIT_OP_CLEAR), EOPNOTSUPP, OP, 0);
	REFUSED((memset(&cmd, 0, sizeof(cmd)), cmd.op = 5), EOPNOTSUPP, OP, 0);
	REFUSED((memset(&cmd, 0, sizeof(cmd)), cmd.op = 0x10000), EOPNOTSUPP, OP, 0);
	REFUSED((memset(&cmd, 0, sizeof(cmd)), cmd.op = 0x10001), EOPNOTSUPP, OP, 0);
	REFUSED((memset(&cmd, 0, sizeof(cmd)), cmd.op = UINT32_MAX), EOPNOTSUPP, OP, 0);
}

#define COPY(change, code, reason, arg)                                     \
	do {                                                                \
		struct pbit_cmd cmd = copy_of(host, device, 4096);          \
		struct pbit_cmd_copy *c = &cmd.copy;                        \
                                                                            \
		change;                                                     \
		refused(#change, &cmd, -(code), PBIT_REASON_##reason, arg); \
	} while (0)

static void copies(void **state)
{
	const uint64_t end = 1 << 20;

	(void)state;
	COPY(c->bytes = 0, EINVAL, RANGE, AT(copy.bytes));
	COPY(c->bytes = end + 1, EINVAL, EXTENT, AT(copy.from));
	COPY(c->from.offset = end - 4095, EINVAL, EXTENT, AT(copy.from));
	COPY(c->from.offset = UINT64_MAX, EINVAL, EXTENT, AT(copy.from));
	COPY(c->to.offset = end - 4095, EINVAL, EXTENT, AT(copy.to));
	COPY(c->to.handle = small_device; c->bytes = 4097, EINVAL, EXTENT, AT(copy.to));
	COPY(c->from.handle = small_host; c->bytes = 4097, EINVAL, EXTENT, AT(copy.from));
	COPY(c->to.handle = 0, ENOENT, HANDLE, AT(copy.to));
	COPY(c->from.handle = 0, ENOENT, HANDLE, AT(copy.from));
	COPY(c->from.reserved = 1, EINVAL, RESERVED, AT(copy.from));
	COPY(c->to = c->from, EINVAL, EXTENT, AT(copy.to));
	COPY(c->to = c->from; c->to.offset = 4095, EINVAL, EXTENT, AT(copy.to));
	COPY(c->to = c->from; c->from.offset = 4095, EINVAL, EXTENT, AT(copy.to));
	COPY(c->bytes = UINT64_MAX, E2BIG, WORK, info.max_work);
	COPY(cmd.raw[5] = 1; (void)c, EINVAL, RESERVED, 8 + sizeof(struct pbit_cmd_copy));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted),	 cmocka_unit_test(numbers),
		cmocka_unit_test(too_much_work), cmocka_unit_test(reserved),
		cmocka_unit_test(places),	 cmocka_unit_test(extents),
		cmocka_unit_test(operations),	 cmocka_unit_test(copies),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
