/* SPDX-License-Identifier: Apache-2.0 */
/* A group's draws with AVX-512. */
#ifdef __x86_64__
#include "draws.h"
#include "threefry_avx512.h"

void soft_draw_group_avx512(const struct soft_draw *d, uint64_t sweep, uint64_t chain,
			    uint32_t group, uint16_t high[SOFT_DRAW_GROUP])
{
	const struct soft_key512 k = soft_key512(d->k);
	const __m512i lane = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
	const __m512i block =
		_mm512_add_epi64(_mm512_set1_epi64((int64_t)(8 * (d->first_group + group))), lane);
	__m512i u[4];

	soft_threefry512(&k, block, _mm512_set1_epi64((int64_t)sweep),
			 _mm512_set1_epi64((int64_t)chain), u);
	for (unsigned int w = 0; w < 4; w++)
		_mm512_storeu_si512(high + 32 * w, u[w]);
}
#else
typedef int soft_no_avx512;
#endif
