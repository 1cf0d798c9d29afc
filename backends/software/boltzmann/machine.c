/* SPDX-License-Identifier: Apache-2.0 */
/* A programmed machine: the engine that updates it, and where its draws have got to. */
#include "boltzmann.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/contract.h>
#include "engines.h"

static const struct soft_bm_engine *const engines[] = {
	&soft_engine_general,
	&soft_engine_lanes,
	&soft_engine_sparse,
	&soft_engine_dense,
	&soft_engine_bipartite,
};

#define NAMES	"engines are general, lanes, sparse, dense, bipartite"
#define ENGINES (sizeof(engines) / sizeof(engines[0]))

struct soft_bm {
	const struct soft_bm_engine *engine;
	void *priv;
	struct soft_bm_request req; /* without the view */
	struct soft_bm_position at;
	uint32_t n;
	size_t words;
	uint64_t *mask; /* clamped p-bits */
	struct pbit_bm_view
		kept; /* a copy for another engine, where this one takes one beta only */
	bool forced;  /* the engine was named */
};

bool soft_bm_engine_known(const char *name)
{
	for (size_t e = 0; e < ENGINES; e++)
		if (!strcmp(engines[e]->name, name))
			return true;
	return false;
}

const char *soft_bm_engine_names(void)
{
	return NAMES;
}

/* each: it will get a beta for each replica. */
static const struct soft_bm_engine *cheapest(const struct soft_bm_request *req, const char *name,
					     bool each)
{
	const struct soft_bm_engine *best = NULL;
	double least = 0.0;

	for (size_t e = 0; e < ENGINES; e++) {
		double cost;

		if ((name && strcmp(engines[e]->name, name)) || (each && engines[e]->one_beta))
			continue;
		cost = engines[e]->cost(req);
		if (cost > 0.0 && (!best || cost < least)) {
			best = engines[e];
			least = cost;
		}
	}
	return best;
}

static void drop_view(struct pbit_bm_view *v)
{
	free((void *)v->row);
	free((void *)v->col);
	free((void *)v->Jq);
	free((void *)v->hq);
	*v = (struct pbit_bm_view){0};
}

static void *copy_of(const void *from, size_t count, size_t size)
{
	void *to = calloc(count ? count : 1, size);

	if (to && count)
		memcpy(to, from, count * size);
	return to;
}

/* What engines read of a view: not J and h. */
static int keep_view(struct pbit_bm_view *kept, const struct pbit_bm_view *v)
{
	*kept = *v;
	kept->J = kept->h = NULL;
	kept->row = copy_of(v->row, (size_t)v->n + 1, sizeof(*v->row));
	kept->col = copy_of(v->col, v->row[v->n], sizeof(*v->col));
	kept->Jq = copy_of(v->Jq, v->row[v->n], sizeof(*v->Jq));
	kept->hq = copy_of(v->hq, v->n, sizeof(*v->hq));
	if (kept->row && kept->col && kept->Jq && kept->hq)
		return 0;
	drop_view(kept);
	return -ENOMEM;
}

static int no_memory(const char *what, const struct soft_bm_request *req)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what, "software:", NULL,
			 "no memory for %u replicas of %u p-bits and %llu couplings", req->replicas,
			 req->view->n, (unsigned long long)req->view->row[req->view->n]);
}

int soft_bm_program(struct soft_bm **bm, const struct soft_bm_request *given, uint64_t first_chain,
		    const char *name)
{
	static const char what[] = "cannot program the machine";
	struct soft_bm_request req = *given;
	struct soft_bm *made;

	if (!req.order)
		req.order = PBIT_ORDER_SEQUENTIAL;
	if ((req.order & (req.order - 1)) || !(req.order & SOFT_BM_ORDERS))
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, what,
				 "software:", "sequential, chromatic and synchronous are there",
				 "update order 0x%x is not", req.order);
	made = calloc(1, sizeof(*made));
	if (!made)
		return no_memory(what, &req);
	made->engine = cheapest(&req, name, false);
	if (!made->engine) {
		free(made);
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, what,
				 "software:", "leave engine= out to get the one that fits best",
				 "the engine \"%s\" does not take this machine", name ? name : "");
	}
	made->n = req.view->n;
	made->words = ((size_t)req.view->n + 63) / 64;
	made->forced = name != NULL;
	made->at = (struct soft_bm_position){
		.key = {req.seed, PBIT_DOMAIN_BOLTZMANN, 0},
		.chain = first_chain,
	};
	made->mask = calloc(made->words, sizeof(*made->mask));
	if (!made->mask || (made->engine->one_beta && keep_view(&made->kept, req.view)) ||
	    made->engine->make(&req, &made->priv)) {
		drop_view(&made->kept);
		free(made->mask);
		free(made);
		return no_memory(what, &req);
	}
	made->req = req;
	made->req.view = NULL;
	soft_bm_free(*bm);
	*bm = made;
	return 0;
}

void soft_bm_free(struct soft_bm *bm)
{
	if (!bm)
		return;
	bm->engine->free(bm->priv);
	drop_view(&bm->kept);
	free(bm->mask);
	free(bm);
}

void soft_bm_clamp(struct soft_bm *bm, const uint64_t *mask, const uint64_t *values, bool each)
{
	if (mask)
		memcpy(bm->mask, mask, bm->words * sizeof(*mask));
	else
		memset(bm->mask, 0, bm->words * sizeof(*bm->mask));
	bm->engine->clamp(bm->priv, mask, values, each);
}

void soft_bm_set_state(struct soft_bm *bm, const uint64_t *state)
{
	bm->engine->set_state(bm->priv, state);
}

void soft_bm_read(const struct soft_bm *bm, uint64_t *state)
{
	bm->engine->read(bm->priv, state);
}

int soft_bm_seek(struct soft_bm *bm, const struct pbit_stream *stream)
{
	if (stream->first_pbit % 128)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot place the draws",
				 "stream.first_pbit", NULL, "%llu is not a multiple of 128",
				 (unsigned long long)stream->first_pbit);
	bm->at.key[1] = stream->domain;
	bm->at.key[2] = stream->layer;
	bm->at.sweep = stream->sweep;
	bm->at.chain = stream->chain;
	bm->at.first_pbit = stream->first_pbit;
	return 0;
}

/* Another engine goes on with the states and clamps of this one. */
static int move_to(struct soft_bm *bm, const struct soft_bm_engine *engine,
		   const struct soft_bm_request *req, const char *what)
{
	uint64_t *state = calloc(bm->words * req->replicas, sizeof(*state));
	void *priv;

	if (!state || engine->make(req, &priv)) {
		free(state);
		return no_memory(what, req);
	}
	bm->engine->read(bm->priv, state);
	bm->engine->free(bm->priv);
	bm->engine = engine;
	bm->priv = priv;
	drop_view(&bm->kept);
	engine->set_state(priv, state);
	engine->clamp(priv, bm->mask, state, true);
	free(state);
	return 0;
}

/* Where betas differ and the engine takes one only, another goes on, for good. */
static int take_betas(struct soft_bm *bm, const double *beta)
{
	struct soft_bm_request req = bm->req;
	uint32_t r = 1;

	if (!bm->engine->one_beta)
		return 0;
	while (r < req.replicas && beta[r] == beta[0])
		r++;
	if (r >= req.replicas)
		return 0;
	req.view = &bm->kept;
	return move_to(bm, cheapest(&req, NULL, true), &req, "cannot update the machine");
}

int soft_bm_update(struct soft_bm *bm, const double *beta, bool each, uint64_t sweeps,
		   struct pbit_ctl *ctl)
{
	uint64_t done = sweeps;
	int rc = each ? take_betas(bm, beta) : 0;

	if (rc)
		return rc;
	rc = bm->engine->update(bm->priv, beta, each, &bm->at, sweeps, ctl, &done);
	if (!rc) {
		bm->at.sweep += sweeps;
		return 0;
	}
	bm->at.sweep += done;
	return pbit_fail(rc, rc == -ETIMEDOUT ? PBIT_ERR_TIMEOUT : PBIT_ERR_CANCELLED,
			 "cannot update the machine",
			 "software:", "the state behind the last of these sweeps is kept",
			 "%s after %llu of %llu sweeps",
			 rc == -ETIMEDOUT ? "the deadline passed" : "cancelled",
			 (unsigned long long)done, (unsigned long long)sweeps);
}

int soft_bm_rebias(struct soft_bm *bm, const struct pbit_bm_view *view)
{
	static const char what[] = "cannot change the biases";
	struct soft_bm_request req = bm->req;
	const struct soft_bm_engine *other;

	req.view = view;
	if (bm->engine->cost(&req) > 0.0) {
		bm->engine->rebias(bm->priv, view);
		if (bm->kept.hq)
			memcpy((void *)bm->kept.hq, view->hq, bm->n * sizeof(*view->hq));
		return 0;
	}
	/* A named engine may have been left already, for betas that differ. */
	other = cheapest(&req, bm->forced ? bm->engine->name : NULL, true);
	if (!other)
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, what,
				 "software:", "leave engine= out to get the one that fits best",
				 "the engine \"%s\" does not take this machine", bm->engine->name);
	return move_to(bm, other, &req, what);
}
