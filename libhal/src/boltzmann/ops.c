/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boltzmann mode of a device: program, clamp, set, update, read. Arguments are checked here, so
 * that a backend gets only what it says it can do; the device's lock is held around each of its
 * operations.
 */
#include "boltzmann/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "boltzmann/fit.h"
#include "job/job.h"

int pbit__bm_check_device(struct pbit_device *dev, const char *what)
{
	if (!dev)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "dev", NULL,
				 "the pointer is NULL");
	if (!(dev->caps.flags & PBIT_FLAG_BOLTZMANN) || !dev->ops.program || !dev->ops.clamp ||
	    !dev->ops.update || !dev->ops.read)
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, what, dev->uri,
				 "choose a device with Boltzmann mode in its capabilities",
				 "the device has no Boltzmann mode");
	return 0;
}

int pbit__bm_check_programmed(struct pbit_device *dev, const char *what)
{
	if (dev->bm)
		return 0;
	return pbit_fail(-ENOTCONN, PBIT_ERR_ARGUMENT, what, dev->uri, "call pbit_program() first",
			 "no Boltzmann machine is programmed on the device");
}

uint64_t pbit__bm_tail_mask(uint32_t n)
{
	return n % 64 ? (1ull << (n % 64)) - 1 : ~0ull;
}

/* A copy with the bits past n cleared: backends need not mind them. */
static uint64_t *copy_bits(const uint64_t *from, uint32_t n)
{
	size_t words = PBIT__BM_WORDS(n);
	uint64_t *to = malloc(words * sizeof(*to));

	if (!to)
		return NULL;
	memcpy(to, from, words * sizeof(*to));
	to[words - 1] &= pbit__bm_tail_mask(n);
	return to;
}

static int fail_copy(const char *what, const char *uri, uint32_t n)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, uri, NULL,
			 "no memory for a copy of %u bits", n);
}

static int fail_null(const char *what, const char *where)
{
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, where, NULL, "the pointer is NULL");
}

/*
 * What a device holds after it failed to take a machine is anyone's guess, so it counts as not
 * programmed then. What is refused before it is asked leaves everything as it was.
 */
static int program_locked(struct pbit_device *dev, struct pbit_bm *bm,
			  const struct pbit_bm_view *view, uint32_t order, uint64_t seed)
{
	struct pbit_bm *old;
	int rc;

	pthread_mutex_lock(&dev->lock);
	rc = dev->ops.program(dev->priv, view, order, seed);
	old = dev->bm;
	dev->bm = rc ? NULL : pbit_bm_get(bm);
	pthread_mutex_unlock(&dev->lock);
	pbit_bm_put(old);
	if (!rc)
		pbit__bm_freeze(bm);
	return rc;
}

int pbit_program(struct pbit_device *dev, struct pbit_bm *bm, uint32_t order, uint64_t seed)
{
	static const char what[] = "cannot program the machine";
	struct pbit_bm_view view = PBIT_INIT(view);
	int rc;

	rc = pbit__bm_check_device(dev, what);
	if (rc)
		return rc;
	if (!bm)
		return fail_null(what, "bm");
	rc = pbit__bm_choose_order(dev, &order);
	if (rc)
		return rc;
	rc = pbit_bm_view(bm, &view);
	if (rc)
		return rc;
	rc = pbit__bm_check_fit(dev, &view, order);
	if (rc)
		return rc;
	return program_locked(dev, bm, &view, order, seed);
}

static bool any_bit(const uint64_t *bits, uint32_t n)
{
	uint64_t any = bits[PBIT__BM_WORDS(n) - 1] & pbit__bm_tail_mask(n);

	for (size_t w = 0; w + 1 < PBIT__BM_WORDS(n); w++)
		any |= bits[w];
	return any != 0;
}

static int clamp_locked(struct pbit_device *dev, const char *what, const uint64_t *mask,
			const uint64_t *value)
{
	uint64_t *m, *v;
	uint32_t n;
	int rc;

	rc = pbit__bm_check_programmed(dev, what);
	if (rc)
		return rc;
	n = dev->bm->n;
	if (!mask || !any_bit(mask, n))
		return dev->ops.clamp(dev->priv, NULL, NULL);
	if (!(dev->caps.flags & PBIT_FLAG_CLAMP))
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, what, dev->uri,
				 "choose a device with a clamp mask in its capabilities",
				 "the device has no clamp mask, and a large bias is not a clamp");
	m = copy_bits(mask, n);
	v = copy_bits(value, n);
	if (m && v) {
		for (size_t w = 0; w < PBIT__BM_WORDS(n); w++)
			v[w] &= m[w];
		rc = dev->ops.clamp(dev->priv, m, v);
	} else {
		rc = fail_copy(what, dev->uri, n);
	}
	free(v);
	free(m);
	return rc;
}

int pbit_clamp(struct pbit_device *dev, const uint64_t *mask, const uint64_t *value)
{
	static const char what[] = "cannot clamp p-bits";
	int rc;

	rc = pbit__bm_check_device(dev, what);
	if (rc)
		return rc;
	if (mask && !value)
		return fail_null(what, "value");
	pthread_mutex_lock(&dev->lock);
	rc = clamp_locked(dev, what, mask, value);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

static int set_state_locked(struct pbit_device *dev, const char *what, const uint64_t *state)
{
	uint64_t *copy;
	int rc;

	rc = pbit__bm_check_programmed(dev, what);
	if (rc)
		return rc;
	copy = copy_bits(state, dev->bm->n);
	if (!copy)
		return fail_copy(what, dev->uri, dev->bm->n);
	rc = dev->ops.set_state(dev->priv, copy);
	free(copy);
	return rc;
}

int pbit_set_state(struct pbit_device *dev, const uint64_t *state)
{
	static const char what[] = "cannot set the state";
	int rc;

	rc = pbit__bm_check_device(dev, what);
	if (rc)
		return rc;
	if (!dev->ops.set_state)
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, what, dev->uri,
				 "clamp the p-bits to the state, then release them",
				 "the device cannot be given a state");
	if (!state)
		return fail_null(what, "state");
	pthread_mutex_lock(&dev->lock);
	rc = set_state_locked(dev, what, state);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

int pbit_update(struct pbit_device *dev, double beta, uint64_t sweeps)
{
	static const char what[] = "cannot update the machine";
	struct pbit_ctl ctl = PBIT_CTL_INIT(PBIT_FOREVER);
	int rc;

	rc = pbit__bm_check_device(dev, what);
	if (rc)
		return rc;
	rc = pbit__bm_check_beta(dev, what, beta);
	if (rc)
		return rc;
	pthread_mutex_lock(&dev->lock);
	rc = pbit__bm_check_programmed(dev, what);
	if (!rc && sweeps)
		rc = dev->ops.update(dev->priv, beta, sweeps, &ctl);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

int pbit_read(struct pbit_device *dev, uint64_t *state)
{
	static const char what[] = "cannot read the state";
	int rc;

	rc = pbit__bm_check_device(dev, what);
	if (rc)
		return rc;
	if (!state)
		return fail_null(what, "state");
	pthread_mutex_lock(&dev->lock);
	rc = pbit__bm_check_programmed(dev, what);
	if (!rc)
		rc = pbit__bm_read_locked(dev, state);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

int pbit__bm_read_locked(struct pbit_device *dev, uint64_t *state)
{
	uint32_t n = dev->bm->n;
	int rc = dev->ops.read(dev->priv, state);

	if (!rc)
		state[PBIT__BM_WORDS(n) - 1] &= pbit__bm_tail_mask(n);
	return rc;
}
