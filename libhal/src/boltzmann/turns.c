/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replicas in turn: each is put on the device, updated and read back, block by block of sweeps, so
 * that an interruption leaves all of them behind the same sweep.
 */
#include "boltzmann/turns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Sweeps of a turn: what an interruption can lose, and what the way to the device is shared by. */
#define BLOCK 256u

int pbit__turns_new(const struct pbit_device *dev, struct pbit__chains *c)
{
	static const char what[] = "cannot program the machine";

	if (!dev->ops.set_state && !(dev->caps.flags & PBIT_FLAG_CLAMP))
		return pbit_fail(
			-EOPNOTSUPP, PBIT_ERR_LIMIT, what, dev->uri,
			"ask for one replica, or choose another device",
			"the device has no %u replicas, and as it can be given no state, it "
			"cannot run them in turn",
			c->opts.replicas);
	c->state = calloc(c->opts.replicas, c->words * sizeof(*c->state));
	c->next = calloc(c->opts.replicas, c->words * sizeof(*c->next));
	if (!c->state || !c->next)
		return -ENOMEM;
	if (dev->ops.set_state)
		return 0;
	c->full = malloc(c->words * sizeof(*c->full));
	if (!c->full)
		return -ENOMEM;
	memset(c->full, 0xff, c->words * sizeof(*c->full));
	return 0;
}

static const uint64_t *values_of(const struct pbit__chains *c, uint64_t r)
{
	return c->values + (c->each ? r * c->words : 0);
}

void pbit__turns_clamp(struct pbit__chains *c)
{
	for (uint64_t r = 0; r < c->opts.replicas; r++) {
		uint64_t *state = c->state + r * c->words;

		for (size_t w = 0; w < c->words; w++)
			state[w] = (state[w] & ~c->mask[w]) | values_of(c, r)[w];
	}
}

/* Puts a replica on the device: its clamps, its state, its random bits. */
static int load(struct pbit_device *dev, const struct pbit__chains *c, uint64_t r)
{
	const uint64_t *state = c->state + r * c->words;
	struct pbit_stream stream = c->stream;
	int rc = 0;

	if (!dev->ops.set_state)
		rc = dev->ops.clamp(dev->priv, c->full, state);
	if (!rc && c->mask && (c->each || !dev->ops.set_state))
		rc = dev->ops.clamp(dev->priv, c->mask, values_of(c, r));
	else if (!rc && !dev->ops.set_state)
		rc = dev->ops.clamp(dev->priv, NULL, NULL);
	if (!rc && dev->ops.set_state)
		rc = dev->ops.set_state(dev->priv, state);
	stream.chain += r;
	if (!rc && dev->ops.seek)
		rc = dev->ops.seek(dev->priv, &stream);
	return rc;
}

static int block(struct pbit_device *dev, struct pbit__chains *c, const double *beta, bool each,
		 uint64_t sweeps, struct pbit_ctl *ctl)
{
	uint64_t tail = pbit__bm_tail_mask(dev->bm->n);

	for (uint64_t r = 0; r < c->opts.replicas; r++) {
		uint64_t *next = c->next + r * c->words;
		int rc = load(dev, c, r);

		if (!rc)
			rc = dev->ops.update(dev->priv, beta[each ? r : 0], sweeps, ctl);
		if (!rc)
			rc = dev->ops.read(dev->priv, next);
		if (rc)
			return rc;
		next[c->words - 1] &= tail;
	}
	return 0;
}

int pbit__turns_update(struct pbit_device *dev, const double *beta, bool each, uint64_t sweeps,
		       struct pbit_ctl *ctl)
{
	struct pbit__chains *c = dev->chains;

	while (sweeps) {
		uint64_t now = sweeps < BLOCK ? sweeps : BLOCK;
		uint64_t *old = c->state;
		int rc = block(dev, c, beta, each, now, ctl);

		if (rc)
			return rc;
		c->state = c->next;
		c->next = old;
		c->stream.sweep += now;
		sweeps -= now;
	}
	return 0;
}
