/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One batch of images on one device: requests over blocks of samples, added up; with early stop,
 * images that are decided leave it and the rest closes ranks.
 */
#include <errno.h>
#include <string.h>
#include "exec/run.h"
#include "exec/whole.h"

struct batch {
	struct pbit__run *run;
	struct pbit__runner *runner;
	uint64_t first; /* image of slot 0 */
	uint32_t taken; /* samples drawn by the active images */
	uint32_t n_active;
	uint32_t *active; /* their slots, ascending */
	const void *codes;
	size_t stride;
	bool apart; /* the active images are not consecutive */
	bool whole; /* each image has all its samples from one request, and no tally yet */
};

/* Sees to it that a failed request leaves a record that says what became of the run. */
static int request_failed(struct batch *batch, int rc)
{
	struct pbit__run *run = batch->run;
	const char *uri = batch->runner->dev->uri;
	unsigned long long done = atomic_load(&run->images_done);
	unsigned long long all = run->input.n_images;

	if (rc > 0)
		rc = -EIO;
	if (rc == -ECANCELED && pbit_ctl_check(run->ctl) == rc)
		return pbit_fail(rc, PBIT_ERR_CANCELLED, "run stopped", uri,
				 "the result holds what is complete",
				 "cancelled after %llu of %llu images", done, all);
	if (rc == -ETIMEDOUT && pbit_ctl_check(run->ctl) == rc)
		return pbit_fail(rc, PBIT_ERR_TIMEOUT, "run stopped", uri,
				 "allow more time or draw fewer samples",
				 "deadline passed after %llu of %llu images", done, all);
	if (pbit_last_error()->code != rc)
		return pbit_fail(rc, PBIT_ERR_DEVICE, "device cannot run the model", uri, NULL,
				 "its backend failed with code %d (%s) and no reason", -rc,
				 strerrordesc_np(-rc) ? strerrordesc_np(-rc) : "unknown");
	return rc;
}

static int request(struct batch *batch, uint32_t n_samples)
{
	struct pbit__run *run = batch->run;
	struct pbit__runner *runner = batch->runner;
	struct pbit_device *dev = runner->dev;
	struct pbit_layers_req req = {
		.struct_size = sizeof(req),
		.code_bytes = run->input.code_bytes,
		.codes = batch->codes,
		.code_stride = batch->stride,
		.n_images = batch->n_active,
		.n_samples = n_samples,
		.seed = run->opts.seed,
		.first_image = run->opts.first_image + batch->first + batch->active[0],
		.first_sample = (uint64_t)run->opts.first_sample + batch->taken,
		.image_numbers = batch->apart ? runner->numbers.data : NULL,
	};
	int rc;

	if (run->session->reports)
		req.out_raw = runner->raw.data;
	else
		req.out_sum = runner->raw.data;
	rc = pbit_ctl_check(run->ctl);
	if (!rc) {
		pthread_mutex_lock(&dev->lock);
		rc = pbit__net_run(dev, &runner->net, &req, run->ctl);
		pthread_mutex_unlock(&dev->lock);
	}
	return rc ? request_failed(batch, rc) : 0;
}

static int too_wide(const struct batch *batch, uint32_t slot)
{
	return pbit_fail(-ERANGE, PBIT_ERR_LIMIT, "cannot stop early",
			 batch->run->session->info.name, "run with confidence 0",
			 "a sum of image %llu is beyond 2^%d in size",
			 (unsigned long long)(batch->first + slot), PBIT__RAW_BITS);
}

static int start_tally(struct batch *batch)
{
	struct pbit__run *run = batch->run;

	return pbit__tally_start(&batch->runner->tally, batch->n_active,
				 run->session->info.n_outputs, run->session->reports, run->early);
}

static int add_up(struct batch *batch, uint32_t n_samples)
{
	struct pbit__run *run = batch->run;
	struct pbit__tally *tally = &batch->runner->tally;
	const int64_t *raw = batch->runner->raw.data;

	for (uint32_t i = 0; i < batch->n_active; i++) {
		uint32_t slot = batch->active[i];

		if (!tally->reports) {
			pbit__tally_sums(tally, slot, raw + i * tally->n_outputs);
			continue;
		}
		pbit__tally_samples(tally, slot, &run->session->readout,
				    raw + i * n_samples * tally->n_outputs, n_samples);
		if (run->early && tally->too_wide[slot])
			return too_wide(batch, slot);
	}
	return 0;
}

/* What a request brought: results at once where that can be, else sums. */
static int take_in(struct batch *batch, uint32_t n_samples)
{
	struct pbit__run *run = batch->run;
	int rc = 0;

	if (batch->whole) {
		batch->whole =
			pbit__whole_images(&run->session->readout, batch->runner->raw.data,
					   batch->n_active, n_samples, run->result, batch->first);
		if (!batch->whole)
			rc = start_tally(batch);
	}
	if (!rc && !batch->whole)
		rc = add_up(batch, n_samples);
	if (rc)
		return rc;
	batch->taken += n_samples;
	atomic_fetch_add_explicit(&run->samples_done, (uint64_t)batch->n_active * n_samples,
				  memory_order_relaxed);
	return 0;
}

static void finish(struct batch *batch, uint32_t slot)
{
	struct pbit__run *run = batch->run;

	pbit__tally_finish(&batch->runner->tally, slot, &run->session->readout, batch->taken,
			   run->result, batch->first + slot);
}

static void count_done(struct batch *batch, uint32_t n)
{
	atomic_fetch_add_explicit(&batch->run->images_done, n, memory_order_relaxed);
}

/* Moves the codes of the images that go on (slots kept[0 ... n - 1] of rows) together. */
static void move_codes(struct batch *batch, const uint32_t *rows, uint32_t n)
{
	size_t size = batch->run->input.n_values * batch->run->input.code_bytes;
	unsigned char *to = batch->runner->codes.data;

	for (uint32_t i = 0; i < n; i++, to += size) {
		const unsigned char *from =
			(const unsigned char *)batch->codes + rows[i] * batch->stride;

		if (from != to)
			memcpy(to, from, size);
	}
	batch->codes = batch->runner->codes.data;
	batch->stride = size;
}

/* Ends the images that are decided; the others become a smaller request. */
static int look(struct batch *batch)
{
	struct pbit__run *run = batch->run;
	struct pbit__runner *runner = batch->runner;
	double quantile = pbit__early_quantile(&runner->early, batch->taken);
	uint32_t *rows = batch->active + run->batch, n = 0;
	uint64_t *numbers = runner->numbers.data;
	size_t size = run->input.n_values * run->input.code_bytes;
	int rc;

	for (uint32_t i = 0; i < batch->n_active; i++) {
		uint32_t slot = batch->active[i];

		if (pbit__early_decided(&runner->tally, slot, &run->session->readout, batch->taken,
					quantile)) {
			finish(batch, slot);
			continue;
		}
		rows[n] = i;
		batch->active[n] = slot;
		numbers[n++] = run->opts.first_image + batch->first + slot;
	}
	count_done(batch, batch->n_active - n);
	if (n == batch->n_active)
		return 0;
	if (batch->codes != runner->codes.data) {
		/* The caller's memory: leave it as it is. */
		rc = pbit__buffer_reserve(&runner->codes, n, size);
		if (rc)
			return rc;
	}
	move_codes(batch, rows, n);
	batch->n_active = n;
	batch->apart = n && batch->active[n - 1] - batch->active[0] != n - 1;
	return 0;
}

static int start(struct batch *batch, uint32_t n)
{
	struct pbit__run *run = batch->run;
	struct pbit__runner *runner = batch->runner;
	size_t n_outputs = run->session->info.n_outputs;
	size_t rows = run->session->reports ? (size_t)n * run->request : n;
	uint64_t clipped = 0;
	int rc;

	/* Two lists: the slots, and while looking, the rows of their codes. */
	if ((rc = pbit__buffer_reserve(&runner->active, 2 * (size_t)run->batch,
				       sizeof(uint32_t))) ||
	    (rc = pbit__buffer_reserve(&runner->numbers, run->early ? n : 0, sizeof(uint64_t))) ||
	    (rc = pbit__buffer_reserve(&runner->raw, rows * n_outputs, sizeof(int64_t))))
		return rc;
	batch->active = runner->active.data;
	for (uint32_t i = 0; i < n; i++)
		batch->active[i] = i;
	batch->n_active = n;
	batch->whole = run->session->reports && !run->early && run->request == run->opts.samples;
	rc = batch->whole ? 0 : start_tally(batch);
	if (rc)
		return rc;
	if (run->early)
		pbit__early_start(&runner->early, run->opts.confidence, run->opts.min_samples,
				  run->block, (uint32_t)n_outputs);
	rc = pbit__input_codes(&run->input, batch->first, n, &runner->codes, &batch->codes,
			       &batch->stride, &clipped);
	atomic_fetch_add_explicit(&run->clipped, clipped, memory_order_relaxed);
	return rc;
}

int pbit__run_batch(struct pbit__run *run, struct pbit__runner *runner, uint64_t first, uint32_t n)
{
	struct batch batch = {.run = run, .runner = runner, .first = first};
	uint32_t samples = run->opts.samples;
	int rc = start(&batch, n);

	while (!rc && batch.n_active && batch.taken < samples) {
		uint64_t until =
			run->early ? pbit__early_next(&runner->early, batch.taken) : samples;
		uint64_t due = until < samples ? until : samples;
		uint32_t left = (uint32_t)(due - batch.taken);
		uint32_t take = left < run->request ? left : run->request;

		rc = request(&batch, take);
		if (!rc)
			rc = take_in(&batch, take);
		if (!rc && run->early && batch.taken == until && until < samples)
			rc = look(&batch);
		if (!rc && run->direct)
			pbit__run_progress(run, false);
	}
	if (rc)
		return rc;
	for (uint32_t i = 0; !batch.whole && i < batch.n_active; i++)
		finish(&batch, batch.active[i]);
	count_done(&batch, batch.n_active);
	return 0;
}
