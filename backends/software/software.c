/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The software device: p-DNN layers and Boltzmann machines on this processor,
 * exactly as CONTRACT.md has it.
 *
 *     software:threads=N,kernel=portable|avx2|avx512|amx
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
	struct pbit__software_bm *bm;
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

static int software_open(const struct pbit_uri *uri, const struct pbit_open_opts *opts, void **priv)
{
	static const char *const known[] = {"threads", "kernel", NULL};
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
	s = calloc(1, sizeof(*s));
	if (!s)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot open device", uri->text, NULL,
				 "out of memory");
	s->threads = (uint32_t)threads;
	rc = pick_kernels(uri, &s->kernels);
	if (rc)
		goto fail;
	rc = soft_pool_new(s->threads, &s->pool);
	if (rc)
		goto fail;
	*priv = s;
	return 0;
fail:
	free(s);
	return rc;
}

static void software_close(void *priv)
{
	struct software *s = priv;

	soft_pool_free(s->pool);
	pbit__software_bm_free(s->bm);
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
		       PBIT_CAP_RANDOM_SOURCE | PBIT_CAP_CORRELATION_TIME | PBIT_CAP_WEIGHT_BITS;
	snprintf(caps->name, sizeof(caps->name), "software p-bits");
	snprintf(caps->version, sizeof(caps->version), "%s kernels, %u thread%s", s->kernels->name,
		 s->threads, s->threads == 1 ? "" : "s");
	caps->fan_in = 1ull << 26;
	caps->topology = PBIT_TOPOLOGY_ALL;
	caps->orders = PBIT__SOFTWARE_BM_ORDERS;
	caps->weight_bits = 1u << 0 | 1u << 1 | 1u << 3 | 1u << 7 | 1u << 31;
	caps->layer_types = 1u << PBIT_DENSE | 1u << PBIT_CONV2D | 1u << PBIT_MAXPOOL;
	caps->activations = 1u << PBIT_ACT_PBIT | 1u << PBIT_ACT_LINEAR | 1u << PBIT_ACT_SIGMOID |
			    1u << PBIT_ACT_NONE;
	caps->coupling = real;
	caps->bias = real;
	caps->beta = real;
	caps->beta.min = 0.0;
	caps->random_bits = 24;
	caps->random_source = PBIT_RANDOM_COUNTER;
	return 0;
}

static int software_program(void *priv, const struct pbit_bm_view *view, uint32_t order,
			    uint64_t seed)
{
	struct software *s = priv;

	return pbit__software_bm_program(&s->bm, view, order, seed);
}

static int software_clamp(void *priv, const uint64_t *mask, const uint64_t *value)
{
	struct software *s = priv;

	return pbit__software_bm_clamp(s->bm, mask, value);
}

static int software_set_state(void *priv, const uint64_t *state)
{
	struct software *s = priv;

	return pbit__software_bm_set_state(s->bm, state);
}

static int software_update(void *priv, double beta, uint64_t sweeps, struct pbit_ctl *ctl)
{
	struct software *s = priv;

	return pbit__software_bm_update(s->bm, beta, sweeps, ctl);
}

static int software_read(void *priv, uint64_t *state)
{
	struct software *s = priv;

	return pbit__software_bm_read(s->bm, state);
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
