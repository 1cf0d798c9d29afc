/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse machines with AVX2: states of neighbours are gathered eight at a time. */
#ifdef __x86_64__
#include <immintrin.h>
#include "sparse_generic.h"

static inline __m256i load(const void *p)
{
	return _mm256_loadu_si256((const __m256i *)p);
}

/* J where the lowest bit of the gathered four bytes is set. */
static inline __m256i term(const uint8_t *seen, const uint32_t *from, const int32_t *J)
{
	const __m256i v = _mm256_i32gather_epi32((const int *)(const void *)seen, load(from), 1);

	return _mm256_and_si256(_mm256_srai_epi32(_mm256_slli_epi32(v, 31), 31), load(J));
}

static inline void sum_slice(const struct soft_sparse_sweep *s, uint32_t slice, int32_t *input)
{
	const struct soft_sparse_graph *g = s->graph;
	const int32_t *base = g->base + (size_t)slice * SPARSE_LANES;
	__m256i low = load(base), high = load(base + 8);

	for (uint64_t c = g->column[slice]; c < g->column[slice + 1]; c++) {
		const uint32_t *from = g->from + c * SPARSE_LANES;
		const int32_t *J = g->twice_J + c * SPARSE_LANES;

		low = _mm256_add_epi32(low, term(s->seen, from, J));
		high = _mm256_add_epi32(high, term(s->seen, from + 8, J + 8));
	}
	_mm256_storeu_si256((__m256i *)(void *)input, low);
	_mm256_storeu_si256((__m256i *)(void *)(input + 8), high);
}

void soft_sparse_avx2(const struct soft_sparse_sweep *s, uint32_t first, uint32_t end)
{
	sparse_run(s, first, end);
}
#endif
