/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling for the suite: programs, burns in, measures the correlation, thins. */
#include "check/draw.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>
#include "stats/stats.h"

#define PILOT	     4096u /* sweeps of the first measurement of tau */
#define RARE	     2u	   /* indicators of rare states that are watched */
#define POLL_SAMPLES 1024u
#define INDEPENDENT  0.6 /* a measured tau up to here is noise around 0.5 */

/* A p-bit that is clamped on the device; where it has no clamp, the samples say the same. */
static int clamp_stuck(struct pbit__check *c, uint32_t n)
{
	size_t words = ((size_t)n + 63) / 64;
	uint64_t *mask;
	int rc;

	if (!(c->d.caps.flags & PBIT_FLAG_CLAMP))
		return 0;
	mask = calloc(words, sizeof(*mask));
	if (!mask)
		return pbit__check_no_memory();
	mask[0] = 1;
	rc = pbit_clamp(c->d.dev, mask, mask);
	free(mask);
	return rc;
}

int pbit__check_program(struct pbit__check *c, struct pbit_bm *bm, uint32_t order)
{
	struct pbit_program_opts opts = PBIT_INIT(opts);
	int rc;

	opts.order = order;
	opts.seed = pbit__check_seed(c);
	opts.replicas = c->d.replicas;
	rc = pbit_program_with(c->d.dev, bm, &opts);
	if (!rc && c->d.fault.stuck)
		rc = clamp_stuck(c, pbit_bm_size(bm));
	return rc;
}

int pbit__check_program_machine(struct pbit__check *c, const struct pbit__check_machine *m,
				uint32_t order, uint32_t weakest)
{
	struct pbit__check_machine own = *m;
	struct pbit_bm *bm;
	int rc;

	if (c->d.fault.drop && weakest < own.n_edges)
		pbit__check_machine_drop(&own, weakest);
	rc = pbit__check_machine_make(&own, &bm);
	if (rc)
		return rc;
	rc = pbit__check_program(c, bm, order);
	pbit_bm_put(bm);
	return rc;
}

double pbit__check_beta(const struct pbit__check *c, double beta)
{
	const struct pbit_caps *caps = &c->d.caps;
	double factor = c->d.fault.beta, scaled, step;

	if (factor == 0.0 || factor == 1.0)
		return beta;
	scaled = pbit__check_round(caps, PBIT_CAP_BETA, &caps->beta, beta * factor);
	if (scaled == beta) {
		/* One step of the device's beta is more than the fault: the least that it can be. */
		step = ldexp(1.0, -(int)caps->beta.fraction_bits);
		scaled = factor < 1.0 ? beta - step : beta + step;
	}
	return scaled;
}

struct stream {
	struct pbit__check *c;
	pbit__check_draw_fn *fn;
	void *user;
	size_t words;
	uint64_t since;
	uint64_t *copy; /* of a device whose p-bit is stuck by hand */
	int rc;
};

static int on_sample(const uint64_t *states, uint64_t index, void *user)
{
	struct stream *s = user;

	(void)index;
	if (++s->since >= POLL_SAMPLES) {
		s->since = 0;
		s->rc = pbit__check_poll(s->c);
	}
	if (!s->rc && s->copy) {
		memcpy(s->copy, states, s->words * s->c->d.replicas * sizeof(*states));
		for (uint32_t r = 0; r < s->c->d.replicas; r++)
			s->copy[r * s->words] |= 1;
		states = s->copy;
	}
	if (!s->rc)
		s->rc = s->fn(states, s->words, s->user);
	return s->rc;
}

int pbit__check_stream(struct pbit__check *c, size_t words, double beta, uint64_t burn_in,
		       uint64_t rounds, uint64_t interval, pbit__check_draw_fn *fn, void *user)
{
	struct pbit_sample_opts opts = PBIT_INIT(opts);
	struct stream s = {.c = c, .fn = fn, .user = user, .words = words};
	int rc;

	if (c->d.fault.stuck && !(c->d.caps.flags & PBIT_FLAG_CLAMP)) {
		s.copy = calloc(words * c->d.replicas, sizeof(*s.copy));
		if (!s.copy)
			return pbit__check_no_memory();
	}
	opts.beta = beta;
	opts.burn_in = burn_in + interval;
	opts.samples = rounds;
	opts.interval = interval;
	rc = pbit_sample(c->d.dev, &opts, on_sample, &s);
	free(s.copy);
	return s.rc ? s.rc : rc;
}

/* States as they come: replica after replica in a round, or each replica's in a row of its own. */
struct collect {
	uint32_t *state;
	size_t rounds, at;
	uint32_t replicas, mask;
	bool in_rows;
};

static int collect(const uint64_t *states, size_t words, void *user)
{
	struct collect *k = user;

	for (uint32_t r = 0; r < k->replicas; r++) {
		size_t to = k->in_rows ? r * k->rounds + k->at : k->at * k->replicas + r;

		k->state[to] = (uint32_t)states[r * words] & k->mask;
	}
	k->at++;
	return 0;
}

struct pilot {
	const struct pbit__check_law *law;
	uint32_t *state; /* [replica][round] */
	size_t replicas, rounds;
	double *series, *value;
};

static double tau_of(const struct pilot *p, const double *value)
{
	for (size_t t = 0; t < p->replicas * p->rounds; t++)
		p->series[t] = value[p->state[t]];
	return pbit__stats_autocorrelation_times(p->series, p->replicas, p->rounds);
}

/* The rarest states that a pilot of this length still sees often. */
static uint32_t rare_state(const struct pbit__check_law *law, size_t n, uint32_t above)
{
	double least = 2.0;
	uint32_t rare = 0;

	for (uint32_t s = 0; s < law->states; s++) {
		double p = law->p[s] + 1e-12 * s; /* ties go by number */

		if (p < least && p * (double)n > 50.0 &&
		    (above >= law->states || p > law->p[above] + 1e-12 * above)) {
			least = p;
			rare = s;
		}
	}
	return rare;
}

/* Worst tau of the energy, every p-bit and rare states. */
static double worst_tau(const struct pilot *p)
{
	const struct pbit__check_law *law = p->law;
	double tau = tau_of(p, law->energy);
	uint32_t rare = law->states;

	for (uint32_t i = 0; i < law->n; i++) {
		for (uint32_t s = 0; s < law->states; s++)
			p->value[s] = s >> i & 1;
		tau = fmax(tau, tau_of(p, p->value));
	}
	for (uint32_t k = 0; k < RARE; k++) {
		rare = rare_state(law, p->replicas * p->rounds, rare);
		memset(p->value, 0, law->states * sizeof(*p->value));
		p->value[rare] = 1.0;
		tau = fmax(tau, tau_of(p, p->value));
	}
	return tau;
}

static int pilot_once(struct pbit__check *c, struct pilot *p, double beta, uint64_t burn_in,
		      double *tau)
{
	size_t all = p->replicas * p->rounds;
	struct collect k = {.rounds = p->rounds,
			    .replicas = (uint32_t)p->replicas,
			    .mask = p->law->states - 1,
			    .in_rows = true};
	int rc = 0;

	p->series = calloc(all, sizeof(*p->series));
	p->value = calloc(p->law->states, sizeof(*p->value));
	p->state = k.state = calloc(all, sizeof(*k.state));
	if (!p->series || !p->value || !p->state)
		rc = pbit__check_no_memory();
	if (!rc)
		rc = pbit__check_stream(c, 1, beta, burn_in, p->rounds, 1, collect, &k);
	if (!rc)
		*tau = worst_tau(p);
	free(p->state);
	free(p->value);
	free(p->series);
	return rc;
}

/* Measures tau on a stretch that is long enough to hold 1000 of them, each replica 20. */
static int pilot(struct pbit__check *c, const struct pbit__check_law *law, double beta,
		 struct pbit__check_draws *d)
{
	size_t most = (size_t)fmin(4e6, fmax(32768.0, 4000.0 * pbit__check_law_tau(law)));
	struct pilot p = {.law = law, .replicas = c->d.replicas};
	uint64_t burn_in = d->burn_in;

	for (p.rounds = PILOT / p.replicas;; p.rounds *= 4) {
		int rc = pilot_once(c, &p, beta, burn_in, &d->tau);
		double rounds = (double)p.rounds, all = rounds * (double)p.replicas;

		if (rc || (all >= 1000.0 * d->tau && rounds >= 20.0 * d->tau))
			return rc;
		if (all >= (double)most) {
			d->refused = true;
			return 0;
		}
		burn_in = 0;
	}
}

int pbit__check_stationary(struct pbit__check *c, const struct pbit__check_law *law, double beta,
			   size_t samples, struct pbit__check_draws *d)
{
	uint32_t R = c->d.replicas;
	size_t rounds = (samples + R - 1) / R;
	struct collect k = {.rounds = rounds, .replicas = R, .mask = law->states - 1};
	uint64_t theory, measured;
	int rc;

	*d = (struct pbit__check_draws){0};
	d->burn_in = 16 + pbit__check_law_sweeps(law, 1e-12);
	if (law->order == PBIT_ORDER_ASYNCHRONOUS)
		d->burn_in *= 4;
	rc = pilot(c, law, beta, d);
	if (rc || d->refused)
		return rc;
	theory = pbit__check_law_sweeps(law, 0.01);
	measured = d->tau > INDEPENDENT ? (uint64_t)ceil(2.0 * d->tau) : 1;
	d->interval = theory > measured ? theory : measured;
	k.state = calloc(rounds * R, sizeof(*k.state));
	if (!k.state)
		return pbit__check_no_memory();
	rc = pbit__check_stream(c, 1, beta, 0, rounds, d->interval, collect, &k);
	d->state = k.state;
	d->n = rounds * R;
	return rc;
}
