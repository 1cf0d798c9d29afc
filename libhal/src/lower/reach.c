/* SPDX-License-Identifier: Apache-2.0 */
/* What the sums of a layer can reach, over all inputs: the base of ranges and of error bounds. */
#include <math.h>
#include <stdlib.h>
#include "lower/lower.h"

static void add_folded(const struct pbit__stage *stage, uint32_t first, uint32_t o)
{
	const struct pbit__taps *taps = &stage->taps;
	double low = 0, high = 0;

	for (uint32_t i = first; i < taps->n_real; i++) {
		double w = pbit__tap(taps, taps->real[i], o);

		low += fmin(w, 0);
		high += fmax(w, 0);
	}
	stage->reach.low[o] = low * stage->input_max;
	stage->reach.high[o] = high * stage->input_max;
}

static void add_kept(const struct pbit__stage *stage, uint32_t n, uint32_t o)
{
	const struct pbit__taps *taps = &stage->taps;
	double sum = 0, size = 0;

	for (uint32_t i = 0; i < n; i++) {
		double w = pbit__tap(taps, taps->real[i], o);

		sum += w;
		size += fabs(w);
	}
	stage->reach.kept_sum[o] = sum;
	stage->reach.kept_size[o] = size;
}

int pbit__reach_find(struct pbit__stage *stage)
{
	const uint32_t n = stage->layer->n_out, kept = stage->tile.kept;
	struct pbit__reach *r = &stage->reach;

	if (!r->kept_sum) {
		r->kept_sum = calloc((size_t)n * 6, sizeof(double));
		if (!r->kept_sum)
			return pbit__lower_no_memory("cannot lower the model");
		r->kept_size = r->kept_sum + n;
		r->low = r->kept_size + n;
		r->high = r->low + n;
		r->c_low = r->high + n;
		r->c_high = r->c_low + n;
	}
	for (uint32_t o = 0; o < n; o++) {
		add_kept(stage, kept, o);
		add_folded(stage, kept, o);
		r->c_low[o] = HUGE_VAL;
		r->c_high[o] = -HUGE_VAL;
		for (size_t p = 0; p < stage->positions; p++) {
			r->c_low[o] = fmin(r->c_low[o], (double)stage->c[p * n + o]);
			r->c_high[o] = fmax(r->c_high[o], (double)stage->c[p * n + o]);
		}
	}
	return 0;
}

void pbit__reach_bias(const struct pbit__stage *stage, uint32_t o, double *low, double *high)
{
	const struct pbit__reach *r = &stage->reach;
	const double a = stage->a[o], half = r->kept_sum[o] / 2;
	const double x = a * (r->low[o] + half), y = a * (r->high[o] + half);

	*low = fmin(x, y) + r->c_low[o];
	*high = fmax(x, y) + r->c_high[o];
}
