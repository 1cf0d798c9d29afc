// SPDX-License-Identifier: Apache-2.0
/* The feature ROM: what the plan says, at the cost of a modest accelerator. */
#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include "card.h"

/* What the modelled card does in a cycle. */
#define MACS_PER_CYCLE	  512u
#define UPDATES_PER_CYCLE 8u
#define MAC_AJ		  200000u  /* 0.2 pJ */
#define UPDATE_AJ	  2000000u /* 2 pJ */
#define TRANSFER_FS	  31250u   /* 4 GB/s */
#define TRANSFER_AJ	  5000000u /* 5 pJ a bit */

void vcard_plan_init(struct card_plan *plan)
{
	*plan = (struct card_plan){
		.memory = 64ull << 20,
		.queues = 2,
		.pbits = 1u << 16,
		.degree = 1u << 16,
		.inputs = 1u << 16,
		.outputs = 1u << 16,
		.samples = 1u << 20,
		.weight_bits = 1u << 0 | 1u << 1 | 1u << 3 | 1u << 7,
		.work = 1ull << 31,
		.clock_khz = 200000,
		.name = "virtual p-bit card",
		.serial = "0001",
		.rom_offset = ~0u,
	};
}

static u32 flags(const struct card_plan *plan)
{
	const u32 f = PBIT_CARD_LAYER | PBIT_CARD_BOLTZMANN | PBIT_CARD_DIRECTED | PBIT_CARD_CLAMP |
		      PBIT_CARD_SEEDABLE | PBIT_CARD_SIMULATED | PBIT_CARD_COPY;

	return plan->sequential ? f : f | PBIT_CARD_CONTRACT;
}

static void set_checksum(struct pbit_card_rom *rom)
{
	rom->crc32 = 0;
	rom->crc32 = htole32((u32)crc32(0, (const u8 *)rom, sizeof(*rom)));
}

/* A ROM that contradicts itself with a valid checksum. */
static void patch(const struct card_plan *plan, struct pbit_card_rom *rom)
{
	const u32 word = htole32(plan->rom_value);

	if (plan->rom_offset > sizeof(*rom) - sizeof(word))
		return;
	memcpy((u8 *)rom + plan->rom_offset, &word, sizeof(word));
	if (plan->rom_offset != offsetof(struct pbit_card_rom, crc32))
		set_checksum(rom);
}

/* Femtoseconds of a cycle; 1 kHz makes 10^12. */
static u32 cycle_fs(const struct card_plan *plan, u32 per_cycle)
{
	const u64 fs = 1000000000000ull / plan->clock_khz / per_cycle;

	return fs > UINT32_MAX ? UINT32_MAX : (u32)(fs ? fs : 1);
}

void vcard_rom(const struct card_plan *plan, struct pbit_card_rom *rom)
{
	*rom = (struct pbit_card_rom){
		.id = htole32(PBIT_CARD_ID),
		.version = htole32(PBIT_CARD_MAJOR << 16 | PBIT_CARD_MINOR),
		.size = htole32(sizeof(*rom)),
		.flags = htole32(flags(plan)),
		.n_queues = htole32(plan->queues),
		.memory_size = htole64(plan->memory),
		.max_inputs = htole32(plan->inputs),
		.max_outputs = htole32(plan->outputs),
		.max_pbits = htole32(plan->pbits),
		.max_degree = htole32(plan->degree),
		.max_samples = htole32(plan->samples),
		.weight_bits = htole32(plan->weight_bits),
		.code_bits = htole32(1u << 7 | 1u << 15),
		.orders = htole32(7),
		.coupling_bits = htole32(32),
		.random_source = htole32(plan->sequential ? PBIT_CARD_RANDOM_SEQUENTIAL
							  : PBIT_CARD_RANDOM_COUNTER),
		.random_bits = htole32(24),
		.clock_khz = htole32(plan->clock_khz),
		.max_work = htole64(plan->work),
		.update_fs = htole32(cycle_fs(plan, UPDATES_PER_CYCLE)),
		.update_aj = htole32(UPDATE_AJ),
		.mac_fs = htole32(cycle_fs(plan, MACS_PER_CYCLE)),
		.mac_aj = htole32(MAC_AJ),
		.transfer_fs = htole32(TRANSFER_FS),
		.transfer_aj = htole32(TRANSFER_AJ),
	};
	memcpy(rom->name, plan->name, sizeof(rom->name));
	memcpy(rom->serial, plan->serial, sizeof(rom->serial));
	set_checksum(rom);
	patch(plan, rom);
}
