/* SPDX-License-Identifier: Apache-2.0 */
/* Integer sums over samples: see tally.h. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <pbit/backend.h>
#include "exec/rows.h"
#include "exec/tally.h"

#define NO_MEMORY "no memory for the sums of %zu images of %zu outputs"

/* Bytes of one slot and of what the tally needs once; false when they cannot be counted. */
static bool measure(const struct pbit__tally *tally, size_t n_slots, size_t *bytes)
{
	size_t slot, wide, votes, once;

	return !__builtin_add_overflow(tally->n_outputs, tally->n_products, &wide) &&
	       !__builtin_mul_overflow(wide, sizeof(pbit__wide), &wide) &&
	       !__builtin_mul_overflow(tally->n_outputs, sizeof(uint32_t), &votes) &&
	       !__builtin_add_overflow(wide, votes, &slot) &&
	       !__builtin_add_overflow(slot, sizeof(uint8_t), &slot) &&
	       !__builtin_mul_overflow(slot, n_slots, bytes) &&
	       !__builtin_mul_overflow(tally->n_outputs, 2 * sizeof(uint64_t), &once) &&
	       !__builtin_add_overflow(*bytes, once, bytes);
}

int pbit__tally_start(struct pbit__tally *tally, size_t n_slots, size_t n_outputs, bool reports,
		      bool paired)
{
	size_t bytes;
	int rc;

	tally->n_outputs = n_outputs;
	tally->reports = reports;
	tally->paired = paired;
	tally->n_products = paired ? n_outputs * (n_outputs + 1) / 2 : n_outputs;
	if (!measure(tally, n_slots, &bytes))
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot run the model", NULL,
				 "run fewer images at a time", NO_MEMORY, n_slots, n_outputs);
	rc = pbit__buffer_reserve(&tally->buffer, bytes, 1);
	if (rc)
		return rc;
	memset(tally->buffer.data, 0, bytes);
	/* Widest first, so that each array is aligned. */
	tally->sum = tally->buffer.data;
	tally->product = tally->sum + n_slots * n_outputs;
	tally->block_sum = (uint64_t *)(tally->product + n_slots * tally->n_products);
	tally->block_square = tally->block_sum + n_outputs;
	tally->votes = (uint32_t *)(tally->block_square + n_outputs);
	tally->too_wide = (uint8_t *)(tally->votes + n_slots * n_outputs);
	return 0;
}

void pbit__tally_free(struct pbit__tally *tally)
{
	pbit__buffer_free(&tally->buffer);
}

static unsigned int bits_of(uint64_t magnitude)
{
	return magnitude ? 64u - (unsigned int)__builtin_clzll(magnitude) : 0;
}

/*
 * Sums in 64 bits, squares included, of rows whose values are small enough for it, and the winner
 * of each row; returns the width of the widest value, by which the caller sees whether it went
 * well.
 */
static unsigned int add_block(struct pbit__tally *tally, uint32_t *votes,
			      const struct pbit__readout *readout, const int64_t *raw,
			      uint32_t n_samples)
{
	struct pbit__rows rows = {
		.raw = raw,
		.n_outputs = tally->n_outputs,
		.n_samples = n_samples,
		.a = readout->a,
		.c = readout->c,
		.sum = tally->block_sum,
		.square = tally->block_square,
		.votes = votes,
	};

	pbit__add_rows(&rows);
	return bits_of(rows.magnitude);
}

static void add_products(pbit__wide *product, const int64_t *raw, size_t n_outputs,
			 uint32_t n_samples)
{
	for (uint32_t s = 0; s < n_samples; s++, raw += n_outputs) {
		pbit__wide *at = product;

		for (size_t i = 0; i < n_outputs; i++)
			for (size_t j = 0; j <= i; j++)
				*at++ += (pbit__wide)raw[i] * raw[j];
	}
}

void pbit__tally_samples(struct pbit__tally *tally, size_t slot,
			 const struct pbit__readout *readout, const int64_t *raw,
			 uint32_t n_samples)
{
	size_t n_outputs = tally->n_outputs;
	pbit__wide *sum = tally->sum + slot * n_outputs;
	pbit__wide *product = tally->product + slot * tally->n_products;
	unsigned int bits =
		add_block(tally, tally->votes + slot * n_outputs, readout, raw, n_samples);
	unsigned int count = bits_of(n_samples);

	if (bits > PBIT__RAW_BITS)
		tally->too_wide[slot] = 1;
	if (bits + count <= 63) {
		for (size_t o = 0; o < n_outputs; o++)
			sum[o] += (int64_t)tally->block_sum[o];
	} else {
		for (uint32_t s = 0; s < n_samples; s++)
			for (size_t o = 0; o < n_outputs; o++)
				sum[o] += raw[s * n_outputs + o];
	}
	if (tally->too_wide[slot])
		return;
	if (tally->paired) {
		add_products(product, raw, n_outputs, n_samples);
	} else if (2 * bits + count <= 64) {
		for (size_t o = 0; o < n_outputs; o++)
			product[o] += tally->block_square[o];
	} else {
		for (uint32_t s = 0; s < n_samples; s++)
			for (size_t o = 0; o < n_outputs; o++)
				product[o] +=
					(pbit__wide)raw[s * n_outputs + o] * raw[s * n_outputs + o];
	}
}

void pbit__tally_sums(struct pbit__tally *tally, size_t slot, const int64_t *sum)
{
	pbit__wide *to = tally->sum + slot * tally->n_outputs;

	for (size_t o = 0; o < tally->n_outputs; o++)
		to[o] += sum[o];
}

/* The rounding is the same both ways; 64 bits take one instruction. */
static double to_double(pbit__wide value)
{
	return value == (int64_t)value ? (double)(int64_t)value : (double)value;
}

double pbit__tally_mean(const struct pbit__tally *tally, size_t slot,
			const struct pbit__readout *readout, size_t output, uint32_t n)
{
	double mean = to_double(tally->sum[slot * tally->n_outputs + output]) / n;

	return mean * (double)readout->a[output] + (double)readout->c[output];
}

static pbit__wide product_of(const struct pbit__tally *tally, size_t slot, size_t i, size_t j)
{
	const pbit__wide *product = tally->product + slot * tally->n_products;

	if (!tally->paired)
		return product[i];
	return i >= j ? product[i * (i + 1) / 2 + j] : product[j * (j + 1) / 2 + i];
}

long double pbit__tally_deviation(const struct pbit__tally *tally, size_t slot, size_t i, size_t j,
				  uint32_t n)
{
	const pbit__wide *sum = tally->sum + slot * tally->n_outputs;
	pbit__wide product = product_of(tally, slot, i, j), scaled, square, exact;

	if (!__builtin_mul_overflow(product, (pbit__wide)n, &scaled) &&
	    !__builtin_mul_overflow(sum[i], sum[j], &square) &&
	    !__builtin_sub_overflow(scaled, square, &exact))
		return exact == (int64_t)exact ? (long double)(int64_t)exact : (long double)exact;
	return (long double)n * (long double)product - (long double)sum[i] * (long double)sum[j];
}

static double standard_error(const struct pbit__tally *tally, size_t slot,
			     const struct pbit__readout *readout, size_t output, uint32_t n)
{
	double deviation;

	if (!tally->reports || tally->too_wide[slot])
		return NAN;
	if (n == 1)
		return 0;
	deviation = (double)pbit__tally_deviation(tally, slot, output, output, n);
	if (deviation <= 0)
		return 0;
	return fabs((double)readout->a[output]) *
	       sqrt(deviation / ((double)n * n * ((double)n - 1)));
}

void pbit__tally_finish(const struct pbit__tally *tally, size_t slot,
			const struct pbit__readout *readout, uint32_t n, struct pbit_result *result,
			uint64_t image)
{
	size_t n_outputs = tally->n_outputs, at = image * n_outputs, best = 0;
	double *mean = result->mean + at;

	for (size_t o = 0; o < n_outputs; o++) {
		mean[o] = pbit__tally_mean(tally, slot, readout, o, n);
		result->standard_error[at + o] = standard_error(tally, slot, readout, o, n);
		if (mean[o] > mean[best])
			best = o;
	}
	memcpy(result->votes + at, tally->votes + slot * n_outputs, n_outputs * sizeof(uint32_t));
	result->class[image] = (uint32_t)best;
	result->samples[image] = n;
}
