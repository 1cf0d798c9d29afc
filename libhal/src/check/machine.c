/* SPDX-License-Identifier: Apache-2.0 */
/* Machines of the suite: fitted to number formats, spoilt, handed to the library. */
#include "check/machine.h"

#include <math.h>

#define BINARY32 255 /* struct pbit_format.integer_bits */

void pbit__check_machine_couple(struct pbit__check_machine *m, uint32_t i, uint32_t j, double J)
{
	m->edge[m->n_edges++] = (struct pbit__check_edge){i, j, J};
}

static double largest_of(const struct pbit_format *format)
{
	double bound = format->min < format->max ? fmin(-format->min, format->max) : INFINITY;

	if (format->integer_bits == BINARY32)
		return bound;
	return fmin(bound,
		    ldexp(1.0, format->integer_bits) - ldexp(1.0, -(int)format->fraction_bits));
}

bool pbit__check_holds(const struct pbit_caps *caps, uint64_t stated,
		       const struct pbit_format *format, double value)
{
	double high = INFINITY;

	if (!(caps->stated & stated))
		return true;
	if (format->integer_bits != BINARY32)
		high = ldexp(1.0, format->integer_bits) - ldexp(1.0, -(int)format->fraction_bits);
	if (format->min < format->max)
		return value >= format->min && value <= fmin(format->max, high);
	return fabs(value) <= high;
}

double pbit__check_round(const struct pbit_caps *caps, uint64_t stated,
			 const struct pbit_format *format, double value)
{
	double step;

	if (!(caps->stated & stated) || format->integer_bits == BINARY32)
		return (float)value;
	step = ldexp(1.0, -(int)format->fraction_bits);
	return step * rint(value / step);
}

double pbit__check_scale(const struct pbit_caps *caps, double J, double h, double beta)
{
	double room_J = caps->stated & PBIT_CAP_COUPLING ? largest_of(&caps->coupling) : INFINITY;
	double room_h = caps->stated & PBIT_CAP_BIAS ? largest_of(&caps->bias) : INFINITY;
	bool fixed =
		((caps->stated & PBIT_CAP_COUPLING) && caps->coupling.integer_bits != BINARY32) ||
		((caps->stated & PBIT_CAP_BIAS) && caps->bias.integer_bits != BINARY32);
	int e = fixed ? 12 : 0;

	/* As large as the range allows, for the finest grid; beta must stay what the device holds. */
	for (; e > -12; e--) {
		double s = ldexp(1.0, e), scaled = beta / s;

		if (J * s > room_J || h * s > room_h)
			continue;
		if (!pbit__check_holds(caps, PBIT_CAP_BETA, &caps->beta, scaled))
			continue;
		if (fabs(pbit__check_round(caps, PBIT_CAP_BETA, &caps->beta, scaled) / scaled - 1) <
		    0.02)
			return s;
	}
	return 1.0;
}

bool pbit__check_machine_fit(struct pbit__check_machine *m, const struct pbit_caps *caps)
{
	double J = 0.0, h = 0.0, s, largest;

	for (uint32_t k = 0; k < m->n_edges; k++)
		J = fmax(J, fabs(m->edge[k].J));
	for (uint32_t i = 0; i < m->n; i++)
		h = fmax(h, fabs(m->h[i]));
	s = pbit__check_scale(caps, J, h, m->beta);
	/* A machine whose couplings all round to nothing would test nothing. */
	largest = 0.0;
	for (uint32_t k = 0; k < m->n_edges; k++)
		m->edge[k].J = pbit__check_round(caps, PBIT_CAP_COUPLING, &caps->coupling,
						 m->edge[k].J * s);
	for (uint32_t i = 0; i < m->n; i++)
		m->h[i] = pbit__check_round(caps, PBIT_CAP_BIAS, &caps->bias, m->h[i] * s);
	m->beta = pbit__check_round(caps, PBIT_CAP_BETA, &caps->beta, m->beta / s);
	for (uint32_t k = 0; k < m->n_edges; k++)
		largest = fmax(largest, fabs(m->edge[k].J));
	if (m->n_edges && !(largest > 0.0))
		return false;
	return m->beta > 0.0 && pbit__check_holds(caps, PBIT_CAP_BETA, &caps->beta, m->beta);
}

void pbit__check_machine_requantise(struct pbit__check_machine *m, unsigned bits)
{
	double largest = 0.0, step;

	for (uint32_t k = 0; k < m->n_edges; k++)
		largest = fmax(largest, fabs(m->edge[k].J));
	for (uint32_t i = 0; i < m->n; i++)
		largest = fmax(largest, fabs(m->h[i]));
	step = largest / (double)((1u << (bits - 1)) - 1);
	if (!(step > 0.0))
		return;
	for (uint32_t k = 0; k < m->n_edges; k++)
		m->edge[k].J = step * rint(m->edge[k].J / step);
	for (uint32_t i = 0; i < m->n; i++)
		m->h[i] = step * rint(m->h[i] / step);
}

void pbit__check_machine_drop(struct pbit__check_machine *m, uint32_t k)
{
	m->edge[k] = m->edge[--m->n_edges];
}

int pbit__check_machine_make(const struct pbit__check_machine *m, struct pbit_bm **out)
{
	struct pbit_bm *bm;
	int rc = pbit_bm_new(m->n, &bm);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < m->n && !rc; i++)
		rc = pbit_bm_set_bias(bm, i, m->h[i]);
	for (uint32_t k = 0; k < m->n_edges && !rc; k++) {
		/* A coupling that rounds to nothing is none. */
		if (m->edge[k].J != 0.0)
			rc = pbit_bm_add_coupling(bm, m->edge[k].i, m->edge[k].j, m->edge[k].J);
	}
	if (rc)
		pbit_bm_put(bm);
	else
		*out = bm;
	return rc;
}
