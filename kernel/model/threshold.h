/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Between the parts of the engine: z as bits of binary32, t(z), and decisions. */
#ifndef PBIT_MODEL_THRESHOLD_H
#define PBIT_MODEL_THRESHOLD_H

#include "draw.h"

u32 pbit_engine_z_layer(s64 s, u32 a, u32 c);
u32 pbit_engine_z_sweep(s64 k, u64 scale);
u32 pbit_engine_threshold(u32 z);

/*
 * Does p-bit i, whose draw begins with these 16 bits, become +1? As U < t(z), seldom computing
 * t.
 */
bool pbit_engine_fires(const struct pbit_draw_stream *s, u64 i, u16 high, u32 z);

#endif
