/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities in the terms of the lowering. What is unstated counts as without limit: the device
 * itself refuses what it cannot hold, when it is programmed.
 */
#include <math.h>
#include "lower/lower.h"

#define BINARY32    255
#define MOST_SWEEPS 1000000u

static bool stated(const struct pbit_caps *caps, uint64_t bit)
{
	return caps->stated & bit;
}

static struct pbit__number number(const struct pbit_format *format, bool known)
{
	struct pbit__number n = {0, -HUGE_VAL, HUGE_VAL};
	double bound;

	if (!known)
		return n;
	if (format->min < format->max) {
		n.low = format->min;
		n.high = format->max;
	}
	if (format->integer_bits == BINARY32)
		return n;
	n.step = ldexp(1.0, -(int)format->fraction_bits);
	bound = ldexp(1.0, format->integer_bits);
	n.low = fmax(n.low, -bound);
	n.high = fmin(n.high, bound - n.step);
	return n;
}

double pbit__number_round(const struct pbit__number *n, double step, double x)
{
	double low = ceil(n->low / step), high = floor(n->high / step);

	return fmin(fmax(rint(x / step), low), high) * step;
}

static const char *couplings_missing(const struct pbit_caps *caps)
{
	if (!(caps->flags & PBIT_FLAG_CLAMP))
		return "the device has no clamp mask";
	if (stated(caps, PBIT_CAP_FAN_IN) && !caps->fan_in)
		return "the device's fan-in is 0";
	/* Capabilities do not carry the pairs, so there is nothing to place couplings by. */
	if (stated(caps, PBIT_CAP_TOPOLOGY) && caps->topology == PBIT_TOPOLOGY_GRID)
		return "the device couples a grid only, whose shape it does not state";
	if (stated(caps, PBIT_CAP_TOPOLOGY) && caps->topology == PBIT_TOPOLOGY_LISTED)
		return "the device couples listed pairs only, which it does not state";
	return "";
}

/* A p-bit that decays slower than the device samples needs more than one sweep to be drawn afresh. */
static uint32_t sweeps_needed(const struct pbit_caps *caps)
{
	double sweeps;

	if (!stated(caps, PBIT_CAP_CORRELATION_TIME) || !stated(caps, PBIT_CAP_SAMPLE_INTERVAL) ||
	    !(caps->correlation_time_ns > 0) || !(caps->sample_interval_ns > 0))
		return 1;
	sweeps = ceil(PBIT__DECAY * caps->correlation_time_ns / caps->sample_interval_ns);
	return sweeps < MOST_SWEEPS ? (uint32_t)sweeps : MOST_SWEEPS;
}

void pbit__lower_limits(const struct pbit_caps *caps, struct pbit__lower_limits *limits)
{
	*limits = (struct pbit__lower_limits){
		.pbits = 1u << 26,
		.degree = 1u << 26,
		.contract = caps->flags & PBIT_FLAG_CONTRACT,
		.sweeps = sweeps_needed(caps),
		.directed = caps->flags & PBIT_FLAG_DIRECTED,
		.coupling = number(&caps->coupling, stated(caps, PBIT_CAP_COUPLING)),
		.bias = number(&caps->bias, stated(caps, PBIT_CAP_BIAS)),
		.beta = number(&caps->beta, stated(caps, PBIT_CAP_BETA)),
		.no_couplings = couplings_missing(caps),
	};
	if (limits->beta.low < 0)
		limits->beta.low = 0;
	if (stated(caps, PBIT_CAP_PBITS) && caps->pbits < limits->pbits)
		limits->pbits = caps->pbits;
	if (stated(caps, PBIT_CAP_FAN_IN) && caps->fan_in < limits->degree)
		limits->degree = caps->fan_in;
	if (stated(caps, PBIT_CAP_RANDOM_BITS))
		limits->random_bits = caps->random_bits;
	limits->couples = !*limits->no_couplings;
	if (limits->sweeps > 1)
		limits->contract = false; /* the layer's draw is that of one sweep */
}
