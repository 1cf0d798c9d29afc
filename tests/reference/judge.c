/* SPDX-License-Identifier: Apache-2.0 */
/* Judges samples of one layer: see judge.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "reference.h"
#include "stats.h"

const char *const judge_kind_names[JUDGE_KINDS] = {
	"law t(z)/2^24", "sigmoid", "offset", "gain", "pairs", "lag 1", "lag 1 cross", "other run",
};

/* Bits of even samples in a word; those of odd samples follow one place up. */
#define EVEN 0x5555555555555555u

int columns_new(struct columns *columns, size_t n, size_t samples)
{
	columns->n = n;
	columns->samples = samples;
	columns->words = samples / 64;
	columns->bit = calloc(n * columns->words, sizeof(*columns->bit));
	return columns->bit && samples % 64 == 0 ? 0 : -ENOMEM;
}

void columns_free(struct columns *columns)
{
	free(columns->bit);
	columns->bit = NULL;
}

uint64_t columns_get(const struct columns *columns, size_t o, size_t sample)
{
	return columns->bit[o * columns->words + sample / 64] >> sample % 64 & 1;
}

void columns_set(struct columns *columns, size_t o, size_t sample, uint64_t bit)
{
	uint64_t *word = &columns->bit[o * columns->words + sample / 64];

	*word = (*word & ~(1ull << sample % 64)) | bit << sample % 64;
}

void columns_fill(struct columns *columns, const uint64_t *states, size_t state_words)
{
	size_t s, o;

	for (s = 0; s < columns->samples; s++)
		for (o = 0; o < columns->n; o++)
			columns_set(columns, o, s, states[s * state_words + o / 64] >> o % 64 & 1);
}

static void add(struct judge *judge, enum judge_kind kind, double p)
{
	if (judge->n[kind] == judge->room[kind]) {
		size_t room = judge->room[kind] * 2 + 256;
		double *larger = realloc(judge->p[kind], room * sizeof(*larger));

		if (!larger) {
			judge->failed = 1;
			return;
		}
		judge->p[kind] = larger;
		judge->room[kind] = room;
	}
	judge->p[kind][judge->n[kind]++] = p;
}

void judge_free(struct judge *judge)
{
	int kind;

	for (kind = 0; kind < JUDGE_KINDS; kind++)
		free(judge->p[kind]);
	memset(judge, 0, sizeof(*judge));
}

static double log_choose(uint64_t n, uint64_t k)
{
	return lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1);
}

/* Sum of the hypergeometric law from `from` on, outwards (step 1 or -1). */
static double tail(uint64_t from, uint64_t a, uint64_t b, uint64_t n, int step)
{
	uint64_t low = a + b > n ? a + b - n : 0, high = a < b ? a : b;
	double k = (double)from, da = (double)a, db = (double)b, dn = (double)n;
	double term = exp(log_choose(a, from) + log_choose(n - a, b - from) - log_choose(n, b));
	double sum = term, end = step > 0 ? (double)high : (double)low;

	while (k != end && term > sum * 1e-17) {
		if (step > 0)
			term *= (da - k) * (db - k) / ((k + 1) * (dn - da - db + k + 1));
		else
			term *= k * (dn - da - db + k) / ((da - k + 1) * (db - k + 1));
		k += step;
		sum += term;
	}
	return sum;
}

double judge_table(uint64_t both, uint64_t a, uint64_t b, uint64_t n)
{
	double expected = (double)a * (double)b / (double)n;
	/* The tail away from the mean is the smaller one, or nearly. */
	double p = 2 * tail(both, a, b, n, (double)both < expected ? -1 : 1);

	return p < 1 ? p : 1;
}

static uint64_t count(const uint64_t *x, size_t words, uint64_t mask)
{
	uint64_t ones = 0;
	size_t w;

	for (w = 0; w < words; w++)
		ones += (uint64_t)__builtin_popcountll(x[w] & mask);
	return ones;
}

/* Table of two columns, sample by sample. */
static double independence(const uint64_t *x, const uint64_t *y, size_t words)
{
	uint64_t both = 0;
	size_t w;

	for (w = 0; w < words; w++)
		both += (uint64_t)__builtin_popcountll(x[w] & y[w]);
	return judge_table(both, count(x, words, ~0ull), count(y, words, ~0ull), 64 * words);
}

/*
 * Table of x in even samples and y in the odd ones behind them: pairs that do not overlap, so that they
 * are independent of each other.
 */
static double succession(const uint64_t *x, const uint64_t *y, size_t words)
{
	uint64_t both = 0;
	size_t w;

	for (w = 0; w < words; w++)
		both += (uint64_t)__builtin_popcountll(x[w] & y[w] >> 1 & EVEN);
	return judge_table(both, count(x, words, EVEN), count(y, words, ~EVEN), 32 * words);
}

static double sigmoid(double z)
{
	return 1 / (1 + exp(-z));
}

/* Law of each p-bit, then the two directions in which all of them may be off together. */
static void judge_laws(struct judge *judge, const struct columns *columns, const float *z)
{
	double offset = 0, offset_variance = 0, gain = 0, gain_variance = 0;
	double n = (double)columns->samples;
	size_t o;

	for (o = 0; o < columns->n; o++) {
		uint64_t ones = count(columns->bit + o * columns->words, columns->words, ~0ull);
		double zo = (double)z[o], p = sigmoid(zo), q = sigmoid(-zo);

		if (judge->contract)
			add(judge, JUDGE_LAW,
			    stats_binomial_test(ones, columns->samples,
						reference_threshold24(z[o]) * 0x1p-24));
		add(judge, JUDGE_SIGMOID, stats_binomial_test(ones, columns->samples, p));
		offset += (double)ones - n * p;
		offset_variance += n * p * q;
		gain += zo * ((double)ones - n * p);
		gain_variance += zo * zo * n * p * q;
	}
	add(judge, JUDGE_OFFSET, stats_z_test(offset, 0, sqrt(offset_variance)));
	add(judge, JUDGE_GAIN, stats_z_test(gain, 0, sqrt(gain_variance)));
}

void judge_samples(struct judge *judge, const struct columns *columns, const float *z)
{
	size_t words = columns->words, a, b;

	judge_laws(judge, columns, z);
	for (a = 0; a < columns->n; a++) {
		const uint64_t *x = columns->bit + a * words;
		const uint64_t *next = columns->bit + (a + 1) % columns->n * words;

		for (b = a + 1; b < columns->n; b++)
			add(judge, JUDGE_PAIRS, independence(x, columns->bit + b * words, words));
		add(judge, JUDGE_LAG, succession(x, x, words));
		add(judge, JUDGE_CROSS, succession(x, next, words));
	}
}

void judge_runs(struct judge *judge, const struct columns *a, const struct columns *b)
{
	size_t o;

	for (o = 0; o < a->n && o < b->n; o++)
		add(judge, JUDGE_RUNS,
		    independence(a->bit + o * a->words, b->bit + o * b->words, a->words));
}

size_t judge_total(const struct judge *judge)
{
	size_t total = 0;
	int kind;

	for (kind = 0; kind < JUDGE_KINDS; kind++)
		total += judge->n[kind];
	return total;
}

double judge_smallest(const struct judge *judge, enum judge_kind kind)
{
	double smallest = 1;
	size_t i;

	for (i = 0; i < judge->n[kind]; i++)
		/* written so that a NaN counts as 0 */
		if (!(judge->p[kind][i] >= smallest))
			smallest = judge->p[kind][i] > 0 ? judge->p[kind][i] : 0;
	return smallest;
}

size_t judge_rejected(const struct judge *judge, double alpha)
{
	size_t total = judge_total(judge), at = 0, rejected;
	double *all = malloc((total + 1) * sizeof(*all));
	int kind;

	if (!all)
		return total;
	for (kind = 0; kind < JUDGE_KINDS; kind++) {
		if (judge->n[kind])
			memcpy(all + at, judge->p[kind], judge->n[kind] * sizeof(*all));
		at += judge->n[kind];
	}
	rejected = stats_holm(all, total, alpha, NULL);
	free(all);
	return rejected;
}

double judge_normal_quantile(double alpha)
{
	double low = 0, high = 40;
	int i;

	for (i = 0; i < 100; i++) {
		double middle = (low + high) / 2;

		if (stats_normal_two_sided(middle) > alpha)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* The first count above the mean that the test rejects; samples + 1 where none is. */
static uint64_t critical_count(double p, uint64_t samples, double alpha)
{
	uint64_t low = (uint64_t)(p * (double)samples), high = samples + 1;

	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (stats_binomial_test(middle, samples, p) <= alpha)
			high = middle;
		else
			low = middle;
	}
	return high;
}

static double shift_up(double z, uint64_t samples, double alpha)
{
	uint64_t critical = critical_count(sigmoid(z), samples, alpha);
	double low = 0, high = 40;
	int i;

	if (critical > samples)
		return INFINITY;
	for (i = 0; i < 60; i++) {
		double middle = (low + high) / 2;

		if (stats_binomial_sf(critical, samples, sigmoid(z + middle)) < 0.99)
			low = middle;
		else
			high = middle;
	}
	return high;
}

double judge_detectable_shift(double z, uint64_t samples, double alpha)
{
	double up = shift_up(z, samples, alpha), down = shift_up(-z, samples, alpha);

	return up < down ? up : down;
}
