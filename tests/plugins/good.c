/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in device with everything: its capabilities and its failures are parameters of the
 * address, its outputs a plain function of the request, so that tests can tell what reached it.
 */
#include "least.h"

struct good {
	struct least least; /* first: the operations of least.h see only this */
	uint64_t fan_in, pbits, batch, memory, weight_bits, types, activations, errors, run_error;
	uint64_t flags;
	uint32_t first, n_layers;
	const struct pbit_model *model;
};

static const char *const known[] = {"fan-in", "pbits",	     "batch",  "memory",    "weight-bits",
				    "types",  "activations", "fail",   "run-error", "flags",
				    "silent", "caps-error",  "record", NULL};

static int read_params(const struct pbit_uri *uri, struct good *good)
{
	struct {
		const char *key;
		uint64_t *value;
	} numbers[] = {
		{"fan-in", &good->fan_in},
		{"pbits", &good->pbits},
		{"batch", &good->batch},
		{"memory", &good->memory},
		{"weight-bits", &good->weight_bits},
		{"types", &good->types},
		{"activations", &good->activations},
		{"caps-error", &good->errors},
		{"run-error", &good->run_error},
		{"flags", &good->flags},
	};
	int rc = pbit_uri_only(uri, known);

	good->flags = PBIT_FLAG_LAYERS | PBIT_FLAG_BOLTZMANN | PBIT_FLAG_CLAMP |
		      PBIT_FLAG_SIMULATED | PBIT_FLAG_REPORTS;
	for (size_t i = 0; !rc && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		rc = pbit_uri_number(uri, numbers[i].key, 0, UINT64_MAX, numbers[i].value);
	return rc;
}

static int good_open(const struct pbit_uri *uri, const struct pbit_open_opts *opts, void **priv)
{
	struct good *good;
	uint64_t fail = 0;
	int rc;

	if (!opts->consumer || !*opts->consumer)
		return pbit_fail(-EPROTO, PBIT_ERR_INTERNAL, "cannot open device", uri->text, NULL,
				 "no consumer is named");
	rc = pbit_uri_number(uri, "fail", 0, 200, &fail);
	if (rc)
		return rc;
	if (fail && pbit_uri_param(uri, "silent"))
		return -(int)fail;
	if (fail)
		return pbit_fail(-(int)fail, PBIT_ERR_PERMISSION, "cannot open device", uri->text,
				 "join the group", "as asked");
	good = calloc(1, sizeof(*good));
	if (!good)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot open device", uri->text, NULL,
				 "out of memory");
	rc = read_params(uri, good);
	if (rc) {
		free(good);
		return rc;
	}
	if (pbit_uri_param(uri, "record")) /* a failure on the way to success */
		pbit_fail(-EAGAIN, PBIT_ERR_DEVICE, "tried", NULL, NULL, "and succeeded later");
	*priv = good;
	return 0;
}

static int good_scan(const struct pbit_backend *self, pbit_found_fn *fn, void *user)
{
	struct pbit_found usable = {.struct_size = sizeof(usable),
				    .flags = PBIT_FLAG_SIMULATED,
				    .uri = "good:a",
				    .description = "device a"};
	struct pbit_found denied = {.struct_size = sizeof(denied),
				    .uri = "good:b",
				    .status = -EACCES,
				    .reason = "not in the group"};
	struct pbit_found broken = {.struct_size = sizeof(broken), .uri = NULL};
	int rc;

	(void)self;
	fn(&broken, user);
	rc = fn(&denied, user);
	if (!rc)
		rc = fn(&usable, user);
	pbit_fail(-EIO, PBIT_ERR_DEVICE, "scan", NULL, NULL, "a port did not answer");
	return rc ? rc : -EIO;
}

static int good_get_caps(void *priv, struct pbit_caps *caps)
{
	struct good *good = priv;

	if (good->errors)
		return -(int)good->errors;
	caps->flags = (uint32_t)good->flags;
	memset(caps->name, 'n', sizeof(caps->name)); /* not ended by a NUL */
	strcpy(caps->serial, "0001");
	caps->fan_in = good->fan_in;
	caps->pbits = good->pbits;
	caps->batch = good->batch;
	caps->memory = good->memory;
	caps->weight_bits = (uint32_t)good->weight_bits;
	caps->layer_types = (uint32_t)good->types;
	caps->activations = (uint32_t)good->activations;
	caps->stated = (good->fan_in ? PBIT_CAP_FAN_IN : 0) | (good->pbits ? PBIT_CAP_PBITS : 0) |
		       (good->batch ? PBIT_CAP_BATCH : 0) | (good->memory ? PBIT_CAP_MEMORY : 0) |
		       (good->weight_bits ? PBIT_CAP_WEIGHT_BITS : 0);
	return 0;
}

static int good_net_load(void *priv, const struct pbit_model *model, uint32_t first, uint32_t n,
			 void **net)
{
	struct good *good = priv;

	if (good->model)
		return pbit_fail(-EBUSY, PBIT_ERR_INTERNAL, "cannot load", NULL, NULL,
				 "the last model was not unloaded");
	good->model = model;
	good->first = first;
	good->n_layers = n;
	*net = good;
	return 0;
}

static void good_net_unload(void *priv, void *net)
{
	struct good *good = priv;

	if (net == good)
		good->model = NULL;
}

/* out_raw: all that the request says, mixed so that any change of it shows. */
static int good_net_run(void *priv, void *net, const struct pbit_layers_req *req,
			struct pbit_ctl *ctl)
{
	struct good *good = net;
	const struct pbit_layer *last =
		pbit_model_layer(good->model, good->first + good->n_layers - 1);
	uint64_t n = (uint64_t)last->out.channels * last->out.height * last->out.width;

	(void)priv;
	(void)ctl;
	if (good->run_error)
		return pbit_fail(-(int)good->run_error, PBIT_ERR_DEVICE, "run", NULL, NULL,
				 "as asked");
	for (uint32_t image = 0; image < req->n_images; image++) {
		const unsigned char *row = req->codes;
		uint64_t input = row ? row[image * req->code_stride] : req->in_bits[0];

		for (uint64_t o = 0; o < n; o++) {
			int64_t sum = 0;

			for (uint32_t s = 0; s < req->n_samples; s++) {
				int64_t raw = (int64_t)(1000 * (req->first_image + image) +
							100 * (req->first_sample + s) + 10 * o +
							input + req->seed);

				if (req->out_raw)
					req->out_raw[(image * req->n_samples + s) * n + o] = raw;
				sum += raw;
			}
			if (req->out_sum)
				req->out_sum[image * n + o] = sum;
		}
	}
	return 0;
}

static const struct pbit_backend_ops ops = {
	.struct_size = sizeof(ops),
	.scan = good_scan,
	.open = good_open,
	.close = least_close,
	.get_caps = good_get_caps,
	.program = least_program,
	.clamp = least_clamp,
	.update = least_update,
	.read = least_read,
	.net_load = good_net_load,
	.net_unload = good_net_unload,
	.net_run = good_net_run,
};

EXPORTED extern const struct pbit_backend pbit_backend_entry;
const struct pbit_backend pbit_backend_entry = {LEAST_BACKEND("good", &ops)};
