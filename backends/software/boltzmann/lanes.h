/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many replicas of a +-J machine, multi-spin coded: bit b of a word is replica b. A p-bit's input
 * then has one of at most 16 values, by the number of its couplings that favour +1, which bitwise
 * adders count for all replicas at once; each replica has its own random bits as CONTRACT.md
 * names them. A kernel for each instruction set; what they share.
 */
#ifndef PBIT_SOFTWARE_LANES_H
#define PBIT_SOFTWARE_LANES_H

#include "draws.h"
#include "engines.h"

#define LANES_MAX_DEGREE 15u
#define LANES_CLASSES	 16u
#define LANES_MAX_TYPES	 256u /* pairs of degree and bias in one machine */

struct lanes_edge {
	uint32_t j;
	uint32_t negative; /* J < 0 */
};

/*
 * Thresholds of p-bits with this degree and bias: c couplings favour +1. high is t >> 8, at most 65535:
 * draws that equal it are decided by t.
 */
struct lanes_type {
	uint32_t degree;
	int32_t bias;
	uint32_t t[LANES_CLASSES];
	uint16_t high[LANES_CLASSES];
};

/* Replicas of a machine are divided into parts that share vectors. */
struct lanes {
	uint32_t n;
	uint32_t order;
	uint32_t replicas;
	uint32_t classes; /* largest degree + 1 */
	int32_t J;	  /* |Jq| */
	double step;
	uint32_t *first; /* edges of p-bit i: first[i] ... first[i + 1] - 1 */
	struct lanes_edge *edge;
	uint8_t *type;	  /* of each p-bit */
	uint8_t *clamped; /* one byte a p-bit */
	uint32_t *visits; /* chromatic: p-bits colour by colour, else NULL */
	uint32_t n_types;
	struct lanes_type *types; /* LANES_MAX_TYPES */
	void *tables;		  /* a kernel's own form of them */

	const struct lanes_kernel *kernel;
	struct soft_pool *pool;
	size_t row_words;    /* words of a p-bit in a part */
	uint32_t part_lanes; /* replicas of a part, at most the kernel's */
	uint32_t parts;
	uint64_t *state; /* [part][p-bit][row_words] */
	uint64_t *copy;
	struct lanes_scratch *scratch; /* of each thread */
};

/* Of one thread. */
struct lanes_scratch {
	uint8_t *draws;	  /* of one group, or of all of a sweep */
	uint64_t *before; /* a part's state at the start of a synchronous sweep */
};

/* One sweep of one part. */
struct lanes_sweep {
	const struct lanes *m;
	const struct soft_draw *draw;
	uint64_t sweep;
	uint64_t chain; /* of lane 0 */
	uint32_t lanes; /* in use */
	uint64_t *state;
	const uint64_t *seen; /* the state that neighbours are read from */
	uint8_t *draws;
	size_t stride; /* from one group's draws to the next's, 0 where they share the place */
};

struct lanes_kernel {
	uint32_t lanes;
	double update_ns; /* of one p-bit of one replica, when full */
	double fixed;	  /* share of that which is the same however few replicas there are */
	size_t table_bytes;

	/* What is kept of the draws of a group of 128 p-bits. */
	size_t (*draw_bytes)(uint32_t classes);
	/* The kernel's form of m->types in m->tables. */
	void (*prepare)(const struct lanes *m);
	void (*draw)(const struct lanes_sweep *s, uint32_t group);
	/* Updates p-bits visits[0] ... visits[count - 1], or first ... first + count - 1 for NULL. */
	void (*update)(const struct lanes_sweep *s, const uint32_t *visits, uint32_t first,
		       uint32_t count);
};

extern const struct lanes_kernel lanes_kernel_portable;
#ifdef __x86_64__
extern const struct lanes_kernel lanes_kernel_avx2;
extern const struct lanes_kernel lanes_kernel_avx512;
#endif

/* The state of p-bit i in a lane, given its class; draws anew. For the few that are near a tie. */
static inline uint64_t lanes_settle(const struct lanes_sweep *s, uint32_t i, uint32_t lane,
				    uint32_t class)
{
	const uint32_t t = s->m->types[s->m->type[i]].t[class];
	const uint64_t chain = s->chain + lane;

	return soft_draw_fires(s->draw, s->sweep, chain, i,
			       soft_draw_field(s->draw, 0, s->sweep, chain, i), t);
}

#endif
