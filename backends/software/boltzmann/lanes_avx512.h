/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 512 replicas with AVX-512. The draws of a p-bit are compared with the thresholds of all its classes as they
 * come, 32 replicas a register, which needs nothing of the state: a mask of 512 bits remains for each class, and one
 * of draws that equal some threshold in their 16 high bits. An update counts the neighbours and takes
 * each replica's bit from the mask of its class.
 *
 * Without biases thresholds come in pairs, t and 2^24 - t, and the masks *folded*: a draw of the upper
 * half is compared as its complement, and one mask of the upper halves stands for the other of each pair.
 */
#ifndef PBIT_SOFTWARE_LANES_AVX512_H
#define PBIT_SOFTWARE_LANES_AVX512_H

#include <immintrin.h>
#include "lanes.h"

#define LANES	   512u
#define REGISTERS  (LANES / 32) /* of 32 draws, for one p-bit */
#define MASK_BYTES (LANES / 8)
#define SLOTS	   32u /* what the low 5 bits of a draw, or of its hash, can be */

#define INLINE static inline __attribute__((always_inline))

/* Thresholds of a type in vectors. */
struct table {
	__m512i high[LANES_CLASSES]; /* by class; folded: those below the middle, from there down */
	uint16_t near[SLOTS];	     /* the threshold with this hash, else a value with another */
	uint16_t factor;	     /* 0: the hash of a draw is the draw itself */
	bool all_near;		     /* no hash keeps the thresholds apart: every draw is settled */
	/* In the first table, for all: */
	bool any_factor;
	bool folded;
	uint8_t pad[59];
};

INLINE bool is_folded(const struct lanes *m)
{
	return ((const struct table *)m->tables)->folded;
}

/* Classes below the middle one, which are the upper ones' mirror images. */
INLINE uint32_t tails(uint32_t degree)
{
	return (degree + 1) / 2;
}

/*
 * Masks of one p-bit. One for each class; or upper halves and tail k = 1 ... of class tails(degree) - k. The last is that of
 * draws near a threshold.
 */
INLINE uint32_t masks_of(uint32_t classes, bool folded)
{
	return folded ? classes / 2 + 2 : classes + 1;
}

/* Code of its own for some numbers of classes; others are rounded up to the next of these. */
INLINE uint32_t round_classes(uint32_t classes)
{
	return classes <= 3 ? 3 : classes <= 5 ? 5 : classes <= 7 ? 7 : classes <= 9 ? 9 : 16;
}

/* do_it with classes and folded known to the compiler. */
#define FOR_CLASSES(m, do_it)                          \
	do {                                           \
		const bool f = is_folded(m);           \
		switch (round_classes((m)->classes)) { \
		case 3:                                \
			if (f)                         \
				do_it(3, true);        \
			else                           \
				do_it(3, false);       \
			break;                         \
		case 5:                                \
			if (f)                         \
				do_it(5, true);        \
			else                           \
				do_it(5, false);       \
			break;                         \
		case 7:                                \
			if (f)                         \
				do_it(7, true);        \
			else                           \
				do_it(7, false);       \
			break;                         \
		case 9:                                \
			if (f)                         \
				do_it(9, true);        \
			else                           \
				do_it(9, false);       \
			break;                         \
		default:                               \
			if (f)                         \
				do_it(16, true);       \
			else                           \
				do_it(16, false);      \
		}                                      \
	} while (0)

void lanes_prepare_avx512(const struct lanes *m);
void lanes_draw_avx512(const struct lanes_sweep *s, uint32_t group);

#endif
