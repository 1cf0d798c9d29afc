/* SPDX-License-Identifier: Apache-2.0 */
/*
 * B. Kaufman: Crystal statistics II, Phys. Rev. 76, 1232 (1949): the partition function of an m x n torus
 * is Z = (2 sinh 2K)^(mn/2) / 2 * sum of four products over the momenta,
 *
 *     prod_r 2 cosh(m g_{2r+1} / 2),  prod_r 2 sinh(m g_{2r+1} / 2),  the same with g_{2r},
 *
 * cosh g_l = cosh 2K coth 2K - cos(pi l / n), g_0 = 2K + ln tanh K (which is negative below the
 * transition's K). The energy is -d ln Z / dK.
 */
#include "check/kaufman.h"

#include <math.h>

struct term {
	double log; /* of the size */
	double sign;
	double slope; /* d log / dK */
};

/* g_l and dg_l/dK. */
static double angle(uint32_t L, uint32_t l, double K, double *slope)
{
	double c = cosh(2 * K), s = sinh(2 * K), x, g;

	if (l == 0) {
		*slope = 2 + 2 / s;
		return 2 * K + log(tanh(K));
	}
	x = c * c / s - cos(M_PI * l / L);
	g = acosh(x);
	/* d/dK of cosh^2 2K / sinh 2K */
	*slope = (4 * c - 2 * c * c * c / (s * s)) / sinh(g);
	return g;
}

static struct term product(uint32_t L, double K, uint32_t parity, int use_sinh)
{
	struct term t = {0.0, 1.0, 0.0};

	for (uint32_t r = 0; r < L; r++) {
		double slope, g = angle(L, 2 * r + parity, K, &slope);
		double a = 0.5 * L * g, size = fabs(a);

		/* 2 cosh a = e^|a| (1 + e^-2|a|), 2 sinh a = sign e^|a| (1 - e^-2|a|) */
		if (use_sinh) {
			t.log += size + log(-expm1(-2 * size));
			t.slope += 0.5 * L * slope / tanh(a);
			t.sign = a < 0 ? -t.sign : t.sign;
		} else {
			t.log += size + log1p(exp(-2 * size));
			t.slope += 0.5 * L * slope * tanh(a);
		}
	}
	return t;
}

double pbit__check_kaufman(uint32_t L, double K)
{
	struct term t[4];
	double largest = -INFINITY, sum = 0.0, slope = 0.0, n = (double)L * L;

	for (int k = 0; k < 4; k++) {
		t[k] = product(L, K, k < 2, k % 2);
		largest = fmax(largest, t[k].log);
	}
	for (int k = 0; k < 4; k++) {
		/* The last product changes sign with g_0 at the transition. */
		double size = t[k].sign * exp(t[k].log - largest);

		if (!isfinite(size))
			continue;
		sum += size;
		slope += size * t[k].slope;
	}
	return -(n / tanh(2 * K) + slope / sum) / n;
}
