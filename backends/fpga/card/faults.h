/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be made to go wrong, from the command line or in mid-job: one table of names serves both.
 */
#ifndef PBIT_CARD_FAULTS_H
#define PBIT_CARD_FAULTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include "model/engine.h"

enum card_lie {
	LIE_NONE,
	LIE_ROM,      /* wrong checksum */
	LIE_COOKIE,   /* of another descriptor */
	LIE_PHASE,    /* neither 0 nor 1 */
	LIE_PROGRESS, /* all ones */
	LIE_STATUS,   /* unknown */
	LIE_TWICE,    /* a completion that nobody asked for */
};

struct card_faults {
	_Atomic s64 hang_after; /* descriptors that still end; -1: all */
	_Atomic s64 dead_after;
	_Atomic u32 late_ms;
	_Atomic u64 bit_error; /* of 2^32 */
	_Atomic u32 stall;     /* 1: nothing goes on, but abort and watchdog are heeded */
	_Atomic u32 lie;       /* enum card_lie */
	_Atomic u32 raise;     /* PBIT_FAULT_* to raise at once */
	_Atomic s32 temperature_mc;
};

void faults_init(struct card_faults *faults);

/* Sets one. On -EINVAL *why tells what would do. */
int faults_set(struct card_faults *faults, const char *name, const char *value, const char **why);

/* Name and summary of the n-th, NULL behind the last. */
const char *faults_name(unsigned int n, const char **summary);

#endif
