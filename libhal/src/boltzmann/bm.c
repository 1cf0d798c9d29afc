/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Boltzmann machine an application builds: biases here, couplings in couple.c and dense.c.
 * Checked as it comes, counted by reference, and fixed once a device holds it.
 */
#include "boltzmann/bm.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
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
	pbit__couplings_clear(&bm->pairs);
	pbit__couplings_clear(&bm->arcs);
	pthread_mutex_destroy(&bm->lock);
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
	return bm ? bm->pairs.count + bm->arcs.count : 0;
}

int pbit__bm_check_changeable(const struct pbit_bm *bm, const char *what)
{
	if (!bm)
		return fail_null(what, "bm");
	if (atomic_load(&bm->frozen))
		return pbit_fail(-EBUSY, PBIT_ERR_ARGUMENT, what, "bm",
				 "build another machine and program that",
				 "the machine has been programmed on a device and is fixed");
	return 0;
}

int pbit__bm_check_index(const struct pbit_bm *bm, const char *what, const char *name, uint32_t i)
{
	if (i < bm->n)
		return 0;
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, name, "p-bits count from 0",
			 "p-bit %u is asked for, the machine has %u", i, bm->n);
}

int pbit__bm_check_value(const char *what, const char *where, double value)
{
	if (fabs(value) <= PBIT__BM_LARGEST)
		return 0;
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, where, NULL,
			 "the value is %g, it must be a number between -%g and %g", value,
			 PBIT__BM_LARGEST, PBIT__BM_LARGEST);
}

int pbit_bm_set_bias(struct pbit_bm *bm, uint32_t i, double h)
{
	static const char what[] = "cannot set the bias";
	int rc;

	rc = pbit__bm_check_changeable(bm, what);
	if (rc)
		return rc;
	rc = pbit__bm_check_index(bm, what, "i", i);
	if (rc)
		return rc;
	rc = pbit__bm_check_value(what, "h", h);
	if (rc)
		return rc;
	bm->h[i] = h;
	pbit__bm_drop_fixed(bm);
	return 0;
}
