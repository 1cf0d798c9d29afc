/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of the vfio-user protocol, version 0.0, as QEMU speaks it: a header, a body in the
 * machine's byte order, descriptors beside the header.
 */
#ifndef PBIT_CARD_WIRE_H
#define PBIT_CARD_WIRE_H

#include <stdint.h>

enum wire_command {
	WIRE_VERSION = 1,
	WIRE_DMA_MAP = 2,
	WIRE_DMA_UNMAP = 3,
	WIRE_DEVICE_INFO = 4,
	WIRE_REGION_INFO = 5,
	WIRE_REGION_IO_FDS = 6,
	WIRE_IRQ_INFO = 7,
	WIRE_SET_IRQS = 8,
	WIRE_REGION_READ = 9,
	WIRE_REGION_WRITE = 10,
	WIRE_DMA_READ = 11,
	WIRE_DMA_WRITE = 12,
	WIRE_DEVICE_RESET = 13,
	WIRE_DIRTY_PAGES = 14,
};

#define WIRE_TYPE     0xfu
#define WIRE_REPLY    0x1u
#define WIRE_NO_REPLY 0x10u
#define WIRE_ERROR    0x20u

struct wire_header {
	uint16_t id;
	uint16_t command;
	uint32_t size; /* with the header */
	uint32_t flags;
	uint32_t error; /* errno, where flags have WIRE_ERROR */
};

struct wire_version {
	uint16_t major, minor; /* JSON follows, with its NUL */
};

#define WIRE_MAP_READ  1u
#define WIRE_MAP_WRITE 2u

struct wire_dma_map {
	uint32_t argsz, flags;
	uint64_t offset; /* in the descriptor's file */
	uint64_t iova, size;
};

#define WIRE_UNMAP_BITMAP 1u
#define WIRE_UNMAP_ALL	  2u

struct wire_dma_unmap {
	uint32_t argsz, flags;
	uint64_t iova, size;
};

struct wire_region_access {
	uint64_t offset;
	uint32_t region, count; /* data follow */
};

struct wire_dma_access {
	uint64_t address, count; /* data follow */
};

/* What we take and send at most in one message, without header and the access's own fields. */
#define WIRE_DATA_MAX (1u << 20)
#define WIRE_BODY_MAX (WIRE_DATA_MAX + 4096u)
#define WIRE_FDS_MAX  32u

#endif
