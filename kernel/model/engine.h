/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The work of a card in integers: what PBIT_OP_LAYER and PBIT_OP_SWEEP compute, bit for bit as
 * CONTRACT.md. Compiled into the driver's sim devices and, in user space, into the virtual card;
 * a model for hardware. No floating point, no allocation, no division by a variable in the inner
 * loop.
 *
 * Memory is reached by pointers that the caller has checked: each array lies where the
 * descriptor says and is as long as it says. Values in memory are little-endian. Indices in
 * memory (columns, rows, visits) are checked here.
 */
#ifndef PBIT_MODEL_ENGINE_H
#define PBIT_MODEL_ENGINE_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
#endif

/* Asked every few thousand operations: not 0 ends the work with that status (PBIT_DONE_*). */
typedef int pbit_engine_poll_fn(void *user, u32 progress);

struct pbit_engine_layer {
	const void *weights, *factors, *input;
	const u64 *image_numbers;	/* little-endian, or NULL */
	void *output;
	u64 seed, first_image, first_sample;
	u32 n_inputs, n_outputs, n_images, n_samples;
	u32 in_stride, out_stride;
	u32 layer, first_output;
	u8 weight_bits, in_kind, out_kind;
};

struct pbit_engine_sweep {
	const u32 *rows, *columns, *visits;	/* visits or NULL */
	const s32 *values, *bias;
	const u64 *clamp;			/* or NULL */
	u64 *state, *output;			/* output or NULL */
	void *scratch;				/* pbit_engine_scratch_bytes(n), 8-byte aligned */
	u64 scale;				/* binary64 bits */
	u64 seed, layer, first_sweep, first_chain, first_pbit;
	u32 n_values, n, replicas, sweeps, interval, domain;
	bool synchronous;
};

/* PBIT_DONE_*; *progress: samples (image-major) or sweeps (replica-major) finished. */
int pbit_engine_layer(const struct pbit_engine_layer *layer, pbit_engine_poll_fn *poll, void *user,
		      u32 *progress);
int pbit_engine_sweep(const struct pbit_engine_sweep *sweep, pbit_engine_poll_fn *poll, void *user,
		      u32 *progress);

/* Bytes that the arrays of a layer take; 0 where a number makes no sense or they exceed 2^48. */
u64 pbit_engine_weight_bytes(u32 n_inputs, u32 n_outputs, u8 weight_bits);

/* What a sweep needs beside its arrays. */
u64 pbit_engine_scratch_bytes(u32 n);

/* Fills the table behind the quick decisions; once, before anything else. */
void pbit_engine_init(void);

/*
 * t(z) of CONTRACT.md: z = fl32(fl32(float(s) * a) + c) and z = fl32(fl64(scale) * k), in
 * integer arithmetic. a, c: binary32 bits, scale: binary64 bits.
 */
u32 pbit_engine_threshold_layer(s64 s, u32 a, u32 c);
u32 pbit_engine_threshold_sweep(s64 k, u64 scale);

#endif
