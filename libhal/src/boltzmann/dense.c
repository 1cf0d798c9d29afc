/* SPDX-License-Identifier: Apache-2.0 */
/* All couplings at once, from a dense matrix that is checked whole before anything is replaced. */
#include "boltzmann/bm.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static int fail_dense(const char *what, const double *J, uint32_t n, uint32_t i, uint32_t j)
{
	double below = J[(size_t)i * n + j], above = J[(size_t)j * n + i];
	char where[48];

	snprintf(where, sizeof(where), "J[%u][%u]", i, j);
	if (!(fabs(below) <= PBIT__BM_LARGEST))
		return pbit__bm_check_value(what, where, below);
	if (i == j)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, where,
				 "use pbit_bm_set_bias() for a field on one p-bit",
				 "it is %.17g, the diagonal must be 0", below);
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, where,
			 "pass (J + transposed J)/2 where the energy is what counts",
			 "it is %.17g but J[%u][%u] is %.17g: J must be symmetric bit by bit",
			 below, j, i, above);
}

/* Checks the matrix, and counts its couplings. */
static int check_dense(const char *what, const double *J, uint32_t n, uint64_t *count)
{
	*count = 0;
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j <= i; j++) {
			double below = J[(size_t)i * n + j], above = J[(size_t)j * n + i];

			if (!(fabs(below) <= PBIT__BM_LARGEST) || (i == j && below != 0.0) ||
			    (i != j && bits_of(below) != bits_of(above)))
				return fail_dense(what, J, n, i, j);
			*count += below != 0.0;
		}
	}
	return 0;
}

int pbit_bm_set_dense(struct pbit_bm *bm, const double *J)
{
	static const char what[] = "cannot set the couplings";
	struct pbit__coupling *entry;
	uint64_t count, k = 0;
	int rc;

	rc = pbit__bm_check_changeable(bm, what);
	if (rc)
		return rc;
	if (!J)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "J", NULL,
				 "the pointer is NULL");
	rc = check_dense(what, J, bm->n, &count);
	if (rc)
		return rc;
	entry = calloc(count ? count : 1, sizeof(*entry));
	if (!entry)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, NULL, NULL,
				 "no memory for %llu couplings", (unsigned long long)count);
	for (uint32_t i = 0; i < bm->n; i++) {
		for (uint32_t j = i + 1; j < bm->n; j++) {
			double value = J[(size_t)i * bm->n + j];

			if (value != 0.0)
				entry[k++] = (struct pbit__coupling){i, j, value};
		}
	}
	pbit__couplings_clear(&bm->pairs);
	pbit__couplings_clear(&bm->arcs);
	/* The first pair added after this fills the index. */
	bm->pairs.entry = entry;
	bm->pairs.count = count;
	bm->pairs.capacity = count ? count : 1;
	pbit__bm_drop_rows(bm);
	return 0;
}
