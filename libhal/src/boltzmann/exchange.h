/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges of parallel tempering: CONTRACT.md, Randomness, domain 3. */
#ifndef PBIT_SRC_BOLTZMANN_EXCHANGE_H
#define PBIT_SRC_BOLTZMANN_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <pbit/solve.h>

/* Probability of an exchange, D = (beta' - beta)(E' - E). */
double pbit__exchange_probability(enum pbit_exchange rule, double D);

/* Whether slot b and b + 1 of a ladder exchange their states in a round. */
bool pbit__exchange_draw(uint64_t seed, uint64_t ladder, uint64_t b, uint64_t round, double p);

#endif
