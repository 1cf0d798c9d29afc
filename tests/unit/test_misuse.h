/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model, a device, a session and a small Boltzmann machine to misuse, and the checks that a call was
 * refused for the right reason and that the handles still work.
 */
#ifndef TEST_MISUSE_H
#define TEST_MISUSE_H

#include <math.h>
#include <stdbool.h>
#include "test_model_make.h"

#define IMAGES	4u
#define INPUTS	60u
#define OUTPUTS 3u

static struct make rich;
static struct pbit_model *model;
static struct pbit_device *device;
static struct pbit_session *session;
static struct pbit_result *result;
static struct pbit_bm *bm;
static struct pbit_input input;
static struct pbit_run_opts opts;
static unsigned char codes[IMAGES * INPUTS];

/* The call gave this code, and a record whose line has the words. */
static inline void refused(int rc, int code, uint32_t error_class, const char *words)
{
	char text[2048];

	pbit_format_error(text, sizeof(text));
	if (rc != code || pbit_last_error()->code != code)
		fail_msg("returned %d, not %d: %s", rc, code, text);
	assert_int_equal(pbit_last_error()->error_class, error_class);
	assert_null(strstr(text, "(null)"));
	if (!strstr(text, words))
		fail_msg("no '%s' in: %s", words, text);
	pbit_clear_error();
}

#define REFUSED(call, words) refused((call), -EINVAL, PBIT_ERR_ARGUMENT, (words))

static inline int run(void)
{
	return pbit_session_run(session, &input, &opts, result);
}

/* After whatever came before. */
static inline void still_works(void)
{
	struct pbit_input good = PBIT_INIT(good);
	struct pbit_run_opts plain = PBIT_INIT(plain);

	good.data = codes;
	good.n_images = IMAGES;
	good.n_values = INPUTS;
	plain.samples = 2;
	assert_int_equal(pbit_session_run(session, &good, &plain, result), 0);
	assert_int_equal(pbit_result_images(result), IMAGES);
}

static inline void fresh(void)
{
	input = (struct pbit_input)PBIT_INIT(input);
	input.data = codes;
	input.n_images = IMAGES;
	input.n_values = INPUTS;
	opts = (struct pbit_run_opts)PBIT_INIT(opts);
	opts.samples = 2;
}

static inline int ignore_sample(const uint64_t *state, uint64_t index, void *user)
{
	(void)state;
	(void)index;
	(void)user;
	return 0;
}

static inline int setup(void **state)
{
	(void)state;
	make_rich(&rich);
	model = make_model(&rich);
	for (size_t i = 0; i < sizeof(codes); i++)
		codes[i] = (unsigned char)make_random(&rich);
	assert_int_equal(pbit_open("software:threads=1", NULL, &device), 0);
	assert_int_equal(pbit_session_new(model, &device, 1, &session), 0);
	assert_int_equal(pbit_result_new(&result), 0);
	assert_int_equal(pbit_bm_new(3, &bm), 0);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	pbit_result_free(result);
	pbit_session_free(session);
	pbit_close(device);
	pbit_bm_put(bm);
	pbit_model_put(model);
	make_end(&rich);
	return 0;
}

#endif
