// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * PBIT_OP_LAYER: one dense layer, samples of a batch. Weights are read a line of 16 outputs at a
 * time, as MODEL.md packs them; four inputs lie in the four bytes of a lane's word.
 */
#include "bytes.h"
#include "threshold.h"
#include "../uapi/pbit_card.h"

#define TILE  16u  /* outputs */
#define CHUNK 32u  /* inputs */
#define LINE  64u  /* bytes */
#define GROUP 128u /* outputs that draw together */

static u32 lines_of(u8 weight_bits)
{
	return weight_bits;
}

u64 pbit_engine_weight_bytes(u32 n_inputs, u32 n_outputs, u8 weight_bits)
{
	u64 tiles = ((u64)n_outputs + TILE - 1) / TILE;
	u64 chunks = ((u64)n_inputs + CHUNK - 1) / CHUNK;

	if (!n_inputs || !n_outputs || tiles > (1u << 20) || chunks > (1u << 20))
		return 0;
	if (weight_bits != 1 && weight_bits != 2 && weight_bits != 4 && weight_bits != 8)
		return 0;
	return tiles * chunks * lines_of(weight_bits) * LINE;
}

/* Sum of the four bytes, each below 2^14 / 4 in all. */
static u32 sum_bytes(u32 x)
{
	x = (x & 0x00ff00ffu) + (x >> 8 & 0x00ff00ffu);
	return (x & 0xffff) + (x >> 16);
}

/* 0xff in each byte whose input of step j is 1. */
static u32 spread(u32 in, unsigned int j)
{
	return (in >> j & 0x01010101u) * 0xffu;
}

/* One lane of one chunk: the sum of its weights over the inputs that are 1. */
static s32 dot1(const u8 *line, u32 in, s32 ones)
{
	return 2 * (s32)pbit_ones32(pbit_get32(line) & in) - ones;
}

static s32 dot2(const u8 *line, u32 in, s32 ones)
{
	return (s32)pbit_ones32(pbit_get32(line) & in) +
	       2 * (s32)pbit_ones32(pbit_get32(line + LINE) & in) - 2 * ones;
}

static s32 dot4(const u8 *line, u32 in, s32 ones)
{
	u32 sum = 0;
	unsigned int j;

	for (j = 0; j < 8; j += 2) {
		const u32 w = pbit_get32(line + LINE * (j / 2));

		sum += w & 0x0f0f0f0fu & spread(in, j);
		sum += w >> 4 & 0x0f0f0f0fu & spread(in, j + 1);
	}
	return (s32)sum_bytes(sum) - 8 * ones;
}

static s32 dot8(const u8 *line, u32 in, s32 ones)
{
	u32 even = 0, odd = 0;
	unsigned int j;

	for (j = 0; j < 8; j++) {
		const u32 w = (pbit_get32(line + LINE * j) ^ 0x80808080u) & spread(in, j);

		even += w & 0x00ff00ffu;
		odd += w >> 8 & 0x00ff00ffu;
	}
	even += odd;
	return (s32)((even & 0xffff) + (even >> 16)) - 128 * ones;
}

/* Inputs of a chunk as bits; those past the fan-in are 0, whatever lies there. */
static u32 chunk_bits(const struct pbit_engine_layer *l, const u8 *state, u32 chunk)
{
	const u32 left = l->n_inputs - chunk * CHUNK;
	u32 in = 0, b;

	for (b = 0; b < 4 && b * 8 < left; b++)
		in |= (u32)state[4 * chunk + b] << (8 * b);
	return left < CHUNK ? in & ((1u << left) - 1) : in;
}

static void sum_bits(const struct pbit_engine_layer *l, const u8 *state, u32 tile, s64 sum[TILE])
{
	const u32 chunks = (l->n_inputs + CHUNK - 1) / CHUNK, lines = lines_of(l->weight_bits);
	const u8 *line = (const u8 *)l->weights + (u64)tile * chunks * lines * LINE;
	u32 c, lane;

	for (c = 0; c < chunks; c++, line += lines * LINE) {
		const u32 in = chunk_bits(l, state, c);
		const s32 ones = (s32)pbit_ones32(in);

		if (!ones)
			continue;
		for (lane = 0; lane < TILE; lane++) {
			const u8 *w = line + 4 * lane;

			if (l->weight_bits == 1)
				sum[lane] += dot1(w, in, ones);
			else if (l->weight_bits == 2)
				sum[lane] += dot2(w, in, ones);
			else if (l->weight_bits == 4)
				sum[lane] += dot4(w, in, ones);
			else
				sum[lane] += dot8(w, in, ones);
		}
	}
}

/* Weight of input (b, j) in a lane of a chunk. */
static s32 weight_at(const u8 *line, u8 bits, unsigned int b, unsigned int j)
{
	switch (bits) {
	case 1:
		return pbit_get32(line) >> (8 * b + j) & 1 ? 1 : -1;
	case 2:
		return (s32)((pbit_get32(line) >> (8 * b + j) & 1) +
			     2 * (pbit_get32(line + LINE) >> (8 * b + j) & 1)) - 2;
	case 4:
		return (s32)(pbit_get32(line + LINE * (j / 2)) >> (8 * b + 4 * (j % 2)) & 15) - 8;
	default:
		return (s8)(pbit_get32(line + LINE * j) >> (8 * b) & 0xff);
	}
}

static void sum_codes(const struct pbit_engine_layer *l, const u8 *codes, u32 tile, s64 sum[TILE])
{
	const u32 chunks = (l->n_inputs + CHUNK - 1) / CHUNK, lines = lines_of(l->weight_bits);
	const u8 *line = (const u8 *)l->weights + (u64)tile * chunks * lines * LINE;
	u32 k, lane;

	for (k = 0; k < l->n_inputs; k++) {
		const u8 *w = line + (u64)(k / CHUNK) * lines * LINE;
		const s64 code = l->in_kind == PBIT_IN_CODE8 ? codes[k] : pbit_get16(codes + 2 * k);

		if (!code)
			continue;
		for (lane = 0; lane < TILE; lane++)
			sum[lane] += code * weight_at(w + 4 * lane, l->weight_bits, k % CHUNK / 8,
						      k % 8);
	}
}

struct run {
	const struct pbit_engine_layer *l;
	struct pbit_draw_stream stream;
	u32 image, sample;
	u32 tile;
	u16 draw[GROUP];
};

static const u8 *factor_c(const struct pbit_engine_layer *l)
{
	return (const u8 *)l->factors + 4 * (((u64)l->n_outputs + TILE - 1) / TILE * TILE);
}

/* The 16 outputs of a tile for one sample, given their sums. */
static void emit_bits(struct run *r, const s64 sum[TILE])
{
	const struct pbit_engine_layer *l = r->l;
	const u64 row = (u64)r->image * l->n_samples + r->sample;
	u8 *out = (u8 *)l->output + row * l->out_stride + 2 * r->tile;
	const u8 *a = (const u8 *)l->factors, *c = factor_c(l);
	const u32 first = r->tile * TILE;
	u32 lane, bits = 0;

	if (first % GROUP == 0)
		pbit_draw_group(&r->stream, (l->first_output + first) / GROUP, r->draw);
	for (lane = 0; lane < TILE && first + lane < l->n_outputs; lane++) {
		const u32 o = first + lane;
		const u32 z = pbit_engine_z_layer(sum[lane], pbit_get32(a + 4 * (u64)o),
						  pbit_get32(c + 4 * (u64)o));

		bits |= (u32)pbit_engine_fires(&r->stream, (u64)l->first_output + o,
					       r->draw[o % GROUP], z) << lane;
	}
	out[0] = (u8)bits;
	out[1] = (u8)(bits >> 8);
}

static void emit_numbers(const struct run *r, const s64 sum[TILE])
{
	const struct pbit_engine_layer *l = r->l;
	const bool total = l->out_kind & PBIT_OUT_TOTAL;
	const u64 row = total ? r->image : (u64)r->image * l->n_samples + r->sample;
	const u8 *a = (const u8 *)l->factors, *c = factor_c(l);
	u32 lane;

	for (lane = 0; lane < TILE && r->tile * TILE + lane < l->n_outputs; lane++) {
		const u32 o = r->tile * TILE + lane;
		u8 *out = (u8 *)l->output + 8 * (row * l->n_outputs + o);
		s64 value = sum[lane];

		if ((l->out_kind & ~PBIT_OUT_TOTAL) == PBIT_OUT_LEVEL)
			value = pbit_engine_threshold_layer(value, pbit_get32(a + 4 * (u64)o),
							    pbit_get32(c + 4 * (u64)o));
		if (total && r->sample)
			value += (s64)pbit_get64(out);
		pbit_put64(out, (u64)value);
	}
}

/* What lies between the last tile and the next row. */
static void clear_tail(const struct run *r, u32 tiles)
{
	const struct pbit_engine_layer *l = r->l;
	const u64 row = (u64)r->image * l->n_samples + r->sample;
	u8 *out = (u8 *)l->output + row * l->out_stride;
	u32 i;

	for (i = 2 * tiles; i < l->out_stride; i++)
		out[i] = 0;
}

static int one_sample(struct run *r, u32 tiles, pbit_engine_poll_fn *poll, void *user, u32 done)
{
	const struct pbit_engine_layer *l = r->l;
	const u64 row = l->in_kind == PBIT_IN_BITS ? (u64)r->image * l->n_samples + r->sample :
						     r->image;
	const u8 *in = (const u8 *)l->input + row * l->in_stride;
	int status;

	for (r->tile = 0; r->tile < tiles; r->tile++) {
		s64 sum[TILE] = { 0 };

		if (r->tile % (GROUP / TILE) == 0 && poll) {
			status = poll(user, done);
			if (status)
				return status;
		}
		if (l->in_kind == PBIT_IN_BITS)
			sum_bits(l, in, r->tile, sum);
		else
			sum_codes(l, in, r->tile, sum);
		if (l->out_kind == PBIT_OUT_BITS)
			emit_bits(r, sum);
		else
			emit_numbers(r, sum);
	}
	if (l->out_kind == PBIT_OUT_BITS)
		clear_tail(r, tiles);
	return PBIT_DONE_OK;
}

/* Codes are the same for all samples of an image: summed once, then every sample of each tile. */
static int all_samples(struct run *r, u32 tiles, pbit_engine_poll_fn *poll, void *user, u32 done)
{
	const struct pbit_engine_layer *l = r->l;
	const u8 *in = (const u8 *)l->input + (u64)r->image * l->in_stride;
	u32 first, t;
	int status;

	for (first = 0; first < tiles; first += GROUP / TILE) {
		const u32 end = first + GROUP / TILE < tiles ? first + GROUP / TILE : tiles;
		s64 sum[GROUP / TILE][TILE] = { { 0 } };

		for (t = first; t < end; t++)
			sum_codes(l, in, t, sum[t - first]);
		for (r->sample = 0; r->sample < l->n_samples; r->sample++) {
			status = poll ? poll(user, done) : 0;
			if (status)
				return status;
			r->stream.first = l->first_sample + r->sample;
			for (r->tile = first; r->tile < end; r->tile++) {
				if (l->out_kind == PBIT_OUT_BITS)
					emit_bits(r, sum[r->tile - first]);
				else
					emit_numbers(r, sum[r->tile - first]);
			}
		}
	}
	if (l->out_kind == PBIT_OUT_BITS)
		for (r->sample = 0; r->sample < l->n_samples; r->sample++)
			clear_tail(r, tiles);
	return PBIT_DONE_OK;
}

int pbit_engine_layer(const struct pbit_engine_layer *l, pbit_engine_poll_fn *poll, void *user,
		      u32 *progress)
{
	const u32 tiles = (l->n_outputs + TILE - 1) / TILE;
	struct run r = { .l = l };
	int status;

	r.stream.seed = l->seed;
	r.stream.domain = 1;
	r.stream.layer = l->layer;
	*progress = 0;
	for (r.image = 0; r.image < l->n_images; r.image++) {
		r.stream.second = l->image_numbers ? pbit_get64(l->image_numbers + r.image) :
						     l->first_image + r.image;
		if (l->in_kind != PBIT_IN_BITS) {
			status = all_samples(&r, tiles, poll, user, *progress);
			if (status)
				return status;
			*progress += l->n_samples;
			continue;
		}
		for (r.sample = 0; r.sample < l->n_samples; r.sample++) {
			r.stream.first = l->first_sample + r.sample;
			status = one_sample(&r, tiles, poll, user, *progress);
			if (status)
				return status;
			++*progress;
		}
	}
	return PBIT_DONE_OK;
}
