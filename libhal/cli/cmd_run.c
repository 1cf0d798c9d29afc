/* SPDX-License-Identifier: Apache-2.0 */
/* `pbit run`: a model over a data set. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <pbit/backend.h>
#include "command.h"
#include "device_open.h"
#include "npy_write.h"
#include "report.h"
#include "run_request.h"
#include "run_watch.h"
#include "signals.h"

/* Everything that a run holds. */
struct run {
	struct run_request request;
	struct run_report report;
	struct pbit_model *model;
	struct dataset data;
	struct pbit_device *devices[LIST_MAX];
	uint32_t n_devices;
	struct pbit_session *session;
	struct pbit_result *result;
	struct output_file out;
	bool has_out;
};

static int open_devices(struct run *run)
{
	const struct text_list *list = &run->request.devices;
	int err;

	do {
		const char *uri = list->n ? list->text[run->n_devices] : NULL;

		err = device_open(uri, run->request.threads, &run->devices[run->n_devices]);
		if (err)
			return err;
		run->n_devices++;
	} while (run->n_devices < list->n);
	return 0;
}

static int open_data(struct run *run)
{
	struct pbit_model_info info = PBIT_INIT(info);
	int err = dataset_open(&run->data, run->request.data, run->request.labels);

	if (!err)
		err = pbit_model_info(run->model, &info);
	return err ? err : dataset_check(&run->data, info.n_inputs, info.n_outputs);
}

static int open_out(struct run *run)
{
	const struct run_request *request = &run->request;
	int err = output_file_spares(request->out, request->model);

	if (!err)
		err = output_file_spares(request->out, request->data);
	if (!err)
		err = output_file_spares(request->out, request->labels);
	if (!err)
		err = output_file_open(&run->out, request->out);
	run->has_out = !err;
	return err;
}

/* Everything that can go wrong is tried before the first image is run, the output file included. */
static int prepare(struct run *run)
{
	int err = pbit_model_open(run->request.model, &run->model);

	if (!err)
		err = open_data(run);
	if (!err)
		err = open_devices(run);
	if (!err)
		err = pbit_session_new(run->model, run->devices, run->n_devices, &run->session);
	if (!err)
		err = pbit_result_new(&run->result);
	if (!err)
		err = signals_catch();
	if (!err && run->request.out)
		err = open_out(run);
	return err;
}

static void release(struct run *run)
{
	if (run->has_out)
		output_file_abandon(&run->out);
	pbit_result_free(run->result);
	pbit_session_free(run->session);
	for (uint32_t i = 0; i < run->n_devices; i++)
		pbit_close(run->devices[i]);
	dataset_close(&run->data);
	pbit_model_put(run->model);
}

static int run_once(struct run *run, uint32_t samples)
{
	struct pbit_run_opts opts = PBIT_INIT(opts);
	struct pbit_input input;
	char label[16];

	dataset_input(&run->data, run->report.n_images, &input);
	opts.samples = samples;
	opts.seed = run->request.seed;
	opts.batch = (uint32_t)run->request.batch;
	opts.sample_block = (uint32_t)run->request.sample_block;
	opts.confidence = run->request.confidence;
	opts.min_samples = (uint32_t)run->request.min_samples;
	snprintf(label, sizeof(label), "T = %u", samples);
	return run_and_watch(run->session, &input, &opts, label, run->result);
}

/* Adds the outcome of a run that ended with err, if anything came of it. */
static int keep_outcome(struct run *run, uint32_t samples, int err)
{
	struct run_report *report = &run->report;

	if (err && pbit_result_images(run->result) == 0)
		return 0;
	if (run_outcome_take(&report->outcomes[report->n_outcomes], run->result, run->data.labels,
			     samples, report->n_images))
		return report_failure();
	report->n_outcomes++;
	return 0;
}

static int write_out(struct run *run)
{
	int err = npy_write(&run->out, pbit_result_mean(run->result),
			    pbit_result_images(run->result), pbit_result_outputs(run->result));

	if (err)
		return err;
	run->has_out = false;
	return output_file_commit(&run->out);
}

static int run_all(struct run *run)
{
	const struct number_list *list = &run->request.samples;
	int status = STATUS_OK;

	for (uint32_t i = 0; i < list->n && status == STATUS_OK; i++) {
		int err = run_once(run, (uint32_t)list->value[i]);

		if (err && signals_caught()) {
			report("interrupted");
			status = signals_status();
		} else if (err) {
			status = report_failure();
		}
		if (keep_outcome(run, (uint32_t)list->value[i], err) && status == STATUS_OK)
			status = STATUS_FAILURE;
	}
	if (run->has_out && status == STATUS_OK && write_out(run))
		status = report_failure();
	else if (run->has_out)
		report("%s is not written, since the run is not complete", run->request.out);
	return status;
}

static int report_outcomes(struct run *run, int status)
{
	int printed;

	if (run->report.n_outcomes == 0) {
		if (signals_caught())
			report("no image was completed");
		return status;
	}
	run->report.request = &run->request;
	run->report.model = run->model;
	run->report.devices = run->devices;
	run->report.n_devices = run->n_devices;
	printed = run_report_print(&run->report);
	return status == STATUS_OK ? printed : status;
}

int command_run(int argc, char **argv)
{
	struct run run = {.n_devices = 0};
	int status;

	if (!run_request_parse(&run.request, argc, argv, &status))
		return status;
	if (prepare(&run)) {
		status = report_failure();
	} else {
		run.report.n_images = run.data.images.n_rows;
		if (run.request.limit && run.request.limit < run.report.n_images)
			run.report.n_images = run.request.limit;
		status = report_outcomes(&run, run_all(&run));
	}
	release(&run);
	return status;
}
