// SPDX-License-Identifier: Apache-2.0
/* Accesses to BARs and configuration space that come as messages. */
#include <endian.h>
#include <errno.h>
#include <linux/vfio.h>
#include <string.h>
#include "server.h"

u64 region_size(const struct server *server, u32 region)
{
	switch (region) {
	case VFIO_PCI_BAR0_REGION_INDEX + PBIT_BAR_REGISTERS:
		return PBIT_REGISTERS_SIZE;
	case VFIO_PCI_BAR0_REGION_INDEX + PBIT_BAR_MEMORY:
		return server->card->memory_span;
	case VFIO_PCI_BAR0_REGION_INDEX + CONFIG_BAR_MSIX:
		return CONFIG_MSIX_SIZE;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return CONFIG_SIZE;
	default:
		return 0;
	}
}

static bool within(const struct server *server, u32 region, u64 offset, u32 size)
{
	const u64 all = region_size(server, region);

	return size <= all && offset <= all - size;
}

/* Words, and for readers parts of words. */
static void read_registers(struct card *card, u32 offset, u8 *to, u32 size)
{
	while (size) {
		const u32 skip = offset % 4, n = size < 4 - skip ? size : 4 - skip;
		const u32 word = htole32(vcard_read(card, offset - skip));

		memcpy(to, (const u8 *)&word + skip, n);
		offset += n;
		to += n;
		size -= n;
	}
}

/* A part of a word is not written. */
static void write_registers(struct card *card, u32 offset, const u8 *from, u32 size)
{
	u32 word;

	if (offset % 4)
		return;
	for (; size >= 4; size -= 4) {
		memcpy(&word, from, sizeof(word));
		vcard_write(card, offset, le32toh(word));
		offset += 4;
		from += 4;
	}
}

/* The host's machinery keeps the table; what waits is ours to tell. */
static void read_msix(struct card *card, u32 offset, u8 *to, u32 size)
{
	u64 pending;
	u32 i;

	pthread_mutex_lock(&card->lock);
	pending = card->irq.pending;
	pthread_mutex_unlock(&card->lock);
	for (i = 0; i < size; i++) {
		const u32 byte = offset + i - CONFIG_MSIX_PBA;

		to[i] = (u8)(byte < 8 ? pending >> 8 * byte : 0);
	}
}

int region_read(struct server *server, u32 region, u64 offset, u8 *to, u32 size)
{
	struct card *card = server->card;

	if (!within(server, region, offset, size))
		return -EINVAL;
	if (region == VFIO_PCI_CONFIG_REGION_INDEX)
		config_read(&server->config, (u32)offset, to, size);
	else if (vcard_dead(card))
		memset(to, 0xff, size);
	else if (region == PBIT_BAR_REGISTERS)
		read_registers(card, (u32)offset, to, size);
	else if (region == PBIT_BAR_MEMORY)
		memcpy(to, card->memory + offset, size);
	else
		read_msix(card, (u32)offset, to, size);
	return 0;
}

int region_write(struct server *server, u32 region, u64 offset, const u8 *from, u32 size)
{
	struct card *card = server->card;

	if (!within(server, region, offset, size))
		return -EINVAL;
	if (region == VFIO_PCI_CONFIG_REGION_INDEX)
		config_write(&server->config, (u32)offset, from, size);
	else if (region == PBIT_BAR_REGISTERS)
		write_registers(card, (u32)offset, from, size);
	else if (region == PBIT_BAR_MEMORY && !vcard_dead(card))
		memcpy(card->memory + offset, from, size);
	return 0;
}
