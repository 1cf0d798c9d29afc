/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a whole model, as callers see it. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/args.h"
#include "device/device.h"
#include "lower/lower.h"

#define KNOWN_FLAGS (PBIT_LOWER_ALWAYS | PBIT_LOWER_SATURATE | PBIT_LOWER_FOLD)

static const char what[] = "cannot plan the lowering";

struct entry {
	struct pbit_lower_layer layer;
	char limit[256];
};

struct pbit_lower_plan {
	uint32_t n;
	struct entry entries[];
};

int pbit__lower_opts_read(const struct pbit_lower_opts *given, struct pbit_lower_opts *own,
			  const char *doing)
{
	const struct pbit_lower_opts none = PBIT_INIT(none);
	int rc = pbit__args_read(own, sizeof(*own), given ? given : &none,
				 PBIT__SIZE_TO(struct pbit_lower_opts, flags), doing, "opts");

	if (rc)
		return rc;
	if (own->flags & ~KNOWN_FLAGS)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, doing, "opts.flags",
				 "use the flags PBIT_LOWER_*", "unknown flags %#x", own->flags);
	if (!(own->max_error >= 0) || !isfinite(own->max_error))
		return pbit_fail(
			-EINVAL, PBIT_ERR_ARGUMENT, doing, "opts.max_error", "0 allows any",
			"it is %g, an error of a probability is at least 0", own->max_error);
	return 0;
}

static int plan_layer(const struct pbit_model *model, uint32_t i,
		      const struct pbit__lower_limits *limits, const struct pbit_lower_opts *opts,
		      struct entry *entry)
{
	struct pbit__stage stage;
	int rc = pbit__stage_read(model, i, &stage);

	if (rc)
		return rc;
	rc = pbit__stage_plan(&stage, limits, opts);
	entry->layer = stage.plan;
	memcpy(entry->limit, stage.limit, sizeof(entry->limit));
	entry->layer.limit = entry->layer.verdict == PBIT_LOWER_IMPOSSIBLE ? entry->limit : "";
	pbit__stage_free(&stage);
	return rc;
}

static int check_args(const struct pbit_model *model, const struct pbit_caps *caps,
		      struct pbit_caps *own)
{
	if (!model)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "model", NULL,
				 "the pointer is NULL");
	return pbit__args_read(own, sizeof(*own), caps, PBIT__SIZE_TO(struct pbit_caps, stated),
			       what, "caps");
}

int pbit_lower_plan(const struct pbit_model *model, const struct pbit_caps *caps,
		    const struct pbit_lower_opts *given, struct pbit_lower_plan **plan)
{
	struct pbit_model_info info = PBIT_INIT(info);
	struct pbit__lower_limits limits;
	struct pbit_lower_plan *made;
	struct pbit_lower_opts opts;
	struct pbit_caps own;
	int rc;

	if (!plan)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "plan", NULL,
				 "the pointer is NULL");
	*plan = NULL;
	if ((rc = check_args(model, caps, &own)) ||
	    (rc = pbit__lower_opts_read(given, &opts, what)) ||
	    (rc = pbit_model_info(model, &info)))
		return rc;
	made = calloc(1, sizeof(*made) + info.n_layers * sizeof(made->entries[0]));
	if (!made)
		return pbit__lower_no_memory(what);
	made->n = info.n_layers;
	pbit__lower_limits(&own, &limits);
	for (uint32_t i = 0; !rc && i < made->n; i++)
		rc = plan_layer(model, i, &limits, &opts, &made->entries[i]);
	if (rc) {
		free(made);
		return rc;
	}
	*plan = made;
	return 0;
}

void pbit_lower_plan_free(struct pbit_lower_plan *plan)
{
	free(plan);
}

uint32_t pbit_lower_plan_layers(const struct pbit_lower_plan *plan)
{
	return plan ? plan->n : 0;
}

int pbit_lower_plan_layer(const struct pbit_lower_plan *plan, uint32_t i,
			  struct pbit_lower_layer *layer)
{
	static const char doing[] = "cannot show a layer of the plan";

	if (!plan)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, doing, "plan", NULL,
				 "the pointer is NULL");
	if (i >= plan->n)
		return pbit_fail(-ENOENT, PBIT_ERR_ARGUMENT, doing, "i", NULL,
				 "layer %u was asked for, the plan has %u", i, plan->n);
	return pbit__args_write(layer, &plan->entries[i].layer, sizeof(*layer),
				PBIT__SIZE_TO(struct pbit_lower_layer, verdict), doing, "layer");
}

uint32_t pbit_lower_plan_verdict(const struct pbit_lower_plan *plan)
{
	uint32_t worst = plan ? PBIT_LOWER_EXACT : PBIT_LOWER_IMPOSSIBLE;

	for (uint32_t i = 0; plan && i < plan->n; i++)
		if (plan->entries[i].layer.verdict > worst)
			worst = plan->entries[i].layer.verdict;
	return worst;
}

const char *pbit_lower_verdict_name(uint32_t verdict)
{
	static const char *const names[] = {"exact", "quantised", "impossible"};

	return verdict < sizeof(names) / sizeof(names[0]) ? names[verdict] : "unknown";
}

int pbit_lower_device(struct pbit_device *dev, const struct pbit_lower_opts *given)
{
	static const char doing[] = "cannot set how layers are lowered";
	struct pbit_lower_opts opts;
	int rc;

	if (!dev)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, doing, "dev", NULL,
				 "the pointer is NULL");
	rc = pbit__lower_opts_read(given, &opts, doing);
	if (rc)
		return rc;
	pthread_mutex_lock(&dev->lock);
	dev->lower = opts;
	pthread_mutex_unlock(&dev->lock);
	return 0;
}
