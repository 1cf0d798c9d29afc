/* SPDX-License-Identifier: Apache-2.0 */
/* Divides a request into blocks of columns and takes each through the network. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "run.h"
#include "stages.h"

struct soft_runner {
	struct soft_net *net;
	const struct soft_kernels *kernels;
	struct soft_pool *pool;
	struct soft_scratch *scratch; /* one per thread */
};

/* One request under way. */
struct work {
	struct soft_runner *runner;
	const struct pbit_layers_req *req;
	struct pbit_ctl *ctl;
	size_t block_images;
	size_t task_samples; /* samples of a task */
	size_t sample_tasks;
	bool wide; /* threads share each product instead of taking tasks */
	atomic_int rc;
};

int soft_runner_new(struct soft_net *net, const struct soft_kernels *kernels,
		    struct soft_pool *pool, struct soft_runner **out)
{
	const uint32_t threads = soft_pool_threads(pool);
	struct soft_runner *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		goto no_memory;
	r->scratch = calloc(threads, sizeof(*r->scratch));
	if (!r->scratch)
		goto no_memory;
	r->kernels = kernels;
	r->pool = pool;
	for (uint32_t i = 0; i < threads; i++) {
		rc = soft_scratch_new(net, &r->scratch[i]);
		if (rc) {
			while (i)
				soft_scratch_free(&r->scratch[--i]);
			free(r->scratch);
			free(r);
			return rc;
		}
	}
	r->net = net;
	*out = r;
	return 0;
no_memory:
	free(r);
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot load model", "software:", NULL,
			 "out of memory");
}

void soft_runner_free(struct soft_runner *r)
{
	if (!r)
		return;
	for (uint32_t i = 0; i < soft_pool_threads(r->pool); i++)
		soft_scratch_free(&r->scratch[i]);
	free(r->scratch);
	soft_net_free(r->net);
	free(r);
}

static bool reads_out(const struct soft_layer *l)
{
	return l->info->activation == PBIT_ACT_LINEAR || l->info->activation == PBIT_ACT_SIGMOID;
}

/* Input states of a block from the request, bits past the state cleared. */
static void load_bits(struct soft_pass *pass)
{
	const struct soft_layer *layer = &pass->net->layers[0];
	const struct pbit_layer *l = layer->info;
	const size_t n = (size_t)l->in.height * l->in.width * l->in_stride;
	const size_t words = (n + 63) / 64;
	struct soft_scratch *s = pass->scratch;

	for (size_t c = 0; c < pass->n_images * pass->n_samples; c++) {
		const size_t image = pass->image + c / pass->n_samples;
		const size_t sample = pass->sample + c % pass->n_samples;
		const uint64_t *in =
			pass->req->in_bits + (image * pass->req->n_samples + sample) * words;
		uint32_t *out = s->bits[0] + c * s->words;

		memset(out, 0, 4 * layer->in_words);
		for (size_t w = 0; w < words; w++) {
			out[2 * w] = (uint32_t)in[w];
			out[2 * w + 1] = (uint32_t)(in[w] >> 32);
		}
	}
}

/* One block of samples through the network; the first layer's product is there already. */
static void forward(struct soft_pass *pass)
{
	const struct soft_net *net = pass->net;
	unsigned int from = 0;
	uint32_t i = 0;

	if (net->code_input) {
		if (reads_out(&net->layers[0])) {
			soft_stage_read_codes(pass);
			return;
		}
		soft_stage_draw_codes(pass);
		i = 1;
	} else {
		load_bits(pass);
	}
	for (; i < net->n_layers; i++) {
		if (reads_out(&net->layers[i])) {
			soft_stage_read_bits(pass, i, from);
			return;
		}
		soft_stage_bits(pass, i, from);
		from = 1 - from;
	}
	soft_stage_out_bits(pass, net->n_layers - 1, from);
}

/* Has the caller, or another task, ended the run? */
static bool ended(struct work *work)
{
	int none = 0;
	const int rc = atomic_load_explicit(&work->rc, memory_order_relaxed)
			       ? -ECANCELED
			       : pbit_ctl_check(work->ctl);

	if (rc)
		atomic_compare_exchange_strong(&work->rc, &none, rc);
	return rc;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void task(void *arg, uint32_t thread, size_t index)
{
	struct work *work = arg;
	const struct pbit_layers_req *req = work->req;
	const struct soft_net *net = work->runner->net;
	const size_t image = index / work->sample_tasks * work->block_images;
	const size_t past_image = least(image + work->block_images, req->n_images);
	const size_t sample = index % work->sample_tasks * work->task_samples;
	const size_t past_sample = least(sample + work->task_samples, req->n_samples);
	const size_t samples = least(past_sample - sample, SOFT_COLUMNS);
	const size_t images = SOFT_COLUMNS / samples;
	struct soft_pass pass = {
		.net = net,
		.kernels = work->runner->kernels,
		.scratch = &work->runner->scratch[thread],
		.scratches = work->runner->scratch,
		.pool = work->wide ? work->runner->pool : NULL,
		.req = req,
		.codes_image = image,
		.image = image,
		.n_images = past_image - image,
	};

	if (ended(work))
		return;
	if (net->code_input && !reads_out(&net->layers[0]))
		soft_stage_codes(&pass);
	for (size_t i = image; i < past_image; i += images)
		for (size_t s = sample; s < past_sample; s += samples) {
			if (ended(work))
				return;
			pass.image = i;
			pass.n_images = least(images, past_image - i);
			pass.sample = s;
			pass.n_samples = least(samples, past_sample - s);
			forward(&pass);
		}
}

/* What a thread must save to be worth waking, and what a core does in a nanosecond, roughly. */
#define WORTH_NS	30000.0
#define PRODUCTS_PER_NS 400.0
#define BYTES_PER_NS	25.0

static uint32_t worth_threads(const struct soft_runner *runner, const struct pbit_layers_req *req)
{
	const uint32_t threads = soft_pool_threads(runner->pool);
	double ns = 0.0;

	for (uint32_t i = 0; i < runner->net->n_layers; i++) {
		const struct soft_layer *l = &runner->net->layers[i];
		const bool once = i == 0 && runner->net->code_input;
		const double products = (double)l->positions * l->info->n_out * l->info->k_padded *
					req->n_images * (once ? 1 : req->n_samples) /
					PRODUCTS_PER_NS;
		const double bytes = (double)l->info->weights_size / BYTES_PER_NS;

		ns += products > bytes ? products : bytes;
	}
	if (ns < 2.0 * WORTH_NS)
		return 1;
	return ns / WORTH_NS < threads ? (uint32_t)(ns / WORTH_NS) : threads;
}

/* Weights beyond a core's own cache: threads had better not read them twice. */
#define LARGE (2u << 20)

static bool large(const struct soft_net *net)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < net->n_layers; i++)
		bytes += net->layers[i].info->weights_size;
	return bytes > LARGE;
}

/* Enough tasks for every thread: smaller blocks of images first, then of samples. */
static void divide(struct work *work, uint32_t threads)
{
	const struct pbit_layers_req *req = work->req;
	size_t images;

	if (work->block_images * threads > req->n_images)
		work->block_images = (req->n_images + threads - 1) / threads;
	images = (req->n_images + work->block_images - 1) / work->block_images;
	if (images < threads)
		work->task_samples = (req->n_samples + threads - 1) / threads;
}

int soft_runner_run(struct soft_runner *runner, const struct pbit_layers_req *req,
		    struct pbit_ctl *ctl)
{
	const uint32_t threads = worth_threads(runner, req);
	const struct soft_layer *last = &runner->net->layers[runner->net->n_layers - 1];
	struct work work = {.runner = runner, .req = req, .ctl = ctl};
	size_t images;
	int rc;

	work.task_samples = req->n_samples;
	work.block_images = SOFT_IMAGES;
	work.wide = threads > 1 && req->n_images < threads && large(runner->net);
	if (!work.wide)
		divide(&work, threads);
	images = (req->n_images + work.block_images - 1) / work.block_images;
	work.sample_tasks = (req->n_samples + work.task_samples - 1) / work.task_samples;
	if (req->out_sum)
		memset(req->out_sum, 0, sizeof(*req->out_sum) * req->n_images * last->n_values);
	soft_pool_run(runner->pool, work.wide ? 1 : threads, images * work.sample_tasks, task,
		      &work);
	rc = atomic_load(&work.rc);
	if (!rc)
		return 0;
	return pbit_fail(rc, rc == -ETIMEDOUT ? PBIT_ERR_TIMEOUT : PBIT_ERR_CANCELLED,
			 "run ended early", "software:", NULL,
			 rc == -ETIMEDOUT ? "the deadline passed" : "cancelled by the caller");
}
