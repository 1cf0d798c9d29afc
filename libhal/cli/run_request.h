/* SPDX-License-Identifier: Apache-2.0 */
/* What `pbit run` was asked for, and what came of it. */
#ifndef PBIT_CLI_RUN_REQUEST_H
#define PBIT_CLI_RUN_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <pbit/pbit.h>
#include "dataset.h"
#include "options.h"

struct run_request {
	const char *model;
	const char *data;
	const char *labels; /* NULL: those of the data set */
	const char *out;    /* NULL: none */
	struct text_list devices;
	struct number_list samples; /* T of each run; more than one is a sweep */
	bool is_sweep;
	bool want_json;
	uint64_t seed, threads, batch, sample_block, limit, min_samples;
	double confidence;
};

/* Outcome of one run, with one T. */
struct run_outcome {
	uint32_t samples;
	bool is_complete;
	double accuracy; /* NaN without labels */
	double accuracy_error;
	double mean_samples;
	double seconds;
	uint64_t images;
	uint64_t clipped_inputs;
};

struct run_report {
	const struct run_request *request;
	const struct pbit_model *model;
	struct pbit_device *const *devices;
	uint32_t n_devices;
	uint64_t n_images; /* asked for */
	uint32_t n_outcomes;
	struct run_outcome outcomes[LIST_MAX];
};

/* Parses the arguments; true to go on, else the exit status is in *status. */
bool run_request_parse(struct run_request *request, int argc, char **argv, int *status);

/* Takes the outcome from a result. labels may be NULL. */
int run_outcome_take(struct run_outcome *outcome, const struct pbit_result *result,
		     const uint32_t *labels, uint32_t samples, uint64_t n_images);

/* Prints the report; returns an exit status. */
int run_report_print(const struct run_report *report);

#endif
