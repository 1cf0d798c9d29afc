/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of a card's memory, in a sorted list: there are few. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "memory.h"

#define PART_ALIGN 4096ull

static int make_room(struct bare_memory *m)
{
	const uint32_t room = m->room ? 2 * m->room : 16;
	struct bare_part *more;

	if (m->n < m->room)
		return 0;
	more = realloc(m->part, room * sizeof(*more));
	if (!more)
		return -ENOMEM;
	m->part = more;
	m->room = room;
	return 0;
}

int bare_memory_take(struct bare_memory *m, uint64_t bytes, uint64_t *at)
{
	uint64_t begin = 0;
	uint32_t i;

	if (make_room(m))
		return -ENOMEM;
	if (bytes > m->size)
		return -ENOSPC;
	bytes = (bytes + PART_ALIGN - 1) / PART_ALIGN * PART_ALIGN;
	for (i = 0; i < m->n && m->part[i].at - begin < bytes; i++)
		begin = m->part[i].at + m->part[i].bytes;
	if (i == m->n && m->size - begin < bytes)
		return -ENOSPC;
	memmove(&m->part[i + 1], &m->part[i], (m->n - i) * sizeof(m->part[0]));
	m->part[i] = (struct bare_part){.at = begin, .bytes = bytes};
	m->n++;
	*at = begin;
	return 0;
}

void bare_memory_give(struct bare_memory *m, uint64_t at)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (m->part[i].at == at) {
			memmove(&m->part[i], &m->part[i + 1], (m->n - i - 1) * sizeof(m->part[0]));
			m->n--;
			return;
		}
}

uint64_t bare_memory_left(const struct bare_memory *m)
{
	uint64_t used = 0;

	for (uint32_t i = 0; i < m->n; i++)
		used += m->part[i].bytes;
	return m->size - used;
}
