/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every public struct that an application hands in, in every size: too short is refused, as an older or a
 * newer caller has it is served, and the library reads and writes no byte past it: behind the struct lies a
 * page that nobody may touch.
 */
#include <sys/mman.h>
#include "test_misuse.h"

#define GUARDED 4096u

/* The last `size` bytes before a page that nobody may touch hold the struct's first bytes. */
static void *guard(const void *from, size_t size)
{
	unsigned char *pages =
		mmap(NULL, 2 * GUARDED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *at;

	assert_true(pages != MAP_FAILED);
	assert_int_equal(mprotect(pages + GUARDED, GUARDED, PROT_NONE), 0);
	at = pages + GUARDED - size;
	memcpy(at, from, size);
	memcpy(at, &(uint32_t){(uint32_t)size}, sizeof(uint32_t));
	return at;
}

static void unguard(void *at)
{
	uintptr_t page = (uintptr_t)at & ~(uintptr_t)(GUARDED - 1);

	assert_int_equal(munmap((void *)page, 2 * GUARDED), 0);
}

static int call_input(void *s)
{
	return pbit_session_run(session, s, &opts, result);
}

static int call_opts(void *s)
{
	return pbit_session_run(session, &input, s, result);
}

static int call_open(void *s)
{
	struct pbit_device *opened;
	int rc = pbit_open("software:threads=1", s, &opened);

	if (!rc)
		pbit_close(opened);
	return rc;
}

static int call_layers(void *s)
{
	return pbit_run_layers(device, model, 0, MAKE_LAYERS, s);
}

static int call_sample(void *s)
{
	return pbit_sample(device, s, ignore_sample, NULL);
}

static int call_create(void *s)
{
	struct pbit_model *made;
	int rc = pbit_model_create(s, &made);

	if (!rc)
		pbit_model_put(made);
	return rc;
}

static int call_caps(void *s)
{
	return pbit_get_caps(device, s);
}

static int call_info(void *s)
{
	return pbit_model_info(model, s);
}

static int call_stats(void *s)
{
	return pbit_result_stats(result, s);
}

static int call_view(void *s)
{
	return pbit_bm_view(bm, s);
}

/*
 * A good struct of `size` bytes, of which the first `least` must be there: shorter is refused, a
 * caller older or newer than the library is served, and no byte past its struct is read or written.
 */
static void every_size(int (*call)(void *s), const void *good, size_t size, size_t least,
		       bool filled)
{
	const uint32_t wrong[] = {0, 3, (uint32_t)least - 1, UINT32_MAX};
	unsigned char *newer = malloc(size + 64), *s;

	assert_non_null(newer);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		s = guard(good, size);
		memcpy(s, &wrong[i], sizeof(wrong[i]));
		REFUSED(call(s), "struct_size");
		unguard(s);
	}
	for (size_t n = least; n <= size; n += size - least ? size - least : 1) {
		s = guard(good, n);
		assert_int_equal(call(s), 0);
		assert_int_equal(*(uint32_t *)(void *)s, n);
		unguard(s);
	}
	/* 32 bytes more than this library knows, and what lies behind them. */
	memset(newer, 0xa5, size + 64);
	memcpy(newer, good, size);
	memcpy(newer, &(uint32_t){(uint32_t)size + 32}, sizeof(uint32_t));
	assert_int_equal(call(newer), 0);
	assert_int_equal(*(uint32_t *)(void *)newer, size + 32);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(newer[size + i], filled && i < 32 ? 0 : 0xa5);
	free(newer);
}

#define LEAST(type, member) (offsetof(type, member) + sizeof(((type *)NULL)->member))

static void test_sizes_read(void **state)
{
	struct pbit_sample_opts stream = PBIT_INIT(stream);
	struct pbit_layers_req req = PBIT_INIT(req);
	struct pbit_open_opts none = PBIT_INIT(none);
	int64_t sums[OUTPUTS];

	(void)state;
	assert_int_equal(pbit_program(device, bm, 0, 1), 0);
	fresh();
	stream.interval = stream.samples = 1;
	req.code_bytes = 1;
	req.codes = codes;
	req.n_images = req.n_samples = 1;
	req.out_sum = sums;
	every_size(call_input, &input, sizeof(input), LEAST(struct pbit_input, n_values), false);
	every_size(call_opts, &opts, sizeof(opts), LEAST(struct pbit_run_opts, samples), false);
	every_size(call_open, &none, sizeof(none), LEAST(struct pbit_open_opts, flags), false);
	every_size(call_layers, &req, sizeof(req), LEAST(struct pbit_layers_req, out_sum), false);
	every_size(call_sample, &stream, sizeof(stream), LEAST(struct pbit_sample_opts, interval),
		   false);
	every_size(call_create, &rich.spec, sizeof(rich.spec),
		   LEAST(struct pbit_model_spec, layers), false);
	still_works();
}

static void test_sizes_written(void **state)
{
	struct pbit_caps caps = PBIT_INIT(caps);
	struct pbit_model_info info = PBIT_INIT(info);
	struct pbit_run_stats stats = PBIT_INIT(stats);
	struct pbit_bm_view view = PBIT_INIT(view);

	(void)state;
	still_works();
	every_size(call_caps, &caps, sizeof(caps), LEAST(struct pbit_caps, stated), true);
	every_size(call_info, &info, sizeof(info), LEAST(struct pbit_model_info, n_layers), true);
	every_size(call_stats, &stats, sizeof(stats), LEAST(struct pbit_run_stats, n_devices),
		   true);
	every_size(call_view, &view, sizeof(view), LEAST(struct pbit_bm_view, h), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_read),
		cmocka_unit_test(test_sizes_written),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
