/* SPDX-License-Identifier: Apache-2.0 */
/* A range of lowered layers: planned and laid out once, run block of columns by block. */
#include "lower/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "boltzmann/chains.h"
#include "device/limits.h"
#include "lower/pass.h"

#define WHAT_LOAD "cannot load model"

/* Bound of the states that a block of columns keeps, both buffers. */
#define BLOCK_BYTES (32u << 20)

struct pbit__lowered {
	const struct pbit_model *model;
	uint32_t n;
	uint32_t widest; /* outputs of a stage at one position */
	size_t words, field;
	struct pbit__stage stages[];
};

bool pbit__net_is_lowered(const struct pbit_device *dev, const struct pbit_model *model,
			  uint32_t first, uint32_t n)
{
	if (!(dev->caps.flags & PBIT_FLAG_BOLTZMANN) || !dev->ops.program)
		return false;
	if (dev->lower.flags & PBIT_LOWER_ALWAYS)
		return true;
	if (!(dev->caps.flags & PBIT_FLAG_LAYERS) || !dev->ops.net_run)
		return true;
	return !pbit__layers_stated(dev, model, first, n);
}

static void free_lowered(struct pbit__lowered *lowered)
{
	for (uint32_t i = 0; i < lowered->n; i++)
		pbit__stage_free(&lowered->stages[i]);
	free(lowered);
}

static int refuse(const struct pbit_device *dev, const struct pbit__stage *stage)
{
	const struct pbit_layer *l = stage->layer;

	return pbit_fail(-E2BIG, PBIT_ERR_LIMIT, WHAT_LOAD, dev->uri,
			 "see what pbit plan (pbit_lower_plan()) says, or use another device",
			 "layer %u%s%s%s cannot be lowered: %s", l->index, *l->name ? " (" : "",
			 l->name, *l->name ? ")" : "", stage->limit);
}

static void widen(struct pbit__lowered *lowered, const struct pbit__stage *stage)
{
	const struct pbit_layer *l = stage->layer;
	const size_t in = ((size_t)l->in.height * l->in.width * l->in_stride + 63) / 64 * 2;
	const size_t field = l->k_padded / 32;

	if (l->type != PBIT_MAXPOOL && l->n_out > lowered->widest)
		lowered->widest = l->n_out;
	if (stage->words > lowered->words)
		lowered->words = stage->words;
	if (l->in_encoding != PBIT_CODES && in > lowered->words)
		lowered->words = in;
	if (field > lowered->field)
		lowered->field = field;
}

static int load(struct pbit_device *dev, const struct pbit_model *model, uint32_t first, uint32_t n,
		struct pbit__lowered **out)
{
	struct pbit__lowered *lowered;
	struct pbit__lower_limits limits;
	int rc = 0;

	lowered = calloc(1, sizeof(*lowered) + n * sizeof(lowered->stages[0]));
	if (!lowered)
		return pbit__lower_no_memory(WHAT_LOAD);
	lowered->model = model;
	lowered->widest = 1;
	lowered->words = lowered->field = 1;
	pbit__lower_limits(&dev->caps, &limits);
	for (uint32_t i = 0; !rc && i < n; i++) {
		struct pbit__stage *stage = &lowered->stages[i];

		rc = pbit__stage_read(model, first + i, stage);
		if (rc)
			break;
		lowered->n++;
		rc = pbit__stage_plan(stage, &limits, &dev->lower);
		if (!rc && stage->plan.verdict == PBIT_LOWER_IMPOSSIBLE)
			rc = refuse(dev, stage);
		widen(lowered, stage);
	}
	if (rc)
		free_lowered(lowered);
	else
		*out = lowered;
	return rc;
}

int pbit__net_load(struct pbit_device *dev, const struct pbit_model *model, uint32_t first,
		   uint32_t n, struct pbit__net *net)
{
	*net = (struct pbit__net){0};
	if (pbit__net_is_lowered(dev, model, first, n))
		return load(dev, model, first, n, &net->lowered);
	return dev->ops.net_load(dev->priv, model, first, n, &net->native);
}

void pbit__net_unload(struct pbit_device *dev, struct pbit__net *net)
{
	if (net->lowered)
		free_lowered(net->lowered);
	else
		dev->ops.net_unload(dev->priv, net->native);
	*net = (struct pbit__net){0};
}

static int new_pass(const struct pbit__lowered *lowered, uint32_t columns, struct pbit__pass *pass)
{
	pass->words = lowered->words;
	pass->bits[0] = calloc((size_t)columns * pass->words, sizeof(uint32_t));
	pass->bits[1] = calloc((size_t)columns * pass->words, sizeof(uint32_t));
	pass->patch = calloc(lowered->field, sizeof(uint32_t));
	pass->hq = calloc(lowered->widest, sizeof(*pass->hq));
	if (!pass->bits[0] || !pass->bits[1] || !pass->patch || !pass->hq)
		return pbit__lower_no_memory("cannot run a lowered layer");
	return pbit__sums_new(lowered->widest, &pass->sums);
}

static void free_pass(struct pbit__pass *pass)
{
	free(pass->bits[0]);
	free(pass->bits[1]);
	free(pass->patch);
	free(pass->hq);
	pbit__sums_free(&pass->sums);
}

static void take_bits(struct pbit__pass *pass, const struct pbit__stage *stage)
{
	const struct pbit_layer *l = stage->layer;
	const size_t words = ((size_t)l->in.height * l->in.width * l->in_stride + 63) / 64;

	for (uint32_t column = 0; column < pass->n; column++) {
		const uint64_t *from = pass->req->in_bits + (pass->first + column) * words;
		uint32_t *to = pass->bits[0] + column * pass->words;

		for (size_t w = 0; w < words; w++) {
			to[2 * w] = (uint32_t)from[w];
			to[2 * w + 1] = (uint32_t)(from[w] >> 32);
		}
	}
}

static int run_block(const struct pbit__lowered *lowered, struct pbit__pass *pass)
{
	const struct pbit__stage *last = &lowered->stages[lowered->n - 1];
	unsigned int from = 0;

	if (!pass->req->codes)
		take_bits(pass, &lowered->stages[0]);
	for (uint32_t i = 0; i < lowered->n; i++) {
		const struct pbit__stage *stage = &lowered->stages[i];
		int rc = 0;

		if (stage->layer->type == PBIT_MAXPOOL)
			pbit__pool_stage(pass, stage, from);
		else if (stage->host)
			pbit__read_stage(pass, stage, from);
		else
			rc = pbit__fire_stage(pass, stage, from);
		if (!rc)
			rc = pbit_ctl_check(pass->ctl);
		if (rc)
			return rc;
		from = 1 - from;
	}
	if (last->layer->type == PBIT_MAXPOOL || !last->host)
		pbit__deliver_bits(pass, last, from);
	return 0;
}

static int run(struct pbit_device *dev, const struct pbit__lowered *lowered,
	       const struct pbit_layers_req *req, struct pbit_ctl *ctl)
{
	const struct pbit__stage *last = &lowered->stages[lowered->n - 1];
	const uint64_t columns = (uint64_t)req->n_images * req->n_samples;
	uint64_t block = BLOCK_BYTES / (2 * sizeof(uint32_t) * lowered->words);
	struct pbit__pass pass = {.dev = dev, .req = req, .ctl = ctl};
	int rc;

	block = block ? block : 1;
	block = block < columns ? block : columns;
	if (req->out_sum)
		memset(req->out_sum, 0, req->n_images * last->n_values * sizeof(*req->out_sum));
	/* The machines of the layers replace what was programmed. */
	pbit__chains_forget(dev);
	dev->programs++;
	rc = new_pass(lowered, (uint32_t)block, &pass);
	for (uint64_t first = 0; !rc && first < columns; first += block) {
		pass.first = first;
		pass.n = (uint32_t)(columns - first < block ? columns - first : block);
		rc = run_block(lowered, &pass);
	}
	free_pass(&pass);
	return rc;
}

int pbit__net_run(struct pbit_device *dev, struct pbit__net *net, const struct pbit_layers_req *req,
		  struct pbit_ctl *ctl)
{
	if (net->lowered)
		return run(dev, net->lowered, req, ctl);
	return dev->ops.net_run(dev->priv, net->native, req, ctl);
}
