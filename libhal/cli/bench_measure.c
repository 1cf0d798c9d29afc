/* SPDX-License-Identifier: Apache-2.0 */
/* Times runs of a model on a device: warm-up, repetition, median. */
#include "bench_measure.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <pbit/backend.h>
#include "signals.h"

#define REPEATS_LEAST 3u
#define REPEATS_MOST  10000u
#define WARM_UP_PART  0.1

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int stop_on_signal(const struct pbit_progress *progress, void *user)
{
	(void)progress;
	(void)user;
	return signals_caught() != 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_of(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

struct timing {
	struct pbit_session *session;
	struct pbit_input input;
	struct pbit_run_opts opts;
	struct pbit_result *result;
};

static int run_once(struct timing *timing, double *seconds)
{
	double start = now();
	int err = pbit_session_run(timing->session, &timing->input, &timing->opts, timing->result);

	*seconds = now() - start;
	if (!err && signals_caught())
		err = pbit_fail(-ECANCELED, PBIT_ERR_CANCELLED, "cannot measure", NULL, NULL,
				"interrupted");
	return err;
}

static int warm_up(struct timing *timing, double seconds)
{
	double end = now() + seconds, once;
	int err;

	do
		err = run_once(timing, &once);
	while (!err && now() < end);
	return err;
}

static int repeat(struct timing *timing, double seconds, double *times, size_t *n)
{
	double end = now() + seconds;

	for (*n = 0; *n < REPEATS_MOST && (*n < REPEATS_LEAST || now() < end); ++*n) {
		int err = run_once(timing, &times[*n]);

		if (err)
			return err;
	}
	return 0;
}

int bench_measure(struct pbit_session *session, const uint8_t *inputs, uint64_t n_values,
		  uint32_t batch, uint32_t samples, double seconds, double *median)
{
	struct timing timing = {
		.session = session,
		.input = PBIT_INIT(timing.input),
		.opts = PBIT_INIT(timing.opts),
	};
	double *times = malloc(REPEATS_MOST * sizeof(*times));
	size_t n;
	int err;

	timing.input.format = PBIT_INPUT_U8;
	timing.input.data = inputs;
	timing.input.n_images = batch;
	timing.input.n_values = n_values;
	timing.opts.samples = samples;
	timing.opts.seed = 1;
	timing.opts.progress = stop_on_signal;
	if (!times)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot measure", NULL, NULL,
				 "out of memory");
	err = pbit_result_new(&timing.result);
	if (err)
		goto free_times;
	err = warm_up(&timing, seconds * WARM_UP_PART);
	if (!err)
		err = repeat(&timing, seconds, times, &n);
	if (!err)
		*median = median_of(times, n);
	pbit_result_free(timing.result);
free_times:
	free(times);
	return err;
}
