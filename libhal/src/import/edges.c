/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of edges under a line of counts: rudy's max-cut graphs ("n m", then "i j [w]" from 1, as the
 * Gset is kept) and the plain Ising form ("n m 0", then "i j J" or "i i h" from 0).
 */
#include <errno.h>
#include <string.h>
#include "import/format.h"

struct edges {
	struct pbit__reader *reader;
	struct pbit__draft *draft;
	uint64_t m; /* lines that the header states */
	uint64_t seen;
	uint64_t first; /* number of the first p-bit */
};

/* A line's first word is there already. */
static int read_index(struct edges *e, const char *name, bool is_first, uint64_t *i)
{
	uint64_t last = e->draft->n - 1 + e->first;
	int err = is_first ? pbit__reader_whole(e->reader, name, UINT64_MAX, i)
			   : pbit__reader_next_whole(e->reader, name, UINT64_MAX, i);

	if (err)
		return err;
	if (*i < e->first || *i > last)
		return pbit__reader_fail(e->reader, -EINVAL, NULL,
					 "%s is %s, out of range: they go from %llu to %llu", name,
					 PBIT__SHOW(e->reader->word), (unsigned long long)e->first,
					 (unsigned long long)last);
	*i -= e->first;
	return 0;
}

/* The weight may be left out in a max-cut graph only. */
static int read_weight(struct edges *e, double *w)
{
	int token = pbit__reader_next(e->reader);

	if (token == PBIT__WORD) {
		int err = pbit__reader_real(e->reader, e->draft->is_cut ? "the weight" : "J", w);

		return err ? err : pbit__reader_end_line(e->reader);
	}
	if (token < 0)
		return token;
	*w = 1;
	if (e->draft->is_cut)
		return 0;
	return pbit__reader_fail(e->reader, -EINVAL, NULL, "the line ends where J is expected");
}

static int read_edge(struct edges *e)
{
	uint64_t i, j, line = e->reader->word_line;
	const char *name = e->draft->is_cut ? "the vertex" : "the p-bit";
	double w;
	int err;

	if (e->seen++ == e->m)
		return pbit__reader_fail(e->reader, -EINVAL, "correct the counts at the top",
					 "one line more than the %llu that the header states",
					 (unsigned long long)e->m);
	err = read_index(e, name, true, &i);
	if (!err)
		err = read_index(e, name, false, &j);
	if (!err && i == j && e->draft->is_cut)
		err = pbit__reader_fail(e->reader, -EINVAL, NULL,
					"vertex %llu would be joined to itself",
					(unsigned long long)(i + e->first));
	if (!err)
		err = read_weight(e, &w);
	return err ? err : pbit__draft_add(e->draft, e->reader, i, j, w, line);
}

static int read_edges(struct edges *e)
{
	int token, err = 0;

	while (!err && (token = pbit__reader_next(e->reader)) != PBIT__END) {
		if (token < 0)
			return token;
		if (token == PBIT__WORD)
			err = read_edge(e);
	}
	if (err || e->seen == e->m)
		return err;
	return pbit__reader_fail(
		e->reader, -EINVAL, "the file may be truncated",
		"the file ends after %llu of the %llu lines that the header states",
		(unsigned long long)e->seen, (unsigned long long)e->m);
}

/* Two counts, and whether a third number, 0, marks the Ising form. */
static int read_header(struct edges *e, bool *is_ising)
{
	struct pbit__reader *reader = e->reader;
	int token, err;

	reader->comment = '#';
	do {
		token = pbit__reader_next(reader);
	} while (token == PBIT__LINE_END);
	if (token == PBIT__END)
		return pbit__reader_fail_whole(reader, -EINVAL, NULL, "the file is empty");
	if (token < 0)
		return token;
	err = pbit__reader_whole(reader, "the number of p-bits", UINT64_MAX, &e->draft->n);
	if (!err)
		err = pbit__draft_check_size(reader, e->draft->n);
	if (!err)
		err = pbit__reader_next_whole(reader, "the number of couplings", UINT64_MAX - 1,
					      &e->m);
	if (err)
		return err;
	token = pbit__reader_next(reader);
	*is_ising = token == PBIT__WORD;
	if (token != PBIT__WORD)
		return token < 0 ? token : 0;
	if (strcmp(reader->word, "0"))
		return pbit__reader_fail(reader, -EINVAL, NULL,
					 "the third count is \"%s\": max-cut graphs (gset) have "
					 "none, the ising form has 0",
					 PBIT__SHOW(reader->word));
	return pbit__reader_end_line(reader);
}

static int read_body(struct edges *e, bool is_cut)
{
	e->draft->is_cut = is_cut;
	e->draft->negate = is_cut;
	e->draft->repeat = PBIT__REPEAT_EQUAL;
	e->draft->place_name = "line";
	e->first = is_cut;
	return read_edges(e);
}

int pbit__import_gset(struct pbit__reader *reader, struct pbit__draft *draft)
{
	struct edges e = {.reader = reader, .draft = draft};
	bool is_ising;
	int err = read_header(&e, &is_ising);

	if (!err && is_ising)
		err = pbit__reader_fail(reader, -EINVAL, "read it as format ising",
					"a third count, which max-cut graphs (gset) do not have");
	return err ? err : read_body(&e, true);
}

int pbit__import_ising(struct pbit__reader *reader, struct pbit__draft *draft)
{
	struct edges e = {.reader = reader, .draft = draft};
	bool is_ising;
	int err = read_header(&e, &is_ising);

	return err ? err : read_body(&e, false);
}

int pbit__import_edges(struct pbit__reader *reader, struct pbit__draft *draft)
{
	struct edges e = {.reader = reader, .draft = draft};
	bool is_ising;
	int err = read_header(&e, &is_ising);

	return err ? err : read_body(&e, !is_ising);
}
