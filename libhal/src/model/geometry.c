/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Geometry of a layer: shapes, strides, fan-in and size of the packed weights from what its
 * description says, with every limit of MODEL.md. All products are taken in 64 bits and each is
 * bounded before the next.
 */
#include <errno.h>
#include "model.h"

int pbit__shape_check(const struct pbit__origin *origin, const char *path, const char *property,
		      uint64_t channels, uint64_t height, uint64_t width)
{
	uint64_t limit = PBIT__MAX_DIM;

	if (!channels || !height || !width || channels > limit || height > limit || width > limit)
		return pbit__model_fail(origin, -EINVAL, path, property,
					"a map of <%llu %llu %llu> (channels, height, width), "
					"expected 1 ... %u each",
					(unsigned long long)channels, (unsigned long long)height,
					(unsigned long long)width, PBIT__MAX_DIM);
	if (channels * height * width > PBIT__MAX_ELEMENTS)
		return pbit__model_fail(origin, -EINVAL, path, property,
					"a map of %llu elements, expected at most %u",
					(unsigned long long)(channels * height * width),
					PBIT__MAX_ELEMENTS);
	return 0;
}

static int check_range(const struct pbit__origin *origin, const char *path, const char *property,
		       uint32_t height, uint32_t width)
{
	if (height && width && height <= PBIT__MAX_DIM && width <= PBIT__MAX_DIM)
		return 0;
	return pbit__model_fail(origin, -EINVAL, path, property, "<%u %u>, expected 1 ... %u each",
				height, width, PBIT__MAX_DIM);
}

static int check_window(const struct pbit__origin *origin, const char *path,
			const struct pbit_layer *layer)
{
	uint64_t height = layer->in.height + 2ull * layer->pad_h;
	uint64_t width = layer->in.width + 2ull * layer->pad_w;
	int err = check_range(origin, path, "kernel", layer->kernel_h, layer->kernel_w);

	if (err)
		return err;
	err = check_range(origin, path, "stride", layer->stride_h, layer->stride_w);
	if (err)
		return err;
	/* More padding than kernel is odd but sound: such a window holds no real input. */
	if (layer->pad_h > PBIT__MAX_DIM || layer->pad_w > PBIT__MAX_DIM)
		return pbit__model_fail(origin, -EINVAL, path, "padding",
					"<%u %u>, expected 0 ... %u each", layer->pad_h,
					layer->pad_w, PBIT__MAX_DIM);
	if (layer->kernel_h > height || layer->kernel_w > width)
		return pbit__model_fail(origin, -EINVAL, path, "kernel",
					"<%u %u> does not fit the input of <%llu %llu> with its "
					"padding",
					layer->kernel_h, layer->kernel_w,
					(unsigned long long)height, (unsigned long long)width);
	return 0;
}

static uint32_t positions(uint32_t in, uint32_t pad, uint32_t kernel, uint32_t stride)
{
	return (in + 2 * pad - kernel) / stride + 1;
}

static int derive_shape(const struct pbit__origin *origin, const char *path,
			struct pbit_layer *layer)
{
	const char *property = layer->type == PBIT_DENSE    ? "outputs"
			       : layer->type == PBIT_CONV2D ? "channels"
							    : "kernel";
	int err;

	layer->out = (struct pbit_shape){layer->n_out, 1, 1};
	if (layer->type != PBIT_DENSE) {
		err = check_window(origin, path, layer);
		if (err)
			return err;
		layer->out.height =
			positions(layer->in.height, layer->pad_h, layer->kernel_h, layer->stride_h);
		layer->out.width =
			positions(layer->in.width, layer->pad_w, layer->kernel_w, layer->stride_w);
	}
	return pbit__shape_check(origin, path, property, layer->out.channels, layer->out.height,
				 layer->out.width);
}

static uint32_t lines_per_chunk(uint32_t bits)
{
	return bits; /* 32 inputs of b bits for each of 16 lanes are b lines of 64 bytes */
}

static int derive_weights(const struct pbit__origin *origin, const char *path,
			  struct pbit_layer *layer)
{
	uint64_t sites = (uint64_t)pbit__field_height(layer) * pbit__field_width(layer);
	uint64_t limit = layer->weight_bits == 32 ? PBIT__MAX_SIZE : PBIT_MAX_FAN_IN;
	uint64_t fan_in, padded, size, tiles;

	/* A kernel has up to 2^32 positions of 2^16 channels: no overflow yet. */
	fan_in = sites * layer->in.channels;
	if (fan_in > limit)
		return pbit__model_fail(origin, -EINVAL, path, "weights",
					"fan-in of %llu, expected at most %llu for weights of %u "
					"bits",
					(unsigned long long)fan_in, (unsigned long long)limit,
					layer->weight_bits);
	padded = (sites * layer->in_stride + PBIT__CHUNK - 1) / PBIT__CHUNK * PBIT__CHUNK;
	tiles = (layer->n_out + PBIT__LANES - 1) / PBIT__LANES;
	size = tiles * (padded / PBIT__CHUNK) * lines_per_chunk(layer->weight_bits) * PBIT__LINE;
	if (size > PBIT__MAX_SIZE)
		return pbit__model_fail(origin, -EINVAL, path, "weights",
					"needs %llu bytes, more than a file may have (%u)",
					(unsigned long long)size, PBIT__MAX_SIZE);
	layer->fan_in = (uint32_t)fan_in;
	layer->k_padded = (uint32_t)padded;
	layer->weights_size = (size_t)size;
	return 0;
}

static uint32_t bits_stride(const struct pbit_shape *shape)
{
	if (shape->height == 1 && shape->width == 1)
		return shape->channels;
	return (shape->channels + 31) / 32 * 32;
}

int pbit__layer_derive(const struct pbit__origin *origin, const char *path,
		       struct pbit_layer *layer, const struct pbit__map *in, bool last)
{
	bool bits = layer->activation == PBIT_ACT_PBIT || layer->activation == PBIT_ACT_NONE;
	int err;

	layer->in = in->shape;
	layer->in_encoding = in->encoding;
	layer->in_stride = in->stride;
	if (layer->type == PBIT_MAXPOOL) {
		if (in->encoding == PBIT_CODES)
			return pbit__model_fail(origin, -EINVAL, path, "type",
						"a max-pool of the model's input, expected it "
						"behind a p-bit layer");
		layer->encoding = in->encoding;
		layer->n_out = in->shape.channels;
	}
	if (!bits && !last)
		return pbit__model_fail(origin, -EINVAL, path, "activation",
					"a read-out before the last layer, expected \"pbit\"");
	err = derive_shape(origin, path, layer);
	if (err)
		return err;
	layer->out_stride = bits ? bits_stride(&layer->out) : layer->out.channels;
	if (layer->type == PBIT_MAXPOOL) {
		layer->fan_in = layer->kernel_h * layer->kernel_w;
		return 0;
	}
	return derive_weights(origin, path, layer);
}

void pbit__layer_output(const struct pbit_layer *layer, struct pbit__map *out)
{
	out->shape = layer->out;
	out->encoding = layer->encoding;
	out->stride = layer->out_stride;
}
