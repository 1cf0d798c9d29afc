/* SPDX-License-Identifier: Apache-2.0 */
/* Probability and draw of an exchange, the same bit for bit on every machine. */
#include "boltzmann/exchange.h"

#include <math.h>
#include <string.h>
#include <pbit/contract.h>
#include "contract/threshold.h"

/* exp(x) for |x| <= 700 by steps 2 ... 6 of threshold.h, there with x = -z. */
static double fixed_exp(double x)
{
	double y = x * 0x1.71547652b82fep+0;
	double k = (y + PBIT__ROUND_MAGIC) - PBIT__ROUND_MAGIC;

	return ldexp(pbit__exp_taylor((y - k) * 0x1.62e42fefa39efp-1), (int)k);
}

double pbit__exchange_probability(enum pbit_exchange rule, double D)
{
	double x = D > -700.0 ? D : -700.0; /* a NaN, of two infinite energies, becomes -700 */

	x = x < 700.0 ? x : 700.0;
	if (rule == PBIT_EXCHANGE_HEAT_BATH)
		return 1.0 / (1.0 + fixed_exp(-x));
	return x < 0.0 ? fixed_exp(x) : 1.0;
}

bool pbit__exchange_draw(uint64_t seed, uint64_t ladder, uint64_t b, uint64_t round, double p)
{
	const uint64_t key[4] = {seed, PBIT_DOMAIN_EXCHANGE, ladder, 0};
	const uint64_t counter[4] = {b, round, 0, 0};
	uint64_t out[4];

	pbit_threefry(key, counter, out);
	return (double)(out[0] >> 11) * 0x1p-53 < p;
}
