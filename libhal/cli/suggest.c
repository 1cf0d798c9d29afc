/* SPDX-License-Identifier: Apache-2.0 */
/* Nearest known word by edit distance, with neighbouring letters swapped counted once. */
#include "suggest.h"

#include <string.h>

#define WORD_MAX 32u

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned row[3][WORD_MAX + 1];

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (unsigned j = 0; j <= lb; j++)
		row[0][j] = j;
	for (unsigned i = 1; i <= la; i++) {
		unsigned *now = row[i % 3], *before = row[(i + 2) % 3];
		const unsigned *two_before = row[(i + 1) % 3];

		now[0] = i;
		for (unsigned j = 1; j <= lb; j++) {
			now[j] = least(least(before[j] + 1, now[j - 1] + 1),
				       before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], two_before[j - 2] + 1);
		}
	}
	return row[la % 3][lb];
}

const char *suggest(const char *word, const char *const *known, size_t n)
{
	const char *best = NULL;
	unsigned best_distance = WORD_MAX;
	size_t length = strlen(word);

	for (size_t i = 0; i < n; i++) {
		unsigned d = distance(word, known[i]);

		/* The beginning of a word is as good as one slip. */
		if (length >= 3 && !strncmp(word, known[i], length))
			d = 1;
		if (d < best_distance) {
			best_distance = d;
			best = known[i];
		}
	}
	return best && best_distance <= 1 + length / 4 ? best : NULL;
}
