/* SPDX-License-Identifier: Apache-2.0 */
/* The update rules, one p-bit at a time. */
#include <math.h>
#include <string.h>
#include "rules.h"

/* SplitMix64's step and finaliser (Steele, Lea, Flood: OOPSLA 2014); uniform on [0, 1). */
static double uniform(struct rules_machine *m)
{
	uint64_t x = m->random += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (double)((x ^ x >> 31) >> 11) * 0x1p-53;
}

static double draw(const struct rules_config *config, struct rules_machine *m)
{
	return config->shared ? m->shared_draw : uniform(m);
}

static double input(const struct rules_config *config, const struct rules_machine *m,
		    const uint8_t *seen, uint32_t i)
{
	double sum = m->h[i];

	for (uint64_t k = m->row[i]; k < m->row[i + 1]; k++)
		sum += seen[m->col[k]] ? m->J[k] : -m->J[k];
	return config->gain * sum + config->offset;
}

static bool is_fixed(const struct rules_config *config, const struct rules_machine *m, uint32_t i)
{
	return m->clamped[i] || config->stuck == i;
}

static void heat_bath(const struct rules_config *config, struct rules_machine *m, double beta,
		      const uint8_t *seen, uint32_t i)
{
	double p = 1.0 / (1.0 + exp(-2.0 * beta * input(config, m, seen, i)));

	if (is_fixed(config, m, i) || (config->hold > 0.0 && uniform(m) < config->hold))
		return;
	m->up[i] = draw(config, m) < p;
}

/* A flip that lowers the energy always happens. */
static void metropolis(const struct rules_config *config, struct rules_machine *m, double beta,
		       uint32_t i)
{
	double rise = 2.0 * (m->up[i] ? 1.0 : -1.0) * input(config, m, m->up, i);

	if (is_fixed(config, m, i) || (config->hold > 0.0 && uniform(m) < config->hold))
		return;
	if (draw(config, m) < exp(-beta * rise))
		m->up[i] ^= 1;
}

/* One time step: every p-bit flips at a rate of exp(-beta m I), all at once. */
static void step_together(const struct rules_config *config, struct rules_machine *m, double beta)
{
	memcpy(m->before, m->up, m->n);
	for (uint32_t i = 0; i < m->n; i++) {
		double spin = m->before[i] ? 1.0 : -1.0;
		double rate = exp(-beta * spin * input(config, m, m->before, i));

		if (!is_fixed(config, m, i) && draw(config, m) < -expm1(-config->dt * rate))
			m->up[i] ^= 1;
	}
}

/* Four units of time, so that a free p-bit has forgotten its state but for exp(-8). */
static void run_asynchronous(const struct rules_config *config, struct rules_machine *m,
			     double beta)
{
	uint64_t steps = (uint64_t)ceil(4.0 / config->dt);

	while (steps--) {
		if (config->shared)
			m->shared_draw = uniform(m);
		step_together(config, m, beta);
	}
}

void rules_sweep(const struct rules_config *config, struct rules_machine *m, double beta)
{
	const uint8_t *seen = config->rule == RULE_SYNCHRONOUS ? m->before : m->up;

	if (config->rule == RULE_ASYNCHRONOUS) {
		run_asynchronous(config, m, beta);
		return;
	}
	memcpy(m->before, m->up, m->n);
	if (config->shared)
		m->shared_draw = uniform(m);
	for (uint32_t i = 0; i < m->n; i++) {
		if (config->rule == RULE_METROPOLIS_SEQUENTIAL)
			metropolis(config, m, beta, i);
		else if (config->rule == RULE_METROPOLIS_RANDOM)
			metropolis(config, m, beta, (uint32_t)(uniform(m) * m->n));
		else
			heat_bath(config, m, beta, seen, i);
	}
}
