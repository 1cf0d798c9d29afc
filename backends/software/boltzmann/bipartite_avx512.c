/* SPDX-License-Identifier: Apache-2.0 */
/* Draws of a side with AVX-512: a tile is one register. */
#ifdef __x86_64__
#include <immintrin.h>
#include "bipartite.h"
#include "sigmoid16_avx512.h"

static __attribute__((noinline)) uint32_t settle(const struct soft_bipartite_side *s, uint32_t t,
						 uint32_t near, uint32_t up)
{
	for (; near; near &= near - 1) {
		const uint32_t l = (uint32_t)__builtin_ctz(near);

		up &= ~(1u << l);
		up |= soft_bipartite_decide(s, t * BIPARTITE_LANES + l) << l;
	}
	return up;
}

static inline uint32_t tile(const struct soft_bipartite_side *s, uint32_t t, __m512 z_step)
{
	const size_t at = (size_t)t * BIPARTITE_LANES;
	const __m512i sum = _mm512_loadu_si512(s->sums + at);
	const __m512i input =
		_mm512_add_epi32(_mm512_loadu_si512(s->base + at), _mm512_add_epi32(sum, sum));
	const __m512i u = _mm512_and_si512(
		_mm512_i32gather_epi32(_mm512_loadu_si512(s->pbit + at), s->high, 2),
		_mm512_set1_epi32(0xffff));
	__mmask16 near, up = soft_sigmoid_compare(input, u, z_step, &near);

	return near ? settle(s, t, near, up) : up;
}

void soft_bipartite_avx512(const struct soft_bipartite_side *s)
{
	const __m512 z_step = _mm512_set1_ps(s->z_step);
	const bool exactly = s->z_step != s->z_step;

	for (uint32_t t = 0; t < s->tiles; t++)
		soft_bipartite_put(s, t, exactly ? settle(s, t, 0xffff, 0) : tile(s, t, z_step));
}
#else
typedef int soft_no_avx512;
#endif
