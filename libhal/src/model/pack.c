/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packed weights, one at a time: row-major arrays into the tiles of MODEL.md, and back. Bytes are
 * addressed singly, so this holds for every byte order of the host.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "model.h"

/* Where weight (o, k) lies: first line of its chunk, then lane and place within the chunk. */
struct place {
	size_t chunk; /* offset of its first line */
	unsigned int lane;
	unsigned int b;
	unsigned int j;
};

static struct place place_of(const struct pbit_layer *layer, uint32_t o, uint32_t k)
{
	size_t chunks = layer->k_padded / PBIT__CHUNK;
	size_t chunk = o / PBIT__LANES * chunks + k / PBIT__CHUNK;

	return (struct place){
		.chunk = chunk * layer->weight_bits * PBIT__LINE,
		.lane = o % PBIT__LANES,
		.b = k % PBIT__CHUNK / 8,
		.j = k % 8,
	};
}

/* Adds a code to cleared storage. */
static void put_code(unsigned char *packed, const struct pbit_layer *layer, struct place at,
		     unsigned int code)
{
	unsigned char *byte = packed + at.chunk + 4 * at.lane + at.b;

	switch (layer->weight_bits) {
	case 1:
		*byte |= (unsigned char)(code << at.j);
		break;
	case 2:
		byte[0] |= (unsigned char)((code & 1) << at.j);
		byte[PBIT__LINE] |= (unsigned char)((code >> 1) << at.j);
		break;
	case 4:
		byte[at.j / 2 * PBIT__LINE] |= (unsigned char)(code << 4 * (at.j % 2));
		break;
	default:
		byte[at.j * PBIT__LINE] = (unsigned char)code;
		break;
	}
}

static unsigned int get_code(const unsigned char *packed, const struct pbit_layer *layer,
			     struct place at)
{
	const unsigned char *byte = packed + at.chunk + 4 * at.lane + at.b;

	switch (layer->weight_bits) {
	case 1:
		return (unsigned int)byte[0] >> at.j & 1u;
	case 2:
		return (byte[0] >> at.j & 1u) | (byte[PBIT__LINE] >> at.j & 1u) << 1;
	case 4:
		return (unsigned int)byte[at.j / 2 * PBIT__LINE] >> 4 * (at.j % 2) & 15u;
	default:
		return byte[at.j * PBIT__LINE];
	}
}

/* -1: the weight does not fit. */
static int encode(int weight, uint32_t bits)
{
	switch (bits) {
	case 1:
		return weight == 1 ? 1 : weight == -1 ? 0 : -1;
	case 2:
		return weight >= -2 && weight <= 1 ? weight + 2 : -1;
	case 4:
		return weight >= -8 && weight <= 7 ? weight + 8 : -1;
	default:
		return weight & 255;
	}
}

static int fail_range(const struct pbit__origin *origin, const char *path,
		      const struct pbit_layer *layer, uint32_t o, uint32_t i, int weight)
{
	static const char *const ranges[] = {[1] = "-1 or 1", [2] = "-2 ... 1", [4] = "-8 ... 7"};

	return pbit__model_fail(origin, -ERANGE, path, "weights",
				"%d at output %u, input %u does not fit %u bit%s, expected %s",
				weight, o, i, layer->weight_bits,
				layer->weight_bits == 1 ? "" : "s", ranges[layer->weight_bits]);
}

int pbit__layer_pack(const struct pbit__origin *origin, const char *path,
		     const struct pbit_layer *layer, const int8_t *weights, void *packed)
{
	uint32_t sites = layer->fan_in / layer->in.channels;

	for (uint32_t o = 0; o < layer->n_out; o++) {
		const int8_t *row = weights + (size_t)o * layer->fan_in;

		for (uint32_t site = 0, i = 0; site < sites; site++) {
			uint32_t k = site * layer->in_stride;

			for (uint32_t c = 0; c < layer->in.channels; c++, i++, k++) {
				int code = encode(row[i], layer->weight_bits);

				if (code < 0)
					return fail_range(origin, path, layer, o, i, row[i]);
				put_code(packed, layer, place_of(layer, o, k), (unsigned int)code);
			}
		}
	}
	return 0;
}

static size_t offset_f32(const struct pbit_layer *layer, uint32_t o, uint32_t k)
{
	size_t line = (size_t)(o / PBIT__LANES) * layer->k_padded + k;

	return line * PBIT__LINE + 4 * (o % PBIT__LANES);
}

void pbit__layer_pack_f32(const struct pbit_layer *layer, const float *weights, void *packed)
{
	uint32_t sites = layer->fan_in / layer->in.channels;

	for (uint32_t o = 0; o < layer->n_out; o++) {
		const float *row = weights + (size_t)o * layer->fan_in;

		for (uint32_t site = 0; site < sites; site++) {
			for (uint32_t c = 0; c < layer->in.channels; c++, row++) {
				uint32_t k = site * layer->in_stride + c, bits;
				unsigned char *p =
					(unsigned char *)packed + offset_f32(layer, o, k);

				memcpy(&bits, row, sizeof(bits));
				for (int byte = 0; byte < 4; byte++)
					p[byte] = (unsigned char)(bits >> 8 * byte);
			}
		}
	}
}

static float get_f32(const struct pbit_layer *layer, uint32_t o, uint32_t k)
{
	const unsigned char *p = (const unsigned char *)layer->weights + offset_f32(layer, o, k);
	uint32_t bits =
		(uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Positions that the packing added have no weight, whatever is stored there. */
static bool is_real(const struct pbit_layer *layer, uint32_t o, uint32_t k)
{
	uint32_t sites = layer->fan_in / layer->in.channels;

	return o < layer->n_out && k / layer->in_stride < sites &&
	       k % layer->in_stride < layer->in.channels;
}

double pbit_layer_weight(const struct pbit_layer *layer, uint32_t o, uint32_t k)
{
	unsigned int code;

	if (!layer || !layer->weights || !is_real(layer, o, k))
		return 0;
	if (layer->weight_bits == 32)
		return (double)get_f32(layer, o, k);
	code = get_code(layer->weights, layer, place_of(layer, o, k));
	switch (layer->weight_bits) {
	case 1:
		return code ? 1 : -1;
	case 2:
		return (int)code - 2;
	case 4:
		return (int)code - 8;
	default:
		return code < 128 ? (int)code : (int)code - 256;
	}
}
