/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: a model loaded on devices, runs one at a time, in the caller's thread or as jobs
 * on the session's own.
 */
#include <errno.h>
#include <stdlib.h>
#include "core/args.h"
#include "core/clock.h"
#include "device/limits.h"
#include "exec/run.h"

#define WHAT	 "cannot make a session"
#define WHAT_RUN "cannot run the model"

static void limit_requests(struct pbit_session *session, const struct pbit_caps *caps)
{
	if (caps->stated & PBIT_CAP_BATCH && caps->batch && caps->batch < session->max_images)
		session->max_images = caps->batch;
	if (caps->stated & PBIT_CAP_SAMPLE_MEMORY && caps->sample_memory &&
	    caps->sample_memory < session->max_samples)
		session->max_samples = caps->sample_memory;
	if (!(caps->flags & PBIT_FLAG_REPORTS))
		session->reports = false;
}

static int load(struct pbit_session *session, struct pbit_device *dev)
{
	struct pbit__runner *runner = &session->runners[session->n_devices];
	uint32_t n_layers = session->info.n_layers;
	struct pbit__net net;
	int rc;

	for (uint32_t i = 0; i < session->n_devices; i++)
		if (session->runners[i].dev == dev)
			return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, dev->uri,
					 "name each device once", "devices %u and %u are the same",
					 i, session->n_devices);
	rc = pbit__check_model(dev, session->model, 0, n_layers);
	if (rc)
		return rc;
	pthread_mutex_lock(&dev->lock);
	rc = pbit__net_load(dev, session->model, 0, n_layers, &net);
	pthread_mutex_unlock(&dev->lock);
	if (rc)
		return rc;
	runner->dev = dev;
	runner->net = net;
	session->n_devices++;
	if (!net.lowered) /* the host deals with requests of any size, and sees each sample */
		limit_requests(session, &dev->caps);
	return 0;
}

static void unload(struct pbit__runner *runner)
{
	struct pbit_device *dev = runner->dev;

	pthread_mutex_lock(&dev->lock);
	pbit__net_unload(dev, &runner->net);
	pthread_mutex_unlock(&dev->lock);
	pbit__tally_free(&runner->tally);
	pbit__buffer_free(&runner->codes);
	pbit__buffer_free(&runner->raw);
	pbit__buffer_free(&runner->active);
	pbit__buffer_free(&runner->numbers);
}

static void destroy(struct pbit_session *session)
{
	pbit_worker_free(session->worker);
	for (uint32_t i = 0; i < session->n_devices; i++)
		unload(&session->runners[i]);
	pbit__readout_free(&session->readout);
	pbit_model_put(session->model);
	pthread_cond_destroy(&session->changed);
	pthread_mutex_destroy(&session->lock);
	free(session->runners);
	free(session);
}

static struct pbit_session *allocate(struct pbit_model *model, uint32_t n_devices)
{
	struct pbit_session *session = calloc(1, sizeof(*session));
	struct pbit__runner *runners = calloc(n_devices, sizeof(*runners));
	pthread_condattr_t attr;

	if (!session || !runners) {
		free(session);
		free(runners);
		pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, WHAT, NULL, NULL, "no memory for %u devices",
			  n_devices);
		return NULL;
	}
	session->runners = runners;
	session->model = pbit_model_get(model);
	session->info = (struct pbit_model_info)PBIT_INIT(session->info);
	session->reports = true;
	session->max_images = session->max_samples = UINT64_MAX;
	pthread_mutex_init(&session->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&session->changed, &attr);
	pthread_condattr_destroy(&attr);
	return session;
}

int pbit_session_new(struct pbit_model *model, struct pbit_device *const *devices,
		     uint32_t n_devices, struct pbit_session **made)
{
	struct pbit_session *session;
	int rc = 0;

	if (made)
		*made = NULL;
	if (!model || !devices || !n_devices || !made)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, NULL,
				 "give a model, at least one device and where to put the session",
				 "%s",
				 !model	    ? "model is NULL"
				 : !made    ? "session is NULL"
				 : !devices ? "devices is NULL"
					    : "n_devices is 0");
	for (uint32_t i = 0; i < n_devices; i++)
		if (!devices[i])
			return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, NULL, NULL,
					 "device %u is NULL", i);
	session = allocate(model, n_devices);
	if (!session)
		return -ENOMEM;
	rc = pbit_model_info(model, &session->info);
	if (!rc)
		rc = pbit__readout_init(&session->readout, model, &session->info);
	if (!rc)
		rc = pbit_worker_new(&session->worker);
	for (uint32_t i = 0; !rc && i < n_devices; i++)
		rc = load(session, devices[i]);
	if (rc) {
		destroy(session);
		return rc;
	}
	*made = session;
	return 0;
}

void pbit_session_free(struct pbit_session *session)
{
	if (!session)
		return;
	pthread_mutex_lock(&session->lock);
	while (session->busy || session->jobs)
		pthread_cond_wait(&session->changed, &session->lock);
	pthread_mutex_unlock(&session->lock);
	destroy(session);
}

/* Waits for its turn, but not past the run's deadline, nor when it is cancelled meanwhile. */
static int take_turn(struct pbit_session *session, struct pbit_ctl *ctl)
{
	int rc = 0;

	pthread_mutex_lock(&session->lock);
	while (session->busy && !(rc = pbit_ctl_check(ctl))) {
		int64_t wake = pbit__now_ns() + 20000000;
		struct timespec until = {
			.tv_sec = (time_t)(wake / 1000000000),
			.tv_nsec = (long)(wake % 1000000000),
		};

		pthread_cond_timedwait(&session->changed, &session->lock, &until);
	}
	if (!session->busy) {
		session->busy = true;
		rc = 0;
	}
	pthread_mutex_unlock(&session->lock);
	if (rc)
		return pbit_fail(rc, rc == -ETIMEDOUT ? PBIT_ERR_TIMEOUT : PBIT_ERR_CANCELLED,
				 "run not started", NULL, "allow more time or use another session",
				 "another run of this session was not done in time");
	return 0;
}

static void end_turn(struct pbit_session *session)
{
	pthread_mutex_lock(&session->lock);
	session->busy = false;
	pthread_cond_broadcast(&session->changed);
	pthread_mutex_unlock(&session->lock);
}

static int check_handles(const struct pbit_session *session, const struct pbit_result *result)
{
	if (session && result)
		return 0;
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT_RUN, NULL,
			 session ? "make one with pbit_result_new()"
				 : "make one with pbit_session_new()",
			 "%s is NULL", session ? "result" : "session");
}

static int run_in_turn(struct pbit_session *session, const struct pbit_input *input,
		       const struct pbit_run_opts *opts, struct pbit_result *result,
		       struct pbit_ctl *ctl)
{
	int rc = take_turn(session, ctl);

	if (rc) {
		pbit__result_clear(result);
		return rc;
	}
	rc = pbit__run(session, input, opts, result, ctl);
	end_turn(session);
	return rc;
}

/* What a run is asked for, in structs of this library's own size. */
struct asked {
	struct pbit_session *session;
	struct pbit_result *result;
	struct pbit_input input;
	struct pbit_run_opts opts;
};

static int read_args(struct asked *asked, struct pbit_session *session,
		     const struct pbit_input *input, const struct pbit_run_opts *opts,
		     struct pbit_result *result)
{
	int rc = check_handles(session, result);

	if (rc)
		return rc;
	asked->session = session;
	asked->result = result;
	rc = pbit__args_read(&asked->input, sizeof(asked->input), input,
			     PBIT__SIZE_TO(struct pbit_input, n_values), WHAT_RUN, "input");
	if (!rc)
		rc = pbit__args_read(&asked->opts, sizeof(asked->opts), opts,
				     PBIT__SIZE_TO(struct pbit_run_opts, samples), WHAT_RUN,
				     "opts");
	return rc;
}

static int64_t deadline_of(const struct asked *asked)
{
	return asked->opts.deadline_ns ? asked->opts.deadline_ns : PBIT_FOREVER;
}

int pbit_session_run(struct pbit_session *session, const struct pbit_input *input,
		     const struct pbit_run_opts *opts, struct pbit_result *result)
{
	struct asked asked;
	int rc = read_args(&asked, session, input, opts, result);

	if (rc) {
		if (result)
			pbit__result_clear(result);
		return rc;
	}
	struct pbit_ctl ctl = PBIT_CTL_INIT(deadline_of(&asked));

	return run_in_turn(session, &asked.input, &asked.opts, result, &ctl);
}

static int run_submitted(void *arg, struct pbit_ctl *ctl)
{
	struct asked *asked = arg;

	return run_in_turn(asked->session, &asked->input, &asked->opts, asked->result, ctl);
}

static void release_submitted(void *arg)
{
	struct asked *asked = arg;
	struct pbit_session *session = asked->session;

	free(asked);
	pthread_mutex_lock(&session->lock);
	session->jobs--;
	pthread_cond_broadcast(&session->changed);
	pthread_mutex_unlock(&session->lock);
}

int pbit_session_submit(struct pbit_session *session, const struct pbit_input *input,
			const struct pbit_run_opts *opts, struct pbit_result *result,
			struct pbit_job **job)
{
	struct asked asked, *kept;
	int rc;

	if (!job)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT_RUN, NULL,
				 "pass the address of a pointer", "job is NULL");
	*job = NULL;
	rc = read_args(&asked, session, input, opts, result);
	if (rc)
		return rc;
	kept = malloc(sizeof(*kept));
	if (!kept)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, WHAT_RUN, NULL, NULL, "no memory");
	*kept = asked;
	pthread_mutex_lock(&session->lock);
	session->jobs++;
	pthread_mutex_unlock(&session->lock);
	rc = pbit_worker_submit(session->worker, run_submitted, release_submitted, kept,
				deadline_of(&asked), job);
	if (rc)
		release_submitted(kept);
	return rc;
}
