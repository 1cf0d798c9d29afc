/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels for AMX: tiles of 16 columns x 64 inputs times 64 inputs x 16
 * outputs. Weights of 8 bits lie in the file as the unit takes them; narrower
 * ones are spread to bytes for 32 outputs at a time, which pays from a few
 * columns on. All else is AVX-512.
 */
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "avx512_bytes.h"
#include "parts.h"

#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILEDATA  18
#define TILE_BYTES	    1024

/* Below so many columns counting bits is faster. */
#define FEW_1BIT 16
#define FEW_2BIT 9
#define FEW_4BIT 3

struct tile_config {
	uint8_t palette;
	uint8_t start_row;
	uint8_t reserved[14];
	uint16_t bytes[16];
	uint8_t rows[16];
};

_Static_assert(sizeof(struct tile_config) == 64, "as the processor reads it");

/* The kernel grants the tile registers to a process that asks. */
static bool amx_usable(void)
{
	unsigned int a, b, c, d;

	if (!soft_kernels_avx512.usable() || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return false;
	if (!(d & 1u << 24) || !(d & 1u << 25)) /* AMX-TILE, AMX-INT8 */
		return false;
	return !syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA);
}

/* C: tiles 0 ... 3 (two of columns x two of outputs), columns: 4, 5, weights: 6, 7. */
static void configure(unsigned int rows_a, unsigned int rows_b)
{
	struct tile_config config = {.palette = 1};

	for (unsigned int i = 0; i < 8; i++)
		config.bytes[i] = 64;
	config.rows[0] = config.rows[1] = config.rows[4] = (uint8_t)rows_a;
	config.rows[2] = config.rows[3] = config.rows[5] = (uint8_t)rows_b;
	config.rows[6] = config.rows[7] = 16;
	/* The compiler believes that only the first bytes are read. */
	__asm__ volatile("" : : "m"(config) : "memory");
	_tile_loadconfig(&config);
}

/*
 * Weights are cheapest to spread where their bits are left in place: the byte of step j is then the
 * code times a power of two. Activations that are bits make up for it by another power, so that
 * every product carries the same factor, 2^scale(bits). Codes of real inputs cannot; for them the
 * bits are moved.
 */
INLINE unsigned int scale(unsigned int bits)
{
	return bits == 1 ? 7 : bits == 2 ? 6 : bits == 4 ? 4 : 0;
}

/* Left shift of an activation's bit at step j. */
static const uint32_t turns[9][8] = {
	[1] = {7, 6, 5, 4, 3, 2, 1, 0},
	[2] = {6, 6, 5, 4, 3, 2, 1, 0},
	[4] = {4, 0, 4, 0, 4, 0, 4, 0},
	[8] = {0, 0, 0, 0, 0, 0, 0, 0},
};

INLINE __m512i in_place(const uint8_t *chunk, unsigned int bits, unsigned int j)
{
	const __m512i mask = _mm512_set1_epi8((char)(bits == 4 ? 15 << 4 * (j % 2) : 1 << j));
	__m512i low;

	switch (bits) {
	case 1:
		return _mm512_and_si512(_mm512_loadu_si512(chunk), mask);
	case 2:
		if (!j)
			return step(chunk, 2, 0);
		low = _mm512_and_si512(_mm512_srli_epi32(_mm512_loadu_si512(chunk), 1),
				       _mm512_set1_epi8((char)(1 << (j - 1))));
		return _mm512_ternarylogic_epi32(_mm512_loadu_si512(chunk + 64), mask, low, 0xea);
	case 4:
		return _mm512_and_si512(_mm512_loadu_si512(chunk + 64 * (j / 2)), mask);
	default:
		return _mm512_loadu_si512(chunk + 64 * j);
	}
}

/* 64 inputs of one tile of outputs spread to 16 lines of bytes, zeros past the last chunk. */
INLINE void spread_step(const uint8_t *w, unsigned int bits, bool codes, size_t chunks, size_t k,
			uint8_t *out)
{
	for (size_t c = 2 * k; c < 2 * k + 2; c++)
#pragma GCC unroll 8
		for (unsigned int j = 0; j < 8; j++) {
			const uint8_t *chunk = w + c * bits * 64;
			__m512i line = _mm512_setzero_si512();

			if (c < chunks)
				line = codes ? step(chunk, bits, j) : in_place(chunk, bits, j);
			_mm512_store_si512(out + ((c - 2 * k) * 8 + j) * 64, line);
		}
}

/* Two tiles of outputs, packed. */
struct pair {
	const uint8_t *w[2];
};

static struct pair pair_at(const struct soft_gemm *g, size_t tile)
{
	const size_t row = g->chunks * g->bits * 64;
	const uint8_t *w = (const uint8_t *)g->w + tile * row;

	return (struct pair){.w = {w, tile + 1 < g->tiles ? w + row : w}};
}

/*
 * Spread weights pass through a small ring that stays in the first-level cache: step k + AHEAD is
 * spread while step k is multiplied. Spreading them again for each block of columns costs less than
 * fetching them from the second level.
 */
#define RING  4
#define AHEAD 2

INLINE void spread_pair(const struct pair *pair, unsigned int bits, bool codes, size_t chunks,
			size_t k, uint8_t *ring)
{
	uint8_t *slot = ring + k % RING * 2 * TILE_BYTES;

	for (unsigned int i = 0; i < 2; i++)
		spread_step(pair->w[i], bits, codes, chunks, k, slot + i * TILE_BYTES);
}

/* Finishes a tile of sums in `c` (16 rows of 16) into the caller's. */
static void put(const struct soft_gemm *g, const int32_t *c, size_t n, unsigned int rows,
		size_t tile, const int32_t *sums, unsigned int shift)
{
	for (unsigned int i = 0; i < rows; i++) {
		const __m512i s = _mm512_srli_epi32(_mm512_load_si512(c + i * SOFT_LANES), shift);
		int32_t *out = g->s + (n + i) * g->lds + tile * SOFT_LANES;

		_mm512_storeu_si512(out, finish(s, g->bits, sums[n + i]));
	}
}

/* Weights in place use their highest bit; codes and weights of 8 bits are signed. */
#define PRODUCT(c, a, b)                       \
	do {                                   \
		if (codes || bits == 8)        \
			_tile_dpbusd(c, a, b); \
		else                           \
			_tile_dpbuud(c, a, b); \
	} while (0)

/* Loads of tiles do not tell the compiler what they read. */
#define COMPILER_ORDER() __asm__ volatile("" : : : "memory")

/* Up to 32 columns x up to 2 tiles of outputs. */
INLINE void block(const struct soft_gemm *g, const uint8_t *x, size_t ldx, size_t n,
		  unsigned int rows_a, unsigned int rows_b, size_t tile, unsigned int bits,
		  bool codes, bool direct, uint8_t *ring, const int32_t *sums)
{
	int32_t c[4][SOFT_LANES * 16] __attribute__((aligned(64)));
	const struct pair pair = pair_at(g, tile);
	const unsigned int shift = codes ? 0 : scale(bits);
	const size_t steps = (g->chunks + 1) / 2;
	const uint8_t *a0 = x + n * ldx, *a1 = a0 + 16 * ldx;

	for (size_t k = 0; !direct && k < AHEAD && k < steps; k++)
		spread_pair(&pair, bits, codes, g->chunks, k, ring);
	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
	for (size_t k = 0; k < steps; k++) {
		const uint8_t *b0 =
			direct ? pair.w[0] + k * TILE_BYTES : ring + k % RING * 2 * TILE_BYTES;
		const uint8_t *b1 = direct ? pair.w[1] + k * TILE_BYTES : b0 + TILE_BYTES;

		COMPILER_ORDER();
		_tile_loadd(4, a0 + 64 * k, ldx);
		_tile_loadd(6, b0, 64);
		PRODUCT(0, 4, 6);
		_tile_loadd(7, b1, 64);
		PRODUCT(1, 4, 7);
		if (rows_b) {
			_tile_loadd(5, a1 + 64 * k, ldx);
			PRODUCT(2, 5, 6);
			PRODUCT(3, 5, 7);
		}
		if (!direct && k + AHEAD < steps)
			spread_pair(&pair, bits, codes, g->chunks, k + AHEAD, ring);
	}
	_tile_stored(0, c[0], 64);
	_tile_stored(1, c[1], 64);
	put(g, c[0], n, rows_a, tile, sums, shift);
	if (tile + 1 < g->tiles)
		put(g, c[1], n, rows_a, tile + 1, sums, shift);
	if (!rows_b)
		return;
	_tile_stored(2, c[2], 64);
	_tile_stored(3, c[3], 64);
	put(g, c[2], n + 16, rows_b, tile, sums, shift);
	if (tile + 1 < g->tiles)
		put(g, c[3], n + 16, rows_b, tile + 1, sums, shift);
}

/* x: columns of bytes, whole steps of 64, zero behind the last input. */
INLINE void gemm(const struct soft_gemm *g, const uint8_t *x, size_t ldx, uint8_t *ring,
		 const int32_t *sums, unsigned int bits, bool codes, bool direct)
{
	const size_t whole = g->n / 32 * 32;
	const unsigned int rest = (unsigned int)(g->n - whole);
	const unsigned int rest_a = rest < 16 ? rest : 16, rest_b = rest - rest_a;

	if (whole) {
		configure(16, 16);
		for (size_t n = 0; n < whole; n += 32)
			for (size_t tile = 0; tile < g->tiles; tile += 2)
				block(g, x, ldx, n, 16, 16, tile, bits, codes, direct, ring, sums);
	}
	if (rest) {
		configure(rest_a, rest_b ? rest_b : 1);
		for (size_t tile = 0; tile < g->tiles; tile += 2)
			block(g, x, ldx, whole, rest_a, rest_b, tile, bits, codes, direct, ring,
			      sums);
	}
	_tile_release();
}

INLINE void multiply(const struct soft_gemm *g, const uint8_t *x, size_t ldx, uint8_t *ring,
		     const int32_t *sums, bool codes)
{
	switch (g->bits) {
	case 1:
		gemm(g, x, ldx, ring, sums, 1, codes, false);
		break;
	case 2:
		gemm(g, x, ldx, ring, sums, 2, codes, false);
		break;
	case 4:
		gemm(g, x, ldx, ring, sums, 4, codes, false);
		break;
	default:
		if (g->chunks % 2)
			gemm(g, x, ldx, ring, sums, 8, codes, false);
		else
			gemm(g, x, ldx, ring, sums, 8, codes, true);
	}
}

static void bits_part(const struct soft_gemm *g)
{
	/* A line more than whole steps: columns must not share the sets of a cache. */
	const size_t ldx = (g->chunks + 1) / 2 * 64 + 64;
	const __m256i left = _mm256_loadu_si256((const __m256i *)(const void *)turns[g->bits]);
	int32_t sums[PART_COLUMNS];

	for (size_t n = 0; n < g->n; n++) {
		const uint32_t *x =
			(const uint32_t *)(const void *)((const uint8_t *)g->x + n * g->ldx);
		uint8_t *out = g->scratch + n * ldx;

		sums[n] = sum_bits(x, g->chunks);
		spread(x, g->chunks, left, out);
		if (g->chunks % 2)
			_mm256_storeu_si256((__m256i *)(void *)(out + 32 * g->chunks),
					    _mm256_setzero_si256());
	}
	multiply(g, g->scratch, ldx, g->scratch + (g->n + 15) / 16 * 16 * ldx, sums, false);
}

static void codes_part(const struct soft_gemm *g)
{
	int32_t sums[PART_COLUMNS];

	for (size_t n = 0; n < g->n; n++)
		sums[n] = sum_bytes((const uint8_t *)g->x + n * g->ldx, g->chunks);
	multiply(g, g->x, g->ldx, g->scratch, sums, true);
}

static void amx_gemm_bits(const struct soft_gemm *g)
{
	if ((g->bits == 1 && g->n < FEW_1BIT) || (g->bits == 2 && g->n < FEW_2BIT) ||
	    (g->bits == 4 && g->n < FEW_4BIT))
		soft_kernels_avx512.gemm_bits(g);
	else
		in_parts(g, bits_part);
}

static void amx_gemm_codes(const struct soft_gemm *g)
{
	if (g->bits != 8 && g->n < FEW_4BIT)
		soft_kernels_avx512.gemm_codes(g);
	else
		in_parts(g, codes_part);
}

static void amx_gemm_f32_bits(const struct soft_gemm_f32 *g)
{
	soft_kernels_avx512.gemm_f32_bits(g);
}

static void amx_gemm_f32_codes(const struct soft_gemm_f32 *g)
{
	soft_kernels_avx512.gemm_f32_codes(g);
}

static void amx_thresholds(const float *z, size_t n, uint16_t *t16)
{
	soft_kernels_avx512.thresholds(z, n, t16);
}

static void amx_draw(const struct soft_stream *stream, size_t first, size_t n, const float *z,
		     const uint16_t *t16, uint32_t *bits)
{
	soft_kernels_avx512.draw(stream, first, n, z, t16, bits);
}

static void amx_activate(const struct soft_stream *stream, size_t first, size_t n, const int32_t *s,
			 const float *a, const float *c, uint32_t *bits)
{
	soft_kernels_avx512.activate(stream, first, n, s, a, c, bits);
}

const struct soft_kernels soft_kernels_amx = {
	.name = "amx",
	.usable = amx_usable,
	.gemm_bits = amx_gemm_bits,
	.gemm_codes = amx_gemm_codes,
	.gemm_f32_bits = amx_gemm_f32_bits,
	.gemm_f32_codes = amx_gemm_f32_codes,
	.thresholds = amx_thresholds,
	.draw = amx_draw,
	.activate = amx_activate,
};
