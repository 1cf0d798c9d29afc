/* SPDX-License-Identifier: Apache-2.0 */
/* Version of the library. */
#include <pbit/types.h>

#define TEXT(x)	      #x
#define DOTS(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

const char *pbit_version(void)
{
	return DOTS(PBIT_VERSION_MAJOR, PBIT_VERSION_MINOR, PBIT_VERSION_PATCH);
}
