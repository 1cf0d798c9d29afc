/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of memory at every single allocation of planning a lowering and of running lowered layers: each
 * attempt gives -ENOMEM with a record a person can use, nothing leaks, and the next attempt on the
 * same handles gives the right outcome.
 */
#include <pbit/lower.h>
#include "test_model_make.h"
#include "test_memory_wrap.h"

#define IMAGES	2u
#define SAMPLES 3u
#define OUT	3u

static struct make make;
static struct pbit_model *model;
static struct pbit_device *device;
static int64_t raw[IMAGES * SAMPLES * OUT], right[IMAGES * SAMPLES * OUT];
static uint8_t codes[IMAGES][60];

static void open_both(void)
{
	struct pbit_lower_opts opts = PBIT_INIT(opts);

	make_rich(&make);
	model = make_model(&make);
	opts.flags = PBIT_LOWER_ALWAYS | PBIT_LOWER_FOLD;
	assert_int_equal(pbit_open("software:threads=1", NULL, &device), 0);
	assert_int_equal(pbit_lower_device(device, &opts), 0);
	for (uint32_t i = 0; i < sizeof(codes); i++)
		codes[i / 60][i % 60] = (uint8_t)(i * 41);
}

static void close_both(void)
{
	pbit_close(device);
	pbit_model_put(model);
	make_end(&make);
}

static int plan(void)
{
	struct pbit_lower_plan *made;
	struct pbit_caps caps = PBIT_INIT(caps);
	int rc = pbit_get_caps(device, &caps);

	if (!rc)
		rc = pbit_lower_plan(model, &caps, NULL, &made);
	if (!rc) {
		assert_int_equal(pbit_lower_plan_layers(made), 6);
		pbit_lower_plan_free(made);
	}
	return rc;
}

static void nothing(void)
{
}

static int run(void)
{
	struct pbit_layers_req req = PBIT_INIT(req);

	memset(raw, 0, sizeof(raw));
	req.codes = codes;
	req.code_bytes = 1;
	req.code_stride = sizeof(codes[0]);
	req.n_images = IMAGES;
	req.n_samples = SAMPLES;
	req.out_raw = raw;
	return pbit_run_layers(device, model, 0, 6, &req);
}

static void check_raw(void)
{
	assert_memory_equal(raw, right, sizeof(raw));
}

static void test_plan(void **state)
{
	(void)state;
	every_failure(&(struct scenario){.prepare = open_both,
					 .act = plan,
					 .check = nothing,
					 .clean = close_both,
					 .at_least = 20});
}

static void test_run(void **state)
{
	(void)state;
	/* What the device's own layers give: with all inputs folded it must be the same. */
	open_both();
	assert_int_equal(pbit_lower_device(device, NULL), 0);
	assert_int_equal(run(), 0);
	memcpy(right, raw, sizeof(raw));
	close_both();
	every_failure(&(struct scenario){.prepare = open_both,
					 .act = run,
					 .check = check_raw,
					 .clean = close_both,
					 .at_least = 60});
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
