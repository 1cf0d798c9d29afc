/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a run: accuracy against the labels, and how long it took. */
#include <math.h>
#include "run_request.h"

static void rate(struct run_outcome *outcome, const struct pbit_result *result,
		 const uint32_t *labels)
{
	const uint32_t *classes = pbit_result_class(result);
	double n = (double)outcome->images;
	uint64_t right = 0;

	outcome->accuracy = NAN;
	outcome->accuracy_error = NAN;
	if (!labels || outcome->images == 0)
		return;
	for (uint64_t i = 0; i < outcome->images; i++)
		right += classes[i] == labels[i];
	outcome->accuracy = (double)right / n;
	outcome->accuracy_error = sqrt(outcome->accuracy * (1 - outcome->accuracy) / n);
}

static void average_samples(struct run_outcome *outcome, const struct pbit_result *result)
{
	const uint32_t *samples = pbit_result_samples(result);
	double sum = 0;

	for (uint64_t i = 0; i < outcome->images; i++)
		sum += samples[i];
	outcome->mean_samples = outcome->images ? sum / (double)outcome->images : NAN;
}

int run_outcome_take(struct run_outcome *outcome, const struct pbit_result *result,
		     const uint32_t *labels, uint32_t samples, uint64_t n_images)
{
	struct pbit_run_stats stats = PBIT_INIT(stats);
	int err = pbit_result_stats(result, &stats);

	if (err)
		return err;
	outcome->samples = samples;
	outcome->images = pbit_result_images(result);
	outcome->is_complete = outcome->images == n_images;
	outcome->seconds = stats.seconds;
	outcome->clipped_inputs = stats.clipped_inputs;
	rate(outcome, result, labels);
	average_samples(outcome, result);
	return 0;
}
