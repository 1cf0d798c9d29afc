/* SPDX-License-Identifier: Apache-2.0 */
/* 256 replicas with AVX2. */
#ifdef __x86_64__
#define LANES_VECTOR_BYTES 32
#include "lanes_generic.h"

const struct lanes_kernel lanes_kernel_avx2 = LANES_KERNEL(0.55);
#else
typedef int soft_no_lanes_avx2;
#endif
