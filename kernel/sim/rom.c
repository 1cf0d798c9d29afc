// SPDX-License-Identifier: GPL-2.0-only
/* The feature ROM of a sim device. */
#include <linux/crc32.h>
#include "sim.h"

/* Costs are those of a modest processor; what matters is that they are stated and used. */
#define CLOCK_KHZ   1000000u /* a cycle is a nanosecond */
#define UPDATE_FS   20000000u
#define UPDATE_AJ   2000000000u
#define MAC_FS	    1000000u
#define MAC_AJ	    100000000u
#define TRANSFER_FS 20000u
#define TRANSFER_AJ 5000000u

static u32 flags(const struct pbit_sim_plan *plan)
{
	const u32 f = PBIT_CARD_LAYER | PBIT_CARD_BOLTZMANN | PBIT_CARD_DIRECTED |
		      PBIT_CARD_CLAMP | PBIT_CARD_SIMULATED | PBIT_CARD_COPY;

	return plan->physical ? f : f | PBIT_CARD_CONTRACT | PBIT_CARD_SEEDABLE;
}

static void set_crc(struct pbit_card_rom *rom)
{
	rom->crc32 = 0;
	rom->crc32 = cpu_to_le32(crc32_le(~0u, (const u8 *)rom, sizeof(*rom)) ^ ~0u);
}

/*
 * For tests of what a host makes of it: a word of the ROM is another, the CRC right unless it is
 * that word.
 */
static void lie(const struct pbit_sim_plan *plan, struct pbit_card_rom *rom)
{
	__le32 *words = (__le32 *)rom;

	if (plan->rom_offset >= sizeof(*rom))
		return;
	words[plan->rom_offset / 4] = cpu_to_le32(plan->rom_value);
	if (plan->rom_offset != offsetof(struct pbit_card_rom, crc32))
		set_crc(rom);
}

void pbit_sim_rom(const struct pbit_sim_plan *plan, const char *serial, struct pbit_card_rom *rom)
{
	*rom = (struct pbit_card_rom){
		.id = cpu_to_le32(PBIT_CARD_ID),
		.version = cpu_to_le32(PBIT_CARD_MAJOR << 16 | PBIT_CARD_MINOR),
		.size = cpu_to_le32(sizeof(*rom)),
		.flags = cpu_to_le32(flags(plan)),
		.n_queues = cpu_to_le32(plan->queues),
		.memory_size = cpu_to_le64(plan->memory),
		.max_inputs = cpu_to_le32(plan->inputs),
		.max_outputs = cpu_to_le32(plan->outputs),
		.max_pbits = cpu_to_le32(plan->pbits),
		.max_degree = cpu_to_le32(plan->degree),
		.max_samples = cpu_to_le32(plan->samples),
		.weight_bits = cpu_to_le32(BIT(0) | BIT(1) | BIT(3) | BIT(7)),
		.code_bits = cpu_to_le32(BIT(7) | BIT(15)),
		.orders = cpu_to_le32(7),
		.coupling_bits = cpu_to_le32(32),
		.random_source = cpu_to_le32(plan->physical ? PBIT_CARD_RANDOM_PHYSICAL :
							      PBIT_CARD_RANDOM_COUNTER),
		.random_bits = cpu_to_le32(24),
		.clock_khz = cpu_to_le32(CLOCK_KHZ),
		.max_work = cpu_to_le64(plan->work),
		.update_fs = cpu_to_le32(UPDATE_FS),
		.update_aj = cpu_to_le32(UPDATE_AJ),
		.mac_fs = cpu_to_le32(MAC_FS),
		.mac_aj = cpu_to_le32(MAC_AJ),
		.transfer_fs = cpu_to_le32(TRANSFER_FS),
		.transfer_aj = cpu_to_le32(TRANSFER_AJ),
		.name = "p-bit sim",
	};
	strscpy(rom->serial, serial, sizeof(rom->serial));
	set_crc(rom);
	lie(plan, rom);
}
