/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request for a range of layers: checked in full, loaded, run, unloaded. A backend behind
 * this sees only requests that make sense and that its device states it can do.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/args.h"
#include "device/limits.h"
#include "lower/net.h"

#define WHAT "cannot run layers"

/* What a request is checked against. */
struct range {
	const struct pbit_device *dev;
	const struct pbit_layer *before; /* the layer whose outputs come in, NULL for codes */
	const struct pbit_layer *last;
	struct pbit_model_info info;
	bool lowered; /* the host sees every sample, and requests of any size are fine */
};

static int refuse(const char *where, const char *hint, const char *why)
{
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, where, hint, "%s", why);
}

static uint64_t elements(struct pbit_shape shape)
{
	return (uint64_t)shape.channels * shape.height * shape.width;
}

static int check_counts(const struct range *range, const struct pbit_layers_req *req)
{
	const struct pbit_caps *caps = &range->dev->caps;

	if (!req->n_images)
		return refuse("req.n_images", NULL, "there must be at least 1 image");
	if (!req->n_samples)
		return refuse("req.n_samples", NULL, "there must be at least 1 sample");
	if (!req->image_numbers && req->first_image > UINT64_MAX - (req->n_images - 1))
		return refuse("req.first_image", NULL, "the numbers of the images exceed 64 bits");
	if (req->first_sample > UINT64_MAX - (req->n_samples - 1))
		return refuse("req.first_sample", NULL,
			      "the numbers of the samples exceed 64 bits");
	if (!range->lowered && (caps->stated & PBIT_CAP_BATCH) && req->n_images > caps->batch)
		return pbit_fail(-E2BIG, PBIT_ERR_LIMIT, WHAT, range->dev->uri,
				 "ask for fewer images at a time",
				 "the request has %u images, device states a batch of at most %llu",
				 req->n_images, (unsigned long long)caps->batch);
	return 0;
}

static int check_codes(const struct range *range, struct pbit_layers_req *req)
{
	uint32_t bytes = range->info.input_bits / 8;
	size_t row, total;

	if (req->in_bits)
		return refuse("req.in_bits", "give req.codes only",
			      "a range that begins at layer 0 takes codes, not bits");
	if (!req->codes)
		return refuse("req.codes", NULL, "a range that begins at layer 0 needs codes");
	if (req->code_bytes != bytes)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, "req.code_bytes", NULL,
				 "it is %u, the model's input has %u bits", req->code_bytes,
				 range->info.input_bits);
	if (__builtin_mul_overflow(range->info.n_inputs, bytes, &row))
		return refuse("req.codes", NULL, "an image is larger than the address space");
	if (req->n_images == 1 && !req->code_stride)
		req->code_stride = row;
	if (req->code_stride < row)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, "req.code_stride", NULL,
				 "it is %zu, an image has %zu bytes", req->code_stride, row);
	if (req->code_stride % bytes || (uintptr_t)req->codes % bytes)
		return refuse("req.codes", NULL, "codes of 2 bytes lie at an odd address");
	if (__builtin_mul_overflow(req->code_stride, (size_t)req->n_images, &total))
		return refuse("req.code_stride", NULL,
			      "the images are larger than the address space");
	return 0;
}

/* May an array of n_images x n_samples x row elements of 8 bytes exist? */
static int check_extent(const struct pbit_layers_req *req, uint64_t row, const char *where)
{
	size_t rows, bytes;

	if (__builtin_mul_overflow((size_t)req->n_images, (size_t)req->n_samples, &rows) ||
	    __builtin_mul_overflow(rows, row, &bytes) || __builtin_mul_overflow(bytes, 8, &bytes))
		return refuse(where, "ask for fewer images or samples at a time",
			      "its size exceeds the address space");
	return 0;
}

/* Bits past a state would be taken for activations by a kernel that reads whole words. */
static int check_tail(const struct range *range, const struct pbit_layers_req *req, size_t words)
{
	uint64_t bits = (uint64_t)range->before->out.height * range->before->out.width *
			range->before->out_stride;
	uint64_t row, rows = (uint64_t)req->n_images * req->n_samples;
	uint64_t past = bits % 64 ? ~(uint64_t)0 << (bits % 64) : 0;

	for (row = 0; past && row < rows; row++)
		if (req->in_bits[row * words + words - 1] & past)
			return pbit_fail(
				-EINVAL, PBIT_ERR_ARGUMENT, WHAT, "req.in_bits",
				"clear the unused bits of the last word",
				"image %llu, sample %llu has bits set past the %llu bits of "
				"a state",
				(unsigned long long)(row / req->n_samples),
				(unsigned long long)(row % req->n_samples),
				(unsigned long long)bits);
	return 0;
}

static int check_in_bits(const struct range *range, const struct pbit_layers_req *req)
{
	size_t words = pbit_layer_state_words(range->before);
	int rc;

	if (req->codes)
		return refuse("req.codes", "give req.in_bits only",
			      "a range that begins behind layer 0 takes bits, not codes");
	if (!req->in_bits)
		return refuse("req.in_bits", NULL, "a range that begins behind layer 0 needs bits");
	rc = check_extent(req, words, "req.in_bits");
	return rc ? rc : check_tail(range, req, words);
}

static int check_outputs(const struct range *range, const struct pbit_layers_req *req)
{
	bool bits = range->last->type == PBIT_MAXPOOL || range->last->activation == PBIT_ACT_PBIT;
	int rc = 0;

	if (req->out_bits && !bits)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, "req.out_bits",
				 "ask for out_raw or out_sum",
				 "layer %u is a read-out, its outputs are not bits",
				 range->last->index);
	if ((req->out_bits || req->out_raw) && !range->lowered &&
	    !(range->dev->caps.flags & PBIT_FLAG_REPORTS))
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, WHAT, range->dev->uri,
				 "ask for out_sum only",
				 "the device returns sums over samples, not each sample");
	if (req->out_bits)
		rc = check_extent(req, pbit_layer_state_words(range->last), "req.out_bits");
	if (!rc && (req->out_raw || req->out_sum))
		rc = check_extent(req, elements(range->last->out), "req.out_raw");
	return rc;
}

static int check_request(const struct range *range, struct pbit_layers_req *req)
{
	int rc = check_counts(range, req);

	if (!rc)
		rc = range->before ? check_in_bits(range, req) : check_codes(range, req);
	return rc ? rc : check_outputs(range, req);
}

static int run_locked(struct pbit_device *dev, const struct pbit_model *model, uint32_t first,
		      uint32_t n_layers, const struct pbit_layers_req *req)
{
	struct pbit__net net;
	int rc;

	rc = pbit__net_load(dev, model, first, n_layers, &net);
	if (rc)
		return rc;
	rc = pbit__net_run(dev, &net, req, NULL);
	pbit__net_unload(dev, &net);
	return rc;
}

int pbit_run_layers(struct pbit_device *dev, struct pbit_model *model, uint32_t first,
		    uint32_t n_layers, const struct pbit_layers_req *req)
{
	struct range range = {.dev = dev, .info = PBIT_INIT(range.info)};
	struct pbit_layers_req own;
	int rc;

	if (!dev || !model)
		return refuse(NULL, NULL, dev ? "model is NULL" : "dev is NULL");
	rc = pbit__args_read(&own, sizeof(own), req, PBIT__SIZE_TO(struct pbit_layers_req, out_sum),
			     WHAT, "req");
	if (!rc)
		rc = pbit__check_model(dev, model, first, n_layers);
	if (!rc)
		rc = pbit_model_info(model, &range.info);
	if (rc)
		return rc;
	range.lowered = pbit__net_is_lowered(dev, model, first, n_layers);
	range.before = first ? pbit_model_layer(model, first - 1) : NULL;
	range.last = pbit_model_layer(model, first + n_layers - 1);
	rc = check_request(&range, &own);
	if (rc)
		return rc;
	pthread_mutex_lock(&dev->lock);
	rc = run_locked(dev, model, first, n_layers, &own);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}
