/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One or few chains of a machine with few couplings per p-bit. p-bits are renumbered level by level
 * (levels.h), each level filled up to whole slices of 16; the couplings of a slice lie lane beside
 * lane, as many columns as its largest degree.
 */
#ifndef PBIT_SOFTWARE_SPARSE_H
#define PBIT_SOFTWARE_SPARSE_H

#include "chain.h"

#define SPARSE_LANES 16u
#define SPARSE_SMALL 32u /* entries of a table that fits two registers */

/* Added places have no couplings, draw as p-bit 0 and are never free. */
struct soft_sparse_graph {
	uint32_t slices;
	uint64_t *column; /* slices + 1: first column of each slice */
	uint32_t *from;	  /* [column][lane]: place of the neighbour */
	int32_t *twice_J; /* [column][lane] */
	int32_t *base;	  /* [place]: h - sum of J, the input with all neighbours at -1 */
	uint32_t *pbit;	  /* [place] */
};

/* A part of a sweep of one chain. */
struct soft_sparse_sweep {
	const struct soft_sparse_graph *graph;
	const struct soft_chain *chain;
	const uint8_t *seen;   /* states of neighbours by place, 0 or 1, readable 3 bytes beyond */
	uint8_t *state;	       /* by place */
	const uint8_t *free;   /* by place, 0 or 255 */
	const uint16_t *draws; /* by p-bit, readable one entry beyond */
	/* t16 of input lowest + k at k, SPARSE_SMALL entries at least; NULL: it is approximated. */
	const uint32_t *table;
	int32_t lowest;
	uint32_t entries;
	float z_step; /* about chain->factor; NaN: all is decided exactly */
};

typedef void soft_sparse_fn(const struct soft_sparse_sweep *s, uint32_t first, uint32_t end);

/* Slices first ... end - 1 in order. */
soft_sparse_fn soft_sparse_portable;
#ifdef __x86_64__
soft_sparse_fn soft_sparse_avx2;
soft_sparse_fn soft_sparse_avx512;
#endif

extern const struct soft_bm_engine soft_engine_sparse;

#endif
