/* SPDX-License-Identifier: Apache-2.0 */
/* Dense machines with AVX2: the plain loops, compiled for it. */
#ifdef __x86_64__
#include "dense_generic.h"

void soft_dense_avx2(const struct soft_dense_sweep *s)
{
	dense_run(s);
}
#else
typedef int soft_no_avx2;
#endif
