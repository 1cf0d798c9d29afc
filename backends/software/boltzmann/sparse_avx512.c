/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sparse machines with AVX-512: a slice of 16 p-bits is one register. Thresholds come from a table
 * in two registers where the inputs are few, else from an approximate sigmoid.
 */
#ifdef __x86_64__
#include <immintrin.h>
#include "sigmoid16_avx512.h"
#include "sparse.h"

static inline __m512i sum_slice(const struct soft_sparse_sweep *s, uint32_t slice)
{
	const struct soft_sparse_graph *g = s->graph;
	const uint32_t *from = g->from + g->column[slice] * SPARSE_LANES;
	const uint32_t *end = g->from + g->column[slice + 1] * SPARSE_LANES;
	const int32_t *J = g->twice_J + g->column[slice] * SPARSE_LANES;
	const __m512i one = _mm512_set1_epi32(1);
	__m512i sum = _mm512_loadu_si512(g->base + (size_t)slice * SPARSE_LANES);

	for (; from < end; from += SPARSE_LANES, J += SPARSE_LANES) {
		const __m512i v = _mm512_i32gather_epi32(_mm512_loadu_si512(from), s->seen, 1);

		sum = _mm512_mask_add_epi32(sum, _mm512_test_epi32_mask(v, one), sum,
					    _mm512_loadu_si512(J));
	}
	return sum;
}

static inline __m512i draws(const struct soft_sparse_sweep *s, uint32_t slice)
{
	const __m512i pbit = _mm512_loadu_si512(s->graph->pbit + (size_t)slice * SPARSE_LANES);

	return _mm512_and_si512(_mm512_i32gather_epi32(pbit, s->draws, 2),
				_mm512_set1_epi32(0xffff));
}

static __attribute__((noinline)) __mmask16 settle(const struct soft_sparse_sweep *s, uint32_t slice,
						  __m512i input, __m512i u, uint32_t near,
						  uint32_t up)
{
	int32_t inputs[SPARSE_LANES], u16[SPARSE_LANES];

	_mm512_storeu_si512(inputs, input);
	_mm512_storeu_si512(u16, u);
	for (; near; near &= near - 1) {
		const unsigned int l = (unsigned int)__builtin_ctz(near);
		const uint32_t pbit = s->graph->pbit[slice * (size_t)SPARSE_LANES + l];

		up &= ~(1u << l);
		up |= (uint32_t)soft_chain_fires(s->chain, pbit, inputs[l], (uint32_t)u16[l]) << l;
	}
	return (__mmask16)up;
}

static inline void put(const struct soft_sparse_sweep *s, uint32_t slice, __mmask16 up)
{
	const size_t at = (size_t)slice * SPARSE_LANES;
	const __mmask16 free = _mm_movepi8_mask(_mm_loadu_si128((const void *)(s->free + at)));

	_mm_mask_storeu_epi8(s->state + at, free, _mm_maskz_set1_epi8(up, 1));
}

static void by_table(const struct soft_sparse_sweep *s, uint32_t first, uint32_t end)
{
	const __m512i low = _mm512_loadu_si512(s->table);
	const __m512i high = _mm512_loadu_si512(s->table + 16);
	const __m512i lowest = _mm512_set1_epi32(s->lowest);

	for (uint32_t i = first; i < end; i++) {
		const __m512i input = sum_slice(s, i), u = draws(s, i);
		const __m512i t16 =
			_mm512_permutex2var_epi32(low, _mm512_sub_epi32(input, lowest), high);
		const __mmask16 near = _mm512_cmpeq_epi32_mask(u, t16);
		__mmask16 up = _mm512_cmplt_epi32_mask(u, t16);

		if (near)
			up = settle(s, i, input, u, near, up);
		put(s, i, up);
	}
}

static void by_sigmoid(const struct soft_sparse_sweep *s, uint32_t first, uint32_t end)
{
	const __m512 z_step = _mm512_set1_ps(s->z_step);

	for (uint32_t i = first; i < end; i++) {
		const __m512i input = sum_slice(s, i), u = draws(s, i);
		__mmask16 near, up = soft_sigmoid_compare(input, u, z_step, &near);

		if (near)
			up = settle(s, i, input, u, near, up);
		put(s, i, up);
	}
}

/* With an infinite or undefined step every lane is decided exactly. */
static void exactly(const struct soft_sparse_sweep *s, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++)
		put(s, i, settle(s, i, sum_slice(s, i), draws(s, i), 0xffff, 0));
}

void soft_sparse_avx512(const struct soft_sparse_sweep *s, uint32_t first, uint32_t end)
{
	if (s->table && s->entries <= SPARSE_SMALL)
		by_table(s, first, end);
	else if (s->z_step == s->z_step)
		by_sigmoid(s, first, end);
	else
		exactly(s, first, end);
}
#endif
