/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments of `pbit run`. */
#include "run_request.h"

#include <string.h>
#include "command.h"
#include "device_open.h"

#define SAMPLES_MAX 2147483647u
#define BLOCK_MAX   (1u << 24)

static const struct number_list standard_sweep = {5, {1, 2, 4, 10, 32}};

struct given {
	bool samples, sweep, table, confidence, min_samples;
};

static int check(struct run_request *request, const struct given *given, bool want_table)
{
	if (!request->data)
		return usage_error("--data is missing: a file, or " FASHION_MNIST);
	if (given->samples + given->sweep + want_table > 1)
		return usage_error("only one of --samples, --sweep and --table can be given");
	if (given->min_samples && !given->confidence)
		return usage_error("--min-samples needs --confidence");
	request->is_sweep = given->sweep || want_table;
	if (want_table)
		request->samples = standard_sweep;
	return STATUS_OK;
}

bool run_request_parse(struct run_request *request, int argc, char **argv, int *status)
{
	struct given given = {.samples = false};
	uint64_t samples = 10;
	bool want_table = false;
	const struct option options[] = {
		{.name = "data",
		 .value = "SET",
		 .help = FASHION_MNIST ", or an idx or .npy file of images,\n"
				       "gzip-compressed or not",
		 .kind = OPTION_TEXT,
		 .target = &request->data},
		{.name = "labels",
		 .value = "FILE",
		 .help = "idx or .npy file of the right classes",
		 .kind = OPTION_TEXT,
		 .target = &request->labels},
		{.name = "device",
		 .value = "URI",
		 .help = "device to use; more than once: share the images\n"
			 "(default: the best one)",
		 .kind = OPTION_TEXTS,
		 .target = &request->devices},
		{.name = "samples",
		 .value = "T",
		 .help = "samples per image (default 10)",
		 .kind = OPTION_NUMBER,
		 .target = &samples,
		 .given = &given.samples,
		 .min = 1,
		 .max = SAMPLES_MAX},
		{.name = "sweep",
		 .value = "T,T,...",
		 .help = "one run for each T",
		 .kind = OPTION_NUMBERS,
		 .target = &request->samples,
		 .given = &given.sweep,
		 .min = 1,
		 .max = SAMPLES_MAX},
		{.name = "table",
		 .help = "the same as --sweep 1,2,4,10,32",
		 .target = &want_table,
		 .given = &given.table},
		{.name = "seed",
		 .value = "S",
		 .help = "seed of the random stream (default 1)",
		 .kind = OPTION_NUMBER,
		 .target = &request->seed,
		 .max = UINT64_MAX},
		{.name = "threads",
		 .value = "N",
		 .help = "threads of the software device",
		 .kind = OPTION_NUMBER,
		 .target = &request->threads,
		 .min = 1,
		 .max = THREADS_MAX},
		{.name = "batch",
		 .value = "B",
		 .help = "images per request to a device",
		 .kind = OPTION_NUMBER,
		 .target = &request->batch,
		 .min = 1,
		 .max = BLOCK_MAX},
		{.name = "sample-block",
		 .value = "K",
		 .help = "samples per request to a device",
		 .kind = OPTION_NUMBER,
		 .target = &request->sample_block,
		 .min = 1,
		 .max = BLOCK_MAX},
		{.name = "limit",
		 .value = "N",
		 .help = "only the first N images",
		 .kind = OPTION_NUMBER,
		 .target = &request->limit,
		 .min = 1,
		 .max = UINT64_MAX},
		{.name = "confidence",
		 .value = "C",
		 .help = "stop an image early once its class is decided\n"
			 "with this confidence, such as 0.99",
		 .kind = OPTION_REAL,
		 .target = &request->confidence,
		 .given = &given.confidence,
		 .real_min = 0.5,
		 .real_max = 1},
		{.name = "min-samples",
		 .value = "M",
		 .help = "but never before M samples (default 2)",
		 .kind = OPTION_NUMBER,
		 .target = &request->min_samples,
		 .given = &given.min_samples,
		 .min = 1,
		 .max = SAMPLES_MAX},
		{.name = "out",
		 .value = "FILE.npy",
		 .help = "write the mean outputs, float64 [images][outputs]",
		 .kind = OPTION_TEXT,
		 .target = &request->out},
		{.name = "json", .help = "print JSON", .target = &request->want_json},
		{.name = NULL},
	};
	const struct syntax syntax = {
		.command = "pbit run",
		.operands = "MODEL.pbm",
		.summary = "Runs a model over a data set: T samples of each image, averaged.",
		.details = "Ctrl-C ends the run; what is complete is reported (exit status 130).",
		.options = options,
		.min_operands = 1,
		.max_operands = 1,
	};

	memset(request, 0, sizeof(*request));
	request->seed = 1;
	if (options_parse(&syntax, argc, argv, &request->model, status) < 0)
		return false;
	*status = check(request, &given, want_table);
	if (!request->is_sweep)
		request->samples = (struct number_list){1, {samples}};
	return *status == STATUS_OK;
}
