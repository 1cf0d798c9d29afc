/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One chain or replicas of it, on a device that has them or in turn on one that has not. What the
 * device cannot be asked for (clamps, the position in its random bits) is noted here, so that it
 * can be told again.
 */
#include "boltzmann/chains.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/contract.h>
#include "boltzmann/fit.h"
#include "boltzmann/turns.h"

static int fail_copy(const struct pbit_device *dev, const char *what, uint64_t states)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, dev->uri, NULL,
			 "no memory for a copy of %llu states of %u p-bits",
			 (unsigned long long)states, dev->bm->n);
}

/* Copies with the bits past n cleared: backends need not mind them. */
static uint64_t *copy_states(const struct pbit_device *dev, const uint64_t *from, uint64_t states)
{
	size_t words = dev->chains->words;
	uint64_t tail = pbit__bm_tail_mask(dev->bm->n);
	uint64_t *to = calloc(states, words * sizeof(*to));

	if (!to)
		return NULL;
	memcpy(to, from, states * words * sizeof(*to));
	for (uint64_t r = 0; r < states; r++)
		to[r * words + words - 1] &= tail;
	return to;
}

static bool any_bit(const struct pbit_device *dev, const uint64_t *bits)
{
	size_t words = dev->chains->words;
	uint64_t any = bits[words - 1] & pbit__bm_tail_mask(dev->bm->n);

	for (size_t w = 0; w + 1 < words; w++)
		any |= bits[w];
	return any != 0;
}

/*
 * The seed for a device that cannot be told which chain it draws as, or where to go on: another one
 * for each chain and each round.
 */
static uint64_t own_seed(const struct pbit__chains *c)
{
	const uint64_t key[4] = {c->opts.seed, PBIT_DOMAIN_SEEDS, 0, 0};
	const uint64_t counter[4] = {c->opts.first_chain, c->rounds, 0, 0};
	uint64_t out[4];

	if (!c->opts.first_chain && !c->rounds)
		return c->opts.seed;
	pbit_threefry(key, counter, out);
	return out[0];
}

static bool has_replicas(const struct pbit_device *dev, uint64_t replicas)
{
	return dev->ops.program_replicas && (dev->caps.stated & PBIT_CAP_REPLICAS) &&
	       replicas <= dev->caps.replicas;
}

int pbit__chains_new(struct pbit_device *dev, const struct pbit_bm_view *view,
		     const struct pbit_program_opts *opts, struct pbit__chains **chains)
{
	static const char what[] = "cannot program the machine";
	struct pbit__chains *c = calloc(1, sizeof(*c));
	uint64_t replicas = opts->replicas;

	if (!c)
		goto no_memory;
	c->opts = *opts;
	c->words = PBIT__BM_WORDS(view->n);
	c->stream = (struct pbit_stream)PBIT_INIT(c->stream);
	c->stream.domain = PBIT_DOMAIN_BOLTZMANN;
	c->stream.chain = opts->first_chain;
	c->in_turn = replicas > 1 && !has_replicas(dev, replicas);
	if (c->in_turn) {
		int rc = pbit__turns_new(dev, c);

		if (rc == -ENOMEM)
			goto no_memory;
		if (rc) {
			pbit__chains_free(c);
			return rc;
		}
	}
	*chains = c;
	return 0;
no_memory:
	pbit__chains_free(c);
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, dev->uri, "ask for fewer replicas",
			 "no memory for the states of %llu replicas", (unsigned long long)replicas);
}

void pbit__chains_free(struct pbit__chains *c)
{
	if (!c)
		return;
	free(c->state);
	free(c->next);
	free(c->full);
	free(c->mask);
	free(c->values);
	free(c);
}

int pbit__chains_load(struct pbit_device *dev, struct pbit__chains *c,
		      const struct pbit_bm_view *view)
{
	bool plain = c->in_turn || (c->opts.replicas == 1 && !c->opts.first_chain) ||
		     !has_replicas(dev, c->opts.replicas);
	int rc;

	c->step = view->step;
	if (!plain) {
		struct pbit_program_opts opts = c->opts;

		opts.seed = dev->ops.seek || !c->rounds ? opts.seed : own_seed(c);
		return dev->ops.program_replicas(dev->priv, view, &opts);
	}
	rc = dev->ops.program(dev->priv, view, c->opts.order,
			      dev->ops.seek ? c->opts.seed : own_seed(c));
	if (!rc && !c->in_turn && c->opts.first_chain && dev->ops.seek)
		rc = dev->ops.seek(dev->priv, &c->stream);
	return rc;
}

void pbit__chains_forget(struct pbit_device *dev)
{
	pbit_bm_put(dev->bm);
	dev->bm = NULL;
	pbit__chains_free(dev->chains);
	dev->chains = NULL;
}

/* Passes the clamps on; replicas in turn get values of their own when their turn comes. */
static int tell_clamps(struct pbit_device *dev, const uint64_t *mask, const uint64_t *values,
		       bool each)
{
	if (!mask)
		return dev->ops.clamp(dev->priv, NULL, NULL);
	if (!each)
		return dev->ops.clamp(dev->priv, mask, values);
	return dev->chains->in_turn ? 0 : dev->ops.clamp_each(dev->priv, mask, values);
}

static void keep_clamps(struct pbit__chains *c, uint64_t *mask, uint64_t *values, bool each)
{
	free(c->mask);
	free(c->values);
	c->mask = mask;
	c->values = values;
	c->each = each;
	if (c->in_turn && mask)
		pbit__turns_clamp(c);
}

static int release(struct pbit_device *dev)
{
	int rc = tell_clamps(dev, NULL, NULL, false);

	if (!rc)
		keep_clamps(dev->chains, NULL, NULL, false);
	return rc;
}

int pbit__chains_clamp(struct pbit_device *dev, const char *what, const uint64_t *mask,
		       const uint64_t *values, bool each)
{
	struct pbit__chains *c = dev->chains;
	uint64_t states;
	uint64_t *m, *v;
	int rc;

	each = each && c->opts.replicas > 1;
	states = each ? c->opts.replicas : 1;
	if (!mask || !any_bit(dev, mask))
		return release(dev);
	if (!(dev->caps.flags & PBIT_FLAG_CLAMP))
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, what, dev->uri,
				 "choose a device with a clamp mask in its capabilities",
				 "the device has no clamp mask, and a large bias is not a clamp");
	m = copy_states(dev, mask, 1);
	v = copy_states(dev, values, states);
	if (!m || !v) {
		rc = fail_copy(dev, what, states);
		goto free_both;
	}
	for (uint64_t r = 0; r < states; r++) {
		for (size_t w = 0; w < c->words; w++)
			v[r * c->words + w] &= m[w];
	}
	rc = tell_clamps(dev, m, v, each);
	if (rc)
		goto free_both;
	keep_clamps(c, m, v, each);
	return 0;
free_both:
	free(v);
	free(m);
	return rc;
}

/* Clamped bits of the states become those of the clamps. */
static void merge_clamps(const struct pbit__chains *c, uint64_t *states)
{
	for (uint64_t r = 0; c->mask && r < c->opts.replicas; r++) {
		const uint64_t *values = c->values + (c->each ? r * c->words : 0);

		for (size_t w = 0; w < c->words; w++) {
			uint64_t *at = &states[r * c->words + w];

			*at = (*at & ~c->mask[w]) | values[w];
		}
	}
}

/* All are clamped to the states, then the clamps are what they were. */
static int set_by_clamps(struct pbit_device *dev, const uint64_t *states)
{
	struct pbit__chains *c = dev->chains;
	uint64_t *all = calloc(c->words, sizeof(*all));
	int rc;

	if (!all)
		return -ENOMEM;
	memset(all, 0xff, c->words * sizeof(*all));
	all[c->words - 1] &= pbit__bm_tail_mask(dev->bm->n);
	rc = tell_clamps(dev, all, states, c->opts.replicas > 1);
	if (!rc)
		rc = tell_clamps(dev, c->mask, c->values, c->each);
	free(all);
	return rc;
}

int pbit__chains_set_state(struct pbit_device *dev, const char *what, const uint64_t *states)
{
	struct pbit__chains *c = dev->chains;
	uint64_t *copy;
	int rc;

	if (!dev->ops.set_state && !(dev->caps.flags & PBIT_FLAG_CLAMP))
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, what, dev->uri,
				 "choose a device with a clamp mask in its capabilities",
				 "the device can be given no state, nor be clamped to one");
	copy = copy_states(dev, states, c->opts.replicas);
	if (!copy)
		return fail_copy(dev, what, c->opts.replicas);
	merge_clamps(c, copy);
	if (c->in_turn) {
		free(c->state);
		c->state = copy;
		return 0;
	}
	if (dev->ops.set_state)
		rc = dev->ops.set_state(dev->priv, copy);
	else
		rc = set_by_clamps(dev, copy);
	free(copy);
	return rc == -ENOMEM ? fail_copy(dev, what, 1) : rc;
}

int pbit__chains_restore(struct pbit_device *dev, const char *what, const uint64_t *states)
{
	struct pbit__chains *c = dev->chains;
	int rc = c->mask ? tell_clamps(dev, c->mask, c->values, c->each) : 0;

	/* A device that can be given no state starts from all -1 again. */
	if (!rc && (dev->ops.set_state || (dev->caps.flags & PBIT_FLAG_CLAMP)))
		rc = pbit__chains_set_state(dev, what, states);
	if (!rc && !c->in_turn && dev->ops.seek)
		rc = dev->ops.seek(dev->priv, &c->stream);
	return rc;
}

int pbit__chains_update(struct pbit_device *dev, const char *what, const double *beta, bool each,
			uint64_t sweeps, struct pbit_ctl *ctl)
{
	struct pbit__chains *c = dev->chains;
	int rc;

	for (uint64_t r = 0; r < (each ? c->opts.replicas : 1); r++) {
		rc = pbit__bm_check_step(dev, what, beta[r], c->step);
		if (rc)
			return rc;
	}
	if (!sweeps)
		return 0;
	if (c->in_turn)
		return pbit__turns_update(dev, beta, each, sweeps, ctl);
	/* Also where it fails: no draw is then used twice, however far it came. */
	c->stream.sweep += sweeps;
	if (each && c->opts.replicas > 1)
		return dev->ops.update_each(dev->priv, beta, sweeps, ctl);
	return dev->ops.update(dev->priv, beta[0], sweeps, ctl);
}

int pbit__chains_read(struct pbit_device *dev, uint64_t *states)
{
	const struct pbit__chains *c = dev->chains;
	uint64_t tail = pbit__bm_tail_mask(dev->bm->n);
	int rc;

	if (c->in_turn) {
		memcpy(states, c->state, c->opts.replicas * c->words * sizeof(*states));
		return 0;
	}
	rc = dev->ops.read(dev->priv, states);
	for (uint64_t r = 0; !rc && r < c->opts.replicas; r++)
		states[r * c->words + c->words - 1] &= tail;
	return rc;
}

int pbit__chains_seek(struct pbit_device *dev, const char *what, const struct pbit_stream *stream)
{
	struct pbit_stream own = *stream;
	int rc;

	own.struct_size = sizeof(own);
	if (!dev->ops.seek)
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, what, dev->uri,
				 "choose a device that draws as the contract says",
				 "the device cannot be told which random bits to draw");
	rc = dev->chains->in_turn ? 0 : dev->ops.seek(dev->priv, &own);
	if (!rc)
		dev->chains->stream = own;
	return rc;
}
