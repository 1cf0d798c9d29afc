/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Couplings one by one: symmetric ones, terms that are summed up, directed ones. Each pair is
 * looked up first, so that what would be set twice is refused when it comes.
 */
#include "boltzmann/bm.h"

#include <errno.h>
#include <pbit/backend.h>

static int check_pair(const struct pbit_bm *bm, const char *what, const char *const names[2],
		      uint32_t i, uint32_t j, double value)
{
	int rc;

	rc = pbit__bm_check_changeable(bm, what);
	if (rc)
		return rc;
	rc = pbit__bm_check_index(bm, what, names[0], i);
	if (rc)
		return rc;
	rc = pbit__bm_check_index(bm, what, names[1], j);
	if (rc)
		return rc;
	return pbit__bm_check_value(what, "value", value);
}

static int fail_self(const char *what, const char *where, uint32_t i)
{
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, where,
			 "use pbit_bm_set_bias() for a field on one p-bit",
			 "p-bit %u would be coupled to itself", i);
}

static int fail_exists(const char *what, uint32_t i, uint32_t j)
{
	return pbit_fail(-EEXIST, PBIT_ERR_ARGUMENT, what, NULL,
			 "add up the terms of a pair before, or use pbit_bm_add_term()",
			 "p-bits %u and %u are coupled already", i, j);
}

static int fail_arc(const char *what, uint32_t from, uint32_t to)
{
	return pbit_fail(-EEXIST, PBIT_ERR_ARGUMENT, what, NULL,
			 "give both directions as directed couplings",
			 "p-bit %u acts on p-bit %u by a directed coupling already", from, to);
}

/* Both lists are looked up, so both must be indexed. */
static int prepare(struct pbit_bm *bm, const char *what, uint64_t pairs, uint64_t arcs)
{
	int rc = pbit__couplings_prepare(&bm->pairs, pairs);

	if (!rc && (arcs || bm->arcs.count))
		rc = pbit__couplings_prepare(&bm->arcs, arcs);
	if (!rc)
		return 0;
	return pbit_fail(rc, PBIT_ERR_RESOURCE, what, NULL, NULL, "no memory for %llu couplings",
			 (unsigned long long)(pbit_bm_couplings(bm) + pairs + arcs));
}

/* Where a directed coupling is between the two already, either way. */
static int check_no_arc(const struct pbit_bm *bm, const char *what, uint32_t i, uint32_t j)
{
	if (pbit__couplings_find(&bm->arcs, i, j) != PBIT__NO_PAIR)
		return fail_arc(what, i, j);
	if (pbit__couplings_find(&bm->arcs, j, i) != PBIT__NO_PAIR)
		return fail_arc(what, j, i);
	return 0;
}

int pbit_bm_add_coupling(struct pbit_bm *bm, uint32_t i, uint32_t j, double value)
{
	static const char what[] = "cannot add the coupling";
	static const char *const names[2] = {"i", "j"};
	uint32_t low = i < j ? i : j, high = i < j ? j : i;
	int rc;

	rc = check_pair(bm, what, names, i, j, value);
	if (rc)
		return rc;
	if (i == j)
		return fail_self(what, "j", i);
	rc = prepare(bm, what, 1, 0);
	if (rc)
		return rc;
	if (pbit__couplings_find(&bm->pairs, low, high) != PBIT__NO_PAIR)
		return fail_exists(what, low, high);
	rc = check_no_arc(bm, what, low, high);
	if (rc)
		return rc;
	pbit__couplings_append(&bm->pairs, low, high, value);
	pbit__bm_drop_rows(bm);
	return 0;
}

static int check_term(const struct pbit_bm *bm, const char *what, const struct pbit__coupling *t)
{
	uint32_t low = t->i < t->j ? t->i : t->j, high = t->i < t->j ? t->j : t->i;
	uint64_t at;

	if (t->i == t->j)
		return pbit__bm_check_value(what, "the sum with h", bm->h[t->i] + t->value);
	at = pbit__couplings_find(&bm->pairs, low, high);
	if (at == PBIT__NO_PAIR)
		return check_no_arc(bm, what, low, high);
	return pbit__bm_check_value(what, "the sum with J", bm->pairs.entry[at].value + t->value);
}

static void apply_term(struct pbit_bm *bm, const struct pbit__coupling *t)
{
	uint32_t low = t->i < t->j ? t->i : t->j, high = t->i < t->j ? t->j : t->i;
	uint64_t at;

	if (t->i == t->j) {
		bm->h[t->i] += t->value;
		return;
	}
	at = pbit__couplings_find(&bm->pairs, low, high);
	if (at == PBIT__NO_PAIR)
		pbit__couplings_append(&bm->pairs, low, high, t->value);
	else
		bm->pairs.entry[at].value += t->value;
}

int pbit__bm_add_terms(struct pbit_bm *bm, const char *what, const struct pbit__coupling *terms,
		       uint32_t n)
{
	static const char *const names[2] = {"i", "j"};
	bool couplings = false;
	int rc = 0;

	for (uint32_t k = 0; !rc && k < n; k++) {
		rc = check_pair(bm, what, names, terms[k].i, terms[k].j, terms[k].value);
		couplings |= terms[k].i != terms[k].j;
	}
	if (!rc && couplings)
		rc = prepare(bm, what, n, 0);
	for (uint32_t k = 0; !rc && k < n; k++)
		rc = check_term(bm, what, &terms[k]);
	if (rc)
		return rc;
	for (uint32_t k = 0; k < n; k++)
		apply_term(bm, &terms[k]);
	if (couplings)
		pbit__bm_drop_rows(bm);
	else
		pbit__bm_drop_fixed(bm);
	return 0;
}

int pbit_bm_add_term(struct pbit_bm *bm, uint32_t i, uint32_t j, double value)
{
	const struct pbit__coupling term = {i, j, value};

	return pbit__bm_add_terms(bm, "cannot add the term", &term, 1);
}

int pbit_bm_add_directed(struct pbit_bm *bm, uint32_t from, uint32_t to, double value)
{
	static const char what[] = "cannot add the directed coupling";
	static const char *const names[2] = {"from", "to"};
	uint32_t low = from < to ? from : to, high = from < to ? to : from;
	int rc;

	rc = check_pair(bm, what, names, from, to, value);
	if (rc)
		return rc;
	if (from == to)
		return fail_self(what, "to", from);
	rc = prepare(bm, what, 0, 1);
	if (rc)
		return rc;
	if (pbit__couplings_find(&bm->pairs, low, high) != PBIT__NO_PAIR)
		return fail_exists(what, low, high);
	if (pbit__couplings_find(&bm->arcs, from, to) != PBIT__NO_PAIR)
		return fail_arc(what, from, to);
	pbit__couplings_append(&bm->arcs, from, to, value);
	pbit__bm_drop_rows(bm);
	return 0;
}
