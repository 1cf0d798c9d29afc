/* SPDX-License-Identifier: Apache-2.0 */
/* Draws of a side with AVX2: the plain loops, compiled for it. */
#ifdef __x86_64__
#include "bipartite_generic.h"

void soft_bipartite_avx2(const struct soft_bipartite_side *s)
{
	bipartite_run(s);
}
#else
typedef int soft_no_avx2;
#endif
