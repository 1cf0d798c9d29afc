/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed point s{I}{F} of CONTRACT.md: values out of range are refused, never saturated. */
#include <errno.h>
#include <math.h>

#include <pbit/backend.h>

#define WHAT "cannot convert to fixed point"

int pbit_to_fixed(double x, unsigned integer_bits, unsigned fraction_bits, int32_t *q)
{
	double scaled, limit;

	if (!q)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, NULL, NULL, "q is NULL");
	if (integer_bits > 31 || fraction_bits > 31 || integer_bits + fraction_bits > 31)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, NULL,
				 "use at most 31 integer and fraction bits together",
				 "format s{%u}{%u} needs more than 32 bits", integer_bits,
				 fraction_bits);
	if (isnan(x))
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, NULL, NULL,
				 "the value is not a number");
	scaled = rint(ldexp(x, (int)fraction_bits));
	limit = ldexp(1.0, (int)(integer_bits + fraction_bits));
	if (scaled < -limit || scaled > limit - 1)
		return pbit_fail(-ERANGE, PBIT_ERR_LIMIT, WHAT, NULL, "scale the values down",
				 "%.17g is outside s{%u}{%u}, %.17g to %.17g", x, integer_bits,
				 fraction_bits, -ldexp(1.0, (int)integer_bits),
				 ldexp(limit - 1, -(int)fraction_bits));
	*q = (int32_t)scaled;
	return 0;
}

double pbit_from_fixed(int32_t q, unsigned fraction_bits)
{
	return ldexp((double)q, fraction_bits > 2000 ? -2000 : -(int)fraction_bits);
}
