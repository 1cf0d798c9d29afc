/* SPDX-License-Identifier: Apache-2.0 */
/* 128 replicas in vectors that any compiler can make. */
#define LANES_VECTOR_BYTES 16
#include "lanes_generic.h"

const struct lanes_kernel lanes_kernel_portable = LANES_KERNEL(0.98);
