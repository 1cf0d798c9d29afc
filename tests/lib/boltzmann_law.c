/* SPDX-License-Identifier: Apache-2.0 */
/* Exact laws of small Boltzmann machines: see boltzmann_law.h. */
#include "boltzmann_law.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static double spin(uint32_t state, uint32_t i)
{
	return state >> i & 1 ? 1.0 : -1.0;
}

uint32_t law_states(const struct law *law)
{
	return 1u << law->n;
}

double law_energy(const struct law *law, uint32_t state)
{
	double e = 0.0;

	for (uint32_t i = 0; i < law->n; i++) {
		for (uint32_t j = i + 1; j < law->n; j++)
			e -= law->J[i][j] * spin(state, i) * spin(state, j);
		e -= law->h[i] * spin(state, i);
	}
	return e;
}

void law_gibbs(const struct law *law, double beta, double *p)
{
	double sum = 0.0, least = INFINITY;

	for (uint32_t s = 0; s < law_states(law); s++)
		least = fmin(least, law_energy(law, s));
	for (uint32_t s = 0; s < law_states(law); s++) {
		bool allowed = (s & law->clamped) == (law->value & law->clamped);

		p[s] = allowed ? exp(-beta * (law_energy(law, s) - least)) : 0.0;
		sum += p[s];
	}
	for (uint32_t s = 0; s < law_states(law); s++)
		p[s] /= sum;
}

static double chance_up(const struct law *law, double beta, uint32_t state, uint32_t i)
{
	double I = law->h[i], z;

	for (uint32_t j = 0; j < law->n; j++)
		I += law->J[i][j] * spin(state, j);
	z = 2.0 * beta * I;
	return law->response ? law->response(z) : 1.0 / (1.0 + exp(-z));
}

/* One p-bit: the mass of each pair of states that differ in it is shared out anew. */
static void update_one(const struct law *law, double beta, uint32_t i, double *p)
{
	uint32_t bit = 1u << i;

	if (law->clamped & bit)
		return;
	for (uint32_t s = 0; s < law_states(law); s++) {
		double mass, up;

		if (s & bit)
			continue;
		mass = p[s] + p[s | bit];
		up = chance_up(law, beta, s, i);
		p[s | bit] = mass * up;
		p[s] = mass * (1.0 - up);
	}
}

static void update_together(const struct law *law, double beta, double *p)
{
	double next[LAW_MAX_STATES] = {0};

	for (uint32_t s = 0; s < law_states(law); s++) {
		double row[LAW_MAX_STATES];

		if (!(p[s] > 0.0))
			continue;
		/* The p-bits are independent given s: their joint law one p-bit at a time. */
		row[0] = p[s];
		for (uint32_t i = 0; i < law->n; i++) {
			double up = chance_up(law, beta, s, i);

			if (law->clamped >> i & 1)
				up = s >> i & 1;
			for (uint32_t t = 0; t < 1u << i; t++) {
				row[t | 1u << i] = row[t] * up;
				row[t] *= 1.0 - up;
			}
		}
		for (uint32_t t = 0; t < law_states(law); t++)
			next[t] += row[t];
	}
	memcpy(p, next, law_states(law) * sizeof(*p));
}

static void colour(const struct law *law, uint32_t *colours)
{
	for (uint32_t i = 0; i < law->n; i++) {
		uint32_t taken = 0;

		for (uint32_t j = 0; j < i; j++)
			taken |= law->J[i][j] != 0.0 ? 1u << colours[j] : 0;
		for (colours[i] = 0; taken >> colours[i] & 1;)
			colours[i]++;
	}
}

static void sweep_once(const struct law *law, double beta, double *p)
{
	uint32_t colours[LAW_MAX_PBITS] = {0};

	if (law->order == PBIT_ORDER_SYNCHRONOUS) {
		update_together(law, beta, p);
		return;
	}
	if (law->order == PBIT_ORDER_CHROMATIC)
		colour(law, colours);
	for (uint32_t c = 0; c < law->n; c++) {
		for (uint32_t i = 0; i < law->n; i++) {
			if (colours[i] == c)
				update_one(law, beta, i, p);
		}
	}
}

void law_sweep(const struct law *law, double beta, uint64_t sweeps, double *p)
{
	while (sweeps--)
		sweep_once(law, beta, p);
}

static double distance(const double *p, const double *q, uint32_t states)
{
	double d = 0.0;

	for (uint32_t s = 0; s < states; s++)
		d += 0.5 * fabs(p[s] - q[s]);
	return d;
}

void law_stationary(const struct law *law, double beta, double *p)
{
	double before[LAW_MAX_STATES];

	law_gibbs(law, beta, p);
	if (law->order != PBIT_ORDER_SYNCHRONOUS && !law->response)
		return;
	for (int round = 0; round < 1000; round++) {
		memcpy(before, p, law_states(law) * sizeof(*p));
		law_sweep(law, beta, 8, p);
		if (distance(p, before, law_states(law)) < 1e-13)
			return;
	}
	fail_msg("%s: no stationary law reached", law->name);
}

static void square(const double *T, double *out, uint32_t states)
{
	memset(out, 0, (size_t)states * states * sizeof(*out));
	for (size_t i = 0; i < states; i++) {
		for (size_t k = 0; k < states; k++) {
			double factor = T[i * states + k];

			for (size_t j = 0; j < states; j++)
				out[i * states + j] += factor * T[k * states + j];
		}
	}
}

/* The largest distance of a row, among the states that agree with the clamps. */
static double worst_row(const struct law *law, const double *T, const double *end)
{
	uint32_t states = law_states(law);
	double worst = 0.0;

	for (uint32_t s = 0; s < states; s++) {
		if ((s & law->clamped) == (law->value & law->clamped))
			worst = fmax(worst, distance(T + (size_t)s * states, end, states));
	}
	return worst;
}

uint64_t law_mixing_sweeps(const struct law *law, double beta, double most_distance, uint64_t most)
{
	uint32_t states = law_states(law);
	double *T = calloc((size_t)states * states, sizeof(*T));
	double *next = calloc((size_t)states * states, sizeof(*next));
	double end[LAW_MAX_STATES];
	uint64_t sweeps = 1;

	assert_true(T && next);
	law_stationary(law, beta, end);
	for (uint32_t s = 0; s < states; s++) {
		T[(size_t)s * states + s] = 1.0;
		sweep_once(law, beta, T + (size_t)s * states);
	}
	while (sweeps <= most && worst_row(law, T, end) > most_distance) {
		double *swap = T;

		square(T, next, states);
		T = next;
		next = swap;
		sweeps *= 2;
	}
	free(next);
	free(T);
	return sweeps;
}

struct pbit_bm *law_machine(const struct law *law)
{
	struct pbit_bm *bm;

	assert_int_equal(pbit_bm_new(law->n, &bm), 0);
	for (uint32_t i = 0; i < law->n; i++) {
		assert_int_equal(pbit_bm_set_bias(bm, i, law->h[i]), 0);
		for (uint32_t j = 0; j < i; j++) {
			if (law->J[i][j] != 0.0)
				assert_int_equal(pbit_bm_add_coupling(bm, i, j, law->J[i][j]), 0);
		}
	}
	return bm;
}

struct pbit_device *law_device(void)
{
	const char *uri = getenv("PBIT_TEST_URI");
	struct pbit_device *dev = NULL;
	char text[512];

	if (pbit_open(uri ? uri : "software:", NULL, &dev)) {
		pbit_format_error(text, sizeof(text));
		fail_msg("%s", text);
	}
	return dev;
}

void law_program_or_skip(struct pbit_device *dev, struct pbit_bm *bm, uint32_t order, uint64_t seed)
{
	int rc = pbit_program(dev, bm, order, seed);

	if (rc && pbit_last_error()->error_class == PBIT_ERR_LIMIT)
		skip();
	assert_int_equal(rc, 0);
}

void law_program(struct pbit_device *dev, const struct law *law, uint64_t seed)
{
	struct pbit_bm *bm = law_machine(law);
	uint64_t mask = law->clamped, value = law->value;

	law_program_or_skip(dev, bm, law->order, seed);
	assert_int_equal(pbit_clamp(dev, &mask, &value), 0);
	pbit_bm_put(bm);
}

static int count(const uint64_t *state, uint64_t index, void *user)
{
	(void)index;
	((uint64_t *)user)[*state]++;
	return 0;
}

void law_count_stream(struct pbit_device *dev, const struct law *law, double beta,
		      uint64_t interval, uint64_t samples, uint64_t *counts)
{
	struct pbit_sample_opts opts = PBIT_INIT(opts);

	opts.beta = beta;
	opts.burn_in = interval;
	opts.interval = interval;
	opts.samples = samples;
	memset(counts, 0, law_states(law) * sizeof(*counts));
	assert_int_equal(pbit_sample(dev, &opts, count, counts), 0);
}

void law_count_starts(struct pbit_device *dev, const struct law *law, double beta, const double *p,
		      uint64_t sweeps, uint64_t samples, uint64_t *counts)
{
	uint64_t random = 0x9e3779b97f4a7c15ull, state;

	memset(counts, 0, law_states(law) * sizeof(*counts));
	while (samples--) {
		state = law_draw(p, law_states(law), &random);
		assert_int_equal(pbit_set_state(dev, &state), 0);
		assert_int_equal(pbit_update(dev, beta, sweeps), 0);
		assert_int_equal(pbit_read(dev, &state), 0);
		counts[state]++;
	}
}

struct law law_torus3(double J)
{
	struct law law = {.name = "3 x 3 torus", .n = 9, .order = PBIT_ORDER_SEQUENTIAL};

	for (uint32_t i = 0; i < 9; i++) {
		uint32_t right = i / 3 * 3 + (i + 1) % 3, below = (i + 3) % 9;

		law.J[i][right] = law.J[right][i] = J;
		law.J[i][below] = law.J[below][i] = J;
	}
	return law;
}

struct law law_frustrated_triangle(void)
{
	struct law law = {.name = "frustrated triangle", .n = 3, .order = PBIT_ORDER_SEQUENTIAL};

	for (uint32_t i = 0; i < 3; i++) {
		for (uint32_t j = 0; j < 3; j++)
			law.J[i][j] = i == j ? 0.0 : -1.0;
	}
	return law;
}

struct law law_random(uint32_t n, uint64_t seed)
{
	struct law law = {.name = "random", .n = n, .order = PBIT_ORDER_SEQUENTIAL};
	uint64_t random = seed;

	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < i; j++)
			law.J[i][j] = law.J[j][i] = 2.0 * law_uniform(&random) - 1.0;
		law.h[i] = law_uniform(&random) - 0.5;
	}
	return law;
}

double law_uniform(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (double)(*state * 0x2545f4914f6cdd1dull >> 11) * 0x1p-53;
}

uint32_t law_draw(const double *p, uint32_t states, uint64_t *random)
{
	double u = law_uniform(random);
	uint32_t s = 0;

	while (s + 1 < states && (u >= p[s] || !(p[s] > 0.0)))
		u -= p[s++];
	while (!(p[s] > 0.0) && s)
		s--;
	return s;
}
