/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine as a file gives it, term by term, before it is one: terms are collected as they come
 * (memory grows with the file), sorted, checked against each other and only then made into J and h.
 */
#ifndef PBIT_SRC_IMPORT_DRAFT_H
#define PBIT_SRC_IMPORT_DRAFT_H

#include <pbit/boltzmann.h>
#include <pbit/import.h>
#include "import/reader.h"

/* A coupling, or where i == j a term of one p-bit. */
struct pbit__term {
	uint32_t i, j;
	double value;
	uint64_t place; /* line of the file, or number of the term */
};

/* What a pair that comes again means. */
enum pbit__repeat {
	PBIT__REPEAT_EQUAL,  /* equal values count once, others are refused */
	PBIT__REPEAT_REFUSE, /* refused */
	PBIT__REPEAT_ADD,    /* added up */
};

struct pbit__draft {
	struct pbit__term *terms;
	size_t count, capacity;
	uint64_t n; /* p-bits */
	enum pbit__repeat repeat;
	bool negate;		/* value of an energy term: J = -value */
	bool is_binary;		/* variables are 0/1, values of energy terms */
	const char *place_name; /* "line" */
	/* What goes into struct pbit_bm_info. */
	double offset, total_weight;
	bool is_cut;
	char **labels;
	struct pbit_bm_stage *stages;
	size_t n_stages, stages_capacity;
	char *name;
};

/* 0, -ENOMEM with a record. */
int pbit__draft_add(struct pbit__draft *draft, const struct pbit__reader *reader, uint64_t i,
		    uint64_t j, double value, uint64_t place);
int pbit__draft_add_stage(struct pbit__draft *draft, const struct pbit__reader *reader, double beta,
			  uint64_t sweeps);

/* Checks n against what a machine can have: -EINVAL, -E2BIG with a record. */
int pbit__draft_check_size(const struct pbit__reader *reader, uint64_t n);

/* Makes the machine and fills offset and total_weight. */
int pbit__draft_build(struct pbit__draft *draft, const struct pbit__reader *reader,
		      struct pbit_bm **bm);

void pbit__draft_free(struct pbit__draft *draft);

#endif
