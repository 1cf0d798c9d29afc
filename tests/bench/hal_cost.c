/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library costs beside the work itself. Prints JSON, or writes a model:
 *   hal_cost open MODEL.pbm    milliseconds to open a device and a model and load it
 *   hal_cost call              a run of a session against the backend's own operation
 *   hal_cost write FILE.pbm    mlp-4096 with weights of 8 bits
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pbit/pbit.h>
#include "cli/bench_cases.h"
#include "exec/session.h"

#define URI   "software:threads=1"
#define OPENS 101u
#define BATCH 256u
#define CALLS 201u

static double read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* The device has one thread, this one: other programs on the processor do not count. */
static double work_done(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_of(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

static int failure(void)
{
	char text[2048];

	pbit_format_error(text, sizeof(text));
	fprintf(stderr, "hal_cost: %s\n", text);
	return 1;
}

static int open_once(const char *path, double *milliseconds)
{
	struct pbit_session *session;
	struct pbit_device *dev;
	struct pbit_model *model;
	double start = now();
	int err = pbit_open(URI, NULL, &dev);

	if (err)
		return err;
	err = pbit_model_open(path, &model);
	if (err)
		goto close_device;
	err = pbit_session_new(model, &dev, 1, &session);
	if (!err) {
		*milliseconds = (now() - start) * 1e3;
		pbit_session_free(session);
	}
	pbit_model_put(model);
close_device:
	pbit_close(dev);
	return err;
}

static int command_open(const char *path)
{
	double times[OPENS], first;

	for (size_t i = 0; i < OPENS; i++)
		if (open_once(path, &times[i]))
			return failure();
	first = times[0];
	printf("{\"open_ms\": %.4f, \"first_ms\": %.4f}\n", median_of(times, OPENS), first);
	return 0;
}

struct call {
	struct pbit_device *dev;
	struct pbit_session *session;
	struct pbit_result *result;
	uint8_t *codes;
	uint64_t n_inputs;
	uint32_t samples;
};

static int run_session(struct call *call, double *seconds)
{
	struct pbit_input input = PBIT_INIT(input);
	struct pbit_run_opts opts = PBIT_INIT(opts);
	double start = work_done();
	int err;

	input.format = PBIT_INPUT_U8;
	input.data = call->codes;
	input.n_images = BATCH;
	input.n_values = call->n_inputs;
	opts.samples = call->samples;
	opts.seed = 1;
	err = pbit_session_run(call->session, &input, &opts, call->result);
	*seconds = work_done() - start;
	return err;
}

/* The same request by the session's own network and memory: nothing else is different. */
static int run_direct(struct call *call, double *seconds)
{
	struct pbit__runner *runner = &call->session->runners[0];
	struct pbit_layers_req req = PBIT_INIT(req);
	double start = work_done();
	int err;

	req.codes = call->codes;
	req.code_bytes = 1;
	req.code_stride = call->n_inputs;
	req.n_images = BATCH;
	req.n_samples = call->samples;
	req.seed = 1;
	req.out_raw = runner->raw.data;
	err = call->dev->ops.net_run(call->dev->priv, runner->net.native, &req, NULL);
	*seconds = work_done() - start;
	return err;
}

static int measure(struct call *call, const char *before)
{
	double through[CALLS], direct[CALLS], share[CALLS];
	int err = run_session(call, through); /* its memory is there from then on */

	if (err)
		return err;
	for (size_t i = 0; i < CALLS; i++) {
		/* Each order as often as the other. */
		err = i % 2 ? run_session(call, &through[i]) : run_direct(call, &direct[i]);

		if (!err)
			err = i % 2 ? run_direct(call, &direct[i]) : run_session(call, &through[i]);
		if (err)
			return err;
		share[i] = through[i] / direct[i] - 1;
	}
	printf("%s{\"samples\": %u, \"batch\": %u, \"session_us\": %.2f, \"direct_us\": %.2f, "
	       "\"overhead\": %.5f}",
	       before, call->samples, BATCH, median_of(through, CALLS) * 1e6,
	       median_of(direct, CALLS) * 1e6, median_of(share, CALLS));
	return 0;
}

static int measure_samples(struct call *call)
{
	int err;

	call->samples = 1;
	err = measure(call, "[");
	call->samples = 10;
	if (!err)
		err = measure(call, ", ");
	if (!err)
		printf("]\n");
	return err;
}

static int measure_model(struct call *call, struct pbit_model *model)
{
	struct pbit_model_info info = PBIT_INIT(info);
	int err = pbit_model_info(model, &info);

	if (err)
		return err;
	call->n_inputs = info.n_inputs;
	call->codes = malloc((size_t)BATCH * info.n_inputs);
	if (!call->codes)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot measure", NULL, NULL,
				 "out of memory");
	bench_fill_inputs(call->codes, (size_t)BATCH * info.n_inputs);
	err = pbit_session_new(model, &call->dev, 1, &call->session);
	if (err)
		goto free_codes;
	err = pbit_result_new(&call->result);
	if (err)
		goto free_session;
	err = measure_samples(call);
	pbit_result_free(call->result);
free_session:
	pbit_session_free(call->session);
free_codes:
	free(call->codes);
	return err;
}

static int command_call(void)
{
	struct call call = {.dev = NULL};
	struct pbit_model *model;
	int err = bench_model_create(bench_case_find("mlp-1024"), 1, &model);

	if (err)
		return failure();
	err = pbit_open(URI, NULL, &call.dev);
	if (!err) {
		err = measure_model(&call, model);
		pbit_close(call.dev);
	}
	pbit_model_put(model);
	return err ? failure() : 0;
}

static int command_write(const char *path)
{
	struct pbit_model *model;
	int err = bench_model_create(bench_case_find("mlp-4096"), 8, &model);

	if (err)
		return failure();
	err = pbit_model_save(model, path);
	pbit_model_put(model);
	return err ? failure() : 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "open"))
		return command_open(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "call"))
		return command_call();
	if (argc == 3 && !strcmp(argv[1], "write"))
		return command_write(argv[2]);
	fprintf(stderr, "usage: hal_cost open MODEL.pbm | call | write FILE.pbm\n");
	return 2;
}
