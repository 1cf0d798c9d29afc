/* SPDX-License-Identifier: Apache-2.0 */
/* Energy of the two-dimensional torus at two temperatures against Kaufman's formula. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "check/draw.h"
#include "check/kaufman.h"
#include "check/power.h"
#include "stats/stats.h"

#define PILOT	      4096u
#define LONGEST_PILOT 65536u
#define BURN_IN	      500u
#define BATCH_TAUS    50.0
#define LARGEST_TORUS 32u
/* Short of the transition (0.4407), where the energy takes long to forget; above nothing. */
#define LEAST_K 0.1
#define MOST_K	0.43

struct torus {
	uint32_t L, replicas;
	size_t words;
	double J, beta; /* as the device holds them */
	double *energy; /* [replica][round], in units of J */
	size_t rounds, at;
};

static int spin_of(const uint64_t *state, uint32_t i)
{
	return (int)(state[i / 64] >> (i % 64) & 1);
}

/* Couplings right and below that are satisfied, minus those that are not, with its sign changed. */
static double energy_of(const uint64_t *state, uint32_t L)
{
	int differ = 0;

	for (uint32_t y = 0; y < L; y++) {
		for (uint32_t x = 0; x < L; x++) {
			int here = spin_of(state, y * L + x);

			differ += here ^ spin_of(state, y * L + (x + 1) % L);
			differ += here ^ spin_of(state, (y + 1) % L * L + x);
		}
	}
	return 2.0 * differ - 2.0 * L * L;
}

static int store(const uint64_t *states, size_t words, void *user)
{
	struct torus *t = user;

	for (uint32_t r = 0; r < t->replicas; r++)
		t->energy[r * t->rounds + t->at] = energy_of(states + r * words, t->L);
	t->at++;
	return 0;
}

static int make(struct torus *t, struct pbit_bm **out)
{
	uint32_t L = t->L;
	struct pbit_bm *bm;
	int rc = pbit_bm_new(L * L, &bm);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < L * L && !rc; i++) {
		rc = pbit_bm_add_coupling(bm, i, i / L * L + (i + 1) % L, t->J);
		if (!rc)
			rc = pbit_bm_add_coupling(bm, i, (i + L) % (L * L), t->J);
	}
	if (rc)
		pbit_bm_put(bm);
	else
		*out = bm;
	return rc;
}

static int collect(struct pbit__check *c, struct torus *t, uint64_t burn_in, size_t rounds,
		   uint64_t interval)
{
	free(t->energy);
	t->rounds = rounds;
	t->at = 0;
	t->energy = calloc(rounds * t->replicas, sizeof(*t->energy));
	if (!t->energy)
		return pbit__check_no_memory();
	return pbit__check_stream(c, t->words, pbit__check_beta(c, t->beta), burn_in, rounds,
				  interval, store, t);
}

static double shift_of(const struct torus *t)
{
	double K = t->beta * t->J, n = (double)t->L * t->L, here = pbit__check_kaufman(t->L, K);

	return n * fmin(fabs(pbit__check_kaufman(t->L, 0.95 * K) - here),
			fabs(pbit__check_kaufman(t->L, 1.05 * K) - here));
}

static int judge(struct pbit__check *c, const struct torus *t, const char *name, double tau,
		 uint64_t interval)
{
	double exact = pbit__check_kaufman(t->L, t->beta * t->J) * t->L * t->L;
	struct pbit__stats_mean mean;
	struct pbit_check_test *test;
	size_t n = t->rounds * t->replicas;

	mean = pbit__stats_batch_means(t->energy, n, PBIT__CHECK_BATCHES);
	test = pbit__check_add(c, name, "a gain 5 % off");
	if (!test)
		return pbit__check_no_memory();
	test->df = mean.df;
	test->statistic = (mean.mean - exact) / mean.standard_error;
	test->p = mean.standard_error > 0.0
			  ? pbit__stats_student_two_sided(test->statistic, mean.df)
			  : 0.0;
	test->samples = n;
	test->interval = interval;
	test->tau = tau;
	test->ess = (double)n * fmin(1.0, (double)interval / (2.0 * tau));
	test->power = pbit__check_power_mean(shift_of(t), mean.standard_error, c->alpha);
	return 0;
}

/* Batches of 50 tau; as many sweeps more as the power wants. */
static size_t rounds_for(const struct pbit__check *c, const struct torus *t, double tau,
			 uint64_t interval)
{
	double per_batch = ceil(BATCH_TAUS * 2.0 * tau / (double)interval);
	double batches = PBIT__CHECK_BATCHES / t->replicas;

	return (size_t)(fmax(16.0, ceil(per_batch * fmax(c->scale, 1.0))) * batches);
}

static int refuse(struct pbit__check *c, const char *name, double tau)
{
	struct pbit_check_test *test = pbit__check_add(c, name, NULL);

	if (!test)
		return pbit__check_no_memory();
	test->verdict = PBIT_CHECK_REFUSED;
	test->tau = tau;
	pbit__check_reason(c, "the energy is correlated over %.3g sweeps, too long to judge", tau);
	return 0;
}

static int run(struct pbit__check *c, struct torus *t, const char *name)
{
	uint64_t interval, burn_in = BURN_IN;
	double tau = 0.0;
	int rc;

	for (size_t n = PILOT / t->replicas;; n *= 4) {
		rc = collect(c, t, burn_in, n, 1);
		if (rc)
			return rc;
		tau = pbit__stats_autocorrelation_times(t->energy, t->replicas, n);
		burn_in = 0;
		if ((double)(n * t->replicas) >= 1000.0 * tau && (double)n >= 20.0 * tau)
			break;
		if (n * t->replicas >= LONGEST_PILOT)
			return refuse(c, name, tau);
	}
	interval = tau > 2.0 ? (uint64_t)tau : 1;
	rc = collect(c, t, 0, rounds_for(c, t, tau, interval), interval);
	return rc ? rc : judge(c, t, name, tau, interval);
}

static uint32_t size_for(const struct pbit_caps *caps)
{
	uint32_t L = LARGEST_TORUS;

	while (L > 2 && (caps->stated & PBIT_CAP_PBITS) && (uint64_t)L * L > caps->pbits)
		L /= 2;
	return L;
}

static int at_temperature(struct pbit__check *c, uint32_t L, double K)
{
	const struct pbit_caps *caps = &c->d.caps;
	struct torus t = {.L = L, .replicas = c->d.replicas, .words = (L * L + 63) / 64};
	double scale = pbit__check_scale(caps, 1.0, 0.0, K);
	struct pbit_bm *bm;
	char name[48];
	int rc;

	t.J = pbit__check_round(caps, PBIT_CAP_COUPLING, &caps->coupling, scale);
	t.beta = pbit__check_round(caps, PBIT_CAP_BETA, &caps->beta, K / scale);
	snprintf(name, sizeof(name), "%u x %u torus energy, K=%.2g", L, L,
		 t.J > 0.0 && t.beta > 0.0 ? t.J * t.beta : K);
	if (!(t.J > 0.0) || !(t.beta > 0.0) ||
	    !pbit__check_holds(caps, PBIT_CAP_BETA, &caps->beta, t.beta) ||
	    !(t.J * t.beta > LEAST_K && t.J * t.beta < MOST_K))
		return pbit__check_not_applicable(c, name, "the device cannot hold beta J = %g", K);
	rc = make(&t, &bm);
	if (rc)
		return rc;
	rc = pbit__check_program(c, bm, c->d.order);
	if (!rc)
		rc = run(c, &t, name);
	pbit_bm_put(bm);
	free(t.energy);
	return rc ? pbit__check_excuse(c, name, rc) : 0;
}

int pbit__check_torus(struct pbit__check *c)
{
	uint32_t L = size_for(&c->d.caps);
	int rc;

	if (c->d.order == PBIT_ORDER_SYNCHRONOUS)
		return pbit__check_not_applicable(
			c, "torus energy", "a synchronous device does not sample Boltzmann's law");
	if (L < 4)
		return pbit__check_not_applicable(c, "torus energy",
						  "a 4 x 4 torus has more p-bits than the device");
	rc = at_temperature(c, L, 0.3);
	return rc ? rc : at_temperature(c, L, 0.4);
}
