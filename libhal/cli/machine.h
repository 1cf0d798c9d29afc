/* SPDX-License-Identifier: Apache-2.0 */
/* A Boltzmann machine from a file, with the names of its p-bits, as `pbit sample` and `pbit solve` use it. */
#ifndef PBIT_CLI_MACHINE_H
#define PBIT_CLI_MACHINE_H

#include <stdbool.h>
#include <pbit/boltzmann.h>
#include <pbit/import.h>
#include "json.h"
#include "options.h"

struct machine {
	const char *path;
	struct pbit_bm *bm;
	struct pbit_bm_info info;
	uint32_t n;
	size_t words;		/* of a packed state */
	uint64_t *mask, *value; /* clamps, NULL where there are none */
	uint32_t n_clamped;
};

/* format: NULL to tell by content. 0 or a negative errno with a record; then machine_close(). */
int machine_open(struct machine *machine, const char *path, const char *format);
void machine_close(struct machine *machine);

/* Adds clamps "P=+1", "P=-1", P a label where the file has them, else a number from 0. */
int machine_clamp(struct machine *machine, const struct text_list *clamps);

/* Name of a p-bit; buf has 16 bytes. */
const char *machine_label(const struct machine *machine, uint32_t i, char *buf);

/* Energy in the file's terms. */
double machine_energy(const struct machine *machine, const uint64_t *state);

/* A number that differs from machine to machine: FNV-1a over n, J and h. */
int machine_digest(const struct machine *machine, uint64_t *digest);

/* "--order" by name: PBIT_ORDER_*, 0 with a message. The name of one, of order 0 the device's first. */
uint32_t order_by_name(const char *name);
const char *order_name(const struct pbit_device *dev, uint32_t order);

/* m of p-bit i, -1 or +1. */
static inline int state_bit(const uint64_t *state, uint32_t i)
{
	return state[i / 64] >> (i % 64) & 1 ? 1 : -1;
}

/* Members path, format, n, couplings, offset, clamped of a document. */
void machine_json(struct json *json, const struct machine *machine);

/* The state as members state (-1, +1) and, with labels or variables 0/1, assignment. */
void machine_json_state(struct json *json, const struct machine *machine, const uint64_t *state);

#endif
