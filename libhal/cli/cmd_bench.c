/* SPDX-License-Identifier: Apache-2.0 */
/* `pbit bench`: how fast a device runs the models of bench_cases.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/pbit.h>
#include "bench_cases.h"
#include "bench_measure.h"
#include "command.h"
#include "device_open.h"
#include "json.h"
#include "options.h"
#include "progress.h"
#include "report.h"
#include "signals.h"
#include "table.h"

#define BATCH_MAX   65536u
#define SAMPLES_MAX 1000000u

struct bench {
	const char *uri;
	const char *case_name;
	bool want_all, want_json;
	uint64_t threads;
	double seconds;
	struct number_list bits, batches, samples;

	struct pbit_device *dev;
	uint64_t n_done, n_total;
	struct json json;
	struct table table;
};

static int check(const struct bench *bench)
{
	if (bench->case_name && bench->want_all)
		return usage_error("only one of --case and --all can be given");
	if (bench->case_name && !bench_case_find(bench->case_name))
		return usage_error("unknown case '%s'; there are mlp-1024 and mlp-4096",
				   bench->case_name);
	for (uint32_t i = 0; i < bench->bits.n; i++) {
		uint64_t bits = bench->bits.value[i];

		if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 32)
			return usage_error("--bits: weights have 1, 2, 4, 8 or 32 bits, not %llu",
					   (unsigned long long)bits);
	}
	return STATUS_OK;
}

static bool parse(struct bench *bench, int argc, char **argv, int *status)
{
	const struct option options[] = {
		{.name = "json", .help = "print JSON", .target = &bench->want_json},
		{.name = "case",
		 .value = "NAME",
		 .help = "mlp-1024 (784-1024-1024-10) or\nmlp-4096 (4096-4096-4096-10)",
		 .kind = OPTION_TEXT,
		 .target = &bench->case_name},
		{.name = "all", .help = "every case", .target = &bench->want_all},
		{.name = "seconds",
		 .value = "S",
		 .help = "time for each line of the result (default 0.8)",
		 .kind = OPTION_REAL,
		 .target = &bench->seconds,
		 .real_min = 0,
		 .real_max = 3600},
		{.name = "bits",
		 .value = "B,B,...",
		 .help = "bits of the weights (default 1,4,8)",
		 .kind = OPTION_NUMBERS,
		 .target = &bench->bits,
		 .min = 1,
		 .max = 32},
		{.name = "samples",
		 .value = "T,T,...",
		 .help = "samples per image (default 1,10)",
		 .kind = OPTION_NUMBERS,
		 .target = &bench->samples,
		 .min = 1,
		 .max = SAMPLES_MAX},
		{.name = "batch",
		 .value = "N,N,...",
		 .help = "images per run (default 1,256)",
		 .kind = OPTION_NUMBERS,
		 .target = &bench->batches,
		 .min = 1,
		 .max = BATCH_MAX},
		{.name = "threads",
		 .value = "N",
		 .help = "threads of the software device",
		 .kind = OPTION_NUMBER,
		 .target = &bench->threads,
		 .min = 1,
		 .max = THREADS_MAX},
		{.name = NULL},
	};
	const struct syntax syntax = {
		.command = "pbit bench",
		.operands = "[URI]",
		.summary = "Measures how fast a device runs models. Without URI: the best device.",
		.details = "Without --case or --all: mlp-1024, in less than 20 seconds.",
		.options = options,
		.max_operands = 1,
	};

	if (options_parse(&syntax, argc, argv, &bench->uri, status) < 0)
		return false;
	*status = check(bench);
	return *status == STATUS_OK;
}

static void add_line(struct bench *bench, const struct bench_case *model, uint64_t bits,
		     uint64_t samples, uint64_t batch, double us_per_image, double macs)
{
	uint64_t threads = device_uri_threads(pbit_device_uri(bench->dev));
	struct json *json = &bench->json;

	if (!bench->want_json) {
		table_cell(&bench->table, model->name);
		table_cellf(&bench->table, "%llu", (unsigned long long)bits);
		table_cellf(&bench->table, "%llu", (unsigned long long)samples);
		table_cellf(&bench->table, "%llu", (unsigned long long)batch);
		table_cellf(&bench->table, "%.2f", us_per_image);
		table_cellf(&bench->table, "%.2f", macs * 1e-9);
		return;
	}
	json_object(json, NULL);
	json_string(json, "case", model->name);
	json_count(json, "bits", bits);
	json_count(json, "samples", samples);
	json_count(json, "batch", batch);
	if (threads)
		json_count(json, "threads", threads);
	else
		json_null(json, "threads");
	json_number(json, "us_per_image", us_per_image);
	json_number(json, "macs_per_second", macs);
	json_end(json);
}

static int measure_line(struct bench *bench, const struct bench_case *model,
			struct pbit_session *session, const struct pbit_model_info *info,
			const uint8_t *inputs, uint64_t bits, uint64_t samples, uint64_t batch)
{
	double median, n = (double)batch;
	int err;

	progress_show("bench", bench->n_done, bench->n_total, 0);
	err = bench_measure(session, inputs, info->n_inputs, (uint32_t)batch, (uint32_t)samples,
			    bench->seconds, &median);
	bench->n_done++;
	if (err)
		return err;
	add_line(bench, model, bits, samples, batch, median / n * 1e6,
		 (double)info->n_macs * (double)samples * n / median);
	return 0;
}

static int measure_lines(struct bench *bench, const struct bench_case *model,
			 struct pbit_session *session, const struct pbit_model_info *info,
			 const uint8_t *inputs, uint64_t bits)
{
	for (uint32_t s = 0; s < bench->samples.n; s++) {
		for (uint32_t b = 0; b < bench->batches.n; b++) {
			int err = measure_line(bench, model, session, info, inputs, bits,
					       bench->samples.value[s], bench->batches.value[b]);

			if (err)
				return err;
		}
	}
	return 0;
}

static int measure_model(struct bench *bench, const struct bench_case *model, uint64_t bits,
			 const uint8_t *inputs)
{
	struct pbit_model_info info = PBIT_INIT(info);
	struct pbit_session *session;
	struct pbit_model *made;
	int err = bench_model_create(model, (uint32_t)bits, &made);

	if (err)
		return err;
	err = pbit_model_info(made, &info);
	if (!err)
		err = pbit_session_new(made, &bench->dev, 1, &session);
	if (err)
		goto put;
	err = measure_lines(bench, model, session, &info, inputs, bits);
	pbit_session_free(session);
put:
	pbit_model_put(made);
	return err;
}

static int measure_case(struct bench *bench, const struct bench_case *model)
{
	uint64_t most = 0;
	uint8_t *inputs;
	int err = 0;

	for (uint32_t i = 0; i < bench->batches.n; i++)
		if (bench->batches.value[i] > most)
			most = bench->batches.value[i];
	inputs = malloc((size_t)most * model->widths[0]);
	if (!inputs) {
		report("no memory for a batch of %llu images", (unsigned long long)most);
		return STATUS_FAILURE;
	}
	bench_fill_inputs(inputs, (size_t)most * model->widths[0]);
	for (uint32_t i = 0; i < bench->bits.n && !err; i++)
		err = measure_model(bench, model, bench->bits.value[i], inputs);
	free(inputs);
	progress_clear();
	if (err && signals_caught()) {
		report("interrupted; only what is complete is shown");
		return signals_status();
	}
	return err ? report_failure() : STATUS_OK;
}

static bool is_chosen(const struct bench *bench, size_t i)
{
	if (bench->case_name)
		return !strcmp(bench->case_name, bench_cases[i].name);
	return bench->want_all || i == 0;
}

static int measure_all(struct bench *bench)
{
	uint64_t lines = (uint64_t)bench->bits.n * bench->samples.n * bench->batches.n;
	int status = STATUS_OK;

	for (size_t i = 0; i < bench_n_cases; i++)
		bench->n_total += is_chosen(bench, i) ? lines : 0;
	for (size_t i = 0; i < bench_n_cases && status == STATUS_OK; i++)
		if (is_chosen(bench, i))
			status = measure_case(bench, &bench_cases[i]);
	return status;
}

static void begin_output(struct bench *bench)
{
	static const char *const head[] = {"case",  "bits",	"samples",
					   "batch", "us/image", "10^9 MAC/s"};
	struct json *json = &bench->json;

	if (bench->want_json) {
		json_array(json, NULL);
		return;
	}
	bench->table = (struct table){
		.columns = 6,
		.right = {false, true, true, true, true, true},
	};
	for (size_t i = 0; i < bench->table.columns; i++)
		table_cell(&bench->table, head[i]);
}

static int end_output(struct bench *bench, int status)
{
	int printed;

	if (bench->want_json) {
		printed = json_print(&bench->json);
	} else {
		printf("device %s\n\n", pbit_device_uri(bench->dev));
		printed = table_print(&bench->table);
	}
	return status == STATUS_OK ? printed : status;
}

int command_bench(int argc, char **argv)
{
	struct bench bench = {
		.seconds = 0.8,
		.bits = {3, {1, 4, 8}},
		.samples = {2, {1, 10}},
		.batches = {2, {1, 256}},
	};
	int status;

	if (!parse(&bench, argc, argv, &status))
		return status;
	if (signals_catch() || device_open(bench.uri, bench.threads, &bench.dev))
		return report_failure();
	begin_output(&bench);
	status = end_output(&bench, measure_all(&bench));
	pbit_close(bench.dev);
	return status;
}
