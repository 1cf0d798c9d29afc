/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments of `pbit sample`. */
#include "sample.h"

#include "command.h"
#include "device_open.h"

#define SWEEPS_MAX   (UINT64_C(1) << 52)
#define REPLICAS_MAX (1u << 20)

static int check(struct sample_request *request, const char *order, bool has_beta)
{
	if (!has_beta)
		return usage_error("--beta is missing: the inverse temperature to sample at");
	if (!(request->beta > 0))
		return usage_error("--beta: %g is not above 0; at 0 every state is as likely as "
				   "any other, and below there is no such temperature",
				   request->beta);
	if (request->interval > request->sweeps)
		return usage_error("--interval: no sample in %llu sweeps with one every %llu",
				   (unsigned long long)request->sweeps,
				   (unsigned long long)request->interval);
	if (request->state && request->resume)
		return usage_error("only one of --state and --resume can be given");
	if (order) {
		request->order = order_by_name(order);
		if (!request->order)
			return STATUS_USAGE;
	}
	return STATUS_OK;
}

bool sample_request_parse(struct sample_request *request, int argc, char **argv, int *status)
{
	const char *order = NULL;
	bool has_beta = false;
	const struct option options[] = {
		{.name = "beta",
		 .value = "B",
		 .help = "inverse temperature, above 0",
		 .kind = OPTION_REAL,
		 .target = &request->beta,
		 .given = &has_beta,
		 .real_min = -1e300,
		 .real_max = 1e300},
		{.name = "sweeps",
		 .value = "N",
		 .help = "sweeps to sample from (default 1000)",
		 .kind = OPTION_NUMBER,
		 .target = &request->sweeps,
		 .min = 1,
		 .max = SWEEPS_MAX},
		{.name = "burn",
		 .value = "K",
		 .help = "sweeps before them (default 100; 0 with --resume)",
		 .kind = OPTION_NUMBER,
		 .target = &request->burn,
		 .given = &request->has_burn,
		 .max = SWEEPS_MAX},
		{.name = "interval",
		 .value = "I",
		 .help = "sweeps from one sample to the next (default 1)",
		 .kind = OPTION_NUMBER,
		 .target = &request->interval,
		 .min = 1,
		 .max = SWEEPS_MAX},
		{.name = "replicas",
		 .value = "R",
		 .help = "independent chains (default 1)",
		 .kind = OPTION_NUMBER,
		 .target = &request->replicas,
		 .min = 1,
		 .max = REPLICAS_MAX},
		{.name = "seed",
		 .value = "S",
		 .help = "seed of the random stream (default 1)",
		 .kind = OPTION_NUMBER,
		 .target = &request->seed,
		 .given = &request->has_seed,
		 .max = UINT64_MAX},
		{.name = "order",
		 .value = "ORDER",
		 .help = "of updates: sequential, chromatic, synchronous,\n"
			 "asynchronous (default: the device's first)",
		 .kind = OPTION_TEXT,
		 .target = &order},
		{.name = "clamp",
		 .value = "P=+1|P=-1",
		 .help = "clamp a p-bit, by its label in the file or number\n"
			 "from 0; may be used more than once",
		 .kind = OPTION_TEXTS,
		 .target = &request->clamps},
		{.name = "device",
		 .value = "URI",
		 .help = "device to use (default: the best one)",
		 .kind = OPTION_TEXT,
		 .target = &request->device},
		{.name = "threads",
		 .value = "N",
		 .help = "threads of the software device",
		 .kind = OPTION_NUMBER,
		 .target = &request->threads,
		 .min = 1,
		 .max = THREADS_MAX},
		{.name = "format",
		 .value = "NAME",
		 .help = "of the machine: gset, dimod, qubo, ftp, ising\n"
			 "(default: told by content)",
		 .kind = OPTION_TEXT,
		 .target = &request->format},
		{.name = "state",
		 .value = "FILE",
		 .help = "start from these states, lines of + and -",
		 .kind = OPTION_TEXT,
		 .target = &request->state},
		{.name = "resume",
		 .value = "FILE",
		 .help = "go on where the run that left FILE ended, if there\n"
			 "is one, and leave there where this one ends",
		 .kind = OPTION_TEXT,
		 .target = &request->resume},
		{.name = "out",
		 .value = "FILE.npy",
		 .help = "write the samples: int8 [samples][replicas][n]",
		 .kind = OPTION_TEXT,
		 .target = &request->out},
		{.name = "json", .help = "print JSON", .target = &request->want_json},
		{.name = NULL},
	};
	const struct syntax syntax = {
		.command = "pbit sample",
		.operands = "MACHINE",
		.summary = "Samples the Boltzmann distribution of a machine read from a file.",
		.details = "Formats of machines: Gset/rudy max-cut, dimod BQM (JSON), QUBO, "
			   "ferrotherm .ftp,\nplain Ising; man pbit-machine.",
		.options = options,
		.min_operands = 1,
		.max_operands = 1,
	};

	*request = (struct sample_request){
		.sweeps = 1000, .burn = 100, .interval = 1, .replicas = 1, .seed = 1};
	if (options_parse(&syntax, argc, argv, &request->machine, status) < 0)
		return false;
	*status = check(request, order, has_beta);
	return *status == STATUS_OK;
}
