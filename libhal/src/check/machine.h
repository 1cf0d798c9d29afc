/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small machines of the suite, whose laws are known by enumeration; fitted to a device's number
 * formats, and spoilt in known ways for power computations and negative controls.
 */
#ifndef PBIT_SRC_CHECK_MACHINE_H
#define PBIT_SRC_CHECK_MACHINE_H

#include <stdbool.h>
#include <pbit/pbit.h>

#define PBIT__CHECK_PBITS  12u
#define PBIT__CHECK_STATES (1u << PBIT__CHECK_PBITS)
#define PBIT__CHECK_EDGES  (PBIT__CHECK_PBITS * (PBIT__CHECK_PBITS - 1) / 2)

struct pbit__check_edge {
	uint32_t i, j;
	double J;
};

struct pbit__check_machine {
	const char *name;
	uint32_t n, n_edges;
	struct pbit__check_edge edge[PBIT__CHECK_EDGES];
	double h[PBIT__CHECK_PBITS];
	double beta;
};

void pbit__check_machine_couple(struct pbit__check_machine *m, uint32_t i, uint32_t j, double J);

/*
 * Makes it what the device can hold: J, h and beta together scaled by a power of two, then rounded to the
 * formats. False where beta cannot be held, or no coupling.
 */
bool pbit__check_machine_fit(struct pbit__check_machine *m, const struct pbit_caps *caps);

/* The largest power of two by which magnitudes up to J and h may grow, with beta shrinking by as much. */
double pbit__check_scale(const struct pbit_caps *caps, double J, double h, double beta);
double pbit__check_round(const struct pbit_caps *caps, uint64_t stated,
			 const struct pbit_format *format, double value);
bool pbit__check_holds(const struct pbit_caps *caps, uint64_t stated,
		       const struct pbit_format *format, double value);

/* Couplings and biases rounded to a grid of 2^(bits - 1) - 1 steps up to the largest. */
void pbit__check_machine_requantise(struct pbit__check_machine *m, unsigned bits);

/* The same without coupling k. */
void pbit__check_machine_drop(struct pbit__check_machine *m, uint32_t k);

/* As an object of the library; 0, -ENOMEM and the like. */
int pbit__check_machine_make(const struct pbit__check_machine *m, struct pbit_bm **bm);

/* Catalogue: machine number k, false past the end. Fixed, whatever the seed. */
bool pbit__check_machine_get(uint32_t k, struct pbit__check_machine *m);
void pbit__check_machine_free_spins(struct pbit__check_machine *m, uint32_t n);
void pbit__check_machine_random(struct pbit__check_machine *m, uint32_t n, uint64_t seed);

/* 3 x 4 torus of frustrated plaquettes with a planted ground state, whose energy is *ground. */
void pbit__check_machine_planted(struct pbit__check_machine *m, double *ground);

#endif
