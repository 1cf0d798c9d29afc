/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of every deadline: CLOCK_MONOTONIC in nanoseconds. */
#ifndef PBIT_SRC_CLOCK_H
#define PBIT_SRC_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t pbit__now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#endif
