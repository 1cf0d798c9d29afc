/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run: options checked, work divided, devices driven, what is complete handed over. One
 * device, or one batch, is driven by the calling thread; otherwise each device has a thread that
 * takes the next batch when it is done with one, so that shares follow the devices' speed.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "core/clock.h"
#include "exec/run.h"

#define WHAT "cannot run the model"

#define AUTO_BATCH     256u
#define AUTO_BATCH_MIN 64u
#define EARLY_BLOCK    4u

/* Multiply-accumulates of a request that the library chooses: a fraction of a second. */
#define REQUEST_MACS 0x1p34

/* Bounds of working memory: raw outputs of a request, products of a batch (early stop). */
#define RAW_BYTES     (4u << 20)
#define PRODUCT_BYTES (64u << 20)

/* Keeps sums over a request within 64 bits on any device: they are below 2^39 in size. */
#define REQUEST_SAMPLES (1u << 20)

#define INVALID(hint, ...) pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, NULL, hint, __VA_ARGS__)

static int check_early(const struct pbit__run *run)
{
	const struct pbit_session *session = run->session;
	uint64_t n_outputs = session->info.n_outputs;

	if (!(run->opts.confidence > 0.5 && run->opts.confidence < 1))
		return INVALID("0 draws all samples of every image",
			       "confidence is %g, must be 0 or between 0.5 and 1",
			       run->opts.confidence);
	if (n_outputs < 2)
		return INVALID("run with confidence 0",
			       "early stop compares outputs, and this model has one");
	if (n_outputs > PBIT__EARLY_MAX_OUTPUTS)
		return pbit_fail(-E2BIG, PBIT_ERR_LIMIT, WHAT, session->info.name,
				 "run with confidence 0",
				 "early stop compares at most %u outputs, the model has %llu",
				 PBIT__EARLY_MAX_OUTPUTS, (unsigned long long)n_outputs);
	for (uint32_t i = 0; i < session->n_devices; i++) {
		const struct pbit_device *dev = session->runners[i].dev;

		if (!session->runners[i].net.lowered && !(dev->caps.flags & PBIT_FLAG_REPORTS))
			return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, WHAT, dev->uri,
					 "run with confidence 0",
					 "early stop needs each sample, the device returns sums");
	}
	return 0;
}

static int check_opts(struct pbit__run *run, const struct pbit_run_opts *opts)
{
	struct pbit_run_opts *own = &run->opts;

	*own = *opts;
	if (own->samples < 1 || own->samples > INT32_MAX)
		return INVALID("set samples to T, the passes to average over",
			       "samples is %u, must be between 1 and 2147483647", own->samples);
	if (own->flags)
		return INVALID("set flags to 0", "flags has unknown bits: %#llx",
			       (unsigned long long)own->flags);
	run->early = own->confidence != 0;
	return run->early ? check_early(run) : 0;
}

static int check_images(struct pbit__run *run, const struct pbit_input *input)
{
	uint64_t end;
	int rc = pbit__input_check(&run->input, &run->session->info, input);

	if (rc)
		return rc;
	if (__builtin_add_overflow(run->opts.first_image, run->input.n_images, &end))
		return INVALID("choose a smaller first_image",
			       "images would be numbered beyond 2^64");
	return 0;
}

static void limit(uint64_t *value, uint64_t most)
{
	if (*value > most)
		*value = most;
	if (*value < 1)
		*value = 1;
}

/* Images of a batch, where the caller leaves it to the library. */
static uint64_t choose_batch(const struct pbit__run *run)
{
	double macs = (double)run->session->info.n_macs * run->opts.samples;
	uint64_t batch = AUTO_BATCH, parts = 4 * (uint64_t)run->session->n_devices;

	while (batch > AUTO_BATCH_MIN && (double)batch * macs > REQUEST_MACS)
		batch /= 2;
	if (run->session->n_devices > 1) {
		uint64_t share = run->input.n_images / parts + 1;

		limit(&batch, share > 8 ? share : 8);
	}
	return batch;
}

static void divide(struct pbit__run *run)
{
	const struct pbit_session *session = run->session;
	const struct pbit_run_opts *opts = &run->opts;
	uint64_t n_outputs = session->info.n_outputs, n_images = run->input.n_images;
	uint64_t batch = opts->batch ? opts->batch : choose_batch(run);
	uint64_t block = opts->sample_block, request = REQUEST_SAMPLES;

	limit(&batch, n_images);
	limit(&batch, RAW_BYTES / sizeof(int64_t) / n_outputs);
	if (run->early)
		limit(&batch, PRODUCT_BYTES / (n_outputs * (n_outputs + 1) * 8));
	limit(&batch, session->max_images);
	limit(&batch, session->max_samples);

	if (!block)
		block = run->early ? EARLY_BLOCK : opts->samples;
	limit(&block, opts->samples);
	if (!run->early)
		limit(&request, block);
	limit(&request, opts->samples);
	limit(&request, session->max_samples / batch);
	if (session->reports)
		limit(&request, RAW_BYTES / sizeof(int64_t) / (n_outputs * batch));
	if (!opts->sample_block && session->info.n_macs)
		limit(&request,
		      (uint64_t)(REQUEST_MACS / ((double)session->info.n_macs * (double)batch)));

	run->batch = (uint32_t)batch;
	run->block = (uint32_t)block;
	run->request = (uint32_t)request;
	run->n_batches = n_images / batch + (n_images % batch != 0);
}

/* A run has one failure: that of the earliest batch, whichever device came first. */
static void keep_failure(struct pbit__run *run, uint64_t batch, int rc)
{
	pthread_mutex_lock(&run->lock);
	if (!run->failure.code || batch < run->failed_batch) {
		run->failed_batch = batch;
		pbit__error_save(&run->failure);
		run->failure.code = rc;
	}
	pthread_mutex_unlock(&run->lock);
	atomic_store(&run->stop, true);
}

/* Takes batches until there are no more; other devices finish theirs after a failure. */
static int drain(struct pbit__run *run, struct pbit__runner *runner)
{
	while (!atomic_load_explicit(&run->stop, memory_order_relaxed)) {
		uint64_t batch = atomic_fetch_add(&run->next_batch, 1);
		uint64_t first = batch * run->batch, left;
		int rc;

		if (batch >= run->n_batches)
			return 0;
		left = run->input.n_images - first;
		rc = pbit__run_batch(run, runner, first,
				     left < run->batch ? (uint32_t)left : run->batch);
		if (rc) {
			if (!run->direct)
				keep_failure(run, batch, rc);
			return rc;
		}
	}
	return 0;
}

struct helper {
	pthread_t thread;
	struct pbit__run *run;
	struct pbit__runner *runner;
};

static void *help(void *arg)
{
	struct helper *helper = arg;
	struct pbit__run *run = helper->run;

	(void)drain(run, helper->runner);
	pthread_mutex_lock(&run->lock);
	run->threads_left--;
	pthread_cond_signal(&run->ended);
	pthread_mutex_unlock(&run->lock);
	return NULL;
}

/* Waits for the threads; reports progress meanwhile, where somebody wants it. */
static void attend(struct pbit__run *run)
{
	pthread_mutex_lock(&run->lock);
	while (run->threads_left) {
		int64_t wake = pbit__now_ns() + 20000000;
		struct timespec until = {
			.tv_sec = (time_t)(wake / 1000000000),
			.tv_nsec = (long)(wake % 1000000000),
		};

		if (!run->opts.progress) {
			pthread_cond_wait(&run->ended, &run->lock);
			continue;
		}
		pthread_cond_timedwait(&run->ended, &run->lock, &until);
		pthread_mutex_unlock(&run->lock);
		pbit__run_progress(run, false);
		pthread_mutex_lock(&run->lock);
	}
	pthread_mutex_unlock(&run->lock);
}

static int drain_together(struct pbit__run *run, struct helper *helpers, uint32_t n)
{
	uint32_t started = 0;
	sigset_t all, before;

	/* The application's signals are not for these threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	run->threads_left = n;
	for (; started < n; started++) {
		struct helper *helper = &helpers[started];

		helper->run = run;
		helper->runner = &run->session->runners[started];
		if (pthread_create(&helper->thread, NULL, help, helper))
			break;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started < n) {
		/* Fewer threads give the same result later; without any, the caller works. */
		pbit_log(PBIT_LOG_WARN, "run: %u of %u devices idle, no thread to drive them",
			 n - started, n);
		pthread_mutex_lock(&run->lock);
		run->threads_left -= n - started;
		pthread_mutex_unlock(&run->lock);
	}
	if (!started) {
		run->direct = true;
		return drain(run, &run->session->runners[0]);
	}
	attend(run);
	for (uint32_t i = 0; i < started; i++)
		pthread_join(helpers[i].thread, NULL);
	if (run->failure.code)
		pbit__error_restore(&run->failure);
	return run->failure.code;
}

static int drive_several(struct pbit__run *run)
{
	uint32_t n = run->session->n_devices;
	struct helper *helpers;
	pthread_condattr_t attr;
	int rc;

	if (n > run->n_batches)
		n = (uint32_t)run->n_batches;
	helpers = calloc(n, sizeof(*helpers));
	if (!helpers)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, WHAT, NULL, NULL,
				 "no memory for %u threads", n);
	pthread_mutex_init(&run->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&run->ended, &attr);
	pthread_condattr_destroy(&attr);
	rc = drain_together(run, helpers, n);
	pthread_cond_destroy(&run->ended);
	pthread_mutex_destroy(&run->lock);
	free(helpers);
	return rc;
}

static int drive(struct pbit__run *run)
{
	run->direct = run->session->n_devices == 1 || run->n_batches < 2;
	return run->direct ? drain(run, &run->session->runners[0]) : drive_several(run);
}

/* What is complete from the first image on, and the statistics. */
static void hand_over(struct pbit__run *run, int rc)
{
	struct pbit_result *result = run->result;
	uint64_t n = rc ? 0 : run->input.n_images;

	while (rc && n < run->input.n_images && result->samples[n])
		n++;
	result->n_images = n;
	result->stats = (struct pbit_run_stats){
		.struct_size = sizeof(result->stats),
		.n_devices = run->session->n_devices,
		.seconds = (double)(pbit__now_ns() - run->started) * 1e-9,
		.images = n,
		.samples = run->samples_done,
		.clipped_inputs = run->clipped,
		.pbit_updates = run->samples_done * run->session->info.n_pbits,
	};
}

int pbit__run(struct pbit_session *session, const struct pbit_input *input,
	      const struct pbit_run_opts *opts, struct pbit_result *result, struct pbit_ctl *ctl)
{
	struct pbit__run run;
	int rc;

	/* Not the failure's texts: clearing them costs more than a small run. */
	memset(&run, 0, offsetof(struct pbit__run, failure));
	run.failure.code = 0;
	run.session = session;
	run.result = result;
	run.ctl = ctl;
	run.started = run.reported = pbit__now_ns();
	pbit__result_clear(result);
	if ((rc = check_opts(&run, opts)) || (rc = check_images(&run, input)) ||
	    (rc = pbit__result_prepare(result, run.input.n_images, session->info.n_outputs)))
		return rc;
	divide(&run);
	rc = drive(&run);
	hand_over(&run, rc);
	if (!rc && run.opts.progress) {
		pbit__run_progress(&run, true);
		rc = pbit_ctl_check(ctl) == -ECANCELED ? -ECANCELED : 0;
		if (rc)
			pbit_fail(rc, PBIT_ERR_CANCELLED, "run stopped", NULL,
				  "the result holds what is complete",
				  "cancelled after all images");
	}
	return rc;
}
