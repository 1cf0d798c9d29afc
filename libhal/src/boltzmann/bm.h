/* SPDX-License-Identifier: Apache-2.0 */
/* A Boltzmann machine, as the functions that build, view and program it see it. */
#ifndef PBIT_SRC_BM_H
#define PBIT_SRC_BM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <pbit/boltzmann.h>

/* With this bound the input of a p-bit with 2^26 couplings cannot overflow binary64. */
#define PBIT__BM_LARGEST 1e300

#define PBIT__BM_MAX_PBITS (1u << 26)

struct pbit__coupling {
	uint32_t i, j; /* i < j */
	double value;
};

/* Set of pairs (i, j) in the list: open addressing, 0 is an empty slot. */
struct pbit__pair_set {
	uint64_t *slot;
	uint64_t slots; /* power of two or 0 */
	uint64_t used;
};

/* Compressed rows of the symmetric matrix. */
struct pbit__rows {
	uint64_t *row;
	uint32_t *col;
	double *J;
};

struct pbit_bm {
	atomic_uint refs;
	atomic_bool frozen;
	uint32_t n;
	double *h;
	struct pbit__coupling *list;
	uint64_t count, capacity;
	struct pbit__pair_set pairs; /* filled up to `used` entries of the list */
	pthread_mutex_t lock;	     /* two devices may ask for the first view at once */
	struct pbit__rows rows;	     /* row is NULL where the list has changed */
};

/* Builds bm->rows from the list unless they are there. 0 or -ENOMEM without a record. */
int pbit__bm_build_rows(struct pbit_bm *bm);

void pbit__bm_drop_rows(struct pbit_bm *bm);

/* No change from here on: -EBUSY to those who try. */
void pbit__bm_freeze(struct pbit_bm *bm);

/* 1 where the pair is new and now in the set, 0 where it is there already, -ENOMEM. */
int pbit__pair_set_add(struct pbit__pair_set *set, uint32_t i, uint32_t j);

void pbit__pair_set_clear(struct pbit__pair_set *set);

#endif
