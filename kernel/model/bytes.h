/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Little-endian numbers in memory, and bits counted, in the kernel and outside. */
#ifndef PBIT_MODEL_BYTES_H
#define PBIT_MODEL_BYTES_H

#include "engine.h"

#ifdef __KERNEL__
#include <asm/byteorder.h>
#include <linux/bitops.h>
#include <linux/string.h>

static inline u16 pbit_get16(const void *p)
{
	__le16 v;

	memcpy(&v, p, sizeof(v));
	return le16_to_cpu(v);
}

static inline u32 pbit_get32(const void *p)
{
	__le32 v;

	memcpy(&v, p, sizeof(v));
	return le32_to_cpu(v);
}

static inline u64 pbit_get64(const void *p)
{
	__le64 v;

	memcpy(&v, p, sizeof(v));
	return le64_to_cpu(v);
}

static inline void pbit_put64(void *p, u64 v)
{
	const __le64 le = cpu_to_le64(v);

	memcpy(p, &le, sizeof(le));
}

static inline u32 pbit_ones32(u32 x)
{
	return hweight32(x);
}
#else
#include <endian.h>
#include <string.h>

static inline u16 pbit_get16(const void *p)
{
	u16 v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline u32 pbit_get32(const void *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline u64 pbit_get64(const void *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline void pbit_put64(void *p, u64 v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

static inline u32 pbit_ones32(u32 x)
{
	return (u32)__builtin_popcount(x);
}
#endif

#endif
