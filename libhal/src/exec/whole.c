/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results straight from the rows, see whole.h: rows of at most 16 outputs, the lanes of two
 * registers, on processors that have AVX-512. Every operation on reals is the one that tally.c
 * makes, so that the bits are the same.
 */
#include "exec/rows.h"
#include "exec/whole.h"

#ifdef __x86_64__
#include <immintrin.h>

#define LANES 16u
#define WIDE  __attribute__((target("avx512f,avx512dq,avx512vl")))
#define EACH  WIDE static inline __attribute__((always_inline))

/* What is the same for all images. */
struct plan {
	uint32_t n_samples, lanes; /* lanes: a bit for each output */
	size_t n_outputs;
	__m512 a, c; /* as the samples are compared; -inf where there is no output */
	__m512d mean_a[2], mean_c[2];
	__m512i limit; /* values from -limit to limit - 1 leave n^2 times their square in 63 bits */
};

/* Integers of one image: sums, sums of squares, and votes. */
struct sums {
	__m512i sum[2], square[2], votes, beyond;
};

EACH __mmask8 half(uint32_t lanes, unsigned int h)
{
	return (__mmask8)(lanes >> 8 * h);
}

/* False where a factor is not finite: then a value may be NaN, and comparing is another matter. */
EACH bool make_plan(struct plan *plan, const struct pbit__readout *readout, uint32_t n_samples)
{
	const int bits = 31 - (32 - __builtin_clz(n_samples));
	const uint32_t lanes = (1u << readout->n_outputs) - 1;
	const __m512 a = _mm512_maskz_loadu_ps((__mmask16)lanes, readout->a);
	const __m512 c = _mm512_maskz_loadu_ps((__mmask16)lanes, readout->c);
	const __m512 none = _mm512_set1_ps(-__builtin_inff());

	/* Quiet NaN, +inf, -inf, signalling NaN. */
	if (bits < 1 || _mm512_fpclass_ps_mask(a, 0x99) || _mm512_fpclass_ps_mask(c, 0x99))
		return false;
	plan->n_samples = n_samples;
	plan->lanes = lanes;
	plan->n_outputs = readout->n_outputs;
	plan->a = a;
	plan->c = _mm512_mask_mov_ps(none, (__mmask16)lanes, c);
	plan->limit = _mm512_set1_epi64(1ll << bits);
	for (unsigned int h = 0; h < 2; h++) {
		const __m256 low = h ? _mm512_extractf32x8_ps(a, 1) : _mm512_castps512_ps256(a);
		const __m256 add =
			h ? _mm512_extractf32x8_ps(plan->c, 1) : _mm512_castps512_ps256(plan->c);

		plan->mean_a[h] = _mm512_cvtps_pd(low);
		plan->mean_c[h] = _mm512_cvtps_pd(add);
	}
	return true;
}

/* Adds a row; the first of its largest values has the vote. */
EACH void add_row(const struct plan *plan, const int64_t *raw, struct sums *s)
{
	const __m512i r0 = _mm512_maskz_loadu_epi64(half(plan->lanes, 0), raw);
	const __m512i r1 = _mm512_maskz_loadu_epi64(half(plan->lanes, 1), raw + 8);
	const __m512 x = _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtepi64_ps(r0)),
					    _mm512_cvtepi64_ps(r1), 1);
	const __m512 y = _mm512_add_ps(_mm512_mul_ps(x, plan->a), plan->c);
	const __m512 best = _mm512_set1_ps(_mm512_reduce_max_ps(y));
	const uint32_t equal = _mm512_cmp_ps_mask(y, best, _CMP_EQ_OQ);

	s->sum[0] = _mm512_add_epi64(s->sum[0], r0);
	s->sum[1] = _mm512_add_epi64(s->sum[1], r1);
	s->square[0] = _mm512_add_epi64(s->square[0], _mm512_mul_epi32(r0, r0));
	s->square[1] = _mm512_add_epi64(s->square[1], _mm512_mul_epi32(r1, r1));
	s->beyond = _mm512_or_si512(s->beyond, _mm512_add_epi64(r0, plan->limit));
	s->beyond = _mm512_or_si512(s->beyond, _mm512_add_epi64(r1, plan->limit));
	s->votes = _mm512_mask_add_epi32(s->votes, (__mmask16)(equal & -equal), s->votes,
					 _mm512_set1_epi32(1));
}

EACH __m512d mean_of(const struct plan *plan, const struct sums *s, unsigned int h)
{
	__m512d mean = _mm512_cvtepi64_pd(s->sum[h]);

	if (plan->n_samples > 1)
		mean = _mm512_div_pd(mean, _mm512_set1_pd(plan->n_samples));
	return _mm512_add_pd(_mm512_mul_pd(mean, plan->mean_a[h]), plan->mean_c[h]);
}

EACH __m512d error_of(const struct plan *plan, const struct sums *s, unsigned int h)
{
	const double n = plan->n_samples;
	const __m512i scaled = _mm512_mullo_epi64(s->square[h], _mm512_set1_epi64(plan->n_samples));
	const __m512i square = _mm512_mul_epi32(s->sum[h], s->sum[h]);
	const __m512d deviation = _mm512_cvtepi64_pd(_mm512_sub_epi64(scaled, square));
	const __m512d error =
		_mm512_sqrt_pd(_mm512_div_pd(deviation, _mm512_set1_pd(n * n * (n - 1))));

	return _mm512_mul_pd(_mm512_abs_pd(plan->mean_a[h]), error);
}

/* The first of the largest means. */
EACH uint32_t class_of(__m512d m0, __m512d m1)
{
	const __m512d best = _mm512_set1_pd(_mm512_reduce_max_pd(_mm512_max_pd(m0, m1)));
	const uint32_t low = _mm512_cmp_pd_mask(m0, best, _CMP_EQ_OQ);
	const uint32_t high = _mm512_cmp_pd_mask(m1, best, _CMP_EQ_OQ);

	return (uint32_t)__builtin_ctz(low | high << 8 | 1u << LANES);
}

EACH void write_image(const struct plan *plan, const struct sums *s, struct pbit_result *result,
		      uint64_t image)
{
	const size_t at = image * plan->n_outputs;
	const __m512d m0 = mean_of(plan, s, 0), m1 = mean_of(plan, s, 1);
	const __mmask8 l0 = half(plan->lanes, 0), l1 = half(plan->lanes, 1);
	__m512d e0 = _mm512_setzero_pd(), e1 = e0;

	if (plan->n_samples > 1) {
		e0 = error_of(plan, s, 0);
		e1 = error_of(plan, s, 1);
	}
	_mm512_mask_storeu_pd(result->mean + at, l0, m0);
	_mm512_mask_storeu_pd(result->standard_error + at, l0, e0);
	if (l1) {
		_mm512_mask_storeu_pd(result->mean + at + 8, l1, m1);
		_mm512_mask_storeu_pd(result->standard_error + at + 8, l1, e1);
	}
	_mm512_mask_storeu_epi32(result->votes + at, (__mmask16)plan->lanes, s->votes);
	result->class[image] = class_of(m0, m1);
	result->samples[image] = plan->n_samples;
}

/* Compiled for one sample and for several. */
EACH bool images(const struct plan *plan, const int64_t *raw, uint32_t n_images, uint32_t n_samples,
		 struct pbit_result *result, uint64_t first)
{
	for (uint32_t i = 0; i < n_images; i++) {
		struct sums s = {.beyond = _mm512_setzero_si512()};

		for (uint32_t t = 0; t < n_samples; t++, raw += plan->n_outputs)
			add_row(plan, raw, &s);
		if (_mm512_cmpge_epu64_mask(s.beyond, _mm512_add_epi64(plan->limit, plan->limit)))
			return false;
		write_image(plan, &s, result, first + i);
	}
	return true;
}

WIDE static bool wide_images(const struct pbit__readout *readout, const int64_t *raw,
			     uint32_t n_images, uint32_t n_samples, struct pbit_result *result,
			     uint64_t first)
{
	struct plan plan;

	if (!make_plan(&plan, readout, n_samples))
		return false;
	if (n_samples > 1)
		return images(&plan, raw, n_images, n_samples, result, first);
	plan.n_samples = 1;
	return images(&plan, raw, n_images, 1, result, first);
}

bool pbit__whole_images(const struct pbit__readout *readout, const int64_t *raw, uint32_t n_images,
			uint32_t n_samples, struct pbit_result *result, uint64_t first)
{
	return readout->n_outputs <= LANES && pbit__rows_wide() &&
	       wide_images(readout, raw, n_images, n_samples, result, first);
}
#else
bool pbit__whole_images(const struct pbit__readout *readout, const int64_t *raw, uint32_t n_images,
			uint32_t n_samples, struct pbit_result *result, uint64_t first)
{
	(void)readout;
	(void)raw;
	(void)n_images;
	(void)n_samples;
	(void)result;
	(void)first;
	return false;
}
#endif
