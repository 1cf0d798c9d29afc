/* SPDX-License-Identifier: Apache-2.0 */
/* A group's draws, compiled for AVX2. */
#ifdef __x86_64__
#include "draws_lanes.h"

void soft_draw_group_avx2(const struct soft_draw *d, uint64_t sweep, uint64_t chain, uint32_t group,
			  uint16_t high[SOFT_DRAW_GROUP])
{
	soft_draw_lanes(d, sweep, chain, group, high);
}
#else
typedef int soft_no_avx2;
#endif
