/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Update rules found in other samplers, and defects typical of hardware, as devices for judging the
 * judge: `pbit check` must pass the right rule and reject the others. Slow and plain on purpose.
 */
#ifndef PBIT_RULES_H
#define PBIT_RULES_H

#include <stdbool.h>
#include <pbit/backend.h>

enum rule {
	RULE_HEAT_BATH,
	RULE_METROPOLIS_SEQUENTIAL,
	RULE_METROPOLIS_RANDOM,
	RULE_SYNCHRONOUS, /* declares the sequential order */
	RULE_ASYNCHRONOUS,
};

#define RULES_MAX_PBITS 65536u
#define RULES_NO_PBIT	UINT64_MAX
#define RULES_REAL	255u

/* What an address asks for. */
struct rules_config {
	enum rule rule;
	double gain;	/* factor of every input */
	double offset;	/* added to every input */
	double dt;	/* time step of the asynchronous rule */
	double hold;	/* chance that a p-bit keeps its state when it is visited */
	uint64_t bits;	/* width of couplings and biases, 0: all */
	uint64_t stuck; /* p-bit that stays +1, or RULES_NO_PBIT */
	uint64_t pbits; /* limits that the device states; 0: none */
	uint64_t degree;
	uint64_t integer, fraction; /* s{I}{F} of couplings and biases; fraction 255: none */
	bool physical;		    /* says that its noise is, and draws anew with every program */
	bool drop;		    /* the last coupling of the machine is missing */
	bool shared;		    /* one random number a sweep for all p-bits */
};

struct rules_machine {
	uint32_t n;
	uint64_t *row;
	uint32_t *col;
	double *J;
	double *h;
	uint8_t *up, *before, *clamped; /* one a p-bit */
	uint64_t random;
	double shared_draw;
};

/* 0 or a negative errno with a record. */
int rules_parse(const struct pbit_uri *uri, struct rules_config *config);

/* A copy of the machine with the defects of J and h; NULL out of memory. */
struct rules_machine *rules_machine_new(const struct rules_config *config,
					const struct pbit_bm_view *view, uint64_t seed);
void rules_machine_free(struct rules_machine *m);

void rules_sweep(const struct rules_config *config, struct rules_machine *m, double beta);

#endif
