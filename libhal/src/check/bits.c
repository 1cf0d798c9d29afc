/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Free p-bits must be fair, independent coins: no p-bit depends on another, on its own past, on its
 * neighbour's past, or on another replica. Agreements of two streams of independent fair bits are themselves
 * independent fair bits, so that each count has an exact binomial law.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "check/draw.h"
#include "check/power.h"
#include "stats/stats.h"

#define LAGS	    8u
#define LEAST	    16384u
#define MOST	    262144u
#define CORRELATION 0.05

/* Time series of p-bit i of replica r: 64 samples to a word. */
struct series {
	uint64_t *word;
	uint32_t pbits, replicas;
	size_t words, samples, rounds;
};

static uint64_t *row_of(const struct series *s, uint32_t r, uint32_t i)
{
	return s->word + ((size_t)r * s->pbits + i) * s->words;
}

static int store(const uint64_t *states, size_t words, void *user)
{
	struct series *s = user;
	size_t t = s->samples++;

	for (uint32_t r = 0; r < s->replicas; r++) {
		for (uint32_t i = 0; i < s->pbits; i++) {
			uint64_t bit = states[r * words + i / 64] >> (i % 64) & 1;

			row_of(s, r, i)[t / 64] |= bit << (t % 64);
		}
	}
	return 0;
}

/* Samples t < n at which a(t) = b(t + lag). */
static uint64_t agreements(const uint64_t *a, const uint64_t *b, size_t n, uint32_t lag)
{
	size_t last = (n - lag - 1) / 64;
	uint64_t differ = 0;

	for (size_t w = 0; w <= last; w++) {
		uint64_t later = b[w] >> lag, valid = ~0ull;

		if (lag && (w + 1) * 64 < n)
			later |= b[w + 1] << (64 - lag);
		if (w == last && (n - lag) % 64)
			valid = (1ull << (n - lag) % 64) - 1;
		differ += (uint64_t)__builtin_popcountll((a[w] ^ later) & valid);
	}
	return n - lag - differ;
}

/* Smallest p-value of many, with their number. */
struct least {
	double p;
	uint64_t tests;
	uint32_t i, j, lag;
};

static void look(struct least *least, uint64_t agree, uint64_t n, uint32_t i, uint32_t j,
		 uint32_t lag)
{
	double p, z = fabs(2.0 * (double)agree - (double)n) / sqrt((double)n);

	least->tests++;
	/* Cheap first: an exact tail for the few that could be the smallest. */
	if (z < 2.5 && least->p < 0.01)
		return;
	p = pbit__stats_binomial_test(agree, n, 0.5);
	if (p < least->p)
		*least = (struct least){p, least->tests, i, j, lag};
}

struct plan {
	double tests, alpha;
};

static double power_of(double n, void *user)
{
	const struct plan *p = user;

	return pbit__check_power_normal(CORRELATION, 1.0 / sqrt(n), p->alpha / p->tests);
}

static int report(struct pbit__check *c, const char *name, const char *defect,
		  const struct least *least, uint64_t n, const char *where)
{
	struct pbit_check_test *t = pbit__check_add(c, name, defect);
	struct plan plan = {(double)least->tests, c->alpha};

	if (!t)
		return pbit__check_no_memory();
	t->p = fmin(1.0, least->p * (double)least->tests);
	t->samples = n;
	t->interval = 1;
	t->power = power_of((double)n, &plan);
	if (t->p <= c->alpha)
		pbit__check_reason(c, where, least->i, least->j, least->lag);
	return 0;
}

static int judge_fairness(struct pbit__check *c, const struct series *s)
{
	struct least least = {.p = 2.0};
	struct pbit_check_test *t;

	for (uint32_t i = 0; i < s->pbits; i++) {
		uint64_t up = 0;

		for (uint32_t r = 0; r < s->replicas; r++) {
			for (size_t w = 0; w < s->words; w++)
				up += (uint64_t)__builtin_popcountll(row_of(s, r, i)[w]);
		}
		look(&least, up, s->samples * s->replicas, i, i, 0);
	}
	t = pbit__check_add(c, "free p-bits, fair", "a p-bit with P(+1) = 0.525");
	if (!t)
		return pbit__check_no_memory();
	t->p = fmin(1.0, least.p * (double)least.tests);
	t->samples = s->samples * s->replicas;
	t->interval = 1;
	t->power = power_of((double)t->samples, &(struct plan){(double)least.tests, c->alpha});
	if (t->p <= c->alpha)
		pbit__check_reason(c, "p-bit %u is the worst", least.i);
	return 0;
}

static int judge_pairs(struct pbit__check *c, const struct series *s)
{
	struct least least = {.p = 2.0};

	for (uint32_t i = 0; i < s->pbits; i++) {
		for (uint32_t j = 0; j < i; j++) {
			uint64_t agree = 0;

			for (uint32_t r = 0; r < s->replicas; r++)
				agree +=
					agreements(row_of(s, r, i), row_of(s, r, j), s->samples, 0);
			look(&least, agree, s->samples * s->replicas, i, j, 0);
		}
	}
	if (!least.tests)
		return pbit__check_not_applicable(c, "free p-bits, independent",
						  "the device has one p-bit");
	return report(c, "free p-bits, independent", "two p-bits with a correlation of 0.05",
		      &least, s->samples * s->replicas, "p-bits %u and %u are the worst pair");
}

static int judge_lags(struct pbit__check *c, const struct series *s)
{
	struct least least = {.p = 2.0};

	for (uint32_t i = 0; i < s->pbits; i++) {
		for (uint32_t lag = 1; lag <= LAGS; lag++) {
			uint32_t next = (i + 1) % s->pbits;
			uint64_t own = 0, others = 0;

			for (uint32_t r = 0; r < s->replicas; r++) {
				own += agreements(row_of(s, r, i), row_of(s, r, i), s->samples,
						  lag);
				others += agreements(row_of(s, r, i), row_of(s, r, next),
						     s->samples, lag);
			}
			look(&least, own, (s->samples - lag) * s->replicas, i, i, lag);
			if (next != i)
				look(&least, others, (s->samples - lag) * s->replicas, i, next,
				     lag);
		}
	}
	return report(c, "free p-bits, no memory", "an autocorrelation of 0.05", &least,
		      (s->samples - LAGS) * s->replicas,
		      "p-bits %u and %u are the worst, %u sweeps apart");
}

static int judge_replicas(struct pbit__check *c, const struct series *s)
{
	struct least least = {.p = 2.0};

	if (s->replicas < 2)
		return 0;
	for (uint32_t q = 1; q < s->replicas; q++) {
		for (uint32_t r = 0; r < q; r++) {
			uint64_t agree = 0;

			for (uint32_t i = 0; i < s->pbits; i++)
				agree +=
					agreements(row_of(s, q, i), row_of(s, r, i), s->samples, 0);
			look(&least, agree, s->samples * s->pbits, q, r, 0);
		}
	}
	return report(c, "replicas, independent", "two replicas with a correlation of 0.05", &least,
		      s->samples * s->pbits, "replicas %u and %u are the worst pair");
}

/* As many as the device states, where that can be handled; enough of one that states none. */
static uint32_t pbits_of(const struct pbit__check *c)
{
	uint64_t n = c->d.caps.stated & PBIT_CAP_PBITS ? c->d.caps.pbits : 64;

	if (n > 1024)
		return 64;
	return n ? (uint32_t)n : 1;
}

static int run(struct pbit__check *c, struct pbit_bm *bm, struct series *s)
{
	double beta = pbit__check_round(&c->d.caps, PBIT_CAP_BETA, &c->d.caps.beta, 1.0);
	int rc = pbit__check_program(c, bm, c->d.order);

	if (!rc)
		rc = pbit__check_stream(c, (s->pbits + 63) / 64, pbit__check_beta(c, beta), 16,
					s->rounds, 1, store, s);
	if (rc)
		return pbit__check_excuse(c, "free p-bits", rc);
	rc = judge_fairness(c, s);
	if (!rc)
		rc = judge_pairs(c, s);
	if (!rc)
		rc = judge_lags(c, s);
	if (!rc)
		rc = judge_replicas(c, s);
	return rc;
}

int pbit__check_free_bits(struct pbit__check *c)
{
	struct series s = {.pbits = pbits_of(c), .replicas = c->d.replicas};
	struct plan plan = {fmax(1.0, 0.5 * s.pbits * (s.pbits - 1.0) + 2.0 * LAGS * s.pbits),
			    c->alpha};
	size_t n = (size_t)ceil((double)pbit__check_size(power_of, &plan, LEAST, MOST) * c->scale);
	struct pbit_bm *bm;
	int rc;

	s.rounds = (n + s.replicas - 1) / s.replicas;
	if (s.rounds < 256)
		s.rounds = 256;
	s.words = (s.rounds + 63) / 64;
	rc = pbit_bm_new(s.pbits, &bm);
	if (rc)
		return rc;
	s.word = calloc((size_t)s.pbits * s.replicas * s.words, sizeof(*s.word));
	rc = s.word ? run(c, bm, &s) : pbit__check_no_memory();
	free(s.word);
	pbit_bm_put(bm);
	return rc;
}
