/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules, for what runs along one. */
#ifndef PBIT_SRC_BOLTZMANN_SCHEDULE_H
#define PBIT_SRC_BOLTZMANN_SCHEDULE_H

#include <pbit/solve.h>

/*
 * Copies a caller's schedule and checks it; *sweeps gets its length. Steps stay the caller's.
 * -EINVAL.
 */
int pbit__schedule_read(const char *what, const struct pbit_schedule *given,
			struct pbit_schedule *own, uint64_t *sweeps);

/* Of a schedule that was read, for a sweep before its end. */
double pbit__schedule_at(const struct pbit_schedule *schedule, uint64_t sweep, uint64_t *run);

#endif
