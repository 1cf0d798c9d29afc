/* SPDX-License-Identifier: Apache-2.0 */
/* Results: the arrays that a run fills and a program reads (run.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>
#include "core/args.h"
#include "exec/result.h"

int pbit_result_new(struct pbit_result **result)
{
	struct pbit_result *made;

	if (!result)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot make a result", NULL,
				 "pass the address of a pointer", "result is NULL");
	*result = NULL;
	made = calloc(1, sizeof(*made));
	if (!made)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot make a result", NULL, NULL,
				 "no memory");
	pbit__result_clear(made);
	*result = made;
	return 0;
}

void pbit_result_free(struct pbit_result *result)
{
	if (!result)
		return;
	pbit__buffer_free(&result->mean_buffer);
	pbit__buffer_free(&result->error_buffer);
	pbit__buffer_free(&result->votes_buffer);
	pbit__buffer_free(&result->class_buffer);
	pbit__buffer_free(&result->samples_buffer);
	free(result);
}

void pbit__result_clear(struct pbit_result *result)
{
	result->n_images = 0;
	result->n_outputs = 0;
	/* The next run may move its arrays and then fail. */
	result->mean = NULL;
	result->standard_error = NULL;
	result->votes = NULL;
	result->class = NULL;
	result->samples = NULL;
	result->stats = (struct pbit_run_stats)PBIT_INIT(result->stats);
}

int pbit__result_prepare(struct pbit_result *result, uint64_t n_images, uint64_t n_outputs)
{
	size_t values, images;
	int rc;

	if (__builtin_add_overflow(n_images, 0, &images) ||
	    __builtin_mul_overflow(n_images, n_outputs, &values))
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot run the model", NULL,
				 "run fewer images at a time",
				 "%llu images of %llu outputs are more than memory can address",
				 (unsigned long long)n_images, (unsigned long long)n_outputs);
	if ((rc = pbit__buffer_reserve(&result->mean_buffer, values, sizeof(double))) ||
	    (rc = pbit__buffer_reserve(&result->error_buffer, values, sizeof(double))) ||
	    (rc = pbit__buffer_reserve(&result->votes_buffer, values, sizeof(uint32_t))) ||
	    (rc = pbit__buffer_reserve(&result->class_buffer, images, sizeof(uint32_t))) ||
	    (rc = pbit__buffer_reserve(&result->samples_buffer, images, sizeof(uint32_t))))
		return rc;
	result->mean = result->mean_buffer.data;
	result->standard_error = result->error_buffer.data;
	result->votes = result->votes_buffer.data;
	result->class = result->class_buffer.data;
	result->samples = result->samples_buffer.data;
	result->n_outputs = n_outputs;
	if (images)
		memset(result->samples, 0, images * sizeof(uint32_t));
	return 0;
}

uint64_t pbit_result_images(const struct pbit_result *result)
{
	return result ? result->n_images : 0;
}

uint64_t pbit_result_outputs(const struct pbit_result *result)
{
	return result ? result->n_outputs : 0;
}

const double *pbit_result_mean(const struct pbit_result *result)
{
	return result ? result->mean : NULL;
}

const double *pbit_result_stderr(const struct pbit_result *result)
{
	return result ? result->standard_error : NULL;
}

const uint32_t *pbit_result_votes(const struct pbit_result *result)
{
	return result ? result->votes : NULL;
}

const uint32_t *pbit_result_class(const struct pbit_result *result)
{
	return result ? result->class : NULL;
}

const uint32_t *pbit_result_samples(const struct pbit_result *result)
{
	return result ? result->samples : NULL;
}

int pbit_result_stats(const struct pbit_result *result, struct pbit_run_stats *stats)
{
	const char *what = "cannot give statistics";

	if (!result)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, NULL, NULL, "result is NULL");
	return pbit__args_write(stats, &result->stats, sizeof(result->stats),
				PBIT__SIZE_TO(struct pbit_run_stats, n_devices), what, "stats");
}
