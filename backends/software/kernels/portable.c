/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels in portable C: no instruction set assumed, the yardstick of the others. */
#include <string.h>
#include "generic_draw.h"
#include "generic_f32.h"

#define INLINE static inline __attribute__((always_inline))

static bool portable_usable(void)
{
	return true;
}

static inline uint32_t load32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t ones(uint32_t v)
{
	v -= v >> 1 & 0x55555555u;
	v = (v & 0x33333333u) + (v >> 2 & 0x33333333u);
	v = (v + (v >> 4)) & 0x0f0f0f0fu;
	return v * 0x01010101u >> 24;
}

/* Sum of a column's bits: what the offset of the codes multiplies. */
static int32_t sum_bits(const uint8_t *x, size_t chunks)
{
	uint32_t sum = 0;

	for (size_t c = 0; c < chunks; c++)
		sum += ones(load32(x + 4 * c));
	return (int32_t)sum;
}

static int32_t sum_bytes(const uint8_t *x, size_t chunks)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < 32 * chunks; i++)
		sum += x[i];
	return (int32_t)sum;
}

/* Line `i` of a chunk, 16 words. */
static inline const uint32_t *line(const void *tile, size_t lines, size_t chunk, size_t i)
{
	return (const uint32_t *)tile + (chunk * lines + i) * SOFT_LANES;
}

INLINE void dot_planes(const void *w, unsigned int bits, const uint8_t *x, size_t chunks,
		       uint32_t s[SOFT_LANES])
{
	for (size_t c = 0; c < chunks; c++) {
		const uint32_t v = load32(x + 4 * c);

		if (!v)
			continue;
		for (unsigned int p = 0; p < bits; p++) {
			const uint32_t *l = line(w, bits, c, p);

			for (unsigned int i = 0; i < SOFT_LANES; i++)
				s[i] += ones(l[i] & v) << p;
		}
	}
}

/*
 * The four weights of step j in a word, as unsigned codes: bytes of 1, 2, 4 bits as stored, of 8
 * bits with their sign bit turned (code = w + 128).
 */
INLINE uint32_t step_codes(const void *w, unsigned int bits, size_t chunk, unsigned int j,
			   unsigned int lane)
{
	switch (bits) {
	case 1:
		return line(w, 1, chunk, 0)[lane] >> j & 0x01010101u;
	case 2:
		return (line(w, 2, chunk, 0)[lane] >> j & 0x01010101u) |
		       (line(w, 2, chunk, 1)[lane] >> j & 0x01010101u) << 1;
	case 4:
		return line(w, 4, chunk, j / 2)[lane] >> 4 * (j % 2) & 0x0f0f0f0fu;
	default:
		return line(w, 8, chunk, j)[lane] ^ 0x80808080u;
	}
}

INLINE void dot_steps_bits(const void *w, unsigned int bits, const uint8_t *x, size_t chunks,
			   uint32_t s[SOFT_LANES])
{
	for (size_t c = 0; c < chunks; c++) {
		const uint32_t v = load32(x + 4 * c);
		uint32_t pair[SOFT_LANES] = {0}; /* two sums of 16 bits: at most 8 * 2 * 255 */

		for (unsigned int j = 0; j < 8; j++) {
			const uint32_t mask = (v >> j & 0x01010101u) * 0xff;

			for (unsigned int i = 0; i < SOFT_LANES; i++) {
				const uint32_t q = step_codes(w, bits, c, j, i) & mask;

				pair[i] += (q & 0x00ff00ffu) + (q >> 8 & 0x00ff00ffu);
			}
		}
		for (unsigned int i = 0; i < SOFT_LANES; i++)
			s[i] += (pair[i] & 0xffff) + (pair[i] >> 16);
	}
}

INLINE void dot_steps_codes(const void *w, unsigned int bits, const uint8_t *x, size_t chunks,
			    uint32_t s[SOFT_LANES])
{
	for (size_t c = 0; c < chunks; c++)
		for (unsigned int j = 0; j < 8; j++) {
			const uint8_t *v = x + 32 * c + 4 * j;

			for (unsigned int i = 0; i < SOFT_LANES; i++) {
				const uint32_t q = step_codes(w, bits, c, j, i);

				s[i] += (q & 0xff) * v[0] + (q >> 8 & 0xff) * v[1] +
					(q >> 16 & 0xff) * v[2] + (q >> 24) * v[3];
			}
		}
}

/* Takes out the offset of the codes: w = code * factor - offset. */
static void finish(const uint32_t s[SOFT_LANES], unsigned int bits, int32_t sum, int32_t *out)
{
	const uint32_t factor = bits == 1 ? 2 : 1;
	const uint32_t offset = bits == 1 ? 1 : 1u << (bits - 1);

	for (unsigned int i = 0; i < SOFT_LANES; i++)
		out[i] = (int32_t)(s[i] * factor - offset * (uint32_t)sum);
}

/* `bits` is a constant wherever this is called, so that no loop asks for it. */
INLINE void gemm(const struct soft_gemm *g, unsigned int bits, bool codes)
{
	const size_t tile = g->chunks * bits * 64;

	for (size_t n = 0; n < g->n; n++) {
		const uint8_t *x = (const uint8_t *)g->x + n * g->ldx;
		const int32_t sum = codes ? sum_bytes(x, g->chunks) : sum_bits(x, g->chunks);

		for (size_t t = 0; t < g->tiles; t++) {
			const uint8_t *w = (const uint8_t *)g->w + t * tile;
			uint32_t s[SOFT_LANES] = {0};

			if (codes)
				dot_steps_codes(w, bits, x, g->chunks, s);
			else if (bits <= 2)
				dot_planes(w, bits, x, g->chunks, s);
			else
				dot_steps_bits(w, bits, x, g->chunks, s);
			finish(s, bits, sum, g->s + n * g->lds + t * SOFT_LANES);
		}
	}
}

INLINE void gemm_of(const struct soft_gemm *g, bool codes)
{
	switch (g->bits) {
	case 1:
		gemm(g, 1, codes);
		break;
	case 2:
		gemm(g, 2, codes);
		break;
	case 4:
		gemm(g, 4, codes);
		break;
	default:
		gemm(g, 8, codes);
	}
}

static void portable_gemm_bits(const struct soft_gemm *g)
{
	gemm_of(g, false);
}

static void portable_gemm_codes(const struct soft_gemm *g)
{
	gemm_of(g, true);
}

const struct soft_kernels soft_kernels_portable = {
	.name = "portable",
	.usable = portable_usable,
	.gemm_bits = portable_gemm_bits,
	.gemm_codes = portable_gemm_codes,
	.gemm_f32_bits = generic_gemm_f32_bits,
	.gemm_f32_codes = generic_gemm_f32_codes,
	.thresholds = generic_thresholds,
	.draw = generic_draw,
	.activate = generic_activate,
};
