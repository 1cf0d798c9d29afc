/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments of `pbit solve`. */
#include "solve.h"

#include "command.h"
#include "device_open.h"

#define SWEEPS_MAX   (UINT64_C(1) << 52)
#define REPLICAS_MAX (1u << 20)
#define RESTARTS_MAX (1u << 30)
#define LADDER_MAX   4096u

static int check_beta(const char *name, bool is_given, double beta)
{
	if (is_given && !(beta > 0))
		return usage_error("--%s: %g is not above 0, which an inverse temperature must be",
				   name, beta);
	return STATUS_OK;
}

static int check_temper(const struct solve_request *request)
{
	if (!request->temper && (request->has_temperatures || request->has_round))
		return usage_error("--temperatures and --round need --temper");
	if (!request->temper && request->devices.n > 1)
		return usage_error("more than one --device needs --temper");
	if (request->temper && (request->schedule || request->has_restarts))
		return usage_error("--temper takes no --schedule and no --restarts");
	return STATUS_OK;
}

static int check(struct solve_request *request, const char *order)
{
	int status = check_beta("beta0", request->has_beta0, request->beta0);

	if (status == STATUS_OK)
		status = check_beta("beta1", request->has_beta1, request->beta1);
	if (status == STATUS_OK)
		status = check_temper(request);
	if (status != STATUS_OK)
		return status;
	if (request->schedule && (request->has_beta0 || request->has_beta1 || request->has_sweeps))
		return usage_error("--schedule takes the place of --sweeps, --beta0 and --beta1");
	if (request->has_target && request->has_cut)
		return usage_error("only one of --target and --target-cut can be given");
	if (order) {
		request->order = order_by_name(order);
		if (!request->order)
			return STATUS_USAGE;
	}
	/* Until the time is over. */
	if (request->has_seconds && !request->has_restarts)
		request->restarts = RESTARTS_MAX;
	return STATUS_OK;
}

bool solve_request_parse(struct solve_request *request, int argc, char **argv, int *status)
{
	const char *order = NULL;
	const struct option options[] = {
		{.name = "sweeps",
		 .value = "N",
		 .help = "sweeps of the schedule (default 1000); with\n"
			 "--temper: in all",
		 .kind = OPTION_NUMBER,
		 .target = &request->sweeps,
		 .given = &request->has_sweeps,
		 .min = 1,
		 .max = SWEEPS_MAX},
		{.name = "beta0",
		 .value = "B",
		 .help = "first inverse temperature (default: from J and h)",
		 .kind = OPTION_REAL,
		 .target = &request->beta0,
		 .given = &request->has_beta0,
		 .real_min = -1e300,
		 .real_max = 1e300},
		{.name = "beta1",
		 .value = "B",
		 .help = "last inverse temperature (default: from J and h)",
		 .kind = OPTION_REAL,
		 .target = &request->beta1,
		 .given = &request->has_beta1,
		 .real_min = -1e300,
		 .real_max = 1e300},
		{.name = "schedule",
		 .value = "LIST|FILE",
		 .help = "steps BETA:SWEEPS,BETA:SWEEPS,..., or a file with\n"
			 "one BETA SWEEPS per line",
		 .kind = OPTION_TEXT,
		 .target = &request->schedule},
		{.name = "replicas",
		 .value = "R",
		 .help = "independent chains, or ladders (default 1)",
		 .kind = OPTION_NUMBER,
		 .target = &request->replicas,
		 .min = 1,
		 .max = REPLICAS_MAX},
		{.name = "restarts",
		 .value = "K",
		 .help = "runs through the schedule (default 1; with --time:\n"
			 "as many as there is time for)",
		 .kind = OPTION_NUMBER,
		 .target = &request->restarts,
		 .given = &request->has_restarts,
		 .min = 1,
		 .max = RESTARTS_MAX},
		{.name = "temper",
		 .help = "parallel tempering instead of annealing",
		 .target = &request->temper},
		{.name = "temperatures",
		 .value = "T",
		 .help = "of a ladder from beta0 to beta1 (default 16)",
		 .kind = OPTION_NUMBER,
		 .target = &request->temperatures,
		 .given = &request->has_temperatures,
		 .min = 1,
		 .max = LADDER_MAX},
		{.name = "round",
		 .value = "N",
		 .help = "sweeps between exchanges (default 1)",
		 .kind = OPTION_NUMBER,
		 .target = &request->round,
		 .given = &request->has_round,
		 .min = 1,
		 .max = SWEEPS_MAX},
		{.name = "target",
		 .value = "E",
		 .help = "end at an energy of E or below",
		 .kind = OPTION_REAL,
		 .target = &request->target,
		 .given = &request->has_target,
		 .real_min = -1e305,
		 .real_max = 1e305},
		{.name = "target-cut",
		 .value = "C",
		 .help = "end at a cut of C or above",
		 .kind = OPTION_REAL,
		 .target = &request->cut,
		 .given = &request->has_cut,
		 .real_min = -1e305,
		 .real_max = 1e305},
		{.name = "time",
		 .value = "SECONDS",
		 .help = "end after this time",
		 .kind = OPTION_REAL,
		 .target = &request->seconds,
		 .given = &request->has_seconds,
		 .real_min = 0,
		 .real_max = 1e8},
		{.name = "seed",
		 .value = "S",
		 .help = "seed of the random stream (default 1)",
		 .kind = OPTION_NUMBER,
		 .target = &request->seed,
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
		{.name = "state",
		 .value = "FILE",
		 .help = "start from these states, lines of + and -",
		 .kind = OPTION_TEXT,
		 .target = &request->state},
		{.name = "device",
		 .value = "URI",
		 .help = "device to use (default: the best one); with\n"
			 "--temper more than once",
		 .kind = OPTION_TEXTS,
		 .target = &request->devices},
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
		{.name = "json", .help = "print JSON", .target = &request->want_json},
		{.name = NULL},
	};
	const struct syntax syntax = {
		.command = "pbit solve",
		.operands = "MACHINE",
		.summary = "Searches a state of low energy of a machine read from a file.",
		.details = "Formats of machines: Gset/rudy max-cut, dimod BQM (JSON), QUBO, "
			   "ferrotherm .ftp,\nplain Ising; man pbit-machine.",
		.options = options,
		.min_operands = 1,
		.max_operands = 1,
	};

	*request = (struct solve_request){.sweeps = 1000,
					  .replicas = 1,
					  .restarts = 1,
					  .seed = 1,
					  .temperatures = 16,
					  .round = 1};
	if (options_parse(&syntax, argc, argv, &request->machine, status) < 0)
		return false;
	*status = check(request, order);
	return *status == STATUS_OK;
}
