/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sampling kernels of the software device, one table per instruction set.
 * Every table computes the same bits (CONTRACT.md); they differ in speed only.
 * Shapes and packing are those of MODEL.md: tiles of 16 outputs, chunks of 32
 * inputs.
 */
#ifndef PBIT_SOFTWARE_KERNELS_H
#define PBIT_SOFTWARE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOFT_LANES 16u	/* outputs of a tile */
#define SOFT_GROUP 128u /* p-bits drawn together */

/*
 * S = W x for `tiles` tiles and n columns. Columns of x are `ldx` bytes apart,
 * columns of s `lds` ints; both have room for n rounded up to 16 columns.
 *  - of bits: x holds chunks words of 32 bits per column.
 *  - of codes: x holds 32 bytes per chunk, byte 4j + b being input 8b + j, and is readable for
 *    one chunk beyond the last, which is zero.
 */
struct soft_gemm {
	const void *w;
	unsigned int bits; /* 1, 2, 4, 8 */
	size_t tiles;
	size_t chunks;
	const void *x;
	size_t ldx;
	size_t n;
	int32_t *s;
	size_t lds;
	uint8_t *scratch; /* soft_gemm_scratch() bytes, at a multiple of 64 */
};

/* The same in binary32; k counts real inputs, x is bits or binary32 values. */
struct soft_gemm_f32 {
	const float *w; /* [tile][k_padded][16] */
	size_t tiles;
	size_t k;
	size_t k_padded;
	const void *x;
	size_t ldx;
	size_t n;
	float *s;
	size_t lds;
};

/* Where the random bits of one state come from. */
struct soft_stream {
	uint64_t seed;
	uint64_t layer;
	uint64_t image;
	uint64_t sample;
};

struct soft_kernels {
	const char *name;
	bool (*usable)(void);
	void (*gemm_bits)(const struct soft_gemm *g);
	void (*gemm_codes)(const struct soft_gemm *g);
	void (*gemm_f32_bits)(const struct soft_gemm_f32 *g);
	void (*gemm_f32_codes)(const struct soft_gemm_f32 *g);

	/*
	 * thresholds: t16 close enough to 2^16 sigma(z) for draw(). n is a multiple of 128.
	 * draw: bits of p-bits first ... first + n - 1 (both multiples of 128) with
	 *       pre-activations z and their thresholds.
	 * activate: both for z = fl32(fl32(float(s) * a) + c).
	 */
	void (*thresholds)(const float *z, size_t n, uint16_t *t16);
	void (*draw)(const struct soft_stream *stream, size_t first, size_t n, const float *z,
		     const uint16_t *t16, uint32_t *bits);
	void (*activate)(const struct soft_stream *stream, size_t first, size_t n, const int32_t *s,
			 const float *a, const float *c, uint32_t *bits);
};

/* Bound on the distance of t16 from 2^16 sigma(z): draws that lie closer are decided exactly. */
#define SOFT_MARGIN 8u

size_t soft_gemm_scratch(size_t chunks, size_t n);

extern const struct soft_kernels soft_kernels_portable;
#ifdef __x86_64__
extern const struct soft_kernels soft_kernels_avx2;
extern const struct soft_kernels soft_kernels_avx512;
extern const struct soft_kernels soft_kernels_amx;
#endif

/* The best table this processor runs, or the named one; NULL where it cannot be had. */
const struct soft_kernels *soft_kernels_pick(const char *name);

/* Whether some processor has the named table. */
bool soft_kernels_known(const char *name);

#endif
