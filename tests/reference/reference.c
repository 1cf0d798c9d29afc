/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference of layer mode: weights, affine factors, sums, max-pool,
 * read-out. See reference.h.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

/* What a layer reads: codes of 1 or 2 bytes, or bits. */
struct source {
	const void *codes;
	uint32_t code_bytes;
	const uint64_t *bits;
};

/* A layer with its weights unpacked. A dense layer is a convolution by a kernel as large as its map. */
struct plain {
	const struct pbit_layer *layer;
	float input_scale;
	uint32_t input_zero;
	uint32_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
	double *weight; /* [n_out][k_padded] */
};

/* The sums over the inputs of one neuron. */
struct sums {
	int64_t S;     /* weights of 1 ... 8 bits */
	float S32;     /* weights of 32 bits */
	double R;      /* of either */
	float rounded; /* float(S) or S32 */
};

uint32_t reference_channel_stride(const struct pbit_shape *shape, int bits)
{
	if (bits && shape->height * shape->width > 1)
		return (shape->channels + 31) / 32 * 32;
	return shape->channels;
}

static int makes_bits(const struct pbit_layer *layer)
{
	return layer->type == PBIT_MAXPOOL || layer->activation == PBIT_ACT_PBIT;
}

static size_t words_of(const struct pbit_shape *shape)
{
	size_t bits = (size_t)shape->height * shape->width * reference_channel_stride(shape, 1);

	return (bits + 63) / 64;
}

size_t reference_in_words(const struct pbit_layer *layer)
{
	return words_of(&layer->in);
}

size_t reference_out_words(const struct pbit_layer *layer)
{
	return words_of(&layer->out);
}

size_t reference_outputs(const struct pbit_layer *layer)
{
	return (size_t)layer->out.height * layer->out.width * layer->out.channels;
}

static uint32_t word_at(const uint8_t *byte)
{
	return (uint32_t)byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 |
	       (uint32_t)byte[3] << 24;
}

double reference_weight(const struct pbit_layer *layer, uint32_t o, uint32_t k)
{
	uint32_t lane = o % 16, b = k % 32 / 8, j = k % 8;
	uint32_t lines = layer->weight_bits; /* as many lines in a chunk as bits */
	size_t chunk = (size_t)(o / 16) * (layer->k_padded / 32) + k / 32;
	const uint8_t *word = (const uint8_t *)layer->weights + chunk * lines * 64 + lane * 4;
	float value;
	uint32_t w;

	switch (layer->weight_bits) {
	case 1:
		return (word_at(word) >> (8 * b + j) & 1) ? 1 : -1;
	case 2:
		w = word_at(word) >> (8 * b + j) & 1;
		w += 2 * (word_at(word + 64) >> (8 * b + j) & 1);
		return (double)w - 2;
	case 4:
		w = word[64 * (j / 2) + b];
		return (double)(j % 2 == 0 ? w & 15 : w >> 4) - 8;
	case 8:
		return (int8_t)word[64 * j + b];
	default:
		w = word_at(word + 64 * (k % 32));
		memcpy(&value, &w, sizeof(value));
		return (double)value;
	}
}

void reference_affine(const struct pbit_layer *layer, uint32_t o, double R, float input_scale,
		      uint32_t input_zero, float *a, float *c)
{
	double scale = (double)layer->scale[layer->n_scale == 1 ? 0 : o];
	double bias = (double)layer->bias[o];
	double scale_in = (double)input_scale;
	double g = 1;

	if (layer->activation == PBIT_ACT_PBIT)
		g = layer->encoding == PBIT_BIPOLAR ? 2 * (double)layer->beta : (double)layer->beta;
	switch (layer->in_encoding) {
	case PBIT_BIPOLAR:
		*a = (float)(g * 2 * scale);
		*c = (float)(g * (bias - scale * R));
		break;
	case PBIT_BINARY:
		*a = (float)(g * scale);
		*c = (float)(g * bias);
		break;
	default:
		*a = (float)(g * scale * scale_in);
		*c = (float)(g * (bias - scale * scale_in * input_zero * R));
	}
}

static uint32_t value_at(const struct source *source, size_t position)
{
	if (source->bits)
		return source->bits[position / 64] >> position % 64 & 1;
	if (source->code_bytes == 1)
		return ((const uint8_t *)source->codes)[position];
	return ((const uint16_t *)source->codes)[position];
}

/* One input of value v with weight w. */
static void add_term(struct sums *sums, const struct plain *plain, double w, uint32_t v)
{
	sums->R += w;
	if (plain->layer->weight_bits != 32) {
		sums->S += (int64_t)w * v;
	} else {
		/* volatile: a product rounded to binary32, then a sum, never fused */
		volatile float product = (float)w * (float)v;

		if (plain->layer->in_encoding == PBIT_CODES)
			sums->S32 += product;
		else if (v)
			sums->S32 += (float)w;
	}
}

/* Sums of neuron o at output row y, column x; positions outside the map contribute nothing. */
static struct sums add_up(const struct plain *plain, const struct source *source, uint32_t o,
			  uint32_t y, uint32_t x)
{
	const struct pbit_shape *in = &plain->layer->in;
	uint32_t stride = reference_channel_stride(in, source->bits != NULL);
	const double *weight = plain->weight + (size_t)o * plain->layer->k_padded;
	struct sums sums = {0, 0, 0, 0};
	uint32_t ky, kx, c;

	for (ky = 0; ky < plain->kernel_h; ky++)
		for (kx = 0; kx < plain->kernel_w; kx++) {
			int64_t iy = (int64_t)y * plain->stride_h + ky - plain->pad_h;
			int64_t ix = (int64_t)x * plain->stride_w + kx - plain->pad_w;
			size_t k = ((size_t)ky * plain->kernel_w + kx) * stride;

			if (iy < 0 || iy >= in->height || ix < 0 || ix >= in->width)
				continue;
			for (c = 0; c < in->channels; c++) {
				size_t position = (size_t)(iy * in->width + ix) * stride + c;

				add_term(&sums, plain, weight[k + c], value_at(source, position));
			}
		}
	sums.rounded = plain->layer->weight_bits == 32 ? sums.S32 : (float)sums.S;
	return sums;
}

static float affine_z(const struct plain *plain, const struct sums *sums, uint32_t o)
{
	volatile float product;
	float a, c;

	reference_affine(plain->layer, o, sums->R, plain->input_scale, plain->input_zero, &a, &c);
	product = sums->rounded * a;
	return product + c;
}

static int plain_new(struct plain *plain, const struct reference_net *net, uint32_t index)
{
	const struct pbit_layer *layer = net->layers[index];
	uint32_t o, k;

	memset(plain, 0, sizeof(*plain));
	plain->layer = layer;
	plain->input_scale = net->input_scale;
	plain->input_zero = net->input_zero;
	plain->kernel_h = layer->type == PBIT_DENSE ? layer->in.height : layer->kernel_h;
	plain->kernel_w = layer->type == PBIT_DENSE ? layer->in.width : layer->kernel_w;
	plain->stride_h = layer->type == PBIT_DENSE ? 1 : layer->stride_h;
	plain->stride_w = layer->type == PBIT_DENSE ? 1 : layer->stride_w;
	plain->pad_h = layer->type == PBIT_CONV2D ? layer->pad_h : 0;
	plain->pad_w = layer->type == PBIT_CONV2D ? layer->pad_w : 0;
	if (layer->type == PBIT_MAXPOOL)
		return 0;
	plain->weight = malloc((size_t)layer->n_out * layer->k_padded * sizeof(double));
	if (!plain->weight)
		return -ENOMEM;
	for (o = 0; o < layer->n_out; o++)
		for (k = 0; k < layer->k_padded; k++)
			plain->weight[(size_t)o * layer->k_padded + k] =
				reference_weight(layer, o, k);
	return 0;
}

/* The larger of the bits in the window: their OR. */
static uint32_t pool(const struct plain *plain, const struct source *source, uint32_t y, uint32_t x,
		     uint32_t c)
{
	const struct pbit_shape *in = &plain->layer->in;
	uint32_t stride = reference_channel_stride(in, 1);
	uint32_t ky, kx, any = 0;

	for (ky = 0; ky < plain->kernel_h; ky++)
		for (kx = 0; kx < plain->kernel_w; kx++) {
			size_t iy = (size_t)y * plain->stride_h + ky;
			size_t ix = (size_t)x * plain->stride_w + kx;

			any |= value_at(source, (iy * in->width + ix) * stride + c);
		}
	return any;
}

/* Where one sample of one image is drawn. */
struct draw {
	uint64_t seed, image, sample;
};

/* The integer that Read-out sums, of one output. */
static int64_t output_of(const struct plain *plain, const struct source *source,
			 const struct draw *draw, uint32_t y, uint32_t x, uint32_t c)
{
	const struct pbit_layer *layer = plain->layer;
	size_t position = ((size_t)y * layer->out.width + x) *
				  reference_channel_stride(&layer->out, makes_bits(layer)) +
			  c;
	struct sums sums;
	uint32_t t;

	if (layer->type == PBIT_MAXPOOL)
		return pool(plain, source, y, x, c);
	sums = add_up(plain, source, c, y, x);
	if (layer->activation == PBIT_ACT_LINEAR)
		return layer->weight_bits == 32 ? llrint((double)sums.S32 * 1048576) : sums.S;
	t = reference_threshold24(affine_z(plain, &sums, c));
	if (layer->activation == PBIT_ACT_SIGMOID)
		return t;
	return reference_draw_layer(draw->seed, layer->index, draw->image, draw->sample, position) <
	       t;
}

/* One layer for one sample: values in [y][x][c], bits (may be NULL) in the packed state. */
static void run_layer(const struct plain *plain, const struct source *source,
		      const struct draw *draw, int64_t *values, uint64_t *bits)
{
	const struct pbit_shape *out = &plain->layer->out;
	uint32_t stride = reference_channel_stride(out, 1);
	uint32_t y, x, c;

	if (bits)
		memset(bits, 0, words_of(out) * sizeof(*bits));
	for (y = 0; y < out->height; y++)
		for (x = 0; x < out->width; x++)
			for (c = 0; c < out->channels; c++) {
				size_t at = (size_t)y * out->width + x;
				int64_t value = output_of(plain, source, draw, y, x, c);

				values[at * out->channels + c] = value;
				at = at * stride + c;
				if (bits)
					bits[at / 64] |= (uint64_t)(value & 1) << at % 64;
			}
}

struct chain {
	struct plain *plain;
	uint64_t **bits; /* state behind each layer, NULL behind a read-out */
	int64_t *values;
	uint32_t n;
};

static void chain_free(struct chain *chain)
{
	uint32_t i;

	for (i = 0; i < chain->n; i++) {
		if (chain->plain)
			free(chain->plain[i].weight);
		if (chain->bits)
			free(chain->bits[i]);
	}
	free(chain->plain);
	free(chain->bits);
	free(chain->values);
}

static int chain_new(struct chain *chain, const struct reference_net *net, uint32_t first,
		     uint32_t n)
{
	size_t most = 1;
	uint32_t i;

	chain->n = n;
	chain->values = NULL;
	chain->plain = calloc(n, sizeof(*chain->plain));
	chain->bits = calloc(n, sizeof(*chain->bits));
	if (!chain->plain || !chain->bits)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		const struct pbit_layer *layer = net->layers[first + i];

		if (plain_new(&chain->plain[i], net, first + i))
			return -ENOMEM;
		if (reference_outputs(layer) > most)
			most = reference_outputs(layer);
		if (!makes_bits(layer))
			continue;
		chain->bits[i] = calloc(reference_out_words(layer), sizeof(uint64_t));
		if (!chain->bits[i])
			return -ENOMEM;
	}
	chain->values = calloc(most, sizeof(*chain->values));
	return chain->values ? 0 : -ENOMEM;
}

static void run_chain(struct chain *chain, const struct source *source, const struct draw *draw)
{
	struct source from = *source;
	uint32_t i;

	for (i = 0; i < chain->n; i++) {
		run_layer(&chain->plain[i], &from, draw, chain->values, chain->bits[i]);
		from.codes = NULL;
		from.bits = chain->bits[i];
	}
}

/* Image i, sample s of a request. */
static struct source source_of(const struct pbit_layers_req *req, size_t in_words, uint32_t i,
			       uint32_t s)
{
	struct source source = {NULL, req->code_bytes, NULL};

	if (req->codes)
		source.codes = (const uint8_t *)req->codes + i * req->code_stride;
	else
		source.bits = req->in_bits + ((size_t)i * req->n_samples + s) * in_words;
	return source;
}

static uint64_t image_number(const struct pbit_layers_req *req, uint32_t i)
{
	return req->image_numbers ? req->image_numbers[i] : req->first_image + i;
}

int reference_run_net(const struct reference_net *net, uint32_t first, uint32_t n,
		      const struct pbit_layers_req *req)
{
	const struct pbit_layer *from, *last;
	size_t in_words, out_words, outputs, o;
	struct chain chain;
	uint32_t i, s;
	int rc;

	if (!n || first >= net->n_layers || n > net->n_layers - first)
		return -EINVAL;
	if (!req->codes == !req->in_bits || !req->codes != (first > 0))
		return -EINVAL;
	from = net->layers[first];
	last = net->layers[first + n - 1];
	if (req->out_bits && !makes_bits(last))
		return -EINVAL;
	in_words = reference_in_words(from);
	out_words = reference_out_words(last);
	outputs = reference_outputs(last);
	rc = chain_new(&chain, net, first, n);
	if (rc)
		goto out;
	if (req->out_sum)
		memset(req->out_sum, 0, req->n_images * outputs * sizeof(int64_t));
	for (i = 0; i < req->n_images; i++)
		for (s = 0; s < req->n_samples; s++) {
			struct draw draw = {req->seed, image_number(req, i), req->first_sample + s};
			struct source source = source_of(req, in_words, i, s);
			size_t row = (size_t)i * req->n_samples + s;

			run_chain(&chain, &source, &draw);
			if (req->out_bits)
				memcpy(req->out_bits + row * out_words, chain.bits[n - 1],
				       out_words * sizeof(uint64_t));
			if (req->out_raw)
				memcpy(req->out_raw + row * outputs, chain.values,
				       outputs * sizeof(int64_t));
			for (o = 0; req->out_sum && o < outputs; o++)
				req->out_sum[i * outputs + o] += chain.values[o];
		}
out:
	chain_free(&chain);
	return rc;
}

/* Gathers the layers of a model; the array is the caller's to free. */
static int net_of(const struct pbit_model *model, struct reference_net *net)
{
	struct pbit_model_info info = PBIT_INIT(info);
	const struct pbit_layer **layers;
	uint32_t i;
	int rc;

	rc = pbit_model_info(model, &info);
	if (rc)
		return rc;
	layers = calloc(info.n_layers, sizeof(*layers));
	if (!layers)
		return -ENOMEM;
	for (i = 0; i < info.n_layers; i++)
		layers[i] = pbit_model_layer(model, i);
	net->layers = layers;
	net->n_layers = info.n_layers;
	net->input_zero = info.input_zero;
	net->input_scale = info.input_scale;
	return 0;
}

int reference_run_layers(const struct pbit_model *model, uint32_t first, uint32_t n,
			 const struct pbit_layers_req *req)
{
	struct reference_net net;
	int rc;

	rc = net_of(model, &net);
	if (rc)
		return rc;
	rc = reference_run_net(&net, first, n, req);
	free((void *)net.layers);
	return rc;
}

int reference_net_z(const struct reference_net *net, uint32_t index, const void *codes,
		    uint32_t code_bytes, const uint64_t *in_bits, float *z)
{
	const struct source source = {codes, code_bytes, in_bits};
	struct plain plain;
	uint32_t y, x, o;
	int rc;

	rc = plain_new(&plain, net, index);
	if (rc)
		return rc;
	for (y = 0; y < plain.layer->out.height; y++)
		for (x = 0; x < plain.layer->out.width; x++)
			for (o = 0; o < plain.layer->n_out; o++) {
				struct sums sums = add_up(&plain, &source, o, y, x);

				*z++ = affine_z(&plain, &sums, o);
			}
	free(plain.weight);
	return 0;
}

int reference_z(const struct pbit_model *model, uint32_t index, const void *codes,
		uint32_t code_bytes, const uint64_t *in_bits, float *z)
{
	struct reference_net net;
	int rc;

	rc = net_of(model, &net);
	if (rc)
		return rc;
	rc = reference_net_z(&net, index, codes, code_bytes, in_bits, z);
	free((void *)net.layers);
	return rc;
}
