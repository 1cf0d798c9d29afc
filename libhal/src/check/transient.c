/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The law after one and two sweeps from a fixed state, in every update order that the device declares:
 * tests the update rule itself. And the same of free p-bits, which rules that need not move fail.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check/draw.h"
#include "check/power.h"
#include "stats/stats.h"

#define LEAST 4000u
#define MOST  100000u
#define START 0x15u

/* `samples` states behind `sweeps` sweeps from `start`, counted. */
static int count_starts(struct pbit__check *c, double beta, uint32_t start, uint64_t sweeps,
			size_t samples, uint32_t states, uint64_t *counts)
{
	uint32_t R = c->d.replicas;
	bool stuck = c->d.fault.stuck && !(c->d.caps.flags & PBIT_FLAG_CLAMP);
	uint64_t *begin = calloc(R, sizeof(*begin)), *end = calloc(R, sizeof(*end));
	int rc = begin && end ? 0 : pbit__check_no_memory();

	for (uint32_t r = 0; r < R && !rc; r++)
		begin[r] = start;
	for (size_t k = 0; k < samples && !rc; k += R) {
		rc = pbit_set_state(c->d.dev, begin);
		if (!rc)
			rc = pbit_update(c->d.dev, beta, sweeps);
		if (!rc)
			rc = pbit_read(c->d.dev, end);
		for (uint32_t r = 0; r < R && !rc; r++)
			counts[(end[r] | stuck) & (states - 1)]++;
		if (!rc && k % 1024 < R)
			rc = pbit__check_poll(c);
	}
	free(end);
	free(begin);
	return rc;
}

struct plan {
	const double *right, *wrong;
	uint32_t states;
	double alpha;
};

static double power_of(double n, void *user)
{
	const struct plan *p = user;

	return pbit__check_power_states(p->right, p->wrong, p->states, n, p->alpha);
}

static int judge(struct pbit__check *c, const char *name, const char *defect, double beta,
		 uint32_t start, uint64_t sweeps, const struct plan *plan, size_t least)
{
	size_t n = pbit__check_size(power_of, (void *)plan, least, MOST);
	uint64_t *counts = calloc(plan->states, sizeof(*counts));
	struct pbit__stats_chi2 chi2;
	struct pbit_check_test *t;
	int rc;

	if (!counts)
		return pbit__check_no_memory();
	n = (size_t)ceil((double)n * c->scale);
	n = (n + c->d.replicas - 1) / c->d.replicas * c->d.replicas;
	rc = count_starts(c, beta, start, sweeps, n, plan->states, counts);
	if (rc) {
		free(counts);
		return pbit__check_excuse(c, name, rc);
	}
	chi2 = pbit__stats_chi2_test(counts, plan->right, plan->states, PBIT__CHECK_CELL);
	free(counts);
	t = pbit__check_add(c, name, defect);
	if (!t)
		return pbit__check_no_memory();
	t->p = chi2.p;
	t->statistic = chi2.chi2;
	t->df = chi2.df;
	t->samples = n;
	t->tau = 0.5;
	t->ess = (double)n;
	t->power = power_of((double)n, (void *)plan);
	return 0;
}

int pbit__check_free_start(struct pbit__check *c)
{
	static const char name[] = "free p-bits, fixed start";
	struct pbit__check_machine m;
	double right[16], wrong[16];
	uint32_t n = pbit__check_few(c);
	struct plan plan = {right, wrong, 1u << n, c->alpha};
	int rc;

	pbit__check_machine_free_spins(&m, n);
	if (!pbit__check_machine_fit(&m, &c->d.caps))
		return pbit__check_not_applicable(c, name, "the device cannot hold beta 1");
	rc = pbit__check_program_machine(c, &m, c->d.order, 0);
	if (rc)
		return pbit__check_excuse(c, name, rc);
	for (uint32_t s = 0; s < plan.states; s++) {
		right[s] = 1.0 / plan.states;
		/* p-bit 0 keeps its state one time in ten */
		wrong[s] = (s & 1 ? 0.9 : 1.1) / plan.states;
	}
	return judge(c, name, "a p-bit that skips 10 % of updates", pbit__check_beta(c, m.beta), 0,
		     1, &plan, LEAST);
}

/* The law behind sweeps from START, in another order. */
static int law_after(const struct pbit__check_machine *m, uint32_t order, uint64_t sweeps,
		     double *p)
{
	struct pbit__check_law law;
	int rc = pbit__check_law_make(&law, m, m->beta, order);

	if (!rc) {
		memset(p, 0, law.states * sizeof(*p));
		p[START & (law.states - 1)] = 1.0;
		pbit__check_law_sweep(&law, sweeps, p);
	}
	pbit__check_law_free(&law);
	return rc;
}

static int transient_in(struct pbit__check *c, const struct pbit__check_machine *m, uint32_t order)
{
	uint32_t other =
		order == PBIT_ORDER_SYNCHRONOUS ? PBIT_ORDER_SEQUENTIAL : PBIT_ORDER_SYNCHRONOUS;
	double right[64], wrong[64];
	struct plan plan = {right, wrong, 1u << m->n, c->alpha};
	char name[48], defect[64];
	int rc;

	snprintf(defect, sizeof(defect), "%s updates", pbit__check_order_name(other));
	for (uint64_t sweeps = 1; sweeps <= 2; sweeps++) {
		snprintf(name, sizeof(name), "transient %s, %s", pbit__check_order_name(order),
			 sweeps == 1 ? "1 sweep" : "2 sweeps");
		if (law_after(m, order, sweeps, right) || law_after(m, other, sweeps, wrong))
			return pbit__check_no_memory();
		rc = pbit__check_program_machine(c, m, order, 0);
		if (rc)
			return pbit__check_excuse(c, name, rc);
		rc = judge(c, name, defect, pbit__check_beta(c, m->beta), START, sweeps, &plan,
			   16000);
		if (rc)
			return rc;
	}
	return 0;
}

int pbit__check_transient(struct pbit__check *c)
{
	static const uint32_t orders[] = {PBIT_ORDER_SEQUENTIAL, PBIT_ORDER_CHROMATIC,
					  PBIT_ORDER_SYNCHRONOUS};
	uint32_t declared = c->d.caps.stated & PBIT_CAP_ORDERS ? c->d.caps.orders : 0;
	struct pbit__check_machine m;
	int rc = 0;

	pbit__check_machine_random(&m, 6, 6);
	/* Not every pair coupled, so that the chromatic order is not the sequential one. */
	pbit__check_machine_drop(&m, 12);
	pbit__check_machine_drop(&m, 1);
	pbit__check_machine_drop(&m, 0);
	if (!(declared & (PBIT_ORDER_SEQUENTIAL | PBIT_ORDER_CHROMATIC | PBIT_ORDER_SYNCHRONOUS)))
		return pbit__check_not_applicable(
			c, "transient",
			"the device declares no order whose sweep has an exact law");
	if (!pbit__check_machine_fit(&m, &c->d.caps))
		return pbit__check_not_applicable(c, "transient",
						  "the device's numbers cannot hold it");
	for (uint32_t k = 0; k < 3 && !rc; k++) {
		if (declared & orders[k])
			rc = transient_in(c, &m, orders[k]);
	}
	return rc;
}
