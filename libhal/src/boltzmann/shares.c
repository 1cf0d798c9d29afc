/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices' part in parallel tempering: each holds a run of slots, and all are updated at the
 * same time, the first in the calling thread and each other one in a thread of its own.
 */
#include "boltzmann/fit.h"
#include "boltzmann/temper.h"

static const char what[] = "cannot temper";

static int begin_one(struct pbit__share *s)
{
	const struct pbit__temper *run = s->run;
	struct pbit_program_opts opts = PBIT_INIT(opts);
	int rc = 0;

	for (uint32_t b = 0; !rc && b < run->opts.n_betas; b++)
		rc = pbit__bm_check_beta(s->dev, what, run->opts.betas[b]);
	if (rc)
		return rc;
	opts.order = run->opts.order;
	opts.seed = run->opts.seed;
	opts.replicas = (uint32_t)s->count;
	opts.first_chain = s->first;
	rc = pbit__bm_program(s->dev, run->bm, &opts, &s->program);
	if (!rc && run->opts.mask)
		rc = pbit__bm_put_clamps(s->dev, s->program, what, run->opts.mask, run->opts.value);
	if (!rc && run->opts.start)
		rc = pbit__bm_put_states(s->dev, s->program, what,
					 run->opts.start + s->first * run->words);
	if (!rc && run->opts.first_round)
		rc = pbit_seek(s->dev, run->opts.first_round * run->opts.sweeps);
	return rc;
}

int pbit__shares_begin(struct pbit__temper *run)
{
	int rc = 0;

	for (uint32_t d = 0; !rc && d < run->shares; d++)
		rc = begin_one(&run->share[d]);
	return rc;
}

static int settle_one(struct pbit__share *s)
{
	int rc = 0;

	if (s->moved)
		rc = pbit__bm_put_states(s->dev, s->program, what,
					 s->run->states + s->first * s->run->words);
	if (!rc)
		s->moved = false;
	return rc;
}

int pbit__shares_settle(struct pbit__temper *run)
{
	int rc = 0;

	for (uint32_t d = 0; !rc && d < run->shares; d++)
		rc = settle_one(&run->share[d]);
	return rc;
}

static int advance_one(struct pbit__share *s)
{
	struct pbit__temper *run = s->run;
	uint64_t *states = run->next + s->first * run->words;
	int rc = settle_one(s);

	if (!rc)
		rc = pbit__bm_advance(s->dev, s->program, what, run->beta + s->first, true,
				      run->opts.sweeps, &run->ctl, states);
	for (uint64_t k = 0; !rc && k < s->count; k++)
		run->next_energy[s->first + k] = pbit_bm_energy(run->bm, states + k * run->words);
	return rc;
}

static void *advance_in_thread(void *share)
{
	struct pbit__share *s = share;

	s->rc = advance_one(s);
	if (s->rc)
		pbit__error_save(&s->record);
	return NULL;
}

int pbit__shares_advance(struct pbit__temper *run)
{
	int rc;

	for (uint32_t d = 1; d < run->shares; d++) {
		struct pbit__share *s = &run->share[d];

		s->threaded = !pthread_create(&s->thread, NULL, advance_in_thread, s);
	}
	rc = advance_one(&run->share[0]);
	for (uint32_t d = 1; d < run->shares; d++) {
		struct pbit__share *s = &run->share[d];

		/* Without a thread there is still this one. */
		if (s->threaded)
			pthread_join(s->thread, NULL);
		else
			advance_in_thread(s);
		if (s->rc && !rc) {
			rc = s->rc;
			pbit__error_restore(&s->record);
		}
	}
	return rc;
}
