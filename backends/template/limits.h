/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the device can do, as its address says it: by this the template stands in for any small
 * Boltzmann machine. Yours has one set of limits, which its capabilities simply state.
 */
#ifndef TEMPLATE_LIMITS_H
#define TEMPLATE_LIMITS_H

#include <stdbool.h>
#include <pbit/backend.h>

struct limits {
	uint64_t pbits;
	uint64_t fan_in;
	uint32_t topology; /* enum pbit_topology */
	uint32_t orders;   /* PBIT_ORDER_* */
	bool clamp;
	bool directed;
	bool contract; /* draws as CONTRACT.md, else by a generator of its own */
	uint64_t seed; /* added to that of each machine */
	struct pbit_format coupling, bias, beta;
};

/* Integer bits of a format without fixed point. */
#define REAL 255

/* From the parameters of an address. -EINVAL with a record. */
int limits_read(struct limits *limits, const struct pbit_uri *uri);

#endif
