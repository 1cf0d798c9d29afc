/* SPDX-License-Identifier: Apache-2.0 */
/*
 * R of CONTRACT.md: the sum of the weights of each output, over real inputs in a window of the
 * kernel. Works on whole lines of packed weights, 16 outputs at once, in loops that a compiler
 * turns into vector code. Which inputs count is a bit mask per chunk (bit i: input i of its 32), made once for a
 * block of chunks and used for all tiles.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "model.h"

#define BLOCK 64u /* chunks */

/* Halves of 16 bits hold the bytes of this many chunks: 8 lines of 2 * 255 each. */
#define FLUSH 16u

/* A walk along k: position in the field, and channel there. */
struct walk {
	const struct pbit_layer *layer;
	uint32_t ky0, ky1, kx0, kx1;
	uint32_t y, x, c;
};

static uint32_t next_mask(struct walk *walk)
{
	const struct pbit_layer *layer = walk->layer;
	uint32_t channels = layer->in.channels, mask = 0, i = 0;

	while (i < PBIT__CHUNK && walk->y < pbit__field_height(layer)) {
		uint32_t run = layer->in_stride - walk->c, real = 0;
		bool inside = walk->y >= walk->ky0 && walk->y < walk->ky1 && walk->x >= walk->kx0 &&
			      walk->x < walk->kx1;

		if (run > PBIT__CHUNK - i)
			run = PBIT__CHUNK - i;
		if (inside && walk->c < channels)
			real = channels - walk->c < run ? channels - walk->c : run;
		mask |= (uint32_t)(((1ull << real) - 1) << i);
		i += run;
		walk->c += run;
		if (walk->c < layer->in_stride)
			continue;
		walk->c = 0;
		if (++walk->x == pbit__field_width(layer)) {
			walk->x = 0;
			walk->y++;
		}
	}
	return mask;
}

static uint32_t count_bits(uint32_t x)
{
	x -= x >> 1 & 0x55555555u;
	x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
	x = (x + (x >> 4)) & 0x0f0f0f0fu;
	return x * 0x01010101u >> 24;
}

/* Bit j of each byte as the whole byte (times `fill`). */
static uint32_t spread(uint32_t mask, unsigned int j, uint32_t fill)
{
	return (mask >> j & 0x01010101u) * fill;
}

static uint32_t fold(uint32_t bytes)
{
	return (bytes & 0x00ff00ffu) + (bytes >> 8 & 0x00ff00ffu);
}

static void flush(uint32_t *restrict half, int32_t *restrict sum)
{
	for (unsigned int lane = 0; lane < PBIT__LANES; lane++) {
		sum[lane] += (int32_t)((half[lane] & 0xffff) + (half[lane] >> 16));
		half[lane] = 0;
	}
}

static void sum_1(const uint32_t *restrict line, const uint32_t *restrict mask, uint32_t n,
		  int32_t *restrict sum)
{
	for (uint32_t i = 0; i < n; i++, line += PBIT__LANES) {
		uint32_t counted = mask[i];
		int32_t less = (int32_t)count_bits(counted);

		for (unsigned int lane = 0; lane < PBIT__LANES; lane++)
			sum[lane] += 2 * (int32_t)count_bits(le32toh(line[lane]) & counted) - less;
	}
}

static void sum_2(const uint32_t *restrict line, const uint32_t *restrict mask, uint32_t n,
		  int32_t *restrict sum)
{
	for (uint32_t i = 0; i < n; i++, line += 2 * PBIT__LANES) {
		uint32_t counted = mask[i];
		int32_t less = 2 * (int32_t)count_bits(counted);

		for (unsigned int lane = 0; lane < PBIT__LANES; lane++) {
			uint32_t low = le32toh(line[lane]) & counted;
			uint32_t high = le32toh(line[lane + PBIT__LANES]) & counted;

			sum[lane] += (int32_t)(count_bits(low) + 2 * count_bits(high)) - less;
		}
	}
}

static void sum_4(const uint32_t *restrict line, const uint32_t *restrict mask, uint32_t n,
		  int32_t *restrict sum)
{
	uint32_t half[PBIT__LANES] = {0};
	int32_t less = 0;

	for (uint32_t i = 0; i < n; i++) {
		for (unsigned int j = 0; j < 8; j += 2, line += PBIT__LANES) {
			uint32_t even = spread(mask[i], j, 15), odd = spread(mask[i], j + 1, 15);

			for (unsigned int lane = 0; lane < PBIT__LANES; lane++) {
				uint32_t word = le32toh(line[lane]);

				half[lane] += fold((word & even) + (word >> 4 & odd));
			}
		}
		less += 8 * (int32_t)count_bits(mask[i]);
		if (i % FLUSH == FLUSH - 1)
			flush(half, sum);
	}
	flush(half, sum);
	for (unsigned int lane = 0; lane < PBIT__LANES; lane++)
		sum[lane] -= less;
}

static void sum_8(const uint32_t *restrict line, const uint32_t *restrict mask, uint32_t n,
		  int32_t *restrict sum)
{
	uint32_t half[PBIT__LANES] = {0};
	int32_t less = 0;

	for (uint32_t i = 0; i < n; i++) {
		for (unsigned int j = 0; j < 8; j++, line += PBIT__LANES) {
			uint32_t counted = spread(mask[i], j, 255);

			/* Flipping the sign bit adds 128: bytes become unsigned. */
			for (unsigned int lane = 0; lane < PBIT__LANES; lane++)
				half[lane] += fold((le32toh(line[lane]) ^ 0x80808080u) & counted);
		}
		less += 128 * (int32_t)count_bits(mask[i]);
		if (i % FLUSH == FLUSH - 1)
			flush(half, sum);
	}
	flush(half, sum);
	for (unsigned int lane = 0; lane < PBIT__LANES; lane++)
		sum[lane] -= less;
}

static void sum_block(const struct pbit_layer *layer, uint32_t tile, uint32_t chunk,
		      const uint32_t *mask, uint32_t n, int32_t *sum)
{
	size_t chunks = layer->k_padded / PBIT__CHUNK;
	const uint32_t *line = layer->weights;

	line += (tile * chunks + chunk) * layer->weight_bits * PBIT__LANES;
	switch (layer->weight_bits) {
	case 1:
		sum_1(line, mask, n, sum);
		break;
	case 2:
		sum_2(line, mask, n, sum);
		break;
	case 4:
		sum_4(line, mask, n, sum);
		break;
	default:
		sum_8(line, mask, n, sum);
		break;
	}
}

/* k ascending for each lane: the order is part of the contract. */
static void sum_block_f32(const struct pbit_layer *layer, uint32_t tile, uint32_t chunk,
			  const uint32_t *mask, uint32_t n, double *restrict sum)
{
	size_t row = (size_t)tile * layer->k_padded + (size_t)chunk * PBIT__CHUNK;
	const uint32_t *restrict line = (const uint32_t *)layer->weights + row * PBIT__LANES;

	for (uint32_t k = 0; k < n * PBIT__CHUNK; k++, line += PBIT__LANES) {
		if (!(mask[k / PBIT__CHUNK] >> k % PBIT__CHUNK & 1))
			continue;
		for (unsigned int lane = 0; lane < PBIT__LANES; lane++) {
			uint32_t bits = le32toh(line[lane]);
			float weight;

			memcpy(&weight, &bits, sizeof(weight));
			sum[lane] += (double)weight;
		}
	}
}

static bool start_walk(struct walk *walk, const struct pbit_layer *layer, uint32_t ky0,
		       uint32_t ky1, uint32_t kx0, uint32_t kx1)
{
	if (layer->type == PBIT_MAXPOOL)
		return false;
	if (layer->type == PBIT_DENSE) {
		ky0 = kx0 = 0;
		ky1 = layer->in.height;
		kx1 = layer->in.width;
	}
	/* An empty window lies wholly in the padding: its sum is 0. */
	*walk = (struct walk){layer, ky0, ky1, kx0, kx1, 0, 0, 0};
	return ky0 <= ky1 && ky1 <= pbit__field_height(layer) && kx0 <= kx1 &&
	       kx1 <= pbit__field_width(layer);
}

static uint32_t next_block(struct walk *walk, uint32_t chunk, uint32_t *mask)
{
	uint32_t left = walk->layer->k_padded / PBIT__CHUNK - chunk;
	uint32_t n = left < BLOCK ? left : BLOCK;

	for (uint32_t i = 0; i < n; i++)
		mask[i] = next_mask(walk);
	return n;
}

static uint32_t lanes_of(const struct pbit_layer *layer, uint32_t tile)
{
	uint32_t left = layer->n_out - tile * PBIT__LANES;

	return left < PBIT__LANES ? left : PBIT__LANES;
}

int pbit__layer_row_sums(const struct pbit_layer *layer, uint32_t ky0, uint32_t ky1, uint32_t kx0,
			 uint32_t kx1, int64_t *R)
{
	uint32_t tiles = (layer->n_out + PBIT__LANES - 1) / PBIT__LANES;
	uint32_t mask[BLOCK], n;
	struct walk walk;

	if (layer->weight_bits == 32 || !start_walk(&walk, layer, ky0, ky1, kx0, kx1))
		return -EINVAL;
	memset(R, 0, layer->n_out * sizeof(*R));
	for (uint32_t chunk = 0; chunk < layer->k_padded / PBIT__CHUNK; chunk += n) {
		n = next_block(&walk, chunk, mask);
		for (uint32_t tile = 0; tile < tiles; tile++) {
			int32_t sum[PBIT__LANES] = {0};

			sum_block(layer, tile, chunk, mask, n, sum);
			for (uint32_t lane = 0; lane < lanes_of(layer, tile); lane++)
				R[tile * PBIT__LANES + lane] += sum[lane];
		}
	}
	return 0;
}

int pbit__layer_row_sums_f32(const struct pbit_layer *layer, uint32_t ky0, uint32_t ky1,
			     uint32_t kx0, uint32_t kx1, double *R)
{
	uint32_t tiles = (layer->n_out + PBIT__LANES - 1) / PBIT__LANES;
	uint32_t mask[BLOCK], n;
	struct walk walk;

	if (layer->weight_bits != 32 || !start_walk(&walk, layer, ky0, ky1, kx0, kx1))
		return -EINVAL;
	for (uint32_t o = 0; o < layer->n_out; o++)
		R[o] = 0;
	for (uint32_t chunk = 0; chunk < layer->k_padded / PBIT__CHUNK; chunk += n) {
		n = next_block(&walk, chunk, mask);
		for (uint32_t tile = 0; tile < tiles; tile++) {
			double sum[PBIT__LANES] = {0};
			uint32_t lanes = lanes_of(layer, tile);

			memcpy(sum, R + tile * PBIT__LANES, lanes * sizeof(*sum));
			sum_block_f32(layer, tile, chunk, mask, n, sum);
			memcpy(R + tile * PBIT__LANES, sum, lanes * sizeof(*sum));
		}
	}
	return 0;
}
