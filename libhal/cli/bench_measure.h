/* SPDX-License-Identifier: Apache-2.0 */
/* Times runs of a model on a device. */
#ifndef PBIT_CLI_BENCH_MEASURE_H
#define PBIT_CLI_BENCH_MEASURE_H

#include <pbit/run.h>

/*
 * Median wall-clock seconds of a run of `batch` images with T = samples, after a warm-up, over at least 3 runs
 * and about `seconds`. inputs holds batch images of n_values codes. -ECANCELED once a
 * signal has come.
 */
int bench_measure(struct pbit_session *session, const uint8_t *inputs, uint64_t n_values,
		  uint32_t batch, uint32_t samples, double seconds, double *median);

#endif
