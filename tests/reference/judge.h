/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges samples of one layer whose input is fixed: is each p-bit's law the sigmoid of its z, are the
 * p-bits independent of each other, of their own past, of other runs? P-values are collected, so that
 * a program judges all of them at one family-wise rate.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <stddef.h>
#include <stdint.h>

enum judge_kind {
	JUDGE_LAW,     /* a p-bit against t(z)/2^24, exact binomial */
	JUDGE_SIGMOID, /* a p-bit against sigma(z), exact binomial */
	JUDGE_OFFSET,  /* all p-bits: is there a shift of z? score test */
	JUDGE_GAIN,    /* all p-bits: is there a factor on z, a wrong beta? score test */
	JUDGE_PAIRS,   /* two p-bits in one sample, exact 2 x 2 table */
	JUDGE_LAG,     /* a p-bit in successive samples, exact 2 x 2 table */
	JUDGE_CROSS,   /* a p-bit and its neighbour in the next sample */
	JUDGE_RUNS,    /* a p-bit in two runs: images or layers */
	JUDGE_KINDS,
};

extern const char *const judge_kind_names[JUDGE_KINDS];

/* Samples by p-bit: bit s of column o is p-bit o in sample s. */
struct columns {
	size_t n, samples, words; /* samples is a multiple of 64 */
	uint64_t *bit;		  /* [n][words] */
};

/* 0 or -ENOMEM. */
int columns_new(struct columns *columns, size_t n, size_t samples);
void columns_free(struct columns *columns);
/* From packed states, `state_words` to a sample. */
void columns_fill(struct columns *columns, const uint64_t *states, size_t state_words);
uint64_t columns_get(const struct columns *columns, size_t o, size_t sample);
void columns_set(struct columns *columns, size_t o, size_t sample, uint64_t bit);

/* P-values by kind. */
struct judge {
	double *p[JUDGE_KINDS];
	size_t n[JUDGE_KINDS], room[JUDGE_KINDS];
	int contract; /* judge t(z)/2^24 as well as sigma(z) */
	int failed;   /* out of memory: nothing can be said */
};

void judge_free(struct judge *judge);
/* p-bit o has pre-activation z[o]. */
void judge_samples(struct judge *judge, const struct columns *columns, const float *z);
void judge_runs(struct judge *judge, const struct columns *a, const struct columns *b);

size_t judge_total(const struct judge *judge);
/* Smallest p-value of a kind, 1 where there is none. */
double judge_smallest(const struct judge *judge, enum judge_kind kind);
/* How many are rejected by Holm's procedure at this family-wise rate. */
size_t judge_rejected(const struct judge *judge, double alpha);

/* P-value of a 2 x 2 table with these margins, exact, twice the smaller tail. */
double judge_table(uint64_t both, uint64_t a, uint64_t b, uint64_t n);

/*
 * Power. The smallest shift of z, away from z, that a test of `samples` draws at level alpha detects
 * with probability 0.99; the smaller of both directions.
 */
double judge_detectable_shift(double z, uint64_t samples, double alpha);
/* |x| with P(|X| > x) = alpha for a standard normal. */
double judge_normal_quantile(double alpha);

#endif
