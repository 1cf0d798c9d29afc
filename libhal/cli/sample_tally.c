/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of samples as they come: energies, magnetisation, means, counts of states. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <pbit/backend.h>
#include "sample.h"

int sample_tally_open(struct sample_tally *tally, const struct machine *machine, uint32_t replicas,
		      uint64_t samples)
{
	uint32_t n = machine->n;
	int err;

	*tally = (struct sample_tally){.samples = 0};
	tally->up = calloc(n, sizeof(*tally->up));
	if (n <= SAMPLE_COUNT_PBITS)
		tally->states = calloc((size_t)1 << n, sizeof(*tally->states));
	if (!tally->up || (n <= SAMPLE_COUNT_PBITS && !tally->states))
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot keep statistics", NULL, NULL,
				 "out of memory");
	err = series_open(&tally->energy, replicas, samples);
	if (!err)
		err = series_open(&tally->magnetisation, replicas, samples);
	return err ? err : series_open(&tally->absolute, replicas, samples);
}

void sample_tally_close(struct sample_tally *tally)
{
	series_close(&tally->energy);
	series_close(&tally->magnetisation);
	series_close(&tally->absolute);
	free(tally->up);
	free(tally->states);
	tally->up = tally->states = NULL;
}

/* Counts the p-bits that are +1, in all and each. */
static uint64_t add_bits(struct sample_tally *tally, const uint64_t *state, size_t words)
{
	uint64_t up = 0;

	for (size_t w = 0; w < words; w++) {
		for (uint64_t bits = state[w]; bits; bits &= bits - 1)
			tally->up[64 * w + (size_t)__builtin_ctzll(bits)]++;
		up += (uint64_t)__builtin_popcountll(state[w]);
	}
	return up;
}

void sample_tally_add(struct sample_tally *tally, const struct machine *machine,
		      const uint64_t *states)
{
	for (uint32_t r = 0; r < tally->energy.chains; r++) {
		const uint64_t *state = states + r * machine->words;
		uint64_t up = add_bits(tally, state, machine->words);
		double m = (2.0 * (double)up - (double)machine->n) / (double)machine->n;

		series_add(&tally->energy, r, machine_energy(machine, state));
		series_add(&tally->magnetisation, r, m);
		series_add(&tally->absolute, r, fabs(m));
		if (tally->states)
			tally->states[state[0]]++;
	}
	tally->samples++;
}
