/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boltzmann mode of a device: program, clamp, set, update, read. Arguments are checked here, so
 * that a backend gets only what it says it can do; the device's lock is held around each of its
 * operations.
 */
#include "boltzmann/ops.h"

#include <errno.h>
#include "boltzmann/chains.h"
#include "boltzmann/fit.h"
#include "core/args.h"
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

static int fail_null(const char *what, const char *where)
{
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, where, NULL, "the pointer is NULL");
}

/*
 * What a device holds after it failed to take a machine is anyone's guess, so it counts as not
 * programmed then. What is refused before it is asked leaves everything as it was.
 */
static int program_locked(struct pbit_device *dev, struct pbit_bm *bm,
			  const struct pbit_bm_view *view, const struct pbit_program_opts *opts)
{
	struct pbit__chains *chains;
	int rc = pbit__chains_new(dev, view, opts, &chains);

	if (rc)
		return rc;
	rc = pbit__chains_load(dev, chains, view);
	pbit__chains_forget(dev);
	dev->programs++;
	if (rc) {
		pbit__chains_free(chains);
		return rc;
	}
	dev->bm = pbit_bm_get(bm);
	dev->chains = chains;
	pbit__bm_freeze(bm);
	return 0;
}

int pbit__bm_program(struct pbit_device *dev, struct pbit_bm *bm, struct pbit_program_opts *opts,
		     uint64_t *program)
{
	static const char what[] = "cannot program the machine";
	struct pbit_bm_view view = PBIT_INIT(view);
	int rc;

	rc = pbit__bm_check_device(dev, what);
	if (rc)
		return rc;
	if (!bm)
		return fail_null(what, "bm");
	rc = pbit__bm_choose_order(dev, &opts->order);
	if (rc)
		return rc;
	rc = pbit_bm_view(bm, &view);
	if (rc)
		return rc;
	rc = pbit__bm_check_fit(dev, &view, opts->order);
	if (rc)
		return rc;
	pthread_mutex_lock(&dev->lock);
	rc = program_locked(dev, bm, &view, opts);
	*program = dev->programs;
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

int pbit_program(struct pbit_device *dev, struct pbit_bm *bm, uint32_t order, uint64_t seed)
{
	struct pbit_program_opts opts = PBIT_INIT(opts);
	uint64_t program;

	opts.order = order;
	opts.seed = seed;
	opts.replicas = 1;
	return pbit__bm_program(dev, bm, &opts, &program);
}

int pbit_program_with(struct pbit_device *dev, struct pbit_bm *bm,
		      const struct pbit_program_opts *given)
{
	static const char what[] = "cannot program the machine";
	struct pbit_program_opts opts;
	uint64_t program;
	int rc = pbit__args_read(&opts, sizeof(opts), given,
				 PBIT__SIZE_TO(struct pbit_program_opts, seed), what, "opts");

	if (rc)
		return rc;
	if (opts.reserved)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "opts.reserved", "set it to 0",
				 "it is 0x%x", opts.reserved);
	if (!opts.replicas)
		opts.replicas = 1;
	return pbit__bm_program(dev, bm, &opts, &program);
}

uint32_t pbit_replicas(struct pbit_device *dev)
{
	uint32_t replicas;

	if (!dev)
		return 0;
	pthread_mutex_lock(&dev->lock);
	replicas = dev->chains ? dev->chains->opts.replicas : 0;
	pthread_mutex_unlock(&dev->lock);
	return replicas;
}

static int clamp(struct pbit_device *dev, const char *where, const uint64_t *mask,
		 const uint64_t *values, bool each)
{
	static const char what[] = "cannot clamp p-bits";
	int rc;

	rc = pbit__bm_check_device(dev, what);
	if (rc)
		return rc;
	if (mask && !values)
		return fail_null(what, where);
	pthread_mutex_lock(&dev->lock);
	rc = pbit__bm_check_programmed(dev, what);
	if (!rc)
		rc = pbit__chains_clamp(dev, what, mask, values, each);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

int pbit_clamp(struct pbit_device *dev, const uint64_t *mask, const uint64_t *value)
{
	return clamp(dev, "value", mask, value, false);
}

int pbit_clamp_each(struct pbit_device *dev, const uint64_t *mask, const uint64_t *values)
{
	return clamp(dev, "values", mask, values, true);
}

int pbit_set_state(struct pbit_device *dev, const uint64_t *state)
{
	static const char what[] = "cannot set the state";
	int rc;

	rc = pbit__bm_check_device(dev, what);
	if (rc)
		return rc;
	if (!state)
		return fail_null(what, "state");
	pthread_mutex_lock(&dev->lock);
	rc = pbit__bm_check_programmed(dev, what);
	if (!rc)
		rc = pbit__chains_set_state(dev, what, state);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

int pbit__bm_stream(struct pbit_device *dev, const struct pbit_stream *stream)
{
	static const char what[] = "cannot name the random bits";
	int rc;

	rc = pbit__bm_check_device(dev, what);
	if (rc)
		return rc;
	pthread_mutex_lock(&dev->lock);
	rc = pbit__bm_check_programmed(dev, what);
	if (!rc)
		rc = pbit__chains_seek(dev, what, stream);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

int pbit_seek(struct pbit_device *dev, uint64_t sweep)
{
	static const char what[] = "cannot set the number of the next sweep";
	int rc;

	rc = pbit__bm_check_device(dev, what);
	if (rc)
		return rc;
	pthread_mutex_lock(&dev->lock);
	rc = pbit__bm_check_programmed(dev, what);
	if (!rc) {
		struct pbit_stream stream = dev->chains->stream;

		stream.sweep = sweep;
		rc = pbit__chains_seek(dev, what, &stream);
	}
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

/* beta: one, or one for each replica, whose number is known only under the lock. */
static int update_locked(struct pbit_device *dev, const char *what, const double *beta, bool each,
			 uint64_t sweeps, struct pbit_ctl *ctl)
{
	int rc = pbit__bm_check_programmed(dev, what);

	for (uint64_t r = 0; !rc && each && r < dev->chains->opts.replicas; r++)
		rc = pbit__bm_check_beta(dev, what, beta[r]);
	return rc ? rc : pbit__chains_update(dev, what, beta, each, sweeps, ctl);
}

int pbit__bm_update(struct pbit_device *dev, const double *beta, bool each, uint64_t sweeps,
		    struct pbit_ctl *ctl)
{
	static const char what[] = "cannot update the machine";
	int rc;

	rc = pbit__bm_check_device(dev, what);
	if (rc)
		return rc;
	if (!each)
		rc = pbit__bm_check_beta(dev, what, beta[0]);
	if (rc)
		return rc;
	pthread_mutex_lock(&dev->lock);
	rc = update_locked(dev, what, beta, each, sweeps, ctl);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

static int check_same(const struct pbit_device *dev, const char *what, uint64_t program)
{
	if (dev->bm && dev->programs == program)
		return 0;
	return pbit_fail(-ESTALE, PBIT_ERR_ARGUMENT, what, dev->uri,
			 "program the device when no other call uses it",
			 "another machine was programmed during the call");
}

int pbit__bm_put_clamps(struct pbit_device *dev, uint64_t program, const char *what,
			const uint64_t *mask, const uint64_t *value)
{
	int rc;

	pthread_mutex_lock(&dev->lock);
	rc = check_same(dev, what, program);
	if (!rc)
		rc = pbit__chains_clamp(dev, what, mask, value, false);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

int pbit__bm_put_states(struct pbit_device *dev, uint64_t program, const char *what,
			const uint64_t *states)
{
	int rc;

	pthread_mutex_lock(&dev->lock);
	rc = check_same(dev, what, program);
	if (!rc)
		rc = pbit__chains_set_state(dev, what, states);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

int pbit__bm_advance(struct pbit_device *dev, uint64_t program, const char *what,
		     const double *beta, bool each, uint64_t sweeps, struct pbit_ctl *ctl,
		     uint64_t *states)
{
	int rc;

	pthread_mutex_lock(&dev->lock);
	rc = check_same(dev, what, program);
	if (!rc)
		rc = pbit__chains_update(dev, what, beta, each, sweeps, ctl);
	if (!rc && states)
		rc = pbit__chains_read(dev, states);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

int pbit_update(struct pbit_device *dev, double beta, uint64_t sweeps)
{
	struct pbit_ctl ctl = PBIT_CTL_INIT(PBIT_FOREVER);

	return pbit__bm_update(dev, &beta, false, sweeps, &ctl);
}

int pbit_update_each(struct pbit_device *dev, const double *beta, uint64_t sweeps)
{
	static const char what[] = "cannot update the machine";
	struct pbit_ctl ctl = PBIT_CTL_INIT(PBIT_FOREVER);

	if (!beta)
		return fail_null(what, "beta");
	return pbit__bm_update(dev, beta, true, sweeps, &ctl);
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
		rc = pbit__chains_read(dev, state);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}
