/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of samples: burn in, then update and read in turn. The device is locked for each update
 * and its read together, and free while the caller looks at the sample.
 */
#include "boltzmann/chains.h"

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
	uint64_t program; /* the number of the machine programmed when the stream began */
	struct pbit_ctl ctl;
	uint64_t *state; /* of all replicas */
	double beta;
};

/* Updates, and reads unless there is nothing to hand on. */
static int advance(struct stream *s, uint64_t sweeps, bool read)
{
	int rc = pbit_ctl_check(&s->ctl);

	return rc ? rc
		  : pbit__bm_advance(s->dev, s->program, what, &s->beta, false, sweeps, &s->ctl,
				     read ? s->state : NULL);
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

/* Under the lock: which machine is streamed, and room for its states. */
static int begin(struct stream *s)
{
	const struct pbit_device *dev = s->dev;
	int rc = pbit__bm_check_programmed(s->dev, what);

	if (rc)
		return rc;
	s->program = dev->programs;
	s->state = calloc(dev->chains->opts.replicas, dev->chains->words * sizeof(*s->state));
	if (s->state)
		return 0;
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, dev->uri, NULL,
			 "no memory for %u states of %u p-bits", dev->chains->opts.replicas,
			 dev->bm->n);
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
	rc = begin(&s);
	pthread_mutex_unlock(&dev->lock);
	if (!rc)
		rc = run_stream(&s, &opts, fn, user);
	free(s.state);
	return rc;
}
