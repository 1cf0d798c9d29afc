/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Boltzmann machine an application builds: a list of couplings and a bias for each p-bit,
 * checked as they come, counted by reference, and fixed once a device holds them.
 */
#include "boltzmann/bm.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>

static int fail_null(const char *what, const char *where)
{
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, where, NULL, "the pointer is NULL");
}

static int fail_memory(const char *what)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, NULL, NULL, "out of memory");
}

int pbit_bm_new(uint32_t n, struct pbit_bm **out)
{
	static const char what[] = "cannot make a Boltzmann machine";
	struct pbit_bm *bm;

	if (!out)
		return fail_null(what, "bm");
	if (n < 1 || n > PBIT__BM_MAX_PBITS)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "n", NULL,
				 "%u p-bits are asked for, 1 to %u are possible", n,
				 PBIT__BM_MAX_PBITS);
	bm = calloc(1, sizeof(*bm));
	if (!bm)
		return fail_memory(what);
	bm->h = calloc(n, sizeof(*bm->h));
	if (!bm->h)
		goto free_bm;
	if (pthread_mutex_init(&bm->lock, NULL))
		goto free_h;
	bm->n = n;
	atomic_init(&bm->refs, 1);
	atomic_init(&bm->frozen, false);
	*out = bm;
	return 0;
free_h:
	free(bm->h);
free_bm:
	free(bm);
	return fail_memory(what);
}

struct pbit_bm *pbit_bm_get(struct pbit_bm *bm)
{
	if (bm)
		atomic_fetch_add_explicit(&bm->refs, 1, memory_order_relaxed);
	return bm;
}

void pbit_bm_put(struct pbit_bm *bm)
{
	if (!bm || atomic_fetch_sub_explicit(&bm->refs, 1, memory_order_acq_rel) != 1)
		return;
	pbit__bm_drop_rows(bm);
	pbit__pair_set_clear(&bm->pairs);
	pthread_mutex_destroy(&bm->lock);
	free(bm->list);
	free(bm->h);
	free(bm);
}

void pbit__bm_freeze(struct pbit_bm *bm)
{
	atomic_store(&bm->frozen, true);
}

uint32_t pbit_bm_size(const struct pbit_bm *bm)
{
	return bm ? bm->n : 0;
}

uint64_t pbit_bm_couplings(const struct pbit_bm *bm)
{
	return bm ? bm->count : 0;
}

static int check_changeable(const struct pbit_bm *bm, const char *what)
{
	if (!bm)
		return fail_null(what, "bm");
	if (atomic_load(&bm->frozen))
		return pbit_fail(-EBUSY, PBIT_ERR_ARGUMENT, what, "bm",
				 "build another machine and program that",
				 "the machine has been programmed on a device and is fixed");
	return 0;
}

static int check_index(const struct pbit_bm *bm, const char *what, const char *name, uint32_t i)
{
	if (i < bm->n)
		return 0;
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, name, "p-bits count from 0",
			 "p-bit %u is asked for, the machine has %u", i, bm->n);
}

static int check_value(const char *what, const char *where, double value)
{
	if (fabs(value) <= PBIT__BM_LARGEST)
		return 0;
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, where, NULL,
			 "the value is %g, it must be a number between -%g and %g", value,
			 PBIT__BM_LARGEST, PBIT__BM_LARGEST);
}

/* Room for one more coupling. */
static int reserve(struct pbit_bm *bm)
{
	uint64_t capacity = bm->capacity + bm->capacity / 2 + 16;
	void *list;

	if (bm->count < bm->capacity)
		return 0;
	if (capacity > SIZE_MAX / sizeof(*bm->list))
		return -ENOMEM;
	list = realloc(bm->list, capacity * sizeof(*bm->list));
	if (!list)
		return -ENOMEM;
	bm->list = list;
	bm->capacity = capacity;
	return 0;
}

/* A dense matrix leaves the set behind; the first pair added after it fills it up. */
static int fill_pairs(struct pbit_bm *bm)
{
	while (bm->pairs.used < bm->count) {
		const struct pbit__coupling *c = &bm->list[bm->pairs.used];
		int rc = pbit__pair_set_add(&bm->pairs, c->i, c->j);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int pbit_bm_add_coupling(struct pbit_bm *bm, uint32_t i, uint32_t j, double value)
{
	static const char what[] = "cannot add the coupling";
	uint32_t low = i < j ? i : j, high = i < j ? j : i;
	int rc;

	rc = check_changeable(bm, what);
	if (rc)
		return rc;
	rc = check_index(bm, what, "i", i);
	if (rc)
		return rc;
	rc = check_index(bm, what, "j", j);
	if (rc)
		return rc;
	if (i == j)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "j",
				 "use pbit_bm_set_bias() for a field on one p-bit",
				 "p-bit %u would be coupled to itself", i);
	rc = check_value(what, "value", value);
	if (rc)
		return rc;
	if (reserve(bm) || fill_pairs(bm))
		return fail_memory(what);
	rc = pbit__pair_set_add(&bm->pairs, low, high);
	if (rc < 0)
		return fail_memory(what);
	if (!rc)
		return pbit_fail(-EEXIST, PBIT_ERR_ARGUMENT, what, NULL,
				 "add up the terms of a pair before",
				 "p-bits %u and %u are coupled already", low, high);
	bm->list[bm->count++] = (struct pbit__coupling){low, high, value};
	pbit__bm_drop_rows(bm);
	return 0;
}

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static int fail_dense(const char *what, const double *J, uint32_t n, uint32_t i, uint32_t j)
{
	double below = J[(size_t)i * n + j], above = J[(size_t)j * n + i];
	char where[48];

	snprintf(where, sizeof(where), "J[%u][%u]", i, j);
	if (!(fabs(below) <= PBIT__BM_LARGEST))
		return check_value(what, where, below);
	if (i == j)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, where,
				 "use pbit_bm_set_bias() for a field on one p-bit",
				 "it is %.17g, the diagonal must be 0", below);
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, where,
			 "pass (J + transposed J)/2 where the energy is what counts",
			 "it is %.17g but J[%u][%u] is %.17g: J must be symmetric bit by bit",
			 below, j, i, above);
}

/* Checks the matrix whole, before anything is replaced, and counts its couplings. */
static int check_dense(const char *what, const double *J, uint32_t n, uint64_t *count)
{
	*count = 0;
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j <= i; j++) {
			double below = J[(size_t)i * n + j], above = J[(size_t)j * n + i];

			if (!(fabs(below) <= PBIT__BM_LARGEST) || (i == j && below != 0.0) ||
			    (i != j && bits_of(below) != bits_of(above)))
				return fail_dense(what, J, n, i, j);
			*count += below != 0.0;
		}
	}
	return 0;
}

int pbit_bm_set_dense(struct pbit_bm *bm, const double *J)
{
	static const char what[] = "cannot set the couplings";
	struct pbit__coupling *list;
	uint64_t count, k = 0;
	int rc;

	rc = check_changeable(bm, what);
	if (rc)
		return rc;
	if (!J)
		return fail_null(what, "J");
	rc = check_dense(what, J, bm->n, &count);
	if (rc)
		return rc;
	list = calloc(count ? count : 1, sizeof(*list));
	if (!list)
		return fail_memory(what);
	for (uint32_t i = 0; i < bm->n; i++) {
		for (uint32_t j = i + 1; j < bm->n; j++) {
			double value = J[(size_t)i * bm->n + j];

			if (value != 0.0)
				list[k++] = (struct pbit__coupling){i, j, value};
		}
	}
	free(bm->list);
	bm->list = list;
	bm->count = count;
	bm->capacity = count ? count : 1;
	pbit__pair_set_clear(&bm->pairs);
	pbit__bm_drop_rows(bm);
	return 0;
}

int pbit_bm_set_bias(struct pbit_bm *bm, uint32_t i, double h)
{
	static const char what[] = "cannot set the bias";
	int rc;

	rc = check_changeable(bm, what);
	if (rc)
		return rc;
	rc = check_index(bm, what, "i", i);
	if (rc)
		return rc;
	rc = check_value(what, "h", h);
	if (rc)
		return rc;
	bm->h[i] = h;
	return 0;
}
