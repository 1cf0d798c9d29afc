// SPDX-License-Identifier: Apache-2.0
/* Every request as a struct of bytes: sizes, tails, reserved fields, memory that is not there, unknown numbers. */
#include "guest.h"

/* A request that is accepted, made anew for each use. */
struct request {
	const char *name;
	unsigned long number;
	uint32_t size;
	int (*fill)(int fd, void *at); /* result that the driver has to give */
	uint16_t must_be_zero[3];      /* offsets of flags and reserved fields; 0 ends */
	uint16_t reason;	       /* offset, 0: none */
};

static int fill_info(int fd, void *at)
{
	(void)fd;
	*(struct pbit_ioc_info *)at = (struct pbit_ioc_info){.size = sizeof(struct pbit_ioc_info)};
	return 0;
}

static int fill_create(int fd, void *at)
{
	(void)fd;
	*(struct pbit_ioc_buffer_create *)at = (struct pbit_ioc_buffer_create){
		.size = sizeof(struct pbit_ioc_buffer_create),
		.place = PBIT_BUFFER_HOST,
		.bytes = 4096,
	};
	return 0;
}

static int fill_destroy(int fd, void *at)
{
	*(struct pbit_ioc_buffer_destroy *)at = (struct pbit_ioc_buffer_destroy){
		.size = sizeof(struct pbit_ioc_buffer_destroy),
		.handle = make_buffer(fd, PBIT_BUFFER_HOST, 4096),
	};
	return 0;
}

static const struct pbit_cmd nop = {.op = PBIT_OP_NOP};

static int fill_submit(int fd, void *at)
{
	(void)fd;
	*(struct pbit_ioc_submit *)at = submit_of(&nop, 1);
	return 0;
}

static int fill_wait(int fd, void *at)
{
	struct pbit_ioc_wait req = {.size = sizeof(req), .deadline_ns = FOREVER};

	assert_int_equal(submit(fd, &nop, 1, (uint64_t *)&req.job), 0);
	memcpy(at, &req, sizeof(req));
	return 0;
}

static int fill_cancel(int fd, void *at)
{
	(void)fd;
	*(struct pbit_ioc_cancel *)at = (struct pbit_ioc_cancel){
		.size = sizeof(struct pbit_ioc_cancel),
	};
	return 0;
}

static int fill_reset(int fd, void *at)
{
	(void)fd;
	*(struct pbit_ioc_reset *)at =
		(struct pbit_ioc_reset){.size = sizeof(struct pbit_ioc_reset)};
	return 0;
}

#define OF(member, field) offsetof(struct pbit_ioc_##member, field)

static const struct request requests[] = {
	{"info", PBIT_IOC_INFO, sizeof(struct pbit_ioc_info), fill_info, {OF(info, flags)}, 0},
	{"create",
	 PBIT_IOC_BUFFER_CREATE,
	 sizeof(struct pbit_ioc_buffer_create),
	 fill_create,
	 {},
	 OF(buffer_create, reason)},
	{"destroy",
	 PBIT_IOC_BUFFER_DESTROY,
	 sizeof(struct pbit_ioc_buffer_destroy),
	 fill_destroy,
	 {OF(buffer_destroy, reserved)},
	 OF(buffer_destroy, reason)},
	{"submit",
	 PBIT_IOC_SUBMIT,
	 sizeof(struct pbit_ioc_submit),
	 fill_submit,
	 {OF(submit, flags), OF(submit, reserved)},
	 OF(submit, reason)},
	{"wait",
	 PBIT_IOC_WAIT,
	 sizeof(struct pbit_ioc_wait),
	 fill_wait,
	 {OF(wait, flags), OF(wait, reserved)},
	 OF(wait, reason)},
	{"cancel",
	 PBIT_IOC_CANCEL,
	 sizeof(struct pbit_ioc_cancel),
	 fill_cancel,
	 {OF(cancel, flags), OF(cancel, reserved)},
	 OF(cancel, reason)},
	{"reset",
	 PBIT_IOC_RESET,
	 sizeof(struct pbit_ioc_reset),
	 fill_reset,
	 {OF(reset, flags), OF(reset, reserved)},
	 OF(reset, reason)},
};
#define N_REQUESTS (sizeof(requests) / sizeof(requests[0]))

/* Two pages, the second of which cannot be touched. */
struct pages {
	uint8_t *at;
	size_t size;
};

static struct pages make_pages(void)
{
	struct pages p = {.size = (size_t)sysconf(_SC_PAGESIZE)};

	p.at = mmap(NULL, 2 * p.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(p.at, MAP_FAILED);
	assert_int_equal(mprotect(p.at + p.size, p.size, PROT_NONE), 0);
	return p;
}

static void drop_pages(struct pages *p)
{
	munmap(p->at, 2 * p->size);
}

static uint32_t reason_of(const struct request *r, const uint8_t *at)
{
	uint32_t reason = 0;

	if (r->reason)
		memcpy(&reason, at + r->reason, 4);
	return reason;
}

/* A struct that ends where the page does is read and written, not a byte behind it. */
static void end_of_page(void **state)
{
	struct pages p = make_pages();
	size_t i;

	(void)state;
	for (i = 0; i < N_REQUESTS; i++) {
		const int fd = test_open();
		uint8_t *at = p.at + p.size - requests[i].size;

		print_message("%s\n", requests[i].name);
		assert_int_equal(requests[i].fill(fd, at), 0);
		assert_int_equal(call(fd, requests[i].number, at), 0);
		close(fd);
	}
	drop_pages(&p);
}

/* A struct of a later version: its tail is read; zero is accepted, anything else is not. */
static void longer(void **state)
{
	uint8_t at[512];
	size_t i, tail;

	(void)state;
	for (i = 0; i < N_REQUESTS; i++) {
		const struct request *r = &requests[i];
		const int fd = test_open();
		const uint32_t size = r->size + 24;

		print_message("%s\n", r->name);
		memset(at, 0, sizeof(at));
		r->fill(fd, at);
		memcpy(at, &size, 4);
		assert_int_equal(call(fd, r->number, at), 0);
		for (tail = 0; tail < 24; tail++) {
			memset(at, 0, sizeof(at));
			r->fill(fd, at);
			memcpy(at, &size, 4);
			at[r->size + tail] = 1;
			assert_int_equal(call(fd, r->number, at), -E2BIG);
		}
		/* The driver writes no more than it knows. */
		memset(at, 0, sizeof(at));
		r->fill(fd, at);
		memset(at + r->size, 0xa5, 24);
		assert_int_equal(call(fd, r->number, at), 0);
		for (tail = 0; tail < 24; tail++)
			assert_int_equal(at[r->size + tail], 0xa5);
		close(fd);
	}
}

static void wrong_sizes(void **state)
{
	uint8_t at[512];
	size_t i;

	(void)state;
	for (i = 0; i < N_REQUESTS; i++) {
		const struct request *r = &requests[i];
		const uint32_t small[] = {0, 1, 4, r->size - 1};
		const uint32_t large[] = {65536, UINT32_MAX};
		const int fd = test_open();
		size_t k;

		for (k = 0; k < 4; k++) {
			memset(at, 0, sizeof(at));
			r->fill(fd, at);
			memcpy(at, &small[k], 4);
			assert_int_equal(call(fd, r->number, at), -EINVAL);
		}
		for (k = 0; k < 2; k++) {
			memset(at, 0, sizeof(at));
			r->fill(fd, at);
			memcpy(at, &large[k], 4);
			assert_int_equal(call(fd, r->number, at), -E2BIG);
		}
		close(fd);
	}
}

static void reserved_fields(void **state)
{
	uint8_t at[512];
	size_t i, k;
	uint32_t bit;

	(void)state;
	for (i = 0; i < N_REQUESTS; i++) {
		const struct request *r = &requests[i];
		const int fd = test_open();

		for (k = 0; k < 3 && r->must_be_zero[k]; k++) {
			for (bit = 0; bit < 32; bit++) {
				const uint32_t value = 1u << bit;

				r->fill(fd, at);
				memcpy(at + r->must_be_zero[k], &value, 4);
				assert_int_equal(call(fd, r->number, at), -EINVAL);
				if (r->reason)
					assert_int_equal(reason_of(r, at), PBIT_REASON_RESERVED);
			}
		}
		close(fd);
	}
}

static void memory_that_is_not_there(void **state)
{
	struct pages p = make_pages();
	size_t i;

	(void)state;
	for (i = 0; i < N_REQUESTS; i++) {
		const struct request *r = &requests[i];
		const int fd = test_open();

		/* Without a page, over the end of one, in the kernel, nowhere. */
		assert_int_equal(call(fd, r->number, p.at + p.size), -EFAULT);
		r->fill(fd, p.at + p.size - r->size);
		memmove(p.at + p.size - r->size + 4, p.at + p.size - r->size, r->size - 4);
		assert_int_equal(call(fd, r->number, p.at + p.size - r->size + 4), -EFAULT);
		assert_int_equal(call(fd, r->number, (void *)0xffffffff81000000ul), -EFAULT);
		assert_int_equal(call(fd, r->number, NULL), -EFAULT);
		close(fd);
	}
	drop_pages(&p);
}

/* The request may have had its effect, but the caller is told that the answer could not be given. */
static void memory_to_read_only(void **state)
{
	struct pages p = make_pages();
	size_t i;

	(void)state;
	for (i = 0; i < N_REQUESTS; i++) {
		const struct request *r = &requests[i];
		const int fd = test_open();

		assert_int_equal(mprotect(p.at, p.size, PROT_READ | PROT_WRITE), 0);
		r->fill(fd, p.at);
		assert_int_equal(mprotect(p.at, p.size, PROT_READ), 0);
		assert_int_equal(call(fd, r->number, p.at), -EFAULT);
		/* The file is as good as before. */
		assert_int_equal(mprotect(p.at, p.size, PROT_READ | PROT_WRITE), 0);
		r->fill(fd, p.at);
		assert_int_equal(call(fd, r->number, p.at), 0);
		close(fd);
	}
	drop_pages(&p);
}

/* A buffer whose handle could not be told is not left to be pinned for the life of the file. */
static void nothing_is_lost_unseen(void **state)
{
	struct pages p = make_pages();
	struct pbit_ioc_info info;
	const int fd = test_open();

	(void)state;
	fill_create(fd, p.at);
	assert_int_equal(mprotect(p.at, p.size, PROT_READ), 0);
	assert_int_equal(call(fd, PBIT_IOC_BUFFER_CREATE, p.at), -EFAULT);
	sleep_ms(50);
	fill_info(fd, &info);
	assert_int_equal(call(fd, PBIT_IOC_INFO, &info), 0);
	assert_int_equal(info.pinned, 0);
	close(fd);
	drop_pages(&p);
}

static void unknown_requests(void **state)
{
	uint8_t at[512] = {0};
	const int fd = test_open();
	unsigned int nr;

	(void)state;
	for (nr = 7; nr < 256; nr++) {
		assert_int_equal(call(fd, _IOC(_IOC_READ | _IOC_WRITE, PBIT_IOC_MAGIC, nr, 16), at),
				 -ENOTTY);
	}
	assert_int_equal(call(fd, _IOC(_IOC_READ | _IOC_WRITE, 'x', 0, 16), at), -ENOTTY);
	assert_int_equal(call(fd, _IOC(_IOC_READ, PBIT_IOC_MAGIC, 0, 16), at), -ENOTTY);
	assert_int_equal(call(fd, _IOC(_IOC_NONE, PBIT_IOC_MAGIC, 0, 0), at), -ENOTTY);
	assert_int_equal(call(fd, 0x5401 /* TCGETS */, at), -ENOTTY);
	close(fd);
}

static void what_info_says(void **state)
{
	struct pbit_card_rom rom;
	struct pbit_ioc_info info;
	const int fd = test_open();
	char node[48];

	(void)state;
	fill_info(fd, &info);
	info.rom = (uintptr_t)&rom;
	info.rom_size = sizeof(rom);
	assert_int_equal(call(fd, PBIT_IOC_INFO, &info), 0);
	assert_int_equal(info.size, sizeof(info));
	assert_int_equal(info.uapi_major, PBIT_UAPI_MAJOR);
	assert_int_equal(info.uapi_level, PBIT_UAPI_LEVEL);
	assert_int_equal(info.rom_size, sizeof(rom));
	assert_int_equal(rom.id, PBIT_CARD_ID);
	assert_int_equal(rom.size, sizeof(rom));
	assert_true(info.device_memory > 0 && info.device_memory < rom.memory_size + 1);
	assert_true(info.device_memory_free <= info.device_memory);
	assert_true(info.max_jobs > 0 && info.max_commands > 0 && info.max_work > 0);
	assert_true(info.pinned_limit > 0 && info.pinned == 0);
	snprintf(node, sizeof(node), "/dev/%.32s", info.name);
	assert_string_equal(node, test_node());
	close(fd);
}

/* Room for less: no more is written; a place that cannot be written: an error. */
static void room_for_the_rom(void **state)
{
	struct pages p = make_pages();
	struct pbit_ioc_info info;
	const int fd = test_open();

	(void)state;
	memset(p.at, 0xa5, p.size);
	fill_info(fd, &info);
	info.rom = (uintptr_t)p.at;
	info.rom_size = 8;
	assert_int_equal(call(fd, PBIT_IOC_INFO, &info), 0);
	assert_int_equal(p.at[7], 0); /* version's high half: major 1 is in byte 6 */
	assert_int_equal(p.at[8], 0xa5);
	assert_int_equal(info.rom_size, sizeof(struct pbit_card_rom));
	fill_info(fd, &info);
	info.rom = (uintptr_t)(p.at + p.size - 8);
	info.rom_size = 16;
	assert_int_equal(call(fd, PBIT_IOC_INFO, &info), -EFAULT);
	close(fd);
	drop_pages(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(end_of_page),
		cmocka_unit_test(longer),
		cmocka_unit_test(wrong_sizes),
		cmocka_unit_test(reserved_fields),
		cmocka_unit_test(memory_that_is_not_there),
		cmocka_unit_test(memory_to_read_only),
		cmocka_unit_test(nothing_is_lost_unseen),
		cmocka_unit_test(unknown_requests),
		cmocka_unit_test(what_info_says),
		cmocka_unit_test(room_for_the_rom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
