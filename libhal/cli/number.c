/* SPDX-License-Identifier: Apache-2.0 */
/* Strict reading of numbers, independent of the locale's conventions. */
#include "number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	uint64_t n = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (__builtin_mul_overflow(n, UINT64_C(10), &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
			return false;
	}
	if (n < min || n > max)
		return false;
	*value = n;
	return true;
}

bool number_parse_real(const char *text, double min, double max, double *value)
{
	char *end;
	double x;

	/* strtod() would also take spaces, hexadecimal, "inf" and "nan". */
	if (!*text || strspn(text, "0123456789.eE+-") != strlen(text))
		return false;
	x = strtod(text, &end);
	if (*end || !isfinite(x) || !(x > min && x < max))
		return false;
	*value = x;
	return true;
}
