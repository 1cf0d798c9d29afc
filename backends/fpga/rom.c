/* SPDX-License-Identifier: Apache-2.0 */
/* What a card says of itself: checked, and as capabilities. */
#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "machine.h"

#define REPLICAS (1u << 20)

/* IEEE 802.3, bit by bit: 256 bytes, once. */
static uint32_t crc32(const uint8_t *data, size_t bytes)
{
	uint32_t crc = ~0u;

	while (bytes--) {
		crc ^= *data++;
		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static const char *nonsense(const struct pbit_card_rom *rom)
{
	const uint32_t flags = le32toh(rom->flags), bits = le32toh(rom->coupling_bits);
	const uint32_t queues = le32toh(rom->n_queues);

	if (!queues || queues > PBIT_CARD_MAX_QUEUES)
		return "number of queues";
	if (!le64toh(rom->memory_size) || le64toh(rom->memory_size) > 1ull << 48)
		return "size of the memory";
	if (!le32toh(rom->max_samples) || !le64toh(rom->max_work))
		return "no samples or no work at all";
	if (!(flags & (PBIT_CARD_LAYER | PBIT_CARD_BOLTZMANN)))
		return "neither layers nor Boltzmann machines";
	if ((flags & PBIT_CARD_LAYER) &&
	    (!le32toh(rom->max_inputs) || !le32toh(rom->max_outputs) ||
	     le32toh(rom->max_inputs) > 1u << 24 || le32toh(rom->max_outputs) > 1u << 24))
		return "inputs or outputs of a layer";
	if ((flags & PBIT_CARD_BOLTZMANN) &&
	    (!le32toh(rom->max_pbits) || !(le32toh(rom->orders) & 7) || bits < 2 || bits > 32))
		return "p-bits, update orders or width of couplings";
	return NULL;
}

int card_rom_check(const struct pbit_card_rom *rom, bool crc, const char *where)
{
	static const char what[] = "cannot open device";
	const uint32_t version = le32toh(rom->version);
	struct pbit_card_rom copy = *rom;
	const char *wrong;

	copy.crc32 = 0;
	if (le32toh(rom->id) != PBIT_CARD_ID)
		return pbit_fail(-EPROTO, PBIT_ERR_DEVICE, what, where, NULL,
				 "not a p-bit card: its feature ROM begins with %08x",
				 le32toh(rom->id));
	if (version >> 16 != PBIT_CARD_MAJOR)
		return pbit_fail(-EPROTO, PBIT_ERR_VERSION, what, where,
				 "bring libpbit and the card's firmware to matching versions",
				 "the card speaks version %u.%u, this library accepts %u.x",
				 version >> 16, version & 0xffff, PBIT_CARD_MAJOR);
	if (crc && crc32((const uint8_t *)&copy, sizeof(copy)) != le32toh(rom->crc32))
		return pbit_fail(-EPROTO, PBIT_ERR_DEVICE, what, where,
				 "reload the card's firmware",
				 "the feature ROM is damaged: its CRC is wrong");
	wrong = nonsense(rom);
	if (wrong)
		return pbit_fail(-EPROTO, PBIT_ERR_DEVICE, what, where,
				 "reload the card's firmware", "the feature ROM makes no sense: %s",
				 wrong);
	return 0;
}

/* A machine's states are copied before they are updated. */
bool card_has_boltzmann(const struct card *card)
{
	const uint32_t need = PBIT_CARD_BOLTZMANN | PBIT_CARD_COPY;

	return (le32toh(card->link->rom.flags) & need) == need;
}

static void state_flags(const struct card *card, struct pbit_caps *caps)
{
	static const uint32_t pairs[][2] = {
		{PBIT_CARD_LAYER, PBIT_FLAG_LAYERS},
		{PBIT_CARD_DIRECTED, PBIT_FLAG_DIRECTED},
		{PBIT_CARD_CLAMP, PBIT_FLAG_CLAMP},
		{PBIT_CARD_CONTRACT, PBIT_FLAG_CONTRACT},
		{PBIT_CARD_SEEDABLE, PBIT_FLAG_SEEDABLE},
		{PBIT_CARD_SIMULATED, PBIT_FLAG_SIMULATED},
	};
	const uint32_t flags = le32toh(card->link->rom.flags);

	caps->flags = PBIT_FLAG_REPORTS;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (flags & pairs[i][0])
			caps->flags |= pairs[i][1];
	if (card_has_boltzmann(card))
		caps->flags |= PBIT_FLAG_BOLTZMANN;
}

static void state_layers(const struct pbit_card_rom *rom, struct pbit_caps *caps)
{
	caps->stated |= PBIT_CAP_PBITS | PBIT_CAP_FAN_IN | PBIT_CAP_WEIGHT_BITS;
	caps->pbits = le32toh(rom->max_outputs);
	caps->fan_in = le32toh(rom->max_inputs);
	caps->weight_bits = le32toh(rom->weight_bits) & 0x8b;
	caps->layer_types = 1u << PBIT_DENSE;
	caps->activations = 1u << PBIT_ACT_PBIT | 1u << PBIT_ACT_LINEAR | 1u << PBIT_ACT_SIGMOID;
}

/* One number is stated for both modes; where the layers' is the larger, none: we refuse then. */
static void state_size(uint32_t mode, uint64_t machine, uint64_t *value, uint64_t bit,
		       struct pbit_caps *caps)
{
	if ((mode & PBIT_FLAG_LAYERS) && *value > machine)
		caps->stated &= ~bit;
	else
		caps->stated |= bit;
	*value = machine;
}

static void state_machines(const struct pbit_card_rom *rom, struct pbit_caps *caps)
{
	const uint32_t bits = le32toh(rom->coupling_bits);
	const struct pbit_format real = {.integer_bits = 255, .min = -1e30, .max = 1e30};
	const struct pbit_format whole = {
		.integer_bits = (uint8_t)(bits - 1),
		.min = -ldexp(1.0, (int)bits - 1),
		.max = ldexp(1.0, (int)bits - 1) - 1,
	};

	caps->stated |= PBIT_CAP_TOPOLOGY | PBIT_CAP_COUPLING | PBIT_CAP_BIAS | PBIT_CAP_BETA |
			PBIT_CAP_ORDERS | PBIT_CAP_REPLICAS;
	state_size(caps->flags, le32toh(rom->max_pbits), &caps->pbits, PBIT_CAP_PBITS, caps);
	state_size(caps->flags, le32toh(rom->max_degree), &caps->fan_in, PBIT_CAP_FAN_IN, caps);
	caps->topology = PBIT_TOPOLOGY_ALL;
	caps->orders = le32toh(rom->orders) & 7;
	/* 32 bits hold the fixed-point form of any machine. */
	caps->coupling = caps->bias = bits == 32 ? real : whole;
	caps->beta = real;
	caps->beta.min = 0.0;
	caps->replicas = REPLICAS;
}

static void cost(uint32_t value, double unit, uint64_t bit, double *to, struct pbit_caps *caps)
{
	if (!value)
		return;
	caps->stated |= bit;
	*to = value * unit;
}

static void state_costs(const struct pbit_card_rom *rom, struct pbit_caps *caps)
{
	const uint32_t fs = le32toh(rom->transfer_fs), aj = le32toh(rom->transfer_aj);

	cost(le32toh(rom->update_fs), 1e-6, PBIT_CAP_COST_UPDATE_NS, &caps->cost_update_ns, caps);
	cost(le32toh(rom->update_aj), 1e-6, PBIT_CAP_COST_UPDATE_PJ, &caps->cost_update_pj, caps);
	cost(fs, 1e-6, PBIT_CAP_COST_READ_NS, &caps->cost_read_ns, caps);
	cost(aj, 1e-6, PBIT_CAP_COST_READ_PJ, &caps->cost_read_pj, caps);
	cost(fs, 1e-6, PBIT_CAP_COST_WRITE_NS, &caps->cost_write_ns, caps);
	cost(aj, 1e-6, PBIT_CAP_COST_WRITE_PJ, &caps->cost_write_pj, caps);
}

/* Text of the card's, which may be anything. */
static void text(char *to, size_t size, const char *from, size_t room)
{
	size_t n = 0;

	for (; n < room && n + 1 < size && from[n]; n++)
		to[n] = from[n] >= ' ' && from[n] <= '~' ? from[n] : '?';
	to[n] = '\0';
}

int card_get_caps(void *priv, struct pbit_caps *caps)
{
	const struct card *card = priv;
	const struct pbit_card_rom *rom = &card->link->rom;

	state_flags(card, caps);
	caps->stated = PBIT_CAP_RANDOM_BITS | PBIT_CAP_RANDOM_SOURCE | PBIT_CAP_MEMORY;
	text(caps->name, sizeof(caps->name), rom->name, sizeof(rom->name));
	text(caps->serial, sizeof(caps->serial), rom->serial, sizeof(rom->serial));
	snprintf(caps->version, sizeof(caps->version), "%s", card->link->version);
	caps->memory = card->link->device_memory;
	if (caps->flags & PBIT_FLAG_LAYERS)
		state_layers(rom, caps);
	if (caps->flags & PBIT_FLAG_BOLTZMANN)
		state_machines(rom, caps);
	caps->random_bits = le32toh(rom->random_bits);
	caps->random_source = le32toh(rom->random_source);
	state_costs(rom, caps);
	return 0;
}

int card_new(struct card_link *link, const char *uri, struct card **out)
{
	struct card *card = calloc(1, sizeof(*card));
	int rc;

	if (htole16(1) != 1) {
		rc = pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, "cannot open device", uri, NULL,
			       "cards speak little-endian, and so must the host");
		goto fail;
	}
	if (card)
		card->cmds = calloc(link->max_commands, sizeof(*card->cmds));
	if (!card || !card->cmds) {
		rc = pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot open device", uri, NULL,
			       "out of memory");
		goto fail;
	}
	card->link = link;
	*out = card;
	return 0;
fail:
	link->ops->close(link);
	free(card);
	return rc;
}

void card_close(void *priv)
{
	struct card *card = priv;

	card_machine_free(card, card->machine);
	card_buffer_free(card, &card->stage);
	card->link->ops->close(card->link);
	free(card->cmds);
	free(card);
}
