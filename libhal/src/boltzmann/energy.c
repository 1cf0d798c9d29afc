/* SPDX-License-Identifier: Apache-2.0 */
/* The energy of a state, read off the compressed rows. */
#include <errno.h>
#include <math.h>
#include <pbit/backend.h>
#include "boltzmann/bm.h"

static int is_up(const uint64_t *state, uint32_t i)
{
	return (int)(state[i / 64] >> (i % 64) & 1);
}

/* One sum: the couplings in order of (i, j), then the biases; its sign changes at the end. */
double pbit_bm_energy(const struct pbit_bm *bm, const uint64_t *state)
{
	static const char what[] = "cannot compute the energy";
	double sum = 0.0;

	if (!bm || !state) {
		pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, bm ? "state" : "bm", NULL,
			  "the pointer is NULL");
		return NAN;
	}
	if (bm->arcs.count) {
		pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "bm", NULL,
			  "the machine is directed (%llu couplings act one way): it has no energy",
			  (unsigned long long)bm->arcs.count);
		return NAN;
	}
	/* The rows are a cache: building them changes nothing that can be seen. */
	if (pbit__bm_build_rows((struct pbit_bm *)bm)) {
		pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, NULL, NULL,
			  "no memory for the rows of %llu couplings",
			  (unsigned long long)bm->pairs.count);
		return NAN;
	}
	for (uint32_t i = 0; i < bm->n; i++) {
		for (uint64_t k = bm->rows.row[i]; k < bm->rows.row[i + 1]; k++) {
			uint32_t j = bm->rows.col[k];

			if (j > i)
				sum += is_up(state, i) == is_up(state, j) ? bm->rows.J[k]
									  : -bm->rows.J[k];
		}
	}
	for (uint32_t i = 0; i < bm->n; i++)
		sum += is_up(state, i) ? bm->h[i] : -bm->h[i];
	return 0.0 - sum;
}
