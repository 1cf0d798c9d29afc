/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of samples: burn in, then update and read in turn. The device is locked for each update
 * and its read together, and free while the caller looks at the sample.
 */
#include "boltzmann/ops.h"

#include <errno.h>
#include <stdlib.h>
#include "boltzmann/fit.h"
#include "core/args.h"
#include "job/job.h"

static const char what[] = "cannot sample";

static int check_opts(const struct pbit_device *dev, const struct pbit_sample_opts *given,
		      struct pbit_sample_opts *opts)
{
	int rc = pbit__args_read(opts, sizeof(*opts), given,
				 PBIT__SIZE_TO(struct pbit_sample_opts, interval), what, "opts");

	if (rc)
		return rc;
	if (opts->flags)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "opts.flags", "set it to 0",
				 "0x%x has unknown flags", opts->flags);
	if (!opts->interval)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "opts.interval",
				 "1 gives a sample after every sweep",
				 "it is 0, the same state would come again and again");
	return pbit__bm_check_beta(dev, what, opts->beta);
}

static int fail_ended(const struct pbit_device *dev, int code, uint64_t taken)
{
	if (code == -ETIMEDOUT)
		return pbit_fail(code, PBIT_ERR_TIMEOUT, what, dev->uri,
				 "allow more time or ask for fewer sweeps",
				 "the deadline passed after %llu samples",
				 (unsigned long long)taken);
	return pbit_fail(code, PBIT_ERR_CANCELLED, what, dev->uri, NULL,
			 "cancelled after %llu samples", (unsigned long long)taken);
}

/* A run of pbit_sample(). */
struct stream {
	struct pbit_device *dev;
	struct pbit_bm *bm; /* own reference, so that its address stays taken */
	struct pbit_ctl ctl;
	uint64_t *state;
	double beta;
};

/* Updates, and reads unless there is nothing to hand on. */
static int advance(struct stream *s, uint64_t sweeps, bool read)
{
	struct pbit_device *dev = s->dev;
	int rc = pbit_ctl_check(&s->ctl);

	if (rc)
		return rc;
	pthread_mutex_lock(&dev->lock);
	if (dev->bm != s->bm)
		rc = pbit_fail(-ESTALE, PBIT_ERR_ARGUMENT, what, dev->uri,
			       "program the device when no stream is running",
			       "another machine was programmed during the stream");
	if (!rc && sweeps)
		rc = dev->ops.update(dev->priv, s->beta, sweeps, &s->ctl);
	if (!rc && read)
		rc = pbit__bm_read_locked(dev, s->state);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}

static int run_stream(struct stream *s, const struct pbit_sample_opts *opts, pbit_sample_fn *fn,
		      void *user)
{
	uint64_t taken = 0;
	int rc;

	if (!opts->samples) {
		rc = advance(s, opts->burn_in, false);
		goto out;
	}
	while (taken < opts->samples) {
		rc = advance(s, taken ? opts->interval : opts->burn_in, true);
		if (rc)
			goto out;
		if (fn(s->state, taken, user))
			return pbit_fail(-ECANCELED, PBIT_ERR_CANCELLED, what, s->dev->uri, NULL,
					 "the callback ended the stream at sample %llu",
					 (unsigned long long)taken);
		taken++;
	}
	return 0;
out:
	if (rc == -ETIMEDOUT || rc == -ECANCELED)
		return fail_ended(s->dev, rc, taken);
	return rc;
}

int pbit_sample(struct pbit_device *dev, const struct pbit_sample_opts *given, pbit_sample_fn *fn,
		void *user)
{
	struct pbit_sample_opts opts = {0};
	struct stream s = {.dev = dev, .ctl = PBIT_CTL_INIT(PBIT_FOREVER)};
	int rc;

	rc = pbit__bm_check_device(dev, what);
	if (rc)
		return rc;
	rc = check_opts(dev, given, &opts);
	if (rc)
		return rc;
	if (!fn)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "fn", NULL,
				 "the pointer is NULL");
	if (opts.deadline_ns)
		s.ctl.deadline = opts.deadline_ns;
	s.beta = opts.beta;
	pthread_mutex_lock(&dev->lock);
	rc = pbit__bm_check_programmed(dev, what);
	s.bm = pbit_bm_get(dev->bm);
	pthread_mutex_unlock(&dev->lock);
	if (rc)
		return rc;
	s.state = calloc(PBIT__BM_WORDS(s.bm->n), sizeof(*s.state));
	if (s.state)
		rc = run_stream(&s, &opts, fn, user);
	else
		rc = pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, dev->uri, NULL,
			       "no memory for a state of %u p-bits", s.bm->n);
	free(s.state);
	pbit_bm_put(s.bm);
	return rc;
}
