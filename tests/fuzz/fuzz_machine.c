/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the importers of machines: any bytes either are refused with a record or give a machine that
 * can be viewed and whose labels and stages can be read. The first byte picks the format or leaves it to be told.
 * The mutator works on words and lines, and keeps counts at the top in step with the lines below, so
 * that changes get past the header.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>
#include <pbit/import.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static const char *const formats[] = {NULL, "gset", "dimod", "qubo", "ftp", "ising"};

#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

static volatile size_t sink;

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void read_machine(struct pbit_bm *bm, const struct pbit_bm_info *info)
{
	struct pbit_bm_view view = PBIT_INIT(view);
	uint32_t n = pbit_bm_size(bm);

	require(!pbit_bm_view(bm, &view) && view.n == n && n > 0);
	require(view.row[n] == 2 * pbit_bm_couplings(bm));
	for (uint32_t i = 0; i < n; i++) {
		require(fabs(view.h[i]) <= 1e300);
		for (uint64_t k = view.row[i]; k < view.row[i + 1]; k++)
			require(view.col[k] < n && view.col[k] != i && view.J[k] != 0.0 &&
				fabs(view.J[k]) <= 1e300);
		if (info->labels)
			sink += strlen(info->labels[i]);
	}
	for (uint64_t k = 0; k < info->n_stages; k++)
		require(isfinite(info->stages[k].beta));
	require(isfinite(info->offset) && isfinite(info->total_weight));
	sink += strlen(info->name) + strlen(pbit_bm_format_name(info->format));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pbit_bm_info info = PBIT_INIT(info);
	struct pbit_bm *bm = NULL;
	int err;

	if (!size)
		return 0;
	err = pbit_bm_from_memory(data + 1, size - 1, formats[data[0] % N_FORMATS], &bm, &info);
	if (err) {
		require(err == -EINVAL || err == -EOPNOTSUPP || err == -E2BIG);
		require(!bm && !info.memory);
		require(pbit_last_error()->code == err && pbit_last_error()->why[0] &&
			pbit_last_error()->where[0]);
		return 0;
	}
	read_machine(bm, &info);
	pbit_bm_info_free(&info);
	pbit_bm_put(bm);
	return 0;
}

/* Text under change, with room for more. */
struct text {
	char *at;
	size_t length, room;
};

/* Replaces the bytes [from, to) where there is room. */
static void replace(struct text *t, size_t from, size_t to, const char *with)
{
	size_t n = strlen(with);

	if (t->length - (to - from) + n > t->room)
		return;
	memmove(t->at + from + n, t->at + to, t->length - to);
	memcpy(t->at + from, with, n);
	t->length += n - (to - from);
}

static bool is_word(char c)
{
	return c > ' ' && !strchr(",:[]{}\"", c);
}

/* A word becomes one that sits on an edge. */
static void change_word(struct text *t, unsigned int *seed)
{
	static const char *const words[] = {
		"0",	   "1",	    "2",     "3",	   "-1",     "4294967296", "67108864",
		"65537",   "nan",   "1e300", "2e300",	   "1e-320", "-0",	   "factor",
		"bias",	   "spins", "stage", "qubo",	   "c",	     "#",	   "\xff",
		"\"a,b\"", "[]",    "{}",    "\"BINARY\"", "true",   "a",	   "\n"};
	size_t from = t->length ? (size_t)rand_r(seed) % t->length : 0, to;

	while (from < t->length && !is_word(t->at[from]))
		from++;
	while (from > 0 && from < t->length && is_word(t->at[from - 1]))
		from--;
	for (to = from; to < t->length && is_word(t->at[to]);)
		to++;
	replace(t, from, to, words[(size_t)rand_r(seed) % (sizeof(words) / sizeof(words[0]))]);
}

static size_t line_start(const struct text *t, size_t at)
{
	while (at > 0 && t->at[at - 1] != '\n')
		at--;
	return at;
}

static size_t line_end(const struct text *t, size_t at)
{
	while (at < t->length && t->at[at] != '\n')
		at++;
	return at < t->length ? at + 1 : at;
}

/* A line goes, or comes again behind another. */
static void change_line(struct text *t, unsigned int *seed)
{
	size_t at = t->length ? (size_t)rand_r(seed) % t->length : 0;
	size_t from = line_start(t, at), to = line_end(t, at);
	char line[256];

	if (rand_r(seed) % 2) {
		replace(t, from, to, "");
		return;
	}
	if (to - from >= sizeof(line))
		return;
	memcpy(line, t->at + from, to - from);
	line[to - from] = '\0';
	if (strlen(line) < to - from)
		return;
	at = line_start(t, t->length ? (size_t)rand_r(seed) % t->length : 0);
	replace(t, at, at, line);
}

/* The second number at the top, of a list of edges: the lines below that are not empty. */
static void count_lines(struct text *t)
{
	size_t from = 0, to, lines = 0;
	char number[24];

	while (from < t->length && t->at[from] >= '0' && t->at[from] <= '9')
		from++;
	if (!from || from == t->length || t->at[from] != ' ')
		return;
	for (size_t at = line_end(t, 0); at < t->length; at = line_end(t, at))
		lines += t->at[at] != '\n' && t->at[at] != '#';
	for (to = ++from; to < t->length && t->at[to] >= '0' && t->at[to] <= '9';)
		to++;
	snprintf(number, sizeof(number), "%zu", lines);
	replace(t, from, to, number);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct text t = {.at = (char *)data + 1, .length = size - 1, .room = max_size - 1};

	if (size < 2 || rand_r(&seed) % 6 == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	for (int n = 1 + (int)(rand_r(&seed) % 3); n > 0; n--) {
		if (rand_r(&seed) % 3)
			change_word(&t, &seed);
		else
			change_line(&t, &seed);
	}
	if (rand_r(&seed) % 4)
		count_lines(&t);
	return t.length + 1;
}
