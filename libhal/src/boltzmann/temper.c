/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parallel tempering: rounds of sweeps at all temperatures, then exchanges between neighbours. All
 * that is decided here is a function of states, energies and counters, never of which device a slot
 * is on.
 */
#include "boltzmann/temper.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "boltzmann/exchange.h"
#include "boltzmann/fit.h"
#include "core/args.h"
#include "core/clock.h"

static const char what[] = "cannot temper";

static int fail(const char *where, const char *why)
{
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, where, NULL, "%s", why);
}

static int check_betas(const struct pbit_temper_opts *o)
{
	if (!o->betas || !o->n_betas)
		return fail("opts.betas", "no temperatures are given");
	for (uint32_t b = 0; b < o->n_betas; b++) {
		if (!(o->betas[b] > (b ? o->betas[b - 1] : 0.0)) || !isfinite(2.0 * o->betas[b]))
			return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "opts.betas",
					 "list finite inverse temperatures above 0, rising",
					 "betas[%u] is %g", b, o->betas[b]);
	}
	return 0;
}

static int check_opts(struct pbit__temper *run, const struct pbit_temper_opts *given)
{
	struct pbit_temper_opts *o = &run->opts;
	int rc = pbit__args_read(o, sizeof(*o), given,
				 PBIT__SIZE_TO(struct pbit_temper_opts, samples), what, "opts");

	if (!rc)
		rc = check_betas(o);
	if (rc)
		return rc;
	o->ladders = o->ladders ? o->ladders : 1;
	if (o->flags)
		return fail("opts.flags", "it has unknown flags");
	if (o->exchange > PBIT_EXCHANGE_HEAT_BATH)
		return fail("opts.exchange", "it is none of the exchange rules");
	if (!o->sweeps)
		return fail("opts.sweeps", "it is 0: states would only be exchanged");
	if (o->mask && !o->value)
		return fail("opts.value", "the pointer is NULL");
	if (o->samples > UINT64_MAX - o->burn_in)
		return fail("opts.burn_in", "with the samples it makes more than 2^64 rounds");
	run->slots = (uint64_t)o->ladders * o->n_betas;
	if (run->slots > UINT32_MAX)
		return fail("opts.ladders", "with n_betas it makes more than 2^32 slots");
	if (o->deadline_ns)
		run->ctl.deadline = o->deadline_ns;
	return 0;
}

static int check_devices(struct pbit_device *const *devs, uint32_t n)
{
	if (!devs || !n)
		return fail("devs", "no devices are given");
	for (uint32_t d = 0; d < n; d++) {
		int rc = pbit__bm_check_device(devs[d], what);

		if (rc)
			return rc;
		for (uint32_t e = 0; e < d; e++) {
			if (devs[e] == devs[d])
				return fail("devs", "the same device is given twice");
		}
	}
	return 0;
}

static int check_machine(const struct pbit_bm *bm)
{
	if (!bm)
		return fail("bm", "the pointer is NULL");
	return bm->arcs.count ? fail("bm", "the machine is directed: it has no energy") : 0;
}

/* One order for all: the first device's first where the caller leaves it open. */
static int check_orders(struct pbit__temper *run, struct pbit_device *const *devs, uint32_t n)
{
	int rc = pbit__bm_choose_order(devs[0], &run->opts.order);

	for (uint32_t d = 1; !rc && run->opts.order && d < n; d++)
		rc = pbit__bm_choose_order(devs[d], &run->opts.order);
	return rc;
}

/*
 * Runs of equal length, the first ones one longer where slots remain; none for the devices left
 * over.
 */
static void deal(struct pbit__temper *run, struct pbit_device *const *devs, uint32_t n)
{
	uint64_t first = 0;

	run->shares = n < run->slots ? n : (uint32_t)run->slots;
	for (uint32_t d = 0; d < run->shares; d++) {
		struct pbit__share *s = &run->share[d];

		s->run = run;
		s->dev = devs[d];
		s->first = first;
		s->count = run->slots / run->shares + (d < run->slots % run->shares);
		first += s->count;
	}
}

static int make_room(struct pbit__temper *run, uint32_t n_devs)
{
	run->share = calloc(n_devs, sizeof(*run->share));
	run->beta = calloc(run->slots, sizeof(*run->beta));
	run->energy = calloc(run->slots, sizeof(*run->energy));
	run->next_energy = calloc(run->slots, sizeof(*run->next_energy));
	run->states = calloc(run->slots, run->words * sizeof(*run->states));
	run->next = calloc(run->slots, run->words * sizeof(*run->next));
	if (!run->share || !run->beta || !run->energy || !run->next_energy || !run->states ||
	    !run->next)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, NULL,
				 "ask for fewer temperatures or ladders",
				 "no memory for %llu states of %u p-bits",
				 (unsigned long long)run->slots, run->bm->n);
	for (uint64_t k = 0; k < run->slots; k++)
		run->beta[k] = run->opts.betas[k % run->opts.n_betas];
	return 0;
}

static void free_room(struct pbit__temper *run)
{
	free(run->share);
	free(run->beta);
	free(run->energy);
	free(run->next_energy);
	free(run->states);
	free(run->next);
}

static void mark_moved(struct pbit__temper *run, uint64_t slot)
{
	for (uint32_t d = 0; d < run->shares; d++) {
		struct pbit__share *s = &run->share[d];

		if (slot >= s->first && slot - s->first < s->count)
			s->moved = true;
	}
}

static void exchange(struct pbit__temper *run, uint64_t slot)
{
	uint64_t *a = run->states + slot * run->words, *b = a + run->words;
	double energy = run->energy[slot];

	for (size_t w = 0; w < run->words; w++) {
		uint64_t word = a[w];

		a[w] = b[w];
		b[w] = word;
	}
	run->energy[slot] = run->energy[slot + 1];
	run->energy[slot + 1] = energy;
	mark_moved(run, slot);
	mark_moved(run, slot + 1);
}

static void exchange_all(struct pbit__temper *run, uint64_t round)
{
	const struct pbit_temper_opts *o = &run->opts;

	for (uint64_t l = 0; l < o->ladders; l++) {
		for (uint32_t b = (uint32_t)(round % 2); b + 1 < o->n_betas; b += 2) {
			uint64_t slot = l * o->n_betas + b;
			double D = (o->betas[b + 1] - o->betas[b]) *
				   (run->energy[slot + 1] - run->energy[slot]);
			double p = pbit__exchange_probability((enum pbit_exchange)o->exchange, D);

			if (run->result.tried)
				run->result.tried[b]++;
			if (!pbit__exchange_draw(o->seed, l, b, round, p))
				continue;
			if (run->result.accepted)
				run->result.accepted[b]++;
			exchange(run, slot);
		}
	}
}

static void keep_best(struct pbit__temper *run)
{
	for (uint64_t k = 0; k < run->slots; k++) {
		if (!(run->energy[k] < run->result.energy))
			continue;
		run->result.energy = run->energy[k];
		if (run->result.best)
			memcpy(run->result.best, run->states + k * run->words,
			       run->words * sizeof(*run->states));
	}
}

static void take_next(struct pbit__temper *run)
{
	uint64_t *states = run->states;
	double *energy = run->energy;

	run->states = run->next;
	run->next = states;
	run->energy = run->next_energy;
	run->next_energy = energy;
}

static int one_round(struct pbit__temper *run)
{
	int rc = pbit_ctl_check(&run->ctl);

	if (!rc)
		rc = pbit__shares_advance(run);
	if (rc)
		return rc;
	take_next(run);
	keep_best(run);
	exchange_all(run, run->opts.first_round + run->result.rounds);
	run->result.rounds++;
	run->result.updates += run->slots * run->opts.sweeps * run->free_pbits;
	return 0;
}

static int all_rounds(struct pbit__temper *run, pbit_temper_fn *fn, void *user)
{
	const struct pbit_temper_opts *o = &run->opts;
	int rc = 0;

	while (!rc && run->result.rounds < o->burn_in + o->samples) {
		uint64_t round = run->result.rounds;

		rc = one_round(run);
		if (rc || round < o->burn_in || !fn)
			continue;
		if (fn(run->states, run->energy, round - o->burn_in, user))
			return pbit_fail(-ECANCELED, PBIT_ERR_CANCELLED, what, NULL, NULL,
					 "the callback ended the run in round %llu",
					 (unsigned long long)round);
	}
	if (rc == -ETIMEDOUT)
		return pbit_fail(rc, PBIT_ERR_TIMEOUT, what, NULL,
				 "allow more time or ask for fewer rounds",
				 "the deadline passed after %llu rounds",
				 (unsigned long long)run->result.rounds);
	return rc;
}

static int give(struct pbit__temper *run, int64_t began, struct pbit_temper_result *result)
{
	if (!result)
		return 0;
	run->result.seconds = 1e-9 * (double)(pbit__now_ns() - began);
	if (run->result.states)
		memcpy(run->result.states, run->states,
		       run->slots * run->words * sizeof(*run->states));
	return pbit__args_write(result, &run->result, sizeof(run->result),
				PBIT__SIZE_TO(struct pbit_temper_result, energy), what, "result");
}

static int read_result(struct pbit__temper *run, const struct pbit_temper_result *given)
{
	struct pbit_temper_result own = {0};
	int rc = 0;

	if (given)
		rc = pbit__args_read(&own, sizeof(own), given,
				     PBIT__SIZE_TO(struct pbit_temper_result, energy), what,
				     "result");
	run->result = (struct pbit_temper_result){.struct_size = sizeof(own),
						  .tried = own.tried,
						  .accepted = own.accepted,
						  .states = own.states,
						  .best = own.best,
						  .energy = INFINITY};
	return rc;
}

static void clear_rates(struct pbit__temper *run)
{
	size_t bytes = (run->opts.n_betas - 1) * sizeof(uint64_t);

	if (run->result.tried)
		memset(run->result.tried, 0, bytes);
	if (run->result.accepted)
		memset(run->result.accepted, 0, bytes);
}

static uint64_t count_free(const struct pbit_bm *bm, const uint64_t *mask)
{
	uint64_t count = bm->n;

	for (uint32_t i = 0; mask && i < bm->n; i++)
		count -= mask[i / 64] >> (i % 64) & 1;
	return count;
}

int pbit_temper(struct pbit_device *const *devs, uint32_t n_devs, struct pbit_bm *bm,
		const struct pbit_temper_opts *opts, pbit_temper_fn *fn, void *user,
		struct pbit_temper_result *result)
{
	struct pbit__temper run = {.bm = bm, .ctl = PBIT_CTL_INIT(PBIT_FOREVER)};
	int64_t began = pbit__now_ns();
	int rc, given;

	rc = check_devices(devs, n_devs);
	if (!rc)
		rc = check_machine(bm);
	if (!rc)
		rc = check_opts(&run, opts);
	if (!rc)
		rc = check_orders(&run, devs, n_devs);
	if (!rc)
		rc = read_result(&run, result);
	if (rc)
		return rc;
	run.words = PBIT__BM_WORDS(bm->n);
	run.free_pbits = count_free(bm, run.opts.mask);
	rc = make_room(&run, n_devs);
	if (rc)
		goto out;
	deal(&run, devs, n_devs);
	rc = pbit__shares_begin(&run);
	if (rc)
		goto out;
	clear_rates(&run);
	if (run.opts.start)
		memcpy(run.states, run.opts.start, run.slots * run.words * sizeof(*run.states));
	rc = all_rounds(&run, fn, user);
	/* The states that fn or the result show are those on the devices. */
	if (!rc)
		rc = pbit__shares_settle(&run);
	given = give(&run, began, result);
	rc = rc ? rc : given;
out:
	free_room(&run);
	return rc;
}
