/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compressed rows of a Boltzmann machine, built on demand from its lists of couplings, and the
 * view of them for backends. A coupling of 0 is none: it has no entry.
 */
#include "boltzmann/bm.h"

#include <errno.h>
#include <stdlib.h>
#include <pbit/backend.h>
#include "boltzmann/fixed_view.h"
#include "core/args.h"

static void free_rows(struct pbit__rows *rows)
{
	free(rows->row);
	free(rows->col);
	free(rows->J);
	*rows = (struct pbit__rows){0};
}

static int alloc_rows(struct pbit__rows *rows, uint64_t n, uint64_t entries)
{
	/* At least one entry, so that NULL always means out of memory. */
	uint64_t size = entries ? entries : 1;

	rows->row = calloc(n + 1, sizeof(*rows->row));
	rows->col = calloc(size, sizeof(*rows->col));
	rows->J = calloc(size, sizeof(*rows->J));
	if (rows->row && rows->col && rows->J)
		return 0;
	free_rows(rows);
	return -ENOMEM;
}

/* row[i + 1] holds the next free entry of row i while it is filled, and its end after. */
static void put(struct pbit__rows *rows, uint32_t i, uint32_t j, double value)
{
	uint64_t at = rows->row[i + 1]++;

	rows->col[at] = j;
	rows->J[at] = value;
}

/* Sets row[i + 1] to the start of row i, given the degrees in row[i + 1]. */
static void start_rows(uint64_t *row, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t degree = row[i + 1];

		row[i + 1] = sum;
		sum += degree;
	}
}

static uint64_t entries_of(const struct pbit_bm *bm)
{
	uint64_t entries = 0;

	for (uint64_t k = 0; k < bm->pairs.count; k++)
		entries += bm->pairs.entry[k].value != 0.0 ? 2 : 0;
	for (uint64_t k = 0; k < bm->arcs.count; k++)
		entries += bm->arcs.entry[k].value != 0.0;
	return entries;
}

/* Couplings by what they come from (out), and by what they act on (in). */
static void count_degrees(const struct pbit_bm *bm, uint64_t *out, uint64_t *in)
{
	for (uint64_t k = 0; k < bm->pairs.count; k++) {
		const struct pbit__coupling *c = &bm->pairs.entry[k];

		if (c->value == 0.0)
			continue;
		out[c->i + 1]++;
		out[c->j + 1]++;
		in[c->i + 1]++;
		in[c->j + 1]++;
	}
	for (uint64_t k = 0; k < bm->arcs.count; k++) {
		const struct pbit__coupling *c = &bm->arcs.entry[k];

		if (c->value == 0.0)
			continue;
		out[c->i + 1]++;
		in[c->j + 1]++;
	}
}

static void put_all(const struct pbit_bm *bm, struct pbit__rows *out)
{
	for (uint64_t k = 0; k < bm->pairs.count; k++) {
		const struct pbit__coupling *c = &bm->pairs.entry[k];

		if (c->value == 0.0)
			continue;
		put(out, c->i, c->j, c->value);
		put(out, c->j, c->i, c->value);
	}
	for (uint64_t k = 0; k < bm->arcs.count; k++) {
		const struct pbit__coupling *c = &bm->arcs.entry[k];

		if (c->value != 0.0)
			put(out, c->i, c->j, c->value);
	}
}

/*
 * A transposition that walks the rows in order leaves each row in order: one pass by what a
 * coupling comes from, one by what it acts on, sort everything in linear time.
 */
static int build(const struct pbit_bm *bm, struct pbit__rows *built)
{
	struct pbit__rows out = {0}, in = {0};
	uint64_t entries = entries_of(bm);
	int rc;

	rc = alloc_rows(&out, bm->n, entries);
	if (rc)
		return rc;
	rc = alloc_rows(&in, bm->n, entries);
	if (rc)
		goto free_out;
	count_degrees(bm, out.row, in.row);
	start_rows(out.row, bm->n);
	start_rows(in.row, bm->n);
	put_all(bm, &out);
	for (uint32_t i = 0; i < bm->n; i++) {
		for (uint64_t k = out.row[i]; k < out.row[i + 1]; k++)
			put(&in, out.col[k], i, out.J[k]);
	}
	*built = in;
free_out:
	free_rows(&out);
	return rc;
}

static int build_fixed(struct pbit_bm *bm)
{
	uint64_t entries = bm->rows.row[bm->n];
	const struct pbit__real real = {bm->n, bm->rows.row, bm->rows.J, bm->h};
	struct pbit__fixed *f = &bm->fixed;

	if (f->Jq)
		return 0;
	f->Jq = calloc(entries ? entries : 1, sizeof(*f->Jq));
	f->hq = calloc(bm->n, sizeof(*f->hq));
	if (!f->Jq || !f->hq) {
		pbit__bm_drop_fixed(bm);
		return -ENOMEM;
	}
	f->step = pbit__fixed_step(&real, &f->exact);
	pbit__fixed_round(bm->rows.J, entries, f->step, f->Jq);
	pbit__fixed_round(bm->h, bm->n, f->step, f->hq);
	return 0;
}

int pbit__bm_build_rows(struct pbit_bm *bm)
{
	int rc = 0;

	pthread_mutex_lock(&bm->lock);
	if (!bm->rows.row)
		rc = build(bm, &bm->rows);
	pthread_mutex_unlock(&bm->lock);
	return rc;
}

void pbit__bm_drop_fixed(struct pbit_bm *bm)
{
	free(bm->fixed.Jq);
	free(bm->fixed.hq);
	bm->fixed = (struct pbit__fixed){0};
}

void pbit__bm_drop_rows(struct pbit_bm *bm)
{
	free_rows(&bm->rows);
	pbit__bm_drop_fixed(bm);
}

int pbit_bm_view(struct pbit_bm *bm, struct pbit_bm_view *view)
{
	static const char what[] = "cannot view the Boltzmann machine";
	struct pbit_bm_view own = PBIT_INIT(own);
	int rc;

	if (!bm)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "bm", NULL,
				 "the pointer is NULL");
	rc = pbit__bm_build_rows(bm);
	if (!rc) {
		pthread_mutex_lock(&bm->lock);
		rc = build_fixed(bm);
		pthread_mutex_unlock(&bm->lock);
	}
	if (rc)
		return pbit_fail(rc, PBIT_ERR_RESOURCE, what, NULL, NULL,
				 "no memory for the rows of %llu couplings",
				 (unsigned long long)pbit_bm_couplings(bm));
	own.n = bm->n;
	own.row = bm->rows.row;
	own.col = bm->rows.col;
	own.J = bm->rows.J;
	own.h = bm->h;
	own.Jq = bm->fixed.Jq;
	own.hq = bm->fixed.hq;
	own.step = bm->fixed.step;
	own.flags = (bm->fixed.exact ? PBIT_BM_EXACT : 0) | (bm->arcs.count ? PBIT_BM_DIRECTED : 0);
	return pbit__args_write(view, &own, sizeof(own), PBIT__SIZE_TO(struct pbit_bm_view, h),
				what, "view");
}
