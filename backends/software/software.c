/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The software device: p-DNN layers and Boltzmann machines on this processor,
 * exactly as CONTRACT.md has it.
 *
 *     software:threads=N,kernel=portable|avx2|avx512|amx,engine=NAME
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "boltzmann.h"
#include "net.h"
#include "pool.h"
#include "run.h"

#define MAX_THREADS 256u

extern const struct pbit_backend pbit__software_backend;

struct software {
	const struct soft_kernels *kernels;
	struct soft_pool *pool;
	struct soft_bm *bm;
	char *engine; /* for Boltzmann mode, NULL: whichever fits best */
	enum soft_level level;
	uint32_t threads;
};

static int software_scan(const struct pbit_backend *self, pbit_found_fn *fn, void *user)
{
	struct pbit_found found = PBIT_INIT(found);

	(void)self;
	found.flags = PBIT_FLAG_SIMULATED;
	found.uri = "software:";
	found.description = "p-bits in software on this processor";
	found.backend = "software";
	found.reason = "";
	return fn(&found, user);
}

static int pick_kernels(const struct pbit_uri *uri, const struct soft_kernels **kernels)
{
	const char *name = pbit_uri_param(uri, "kernel");

	*kernels = soft_kernels_pick(name);
	if (*kernels)
		return 0;
	if (soft_kernels_known(name))
		return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, "cannot open device", uri->text,
				 "leave kernel= out to get the best this processor runs",
				 "this processor does not run the kernels \"%s\"", name);
	return pbit_fail(-EINVAL, PBIT_ERR_URI, "cannot open device", uri->text,
			 "kernels are portable, avx2, avx512, amx", "there are no kernels \"%s\"",
			 name);
}

/* The tables of kernels stand for what the processor has; amx needs avx512. */
static enum soft_level level_of(const struct soft_kernels *kernels)
{
	if (!strcmp(kernels->name, "portable"))
		return SOFT_LEVEL_PORTABLE;
	return strcmp(kernels->name, "avx2") ? SOFT_LEVEL_AVX512 : SOFT_LEVEL_AVX2;
}

static int check_engine(const struct pbit_uri *uri, const char *name)
{
	if (!name || soft_bm_engine_known(name))
		return 0;
	return pbit_fail(-EINVAL, PBIT_ERR_URI, "cannot open device", uri->text,
			 soft_bm_engine_names(), "there is no engine \"%s\"", name);
}

static int software_open(const struct pbit_uri *uri, const struct pbit_open_opts *opts, void **priv)
{
	static const char *const known[] = {"threads", "kernel", "engine", NULL};
	const char *engine = pbit_uri_param(uri, "engine");
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t threads = cores > 0 ? (uint64_t)cores : 1;
	struct software *s;
	int rc;

	(void)opts;
	if (*uri->target)
		return pbit_fail(-EINVAL, PBIT_ERR_URI, "cannot open device", uri->text,
				 "write software: or software:threads=2",
				 "the software device has no target, \"%s\" was given",
				 uri->target);
	rc = pbit_uri_only(uri, known);
	if (rc)
		return rc;
	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	rc = pbit_uri_number(uri, "threads", 1, MAX_THREADS, &threads);
	if (rc)
		return rc;
	rc = check_engine(uri, engine);
	if (rc)
		return rc;
	s = calloc(1, sizeof(*s));
	if (s && engine)
		s->engine = strdup(engine);
	if (!s || (engine && !s->engine)) {
		free(s);
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot open device", uri->text, NULL,
				 "out of memory");
	}
	s->threads = (uint32_t)threads;
	rc = pick_kernels(uri, &s->kernels);
	if (rc)
		goto fail;
	s->level = level_of(s->kernels);
	rc = soft_pool_new(s->threads, &s->pool);
	if (rc)
		goto fail;
	*priv = s;
	return 0;
fail:
	free(s->engine);
	free(s);
	return rc;
}

static void software_close(void *priv)
{
	struct software *s = priv;

	soft_bm_free(s->bm);
	soft_pool_free(s->pool);
	free(s->engine);
	free(s);
}

static int software_get_caps(void *priv, struct pbit_caps *caps)
{
	const struct software *s = priv;
	const struct pbit_format real = {.integer_bits = 255, .min = -1e30, .max = 1e30};

	caps->flags = PBIT_FLAG_LAYERS | PBIT_FLAG_BOLTZMANN | PBIT_FLAG_DIRECTED |
		      PBIT_FLAG_CLAMP | PBIT_FLAG_SEEDABLE | PBIT_FLAG_CONTRACT |
		      PBIT_FLAG_SIMULATED | PBIT_FLAG_REPORTS;
	caps->stated = PBIT_CAP_FAN_IN | PBIT_CAP_TOPOLOGY | PBIT_CAP_COUPLING | PBIT_CAP_BIAS |
		       PBIT_CAP_BETA | PBIT_CAP_ORDERS | PBIT_CAP_RANDOM_BITS |
		       PBIT_CAP_RANDOM_SOURCE | PBIT_CAP_CORRELATION_TIME | PBIT_CAP_WEIGHT_BITS |
		       PBIT_CAP_REPLICAS;
	snprintf(caps->name, sizeof(caps->name), "software p-bits");
	snprintf(caps->version, sizeof(caps->version), "%s kernels, %u thread%s", s->kernels->name,
		 s->threads, s->threads == 1 ? "" : "s");
	caps->fan_in = 1ull << 26;
	caps->topology = PBIT_TOPOLOGY_ALL;
	caps->orders = SOFT_BM_ORDERS;
	caps->weight_bits = 1u << 0 | 1u << 1 | 1u << 3 | 1u << 7 | 1u << 31;
	caps->layer_types = 1u << PBIT_DENSE | 1u << PBIT_CONV2D | 1u << PBIT_MAXPOOL;
	caps->activations = 1u << PBIT_ACT_PBIT | 1u << PBIT_ACT_LINEAR | 1u << PBIT_ACT_SIGMOID |
			    1u << PBIT_ACT_NONE;
	caps->coupling = real;
	caps->bias = real;
	caps->beta = real;
	caps->beta.min = 0.0;
	caps->replicas = SOFT_BM_REPLICAS;
	caps->random_bits = 24;
	caps->random_source = PBIT_RANDOM_COUNTER;
	return 0;
}

static int program(struct software *s, const struct pbit_bm_view *view, uint32_t order,
		   uint64_t seed, uint32_t replicas, uint64_t first_chain)
{
	const struct soft_bm_request req = {
		.view = view,
		.order = order,
		.replicas = replicas,
		.seed = seed,
		.level = s->level,
		.pool = s->pool,
	};

	return soft_bm_program(&s->bm, &req, first_chain, s->engine);
}

static int software_program(void *priv, const struct pbit_bm_view *view, uint32_t order,
			    uint64_t seed)
{
	return program(priv, view, order, seed, 1, 0);
}

static int software_program_replicas(void *priv, const struct pbit_bm_view *view,
				     const struct pbit_program_opts *opts)
{
	return program(priv, view, opts->order, opts->seed, opts->replicas, opts->first_chain);
}

static int software_clamp(void *priv, const uint64_t *mask, const uint64_t *value)
{
	struct software *s = priv;

	soft_bm_clamp(s->bm, mask, value, false);
	return 0;
}

static int software_clamp_each(void *priv, const uint64_t *mask, const uint64_t *values)
{
	struct software *s = priv;

	soft_bm_clamp(s->bm, mask, values, true);
	return 0;
}

static int software_set_state(void *priv, const uint64_t *state)
{
	struct software *s = priv;

	soft_bm_set_state(s->bm, state);
	return 0;
}

static int software_update(void *priv, double beta, uint64_t sweeps, struct pbit_ctl *ctl)
{
	struct software *s = priv;

	return soft_bm_update(s->bm, &beta, false, sweeps, ctl);
}

static int software_update_each(void *priv, const double *beta, uint64_t sweeps,
				struct pbit_ctl *ctl)
{
	struct software *s = priv;

	return soft_bm_update(s->bm, beta, true, sweeps, ctl);
}

static int software_read(void *priv, uint64_t *state)
{
	struct software *s = priv;

	soft_bm_read(s->bm, state);
	return 0;
}

static int software_seek(void *priv, const struct pbit_stream *stream)
{
	struct software *s = priv;

	return soft_bm_seek(s->bm, stream);
}

static int software_rebias(void *priv, const struct pbit_bm_view *view)
{
	struct software *s = priv;

	return soft_bm_rebias(s->bm, view);
}

static int software_net_load(void *priv, const struct pbit_model *model, uint32_t first, uint32_t n,
			     void **net)
{
	const struct software *s = priv;
	struct soft_net *loaded;
	struct soft_runner *runner;
	int rc;

	rc = soft_net_load(model, first, n, &loaded);
	if (rc)
		return rc;
	rc = soft_runner_new(loaded, s->kernels, s->pool, &runner);
	if (rc) {
		soft_net_free(loaded);
		return rc;
	}
	*net = runner;
	return 0;
}

static void software_net_unload(void *priv, void *net)
{
	(void)priv;
	soft_runner_free(net);
}

static int software_net_run(void *priv, void *net, const struct pbit_layers_req *req,
			    struct pbit_ctl *ctl)
{
	(void)priv;
	return soft_runner_run(net, req, ctl);
}

static const struct pbit_backend_ops ops = {
	.struct_size = sizeof(ops),
	.scan = software_scan,
	.open = software_open,
	.close = software_close,
	.get_caps = software_get_caps,
	.program = software_program,
	.clamp = software_clamp,
	.set_state = software_set_state,
	.update = software_update,
	.read = software_read,
	.net_load = software_net_load,
	.net_unload = software_net_unload,
	.net_run = software_net_run,
	.program_replicas = software_program_replicas,
	.clamp_each = software_clamp_each,
	.update_each = software_update_each,
	.seek = software_seek,
	.rebias = software_rebias,
};

const struct pbit_backend pbit__software_backend = {
	.struct_size = sizeof(pbit__software_backend),
	.abi = PBIT_ABI,
	.name = "software",
	.scheme = "software",
	.description = "p-bits in software on this processor",
	.version = "0.1.0",
	.rank = PBIT_RANK_SOFTWARE,
	.ops = &ops,
};
