/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least machine that a backend must offer, for plugins that are wrong in one thing: it keeps
 * a state of 64 p-bits; an update sets the free ones to the signs of their biases.
 */
#ifndef TEST_PLUGIN_LEAST_H
#define TEST_PLUGIN_LEAST_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>

#define EXPORTED __attribute__((visibility("default")))

struct least {
	uint32_t n;
	uint64_t mask, signs, state;
};

static inline int least_open(const struct pbit_uri *uri, const struct pbit_open_opts *opts,
			     void **priv)
{
	(void)opts;
	*priv = calloc(1, sizeof(struct least));
	return *priv ? 0
		     : pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot open device", uri->text, NULL,
				 "out of memory");
}

static inline void least_close(void *priv)
{
	free(priv);
}

static inline int least_get_caps(void *priv, struct pbit_caps *caps)
{
	(void)priv;
	caps->flags = PBIT_FLAG_BOLTZMANN | PBIT_FLAG_CLAMP | PBIT_FLAG_SIMULATED;
	caps->stated = PBIT_CAP_PBITS;
	caps->pbits = 64;
	strcpy(caps->name, "least machine");
	return 0;
}

static inline int least_program(void *priv, const struct pbit_bm_view *view, uint32_t order,
				uint64_t seed)
{
	struct least *least = priv;

	(void)order;
	(void)seed;
	*least = (struct least){.n = view->n};
	for (uint32_t i = 0; i < view->n; i++)
		if (view->h[i] > 0)
			least->signs |= 1ull << i;
	return 0;
}

static inline int least_clamp(void *priv, const uint64_t *mask, const uint64_t *value)
{
	struct least *least = priv;

	least->mask = mask ? *mask : 0;
	if (mask)
		least->state = (least->state & ~*mask) | (*value & *mask);
	return 0;
}

static inline int least_update(void *priv, double beta, uint64_t sweeps, struct pbit_ctl *ctl)
{
	struct least *least = priv;

	(void)beta;
	(void)ctl;
	if (sweeps)
		least->state = (least->state & least->mask) | (least->signs & ~least->mask);
	return 0;
}

static inline int least_read(void *priv, uint64_t *state)
{
	*state = ((struct least *)priv)->state;
	return 0;
}

#define LEAST_OPS                                                                                 \
	.struct_size = sizeof(struct pbit_backend_ops), .open = least_open, .close = least_close, \
	.get_caps = least_get_caps, .program = least_program, .clamp = least_clamp,               \
	.update = least_update, .read = least_read

#define LEAST_BACKEND(its_name, its_ops)                                               \
	.struct_size = sizeof(struct pbit_backend), .abi = PBIT_ABI, .name = its_name, \
	.scheme = its_name, .description = "stand-in for tests", .version = "1",       \
	.rank = PBIT_RANK_EMULATOR, .ops = its_ops

#endif
