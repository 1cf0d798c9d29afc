/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other biases for the machine on a device, for the lowering of layers: by the device's own
 * operation where the fixed-point form keeps its step, else by programming it anew and telling it
 * again all that it held.
 */
#include <errno.h>
#include <stdlib.h>
#include "boltzmann/chains.h"
#include "boltzmann/fit.h"
#include "boltzmann/fixed_view.h"

static const char what[] = "cannot set new biases";

/* A view of the programmed machine with other biases, and what it points to. */
struct rebiased {
	struct pbit_bm_view view;
	int32_t *hq;
	int32_t *Jq; /* NULL where the machine's own hold */
};

static int fail_memory(const struct pbit_device *dev)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, dev->uri, NULL,
			 "no memory for the biases of %u p-bits", dev->bm->n);
}

static void free_rebiased(struct rebiased *r)
{
	free(r->hq);
	free(r->Jq);
}

static int make_rebiased(const struct pbit_device *dev, const double *h, struct rebiased *r)
{
	struct pbit_bm_view *v = &r->view;
	struct pbit__real real;
	double own_step;
	bool exact;
	int rc;

	*r = (struct rebiased){.view = PBIT_INIT(r->view)};
	rc = pbit_bm_view(dev->bm, v);
	if (rc)
		return rc;
	own_step = v->step;
	real = (struct pbit__real){v->n, v->row, v->J, h};
	v->step = pbit__fixed_step(&real, &exact);
	v->flags = (v->flags & ~PBIT_BM_EXACT) | (exact ? PBIT_BM_EXACT : 0);
	r->hq = calloc(v->n, sizeof(*r->hq));
	if (!r->hq)
		return fail_memory(dev);
	pbit__fixed_round(h, v->n, v->step, r->hq);
	v->h = h;
	v->hq = r->hq;
	if (v->step == own_step)
		return 0;
	r->Jq = calloc(v->row[v->n] ? v->row[v->n] : 1, sizeof(*r->Jq));
	if (!r->Jq)
		return fail_memory(dev);
	pbit__fixed_round(v->J, v->row[v->n], v->step, r->Jq);
	v->Jq = r->Jq;
	return 0;
}

static int program_anew(struct pbit_device *dev, const struct pbit_bm_view *view)
{
	struct pbit__chains *c = dev->chains;
	uint64_t *states = calloc(c->opts.replicas, c->words * sizeof(*states));
	int rc;

	if (!states)
		return fail_memory(dev);
	rc = pbit__chains_read(dev, states);
	if (rc)
		goto out;
	c->rounds++;
	rc = pbit__chains_load(dev, c, view);
	if (!rc)
		rc = pbit__chains_restore(dev, what, states);
	if (rc)
		pbit__chains_forget(dev);
out:
	free(states);
	return rc;
}

static int check_biases(const struct pbit_device *dev, const double *h)
{
	for (uint32_t i = 0; i < dev->bm->n; i++) {
		int rc = pbit__bm_check_value(what, "h", h[i]);

		if (rc)
			return rc;
	}
	return pbit__bm_check_biases(dev, h, dev->bm->n);
}

static int rebias_locked(struct pbit_device *dev, const double *h)
{
	struct rebiased r;
	int rc = pbit__bm_check_programmed(dev, what);

	if (!rc)
		rc = check_biases(dev, h);
	if (rc)
		return rc;
	rc = make_rebiased(dev, h, &r);
	if (rc)
		goto out;
	if (dev->ops.rebias && r.view.step == dev->chains->step)
		rc = dev->ops.rebias(dev->priv, &r.view);
	else
		rc = program_anew(dev, &r.view);
out:
	free_rebiased(&r);
	return rc;
}

int pbit__bm_rebias(struct pbit_device *dev, const double *h)
{
	int rc = pbit__bm_check_device(dev, what);

	if (rc)
		return rc;
	pthread_mutex_lock(&dev->lock);
	rc = rebias_locked(dev, h);
	pthread_mutex_unlock(&dev->lock);
	return rc;
}
