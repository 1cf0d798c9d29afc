// SPDX-License-Identifier: Apache-2.0
/* A type 0 header, MSI-X, MSI, power management, PCI Express with function-level reset, serial number. */
#include <endian.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <zlib.h>
#include "card.h"
#include "config.h"

#define LINK (PCI_EXP_LNKCAP_SLS_8_0GB | 4u << 4) /* 8 GT/s, 4 lanes */

static void put16(u8 *at, u32 value)
{
	const u16 v = htole16((u16)value);

	memcpy(at, &v, sizeof(v));
}

static void put32(u8 *at, u32 value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static u16 get16(const u8 *at)
{
	u16 v;

	memcpy(&v, at, sizeof(v));
	return le16toh(v);
}

static void bar(struct config *c, u32 n, u64 size, u32 type)
{
	const u32 at = PCI_BASE_ADDRESS_0 + 4 * n;
	const u64 mask = ~(size - 1);

	put32(c->byte + at, type);
	put32(c->writable + at, (u32)mask & ~0xfu);
	if (type & PCI_BASE_ADDRESS_MEM_TYPE_64)
		put32(c->writable + at + 4, (u32)(mask >> 32));
}

static void header(struct config *c)
{
	put16(c->byte + PCI_VENDOR_ID, PBIT_PCI_VENDOR_ID);
	put16(c->byte + PCI_DEVICE_ID, PBIT_PCI_DEVICE_ID);
	put16(c->byte + PCI_SUBSYSTEM_VENDOR_ID, PBIT_PCI_VENDOR_ID);
	put16(c->byte + PCI_SUBSYSTEM_ID, PBIT_PCI_DEVICE_ID);
	put32(c->byte + PCI_CLASS_REVISION, (u32)PBIT_PCI_CLASS << 8 | PBIT_CARD_MAJOR);
	put16(c->byte + PCI_STATUS, PCI_STATUS_CAP_LIST);
	c->byte[PCI_CAPABILITY_LIST] = CONFIG_MSIX;
	put16(c->writable + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
						 PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
						 PCI_COMMAND_INTX_DISABLE);
	c->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	c->writable[PCI_INTERRUPT_LINE] = 0xff;
	bar(c, PBIT_BAR_REGISTERS, PBIT_REGISTERS_SIZE, PCI_BASE_ADDRESS_MEM_TYPE_32);
	bar(c, PBIT_BAR_MEMORY, c->card->memory_span,
	    PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH);
	bar(c, CONFIG_BAR_MSIX, CONFIG_MSIX_SIZE, PCI_BASE_ADDRESS_MEM_TYPE_32);
}

static void messages(struct config *c)
{
	u8 *msix = c->byte + CONFIG_MSIX, *msi = c->byte + CONFIG_MSI;

	msix[PCI_CAP_LIST_ID] = PCI_CAP_ID_MSIX;
	msix[PCI_CAP_LIST_NEXT] = CONFIG_PM;
	put16(msix + PCI_MSIX_FLAGS, c->card->plan.queues); /* vectors less one */
	put32(msix + PCI_MSIX_TABLE, CONFIG_MSIX_TABLE | CONFIG_BAR_MSIX);
	put32(msix + PCI_MSIX_PBA, CONFIG_MSIX_PBA | CONFIG_BAR_MSIX);
	put16(c->writable + CONFIG_MSIX + PCI_MSIX_FLAGS,
	      PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);

	msi[PCI_CAP_LIST_ID] = PCI_CAP_ID_MSI;
	put16(msi + PCI_MSI_FLAGS, PCI_MSI_FLAGS_64BIT);
	put16(c->writable + CONFIG_MSI + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE);
	put32(c->writable + CONFIG_MSI + PCI_MSI_ADDRESS_LO, 0xfffffffc);
	put32(c->writable + CONFIG_MSI + PCI_MSI_ADDRESS_HI, 0xffffffff);
	put16(c->writable + CONFIG_MSI + PCI_MSI_DATA_64, 0xffff);
}

static void power(struct config *c)
{
	u8 *pm = c->byte + CONFIG_PM;

	pm[PCI_CAP_LIST_ID] = PCI_CAP_ID_PM;
	pm[PCI_CAP_LIST_NEXT] = CONFIG_EXP;
	put16(pm + PCI_PM_PMC, 3);
	put16(pm + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	c->writable[CONFIG_PM + PCI_PM_CTRL] = PCI_PM_CTRL_STATE_MASK;
}

static void express(struct config *c)
{
	u8 *exp = c->byte + CONFIG_EXP, *serial = c->byte + CONFIG_SERIAL;
	const u32 number =
		(u32)crc32(0, (const u8 *)c->card->plan.serial, sizeof(c->card->plan.serial));

	exp[PCI_CAP_LIST_ID] = PCI_CAP_ID_EXP;
	exp[PCI_CAP_LIST_NEXT] = CONFIG_MSI;
	put16(exp + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4);
	put32(exp + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER | 1 /* 256 bytes */);
	put32(exp + PCI_EXP_LNKCAP, LINK);
	put16(exp + PCI_EXP_LNKSTA, LINK);
	put16(c->writable + CONFIG_EXP + PCI_EXP_DEVCTL, 0xffff & ~PCI_EXP_DEVCTL_BCR_FLR);
	put16(c->writable + CONFIG_EXP + PCI_EXP_LNKCTL, PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_CCC);

	put32(serial, PCI_EXT_CAP_ID_DSN | 1u << 16);
	put32(serial + 4, number);
	put32(serial + 8, (u32)PBIT_PCI_VENDOR_ID << 16 | PBIT_PCI_DEVICE_ID);
}

void config_init(struct config *config, struct card *card)
{
	memset(config, 0, sizeof(*config));
	config->card = card;
	header(config);
	messages(config);
	power(config);
	express(config);
}

/* Master: what the card has in hand of the host's memory is let go before the write is answered. */
static void follow_command(struct config *c)
{
	dma_set_master(&c->card->dma, get16(c->byte + PCI_COMMAND) & PCI_COMMAND_MASTER);
}

void config_reset(struct config *config)
{
	struct card *card = config->card;

	config_init(config, card);
	follow_command(config);
	(void)vcard_reset(card, false);
}

void config_read(const struct config *config, u32 offset, void *to, u32 size)
{
	if (vcard_dead(config->card))
		memset(to, 0xff, size);
	else
		memcpy(to, config->byte + offset, size);
}

void config_write(struct config *config, u32 offset, const void *from, u32 size)
{
	const u32 flr = CONFIG_EXP + PCI_EXP_DEVCTL + 1; /* the byte that has the bit */
	const u8 *data = from;
	bool reset;
	u32 i;

	if (vcard_dead(config->card))
		return;
	for (i = 0; i < size; i++) {
		u8 *byte = &config->byte[offset + i];
		const u8 mask = config->writable[offset + i];

		*byte = (u8)((*byte & ~mask) | (data[i] & mask));
	}
	reset = offset <= flr && flr - offset < size &&
		data[flr - offset] & PCI_EXP_DEVCTL_BCR_FLR >> 8;
	if (reset)
		config_reset(config);
	else
		follow_command(config);
}
