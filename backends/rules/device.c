/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that update by a named rule, never chosen unless named:
 *
 *     rules:heat-bath                  the contract's rule, and the only right one
 *     rules:metropolis-sequential      Metropolis in the order of the index
 *     rules:metropolis-random          Metropolis, p-bits picked at random
 *     rules:synchronous                all at once, though it declares the sequential order
 *     rules:asynchronous,dt=0.1667     rates in time steps of dt, all at once
 *
 * Defects, for any of them: gain=1.05, offset=0.02, bits=4, drop=1, stuck=0, shared=1, hold=0.1.
 * Limits that it states: pbits=256, degree=64, integer=4, fraction=3 (s{4}{3}), physical=1.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rules.h"

extern const struct pbit_backend pbit__rules_backend;

struct rules {
	struct rules_config config;
	struct rules_machine *machine;
	uint64_t programs;
	char name[64];
};

static int rules_open(const struct pbit_uri *uri, const struct pbit_open_opts *opts, void **priv)
{
	struct rules *r = calloc(1, sizeof(*r));
	int rc;

	(void)opts;
	if (!r)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot open device", uri->text, NULL,
				 "out of memory");
	rc = rules_parse(uri, &r->config);
	if (rc) {
		free(r);
		return rc;
	}
	snprintf(r->name, sizeof(r->name), "update rule %.40s", uri->target);
	*priv = r;
	return 0;
}

static void rules_close(void *priv)
{
	struct rules *r = priv;

	rules_machine_free(r->machine);
	free(r);
}

static uint32_t declared_order(const struct rules_config *config)
{
	if (config->rule == RULE_METROPOLIS_RANDOM || config->rule == RULE_ASYNCHRONOUS)
		return PBIT_ORDER_ASYNCHRONOUS;
	return PBIT_ORDER_SEQUENTIAL;
}

static void state_limits(const struct rules_config *config, struct pbit_caps *caps)
{
	if (config->degree) {
		caps->stated |= PBIT_CAP_FAN_IN;
		caps->fan_in = config->degree;
	}
	if (config->fraction != RULES_REAL) {
		caps->stated |= PBIT_CAP_COUPLING | PBIT_CAP_BIAS;
		caps->coupling.integer_bits = (uint8_t)config->integer;
		caps->coupling.fraction_bits = (uint8_t)config->fraction;
		caps->bias = caps->coupling;
	}
	if (config->physical) {
		caps->flags &= ~PBIT_FLAG_SEEDABLE;
		caps->random_source = PBIT_RANDOM_PHYSICAL;
	}
}

static int rules_get_caps(void *priv, struct pbit_caps *caps)
{
	const struct rules *r = priv;

	caps->flags = PBIT_FLAG_BOLTZMANN | PBIT_FLAG_CLAMP | PBIT_FLAG_SEEDABLE |
		      PBIT_FLAG_DIRECTED | PBIT_FLAG_SIMULATED;
	caps->stated = PBIT_CAP_PBITS | PBIT_CAP_TOPOLOGY | PBIT_CAP_ORDERS | PBIT_CAP_RANDOM_BITS |
		       PBIT_CAP_RANDOM_SOURCE;
	snprintf(caps->name, sizeof(caps->name), "%s", r->name);
	snprintf(caps->version, sizeof(caps->version), "1");
	caps->random_source = PBIT_RANDOM_SEQUENTIAL;
	caps->pbits = r->config.pbits ? r->config.pbits : RULES_MAX_PBITS;
	state_limits(&r->config, caps);
	caps->topology = PBIT_TOPOLOGY_ALL;
	caps->orders = declared_order(&r->config);
	caps->random_bits = 53;
	return 0;
}

static int rules_program(void *priv, const struct pbit_bm_view *view, uint32_t order, uint64_t seed)
{
	struct rules *r = priv;
	struct rules_machine *made;

	(void)order;
	/* A seed means nothing to physical noise. */
	if (r->config.physical)
		seed ^= ++r->programs << 32;
	made = rules_machine_new(&r->config, view, seed);
	if (!made)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot program the machine",
				 "rules:", NULL, "no memory for %u p-bits", view->n);
	rules_machine_free(r->machine);
	r->machine = made;
	return 0;
}

static bool bit_of(const uint64_t *bits, uint32_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

static int rules_clamp(void *priv, const uint64_t *mask, const uint64_t *value)
{
	struct rules_machine *m = ((struct rules *)priv)->machine;

	for (uint32_t i = 0; i < m->n; i++) {
		m->clamped[i] = mask && bit_of(mask, i);
		if (m->clamped[i])
			m->up[i] = bit_of(value, i);
	}
	return 0;
}

static int rules_set_state(void *priv, const uint64_t *state)
{
	const struct rules *r = priv;
	struct rules_machine *m = r->machine;

	for (uint32_t i = 0; i < m->n; i++) {
		if (!m->clamped[i] && r->config.stuck != i)
			m->up[i] = bit_of(state, i);
	}
	return 0;
}

static int rules_update(void *priv, double beta, uint64_t sweeps, struct pbit_ctl *ctl)
{
	const struct rules *r = priv;
	uint64_t work = 0;

	while (sweeps--) {
		rules_sweep(&r->config, r->machine, beta);
		work += r->machine->n + r->machine->row[r->machine->n];
		if (work > 20000) {
			int rc = pbit_ctl_check(ctl);

			if (rc)
				return pbit_fail(
					rc,
					rc == -ETIMEDOUT ? PBIT_ERR_TIMEOUT : PBIT_ERR_CANCELLED,
					"cannot update the machine", "rules:", NULL,
					"ended with %llu sweeps to go", (unsigned long long)sweeps);
			work = 0;
		}
	}
	return 0;
}

static int rules_read(void *priv, uint64_t *state)
{
	const struct rules_machine *m = ((struct rules *)priv)->machine;

	memset(state, 0, ((size_t)m->n + 63) / 64 * sizeof(*state));
	for (uint32_t i = 0; i < m->n; i++)
		state[i / 64] |= (uint64_t)m->up[i] << (i % 64);
	return 0;
}

static const struct pbit_backend_ops ops = {
	.struct_size = sizeof(ops),
	.open = rules_open,
	.close = rules_close,
	.get_caps = rules_get_caps,
	.program = rules_program,
	.clamp = rules_clamp,
	.set_state = rules_set_state,
	.update = rules_update,
	.read = rules_read,
};

const struct pbit_backend pbit__rules_backend = {
	.struct_size = sizeof(pbit__rules_backend),
	.abi = PBIT_ABI,
	.name = "rules",
	.scheme = "rules",
	.description = "update rules of other samplers and defects of hardware, for judging tests",
	.version = "0.1.0",
	.rank = PBIT_RANK_NEVER,
	.ops = &ops,
};
