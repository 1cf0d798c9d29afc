/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares a Boltzmann machine with what a device states it can do: size, fan-in, topology, number
 * formats, update orders. Only stated values count; what a device leaves unstated (and the shape of
 * a grid or a list of pairs, which capabilities do not carry) is its own to refuse.
 */
#include "boltzmann/fit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define KNOWN_ORDERS                                                             \
	(PBIT_ORDER_SEQUENTIAL | PBIT_ORDER_CHROMATIC | PBIT_ORDER_SYNCHRONOUS | \
	 PBIT_ORDER_ASYNCHRONOUS)
#define BINARY32 255 /* struct pbit_format.integer_bits */

static const char cannot_program[] = "cannot program the machine";

/* Why a value does not fit a format: the text of a record. */
struct misfit {
	const char *why;
	const char *hint;
	char limit[96];
};

static int fits(const struct pbit_format *format, double value, struct misfit *m)
{
	double step = ldexp(1.0, -(int)format->fraction_bits);
	double low = format->min, high = format->max;

	if (format->integer_bits != BINARY32) {
		double bound = ldexp(1.0, format->integer_bits);

		/* The range of the format itself, where the device states none or a wider one. */
		if (!(low < high) || low < -bound)
			low = -bound;
		if (!(format->min < format->max) || high > bound - step)
			high = bound - step;
	}
	if (low < high && !(value >= low && value <= high)) {
		m->why = "it is outside the device's range";
		m->hint = "scale J, h and 1/beta together, or choose a device with a wider range";
		snprintf(m->limit, sizeof(m->limit), "%.9g to %.9g", low, high);
		return 0;
	}
	if (format->integer_bits != BINARY32 && rint(value / step) != value / step) {
		m->why = "the device cannot hold it exactly";
		m->hint = "round it to a multiple of the step first";
		snprintf(m->limit, sizeof(m->limit), "s{%u}{%u}, step %.9g", format->integer_bits,
			 format->fraction_bits, step);
		return 0;
	}
	return 1;
}

static int fail_format(const struct pbit_device *dev, const char *what, const char *name,
		       double value, const struct misfit *m)
{
	return pbit_fail(-ERANGE, PBIT_ERR_LIMIT, what, dev->uri, m->hint, "%s is %.17g: %s (%s)",
			 name, value, m->why, m->limit);
}

int pbit__bm_check_biases(const struct pbit_device *dev, const double *h, uint32_t n)
{
	struct misfit m;
	char name[48];

	if (!(dev->caps.stated & PBIT_CAP_BIAS))
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		if (fits(&dev->caps.bias, h[i], &m))
			continue;
		snprintf(name, sizeof(name), "bias %u", i);
		return fail_format(dev, cannot_program, name, h[i], &m);
	}
	return 0;
}

static int check_couplings(const struct pbit_device *dev, const struct pbit_bm_view *v)
{
	struct misfit m;
	char name[48];

	if (!(dev->caps.stated & PBIT_CAP_COUPLING))
		return 0;
	for (uint32_t i = 0; i < v->n; i++) {
		for (uint64_t k = v->row[i]; k < v->row[i + 1]; k++) {
			if (fits(&dev->caps.coupling, v->J[k], &m))
				continue;
			snprintf(name, sizeof(name), "coupling (%u, %u)", i, v->col[k]);
			return fail_format(dev, cannot_program, name, v->J[k], &m);
		}
	}
	return 0;
}

static int check_size(const struct pbit_device *dev, const struct pbit_bm_view *v)
{
	const struct pbit_caps *caps = &dev->caps;

	if ((caps->stated & PBIT_CAP_PBITS) && v->n > caps->pbits)
		return pbit_fail(-E2BIG, PBIT_ERR_LIMIT, cannot_program, dev->uri,
				 "choose a larger device or split the machine",
				 "it has %u p-bits, the device %llu", v->n,
				 (unsigned long long)caps->pbits);
	if (!(caps->stated & PBIT_CAP_FAN_IN))
		return 0;
	for (uint32_t i = 0; i < v->n; i++) {
		uint64_t degree = v->row[i + 1] - v->row[i];

		if (degree > caps->fan_in)
			return pbit_fail(-E2BIG, PBIT_ERR_LIMIT, cannot_program, dev->uri,
					 "choose a device with a larger fan-in",
					 "p-bit %u has %llu couplings, the device's fan-in is %llu",
					 i, (unsigned long long)degree,
					 (unsigned long long)caps->fan_in);
	}
	return 0;
}

/* Trees of p-bits joined by couplings; odd: on the other side than the parent. */
struct sides {
	uint32_t *parent;
	uint8_t *odd;
};

/* The root of i, *odd: whether i is on the other side. Halves the way for the next time. */
static uint32_t find_root(struct sides *s, uint32_t i, uint8_t *odd)
{
	*odd = 0;
	while (s->parent[i] != i) {
		uint32_t up = s->parent[i];

		s->odd[i] ^= s->parent[up] == up ? 0 : s->odd[up];
		s->parent[i] = s->parent[up];
		*odd ^= s->odd[i];
		i = s->parent[i];
	}
	return i;
}

/* Puts i and j on different sides; false where they are on the same one already. */
static bool part(struct sides *s, uint32_t i, uint32_t j)
{
	uint8_t odd_i, odd_j;
	uint32_t a = find_root(s, i, &odd_i), b = find_root(s, j, &odd_j);

	if (a == b)
		return odd_i != odd_j;
	s->parent[a > b ? a : b] = a > b ? b : a;
	s->odd[a > b ? a : b] = (uint8_t)(1 ^ odd_i ^ odd_j);
	return true;
}

static int split_sides(const struct pbit_device *dev, const struct pbit_bm_view *v,
		       const char *limit, struct sides *s)
{
	for (uint32_t i = 0; i < v->n; i++)
		s->parent[i] = i;
	for (uint32_t i = 0; i < v->n; i++) {
		for (uint64_t k = v->row[i]; k < v->row[i + 1]; k++) {
			if (part(s, i, v->col[k]))
				continue;
			return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, cannot_program, dev->uri,
					 "embed the machine in a graph of two sides, or choose "
					 "another device",
					 "%s, and coupling (%u, %u) closes a ring of odd length",
					 limit, i, v->col[k]);
		}
	}
	return 0;
}

static int check_two_sides(const struct pbit_device *dev, const struct pbit_bm_view *v,
			   const char *limit)
{
	struct sides s = {
		.parent = calloc(v->n, sizeof(*s.parent)),
		.odd = calloc(v->n, sizeof(*s.odd)),
	};
	int rc;

	if (s.parent && s.odd)
		rc = split_sides(dev, v, limit, &s);
	else
		rc = pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, cannot_program, dev->uri, NULL,
			       "no memory to check the topology of %u p-bits", v->n);
	free(s.odd);
	free(s.parent);
	return rc;
}

static int check_directed(const struct pbit_device *dev, const struct pbit_bm_view *v)
{
	if (!(v->flags & PBIT_BM_DIRECTED) || (dev->caps.flags & PBIT_FLAG_DIRECTED))
		return 0;
	return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, cannot_program, dev->uri,
			 "choose a device with directed couplings in its capabilities",
			 "the machine is directed, the couplings of the device act both ways");
}

static int check_topology(const struct pbit_device *dev, const struct pbit_bm_view *v,
			  uint32_t order)
{
	const struct pbit_caps *caps = &dev->caps;

	if ((caps->stated & PBIT_CAP_TOPOLOGY) && caps->topology == PBIT_TOPOLOGY_BIPARTITE)
		return check_two_sides(dev, v, "the device couples two sides (bipartite) only");
	if ((caps->stated & PBIT_CAP_COLOURS) && caps->colours == 2 &&
	    order == PBIT_ORDER_CHROMATIC)
		return check_two_sides(dev, v, "the device updates in two colours");
	return 0;
}

int pbit__bm_check_fit(const struct pbit_device *dev, const struct pbit_bm_view *view,
		       uint32_t order)
{
	int rc = check_directed(dev, view);

	if (!rc)
		rc = check_size(dev, view);
	if (!rc)
		rc = pbit__bm_check_biases(dev, view->h, view->n);
	if (!rc)
		rc = check_couplings(dev, view);
	if (!rc)
		rc = check_topology(dev, view, order);
	return rc;
}

static const char *order_name(uint32_t order)
{
	switch (order) {
	case PBIT_ORDER_SEQUENTIAL:
		return "sequential";
	case PBIT_ORDER_CHROMATIC:
		return "chromatic";
	case PBIT_ORDER_SYNCHRONOUS:
		return "synchronous";
	default:
		return "asynchronous";
	}
}

int pbit__bm_choose_order(const struct pbit_device *dev, uint32_t *order)
{
	uint32_t offered = dev->caps.stated & PBIT_CAP_ORDERS ? dev->caps.orders : 0;
	uint32_t wanted = *order;

	if (!wanted) {
		*order = offered & (~offered + 1u);
		return 0;
	}
	if ((wanted & ~KNOWN_ORDERS) || (wanted & (wanted - 1)))
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, cannot_program, "order",
				 "pass one PBIT_ORDER_ value, or 0 for the device's first",
				 "0x%x is not one update order", wanted);
	if (!(wanted & offered))
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, cannot_program, dev->uri,
				 "see the orders in its capabilities, or pass 0 for its first",
				 "the device does not state the %s update order",
				 order_name(wanted));
	return 0;
}

int pbit__bm_check_beta(const struct pbit_device *dev, const char *what, double beta)
{
	struct misfit m;

	/* 2 * beta must not overflow: infinity times an input of 0 has no value. */
	if (!(beta >= 0.0) || !isfinite(2.0 * beta))
		return pbit_fail(
			-EINVAL, PBIT_ERR_ARGUMENT, what, "beta", NULL,
			"it is %g, an inverse temperature is a finite number of at least 0", beta);
	if ((dev->caps.stated & PBIT_CAP_BETA) && !fits(&dev->caps.beta, beta, &m))
		return fail_format(dev, what, "beta", beta, &m);
	return 0;
}

int pbit__bm_check_step(const struct pbit_device *dev, const char *what, double beta, double step)
{
	if (isfinite(2.0 * beta * step))
		return 0;
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, dev->uri,
			 "scale J and h down and beta up, or choose a smaller beta",
			 "with beta %g inputs are multiples of 2 * beta * %g, which overflows",
			 beta, step);
}
