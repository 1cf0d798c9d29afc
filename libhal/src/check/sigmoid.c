/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response of every p-bit with all couplings off: 17 biases over +-1.5, a logistic fit for gain and
 * offset, and the deviance for the shape.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "check/draw.h"
#include "check/logistic.h"
#include "check/power.h"
#include "stats/stats.h"

#define POINTS	   PBIT_CHECK_POINTS
#define LEAST	   2000u
#define MOST	   200000u
#define GAIN	   0.05
#define OFFSET	   0.02
#define MOST_FITS  1024u
#define SOME_PBITS 64u /* of a device that states no number, or more than can be shown */

struct sweep {
	uint32_t pbits, replicas;
	double beta;
	double h[POINTS]; /* as the device holds it */
	double x[POINTS]; /* 2 beta h */
	uint64_t *up;	  /* [point][pbit] */
	uint64_t *row;	  /* of the point under way */
	double draws;	  /* at each point */
	double alpha;
};

static uint32_t pbits_of(const struct pbit__check *c)
{
	uint64_t n = c->d.caps.stated & PBIT_CAP_PBITS ? c->d.caps.pbits : SOME_PBITS;

	if (n > MOST_FITS)
		return SOME_PBITS;
	return n ? (uint32_t)n : 1;
}

static void place_points(const struct pbit_caps *caps, struct sweep *s)
{
	double scale = pbit__check_scale(caps, 0.0, 1.5, 1.0);

	s->beta = pbit__check_round(caps, PBIT_CAP_BETA, &caps->beta, 1.0 / scale);
	for (int k = 0; k < POINTS; k++) {
		s->h[k] = pbit__check_round(caps, PBIT_CAP_BIAS, &caps->bias,
					    1.5 * (k - POINTS / 2) / (POINTS / 2) * scale);
		s->x[k] = 2.0 * s->beta * s->h[k];
	}
}

static int count_up(const uint64_t *states, size_t words, void *user)
{
	struct sweep *s = user;

	for (uint32_t r = 0; r < s->replicas; r++) {
		const uint64_t *state = states + r * words;

		for (uint32_t i = 0; i < s->pbits; i++)
			s->row[i] += state[i / 64] >> (i % 64) & 1;
	}
	return 0;
}

/* Standard errors of the fit at the right law, from the Fisher information of n draws a point. */
static void errors_of(const struct sweep *s, double n, double *error_a, double *error_b)
{
	double aa = 0.0, ab = 0.0, bb = 0.0, det;

	for (int k = 0; k < POINTS; k++) {
		double p = 1.0 / (1.0 + exp(-s->x[k])), w = n * p * (1.0 - p);

		aa += w;
		ab += w * s->x[k];
		bb += w * s->x[k] * s->x[k];
	}
	det = aa * bb - ab * ab;
	*error_a = sqrt(bb / det);
	*error_b = sqrt(aa / det);
}

static double power_of_gain(double n, void *user)
{
	const struct sweep *s = user;
	double a, b;

	errors_of(s, n, &a, &b);
	return pbit__check_power_normal(GAIN, b, s->alpha / s->pbits);
}

static double power_of_offset(double n, void *user)
{
	const struct sweep *s = user;
	double a, b;

	errors_of(s, n, &a, &b);
	return pbit__check_power_normal(2.0 * OFFSET, a, s->alpha / s->pbits);
}

/* A response of three straight lines with the slope of the sigmoid at 0: the usual short cut. */
static double power_of_shape(double n, void *user)
{
	const struct sweep *s = user;
	struct pbit__logistic fit;
	double k[POINTS];

	for (int i = 0; i < POINTS; i++)
		k[i] = n * fmin(1.0, fmax(0.0, 0.5 + 0.25 * s->x[i]));
	if (!pbit__logistic_fit(s->x, k, n, POINTS, &fit))
		return 0.0;
	return pbit__stats_chi2_power(pbit__stats_chi2_quantile(s->alpha / s->pbits, POINTS - 2),
				      POINTS - 2, fit.deviance);
}

static int run_point(struct pbit__check *c, struct sweep *s, int k, uint64_t rounds)
{
	struct pbit_bm *bm;
	int rc = pbit_bm_new(s->pbits, &bm);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < s->pbits && !rc; i++)
		rc = pbit_bm_set_bias(bm, i, s->h[k]);
	if (!rc)
		rc = pbit__check_program(c, bm, c->d.order);
	s->row = s->up + (size_t)k * s->pbits;
	if (!rc)
		rc = pbit__check_stream(c, (s->pbits + 63) / 64, pbit__check_beta(c, s->beta), 16,
					rounds, 1, count_up, s);
	pbit_bm_put(bm);
	return rc;
}

/* The three p-values of one p-bit, 0 where it has no fit. */
static void fit_pbit(const struct sweep *s, uint32_t i, struct pbit_check_fit *out, double p[3])
{
	struct pbit__logistic fit = {0};
	double k[POINTS];

	*out = (struct pbit_check_fit){.struct_size = sizeof(*out), .pbit = i};
	out->draws = (uint64_t)s->draws;
	for (int point = 0; point < POINTS; point++) {
		k[point] = (double)s->up[(size_t)point * s->pbits + i];
		out->input[point] = 0.5 * s->x[point];
		out->up[point] = k[point] / s->draws;
	}
	p[0] = p[1] = p[2] = 0.0;
	if (!pbit__logistic_fit(s->x, k, s->draws, POINTS, &fit)) {
		out->gain = out->gain_error = out->offset = out->offset_error = NAN;
		return;
	}
	out->gain = fit.b;
	out->gain_error = sqrt(fit.var_b);
	out->offset = 0.5 * fit.a / fit.b;
	out->offset_error = 0.5 / fabs(fit.b) *
			    sqrt(fit.var_a - 2.0 * fit.a / fit.b * fit.cov +
				 fit.a * fit.a / (fit.b * fit.b) * fit.var_b);
	out->shape_p = pbit__stats_chi2_sf(fit.deviance, POINTS - 2);
	p[0] = pbit__stats_z_test(fit.b, 1.0, out->gain_error);
	p[1] = pbit__stats_z_test(fit.a, 0.0, sqrt(fit.var_a));
	p[2] = out->shape_p;
}

static void keep_fit(struct pbit__check *c, const struct pbit_check_fit *fit, uint32_t most)
{
	if (!c->keep_fits)
		return;
	if (!c->fits)
		c->fits = calloc(most, sizeof(*c->fits));
	if (c->fits && fit->pbit < most) {
		c->fits[fit->pbit] = *fit;
		c->n_fits = most;
	}
}

static int judge(struct pbit__check *c, struct sweep *s)
{
	static const struct {
		const char *name, *defect;
		pbit__check_power_fn *power;
	} tests[] = {
		{"sigmoid gain", "a gain 5 % off in one p-bit", power_of_gain},
		{"sigmoid offset", "an offset of 0.02 in one p-bit", power_of_offset},
		{"sigmoid shape", "a response of straight lines", power_of_shape},
	};
	double worst[3] = {2.0, 2.0, 2.0};
	uint32_t at[3] = {0};

	for (uint32_t i = 0; i < s->pbits; i++) {
		struct pbit_check_fit fit;
		double p[3];

		fit_pbit(s, i, &fit, p);
		keep_fit(c, &fit, s->pbits);
		for (int k = 0; k < 3; k++) {
			if (p[k] < worst[k]) {
				worst[k] = p[k];
				at[k] = i;
			}
		}
	}
	for (int k = 0; k < 3; k++) {
		struct pbit_check_test *t = pbit__check_add(c, tests[k].name, tests[k].defect);

		if (!t)
			return pbit__check_no_memory();
		t->p = fmin(1.0, worst[k] * s->pbits);
		t->power = tests[k].power(s->draws, s);
		t->samples = (uint64_t)s->draws * POINTS;
		t->interval = 1;
		if (t->p <= c->alpha)
			pbit__check_reason(c, "p-bit %u is the worst", at[k]);
	}
	return 0;
}

int pbit__check_sigmoid(struct pbit__check *c)
{
	struct sweep s = {.pbits = pbits_of(c), .replicas = c->d.replicas, .alpha = c->alpha};
	size_t n = LEAST;
	uint64_t rounds;
	int rc = 0;

	place_points(&c->d.caps, &s);
	if (!(s.x[POINTS - 1] > 0.5))
		return pbit__check_not_applicable(c, "sigmoid",
						  "the device cannot hold a range of biases");
	n = pbit__check_size(power_of_gain, &s, n, MOST);
	n = pbit__check_size(power_of_offset, &s, n, MOST);
	rounds = (uint64_t)ceil((double)n * c->scale / s.replicas);
	s.draws = (double)(rounds * s.replicas);
	s.up = calloc((size_t)s.pbits * POINTS, sizeof(*s.up));
	if (!s.up)
		return pbit__check_no_memory();
	for (int k = 0; k < POINTS && !rc; k++)
		rc = run_point(c, &s, k, rounds);
	rc = rc ? pbit__check_excuse(c, "sigmoid", rc) : judge(c, &s);
	free(s.up);
	return rc;
}
