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
	uint32_t i, j; /* i < j; of a directed one: i acts on j */
	double value;
};

/* Where a pair (i, j) is in a list: open addressing, slots hold the entry's number plus 1. */
struct pbit__pair_index {
	uint64_t *slot;
	uint64_t slots; /* power of two or 0 */
	uint64_t used;	/* the first so many entries of the list are in it */
};

#define PBIT__NO_PAIR UINT64_MAX

struct pbit__coupling_list {
	struct pbit__coupling *entry;
	uint64_t count, capacity;
	struct pbit__pair_index index;
};

/* Compressed rows: row i lists what acts on i. */
struct pbit__rows {
	uint64_t *row;
	uint32_t *col;
	double *J;
};

/* J and h in fixed point (fixed_view.h). Jq is NULL where it has to be made. */
struct pbit__fixed {
	int32_t *Jq;
	int32_t *hq;
	double step;
	bool exact;
};

struct pbit_bm {
	atomic_uint refs;
	atomic_bool frozen;
	uint32_t n;
	double *h;
	struct pbit__coupling_list pairs; /* symmetric */
	struct pbit__coupling_list arcs;  /* directed */
	pthread_mutex_t lock;		  /* two devices may ask for the first view at once */
	struct pbit__rows rows;		  /* row is NULL where the lists have changed */
	struct pbit__fixed fixed;
};

/* Builds bm->rows from the lists unless they are there. 0 or -ENOMEM without a record. */
int pbit__bm_build_rows(struct pbit_bm *bm);

/* After a change of the couplings, or of a bias. */
void pbit__bm_drop_rows(struct pbit_bm *bm);
void pbit__bm_drop_fixed(struct pbit_bm *bm);

/* No change from here on: -EBUSY to those who try. */
void pbit__bm_freeze(struct pbit_bm *bm);

/* The checks of every change: each makes a record. */
int pbit__bm_check_changeable(const struct pbit_bm *bm, const char *what);
int pbit__bm_check_index(const struct pbit_bm *bm, const char *what, const char *name, uint32_t i);
int pbit__bm_check_value(const char *what, const char *where, double value);

/*
 * Puts what the list holds into its index and makes room for `more` entries in both. -ENOMEM; the
 * list then holds what it held.
 */
int pbit__couplings_prepare(struct pbit__coupling_list *list, uint64_t more);

/* The number of the pair in a prepared list, or PBIT__NO_PAIR. */
uint64_t pbit__couplings_find(const struct pbit__coupling_list *list, uint32_t i, uint32_t j);

/* Appends to a prepared list a pair that is not in it. */
void pbit__couplings_append(struct pbit__coupling_list *list, uint32_t i, uint32_t j, double value);

void pbit__couplings_clear(struct pbit__coupling_list *list);

/*
 * Adds to J of each pair, to h where i == j; pairs are all different. Errors of pbit_bm_add_term(),
 * made before anything is changed.
 */
int pbit__bm_add_terms(struct pbit_bm *bm, const char *what, const struct pbit__coupling *terms,
		       uint32_t n);

#endif
