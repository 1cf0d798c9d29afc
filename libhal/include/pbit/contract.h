/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numeric contract as functions: for emulators, host-side references and
 * tests. CONTRACT.md beside this file is the text. All are pure, any thread.
 */
#ifndef PBIT_CONTRACT_H
#define PBIT_CONTRACT_H

#include <pbit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PBIT_DOMAIN_LAYER     1u
#define PBIT_DOMAIN_BOLTZMANN 2u
#define PBIT_DOMAIN_EXCHANGE  3u     /* exchanges of parallel tempering */
#define PBIT_DOMAIN_SEEDS     4u     /* seeds of chains for devices that cannot be told a chain */
#define PBIT_DOMAIN_LOWERED   16u    /* seeds of lowered layers for such devices */
#define PBIT_DOMAIN_LOW	      0x100u /* added for bits 0 ... 7 of U */

/*
 * t(z): the number of the 2^24 equally likely draws that give +1, 0 ... 2^24.
 * -32 and 32 bound z beyond which it no longer changes; NaN gives 0.
 */
PBIT_API uint32_t pbit_threshold24(float z);

/* Threefry-4x64-13: out = f(key, counter), Salmon et al. SC 2011. */
PBIT_API void pbit_threefry(const uint64_t key[4], const uint64_t counter[4], uint64_t out[4]);

/*
 * U, 24 bits, of p-bit `index` in layer mode. Slow; a kernel draws 128 at a time.
 */
PBIT_API uint32_t pbit_draw_layer(uint64_t seed, uint32_t layer, uint64_t image, uint64_t sample,
				  uint64_t index);

/* U, 24 bits, of p-bit `index` in sweep `sweep` of chain `chain` in Boltzmann mode. */
PBIT_API uint32_t pbit_draw_boltzmann(uint64_t seed, uint64_t chain, uint64_t sweep,
				      uint64_t index);

/*
 * Converts x to s{I}{F} (1 + I + F <= 32 bits): *q = rint(x * 2^F), ties to even. -ERANGE where
 * it does not fit, -EINVAL for NaN or impossible formats; *q is then unchanged.
 */
PBIT_API PBIT_CHECK int pbit_to_fixed(double x, unsigned integer_bits, unsigned fraction_bits,
				      int32_t *q);

/* The real value of q in s{I}{F}. */
PBIT_API double pbit_from_fixed(int32_t q, unsigned fraction_bits);

#ifdef __cplusplus
}
#endif
#endif
