/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds in vectors, and the little tables that find draws near one: see lanes_avx512.h. */
#ifdef __x86_64__
#include "lanes_avx512.h"

static uint32_t hash(uint16_t value, uint16_t factor)
{
	return (factor ? (uint32_t)(uint16_t)(value * factor) >> 11 : value) % SLOTS;
}

/* A draw equal to the threshold is decided by it alone where its low bits are 0. */
static bool matters(const struct lanes_type *type, uint32_t c)
{
	return type->t[c] != (uint32_t)type->high[c] << 8;
}

/* Places the thresholds of classes below `count` by their hashes; false where two meet. */
static bool place(const struct lanes_type *type, uint32_t count, uint16_t factor,
		  struct table *table)
{
	bool taken[SLOTS] = {false};
	uint16_t other = 1;

	/* What stands in a slot that is free must have another hash: 0 has hash 0. */
	while (!hash(other, factor))
		other++;
	for (uint32_t s = 0; s < SLOTS; s++)
		table->near[s] = s ? 0 : other;
	for (uint32_t c = 0; c < count; c++) {
		const uint32_t s = hash(type->high[c], factor);

		if (!matters(type, c) || (taken[s] && table->near[s] == type->high[c]))
			continue;
		if (taken[s])
			return false;
		taken[s] = true;
		table->near[s] = type->high[c];
	}
	table->factor = factor;
	return true;
}

static void search(const struct lanes_type *type, uint32_t count, struct table *table)
{
	uint32_t factor = 1;

	/* An odd factor; one that keeps 16 hashes apart is soon found. */
	while (factor < 65536 && !place(type, count, (uint16_t)factor, table))
		factor += 2;
	table->all_near = factor > 65535;
}

/* Are the thresholds of each type in pairs? */
static bool in_pairs(const struct lanes *m)
{
	for (uint32_t k = 0; k < m->n_types; k++) {
		const struct lanes_type *type = &m->types[k];

		for (uint32_t c = 0; c <= type->degree; c++)
			if (type->t[c] + type->t[type->degree - c] != 1u << 24)
				return false;
	}
	return true;
}

void lanes_prepare_avx512(const struct lanes *m)
{
	struct table *tables = m->tables;
	const bool folded = in_pairs(m);

	tables[0].any_factor = false;
	tables[0].folded = folded;
	for (uint32_t k = 0; k < m->n_types; k++) {
		const struct lanes_type *type = &m->types[k];
		const uint32_t count = folded ? tails(type->degree) : type->degree + 1;
		struct table *t = &tables[k];

		for (uint32_t c = 0; c < LANES_CLASSES; c++)
			t->high[c] = _mm512_set1_epi16((short)type->high[c]);
		for (uint32_t c = 0; folded && c < count; c++)
			t->high[count - 1 - c] = _mm512_set1_epi16((short)type->high[c]);
		t->all_near = false;
		if (place(type, count, 0, t))
			continue;
		search(type, count, t);
		tables[0].any_factor = true;
	}
}
#else
typedef int soft_no_lanes_table_avx512;
#endif
