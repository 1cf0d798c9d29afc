/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compressed rows of a Boltzmann machine, built on demand from its list of couplings, and
 * what is read off them: the view for backends and the energy of a state.
 */
#include "boltzmann/bm.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <pbit/backend.h>
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

static void count_degrees(const struct pbit_bm *bm, uint64_t *row)
{
	for (uint64_t k = 0; k < bm->count; k++) {
		row[bm->list[k].i + 1]++;
		row[bm->list[k].j + 1]++;
	}
}

/*
 * A symmetric matrix is its own transpose, and a transposition that walks the rows in order
 * leaves each row in order: two passes sort everything in linear time.
 */
static int build(const struct pbit_bm *bm, struct pbit__rows *out)
{
	struct pbit__rows loose = {0}, sorted = {0};
	int rc;

	rc = alloc_rows(&loose, bm->n, 2 * bm->count);
	if (rc)
		return rc;
	rc = alloc_rows(&sorted, bm->n, 2 * bm->count);
	if (rc)
		goto free_loose;
	count_degrees(bm, loose.row);
	count_degrees(bm, sorted.row);
	start_rows(loose.row, bm->n);
	start_rows(sorted.row, bm->n);
	for (uint64_t k = 0; k < bm->count; k++) {
		const struct pbit__coupling *c = &bm->list[k];

		put(&loose, c->i, c->j, c->value);
		put(&loose, c->j, c->i, c->value);
	}
	for (uint32_t i = 0; i < bm->n; i++) {
		for (uint64_t k = loose.row[i]; k < loose.row[i + 1]; k++)
			put(&sorted, loose.col[k], i, loose.J[k]);
	}
	*out = sorted;
free_loose:
	free_rows(&loose);
	return rc;
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

void pbit__bm_drop_rows(struct pbit_bm *bm)
{
	free_rows(&bm->rows);
}

static int fail_rows(const struct pbit_bm *bm, const char *what)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, NULL, NULL,
			 "no memory for the rows of %llu couplings", (unsigned long long)bm->count);
}

int pbit_bm_view(struct pbit_bm *bm, struct pbit_bm_view *view)
{
	static const char what[] = "cannot view the Boltzmann machine";
	struct pbit_bm_view own;

	if (!bm)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "bm", NULL,
				 "the pointer is NULL");
	if (pbit__bm_build_rows(bm))
		return fail_rows(bm, what);
	own = (struct pbit_bm_view){
		.struct_size = sizeof(own),
		.n = bm->n,
		.row = bm->rows.row,
		.col = bm->rows.col,
		.J = bm->rows.J,
		.h = bm->h,
	};
	return pbit__args_write(view, &own, sizeof(own), sizeof(own), what, "view");
}

static int is_up(const uint64_t *state, uint32_t i)
{
	return (int)(state[i / 64] >> (i % 64) & 1);
}

/* One sum: the couplings in order of (i, j), then the biases; its sign changes at the end. */
double pbit_bm_energy(const struct pbit_bm *bm, const uint64_t *state)
{
	static const char what[] = "cannot compute the energy";
	double sum = 0.0;

	if (!bm || !state) {
		pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, bm ? "state" : "bm", NULL,
			  "the pointer is NULL");
		return NAN;
	}
	/* The rows are a cache: building them changes nothing that can be seen. */
	if (pbit__bm_build_rows((struct pbit_bm *)bm)) {
		fail_rows(bm, what);
		return NAN;
	}
	for (uint32_t i = 0; i < bm->n; i++) {
		for (uint64_t k = bm->rows.row[i]; k < bm->rows.row[i + 1]; k++) {
			uint32_t j = bm->rows.col[k];

			if (j > i)
				sum += is_up(state, i) == is_up(state, j) ? bm->rows.J[k]
									  : -bm->rows.J[k];
		}
	}
	for (uint32_t i = 0; i < bm->n; i++)
		sum += is_up(state, i) ? bm->h[i] : -bm->h[i];
	return 0.0 - sum;
}
