/* SPDX-License-Identifier: Apache-2.0 */
/* Sums that the host makes: S of CONTRACT.md over some inputs, for some outputs. */
#ifndef PBIT_SRC_LOWER_SUMS_H
#define PBIT_SRC_LOWER_SUMS_H

#include "lower/lower.h"

struct pbit__sums {
	int32_t *acc;
	int64_t *s; /* weights of 1 ... 8 bits */
	float *f;   /* binary32 */
};

/* Room for n outputs. -ENOMEM. */
int pbit__sums_new(uint32_t n, struct pbit__sums *sums);
void pbit__sums_free(struct pbit__sums *sums);

/* Which part of a stage: outputs first ... first + n - 1, inputs real[input] and on. */
struct pbit__part {
	uint32_t first, n, input;
};

/* From the bits of a field in order of k. */
void pbit__sum_bits(const struct pbit__stage *stage, const struct pbit__part *part,
		    const uint32_t *field, const struct pbit__sums *sums);

/* From the codes of an image at one output position. */
void pbit__sum_codes(const struct pbit__stage *stage, const struct pbit__part *part,
		     const uint8_t *image, uint32_t code_bytes, size_t position,
		     const struct pbit__sums *sums);

#endif
