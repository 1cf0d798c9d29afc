/* SPDX-License-Identifier: Apache-2.0 */
/* Adding up rows of raw values. */
#include <string.h>
#include "exec/rows.h"

#ifdef __x86_64__
#include <immintrin.h>

#define LANES 16u
#define WIDE  __attribute__((target("avx512f,avx512dq,avx512vl")))

bool pbit__rows_wide(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl");
}

/* False where a factor is not finite: then a value may be NaN, and comparing is another matter. */
WIDE static bool add_wide(struct pbit__rows *rows)
{
	const uint32_t lanes = (1u << rows->n_outputs) - 1;
	const __mmask8 m0 = (__mmask8)lanes, m1 = (__mmask8)(lanes >> 8);
	const __m512 a = _mm512_maskz_loadu_ps((__mmask16)lanes, rows->a);
	const __m512 c =
		_mm512_mask_loadu_ps(_mm512_set1_ps(-__builtin_inff()), (__mmask16)lanes, rows->c);
	__m512i s0 = _mm512_setzero_si512(), s1 = s0, q0 = s0, q1 = s0, bits = s0;
	const int64_t *raw = rows->raw;

	/* Quiet NaN, +inf, -inf, signalling NaN. */
	if (_mm512_mask_fpclass_ps_mask((__mmask16)lanes, a, 0x99) ||
	    _mm512_mask_fpclass_ps_mask((__mmask16)lanes, c, 0x99))
		return false;
	for (uint32_t s = 0; s < rows->n_samples; s++, raw += rows->n_outputs) {
		const __m512i r0 = _mm512_maskz_loadu_epi64(m0, raw);
		const __m512i r1 = _mm512_maskz_loadu_epi64(m1, raw + 8);
		const __m512 x = _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtepi64_ps(r0)),
						    _mm512_cvtepi64_ps(r1), 1);
		const __m512 y = _mm512_add_ps(_mm512_mul_ps(x, a), c);
		const float best = _mm512_reduce_max_ps(y);
		const uint32_t equal = _mm512_cmp_ps_mask(y, _mm512_set1_ps(best), _CMP_EQ_OQ);

		s0 = _mm512_add_epi64(s0, r0);
		s1 = _mm512_add_epi64(s1, r1);
		q0 = _mm512_add_epi64(q0, _mm512_mullo_epi64(r0, r0));
		q1 = _mm512_add_epi64(q1, _mm512_mullo_epi64(r1, r1));
		bits = _mm512_or_si512(bits, _mm512_xor_si512(r0, _mm512_srai_epi64(r0, 63)));
		bits = _mm512_or_si512(bits, _mm512_xor_si512(r1, _mm512_srai_epi64(r1, 63)));
		rows->votes[(unsigned int)__builtin_ctz(equal | 1u << LANES) % LANES]++;
	}
	_mm512_mask_storeu_epi64(rows->sum, m0, s0);
	_mm512_mask_storeu_epi64(rows->square, m0, q0);
	if (m1) {
		_mm512_mask_storeu_epi64(rows->sum + 8, m1, s1);
		_mm512_mask_storeu_epi64(rows->square + 8, m1, q1);
	}
	rows->magnitude = (uint64_t)_mm512_reduce_or_epi64(bits);
	return true;
}
#else
#define LANES 0u

bool pbit__rows_wide(void)
{
	return false;
}

static bool add_wide(struct pbit__rows *rows)
{
	(void)rows;
	return false;
}
#endif

static void add_plain(struct pbit__rows *rows)
{
	uint64_t *restrict sum = rows->sum, *restrict square = rows->square;
	const float *a = rows->a, *c = rows->c;
	const int64_t *raw = rows->raw;
	uint64_t magnitude = 0;

	memset(sum, 0, rows->n_outputs * sizeof(*sum));
	memset(square, 0, rows->n_outputs * sizeof(*square));
	for (uint32_t s = 0; s < rows->n_samples; s++, raw += rows->n_outputs) {
		float best = (float)raw[0] * a[0] + c[0];
		size_t winner = 0;

		for (size_t o = 0; o < rows->n_outputs; o++) {
			const uint64_t value = (uint64_t)raw[o];
			const float y = (float)raw[o] * a[o] + c[o];
			const bool larger = y > best;

			sum[o] += value;
			square[o] += value * value;
			magnitude |= (uint64_t)(raw[o] ^ (raw[o] >> 63));
			winner = larger ? o : winner;
			best = larger ? y : best;
		}
		rows->votes[winner]++;
	}
	rows->magnitude = magnitude;
}

void pbit__add_rows(struct pbit__rows *rows)
{
	if (rows->n_outputs <= LANES && pbit__rows_wide() && add_wide(rows))
		return;
	add_plain(rows);
}
