// SPDX-License-Identifier: GPL-2.0-only
/* The feature ROM is the device's word; nothing of it is used before it was looked at here. */
#include <linux/crc32.h>
#include "internal.h"

static u32 rom_crc(const struct pbit_card_rom *rom)
{
	struct pbit_card_rom copy = *rom;

	copy.crc32 = 0;
	return crc32_le(~0u, (const u8 *)&copy, sizeof(copy)) ^ ~0u;
}

static const char *rom_limits(const struct pbit_card_rom *rom)
{
	const u64 memory = le64_to_cpu(rom->memory_size);
	const u32 queues = le32_to_cpu(rom->n_queues);
	const u32 bits = le32_to_cpu(rom->coupling_bits);
	const u32 flags = le32_to_cpu(rom->flags);

	if (queues < 1 || queues > PBIT_CARD_MAX_QUEUES)
		return "number of queues";
	if (memory < PAGE_SIZE || memory % PAGE_SIZE || memory > 1ull << 48)
		return "memory size";
	if (!le32_to_cpu(rom->max_samples) || !le64_to_cpu(rom->max_work))
		return "no samples or no work at all";
	if (flags & PBIT_CARD_LAYER) {
		if (!le32_to_cpu(rom->max_inputs) || !le32_to_cpu(rom->max_outputs))
			return "layers without inputs or outputs";
		if (le32_to_cpu(rom->max_inputs) > 1u << 24 ||
		    le32_to_cpu(rom->max_outputs) > 1u << 24)
			return "layers too large to be true";
	}
	if (flags & PBIT_CARD_BOLTZMANN) {
		if (!le32_to_cpu(rom->max_pbits) || le32_to_cpu(rom->max_pbits) > 1u << 26)
			return "number of p-bits";
		if (!le32_to_cpu(rom->orders))
			return "no update order";
		if (bits < 2 || bits > 32)
			return "width of couplings";
	}
	return NULL;
}

int pbit_rom_check(struct device *dev, const struct pbit_card_rom *rom, size_t size)
{
	const u32 version = le32_to_cpu(rom->version);
	const char *what;

	if (size < sizeof(*rom) || le32_to_cpu(rom->size) < sizeof(*rom)) {
		dev_err(dev, "feature ROM has %u bytes, at least %zu are needed\n",
			le32_to_cpu(rom->size), sizeof(*rom));
		return -EPROTO;
	}
	if (le32_to_cpu(rom->id) != PBIT_CARD_ID) {
		dev_err(dev, "not a p-bit card: feature ROM begins with %08x\n",
			le32_to_cpu(rom->id));
		return -EPROTO;
	}
	if (version >> 16 != PBIT_CARD_MAJOR) {
		dev_err(dev, "card speaks version %u.%u, this driver %u.x: update the driver\n",
			version >> 16, version & 0xffff, PBIT_CARD_MAJOR);
		return -EPROTO;
	}
	if (rom_crc(rom) != le32_to_cpu(rom->crc32)) {
		dev_err(dev, "feature ROM is damaged: CRC %08x, should be %08x\n", rom_crc(rom),
			le32_to_cpu(rom->crc32));
		return -EPROTO;
	}
	what = rom_limits(rom);
	if (what) {
		dev_err(dev, "feature ROM makes no sense: %s\n", what);
		return -EPROTO;
	}
	return 0;
}
