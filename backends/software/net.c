/* SPDX-License-Identifier: Apache-2.0 */
/* Makes layers ready: geometry, and the factors of every p-bit's pre-activation. */
#include <errno.h>
#include <stdlib.h>
#include "model/affine_map.h"
#include "net.h"

#define NEVER -1e30f /* pre-activation of a p-bit that is not there */

static int no_memory(void)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot load model",
			 "software:", "close other programs or use a smaller model",
			 "out of memory");
}

static int affine(const struct soft_net *net, struct soft_layer *layer)
{
	const struct pbit_layer *l = layer->info;
	const size_t n = layer->n_padded;

	layer->a = aligned_alloc(64, 2 * n * sizeof(float));
	if (!layer->a)
		return no_memory();
	layer->c = layer->a + n;
	for (size_t i = 0; i < n; i++) {
		layer->a[i] = 0.0f;
		layer->c[i] = NEVER;
	}
	if (l->type == PBIT_CONV2D)
		return pbit__layer_affine_map(net->model, l, layer->row, layer->a, layer->c);
	return pbit_layer_affine(net->model, l->index, 0, 1, 0, 1, layer->a, layer->c);
}

static int prepare(const struct soft_net *net, struct soft_layer *layer, uint32_t index)
{
	const struct pbit_layer *l = pbit_model_layer(net->model, index);

	layer->info = l;
	layer->positions = l->type == PBIT_DENSE ? 1 : (size_t)l->out.height * l->out.width;
	layer->row = soft_round_up(l->n_out, layer->positions == 1 ? SOFT_GROUP : 32);
	if (l->type == PBIT_DENSE)
		layer->row += SOFT_LANES; /* columns must not share the sets of a cache */
	layer->n_values = (size_t)l->out.channels * l->out.height * l->out.width;
	layer->n_pbits = l->type == PBIT_DENSE ? l->n_out : layer->positions * layer->row;
	layer->n_padded = soft_round_up(layer->n_pbits, SOFT_GROUP);
	layer->words = layer->n_padded / 32;
	layer->in_words =
		soft_round_up((size_t)l->in.height * l->in.width * l->in_stride, SOFT_GROUP) / 32;
	layer->tiles = (l->n_out + SOFT_LANES - 1) / SOFT_LANES;
	return l->type == PBIT_MAXPOOL ? 0 : affine(net, layer);
}

int soft_net_load(const struct pbit_model *model, uint32_t first, uint32_t n, struct soft_net **out)
{
	struct pbit_model_info info = PBIT_INIT(info);
	struct soft_net *net;
	int rc;

	rc = pbit_model_info(model, &info);
	if (rc)
		return rc;
	net = calloc(1, sizeof(*net));
	if (!net)
		return no_memory();
	net->model = model;
	net->n_layers = n;
	net->code_input = first == 0;
	net->code_bytes = info.input_bits / 8;
	net->n_inputs = info.n_inputs;
	net->layers = calloc(n, sizeof(*net->layers));
	if (!net->layers) {
		rc = no_memory();
		goto fail;
	}
	for (uint32_t i = 0; i < n; i++) {
		rc = prepare(net, &net->layers[i], first + i);
		if (rc)
			goto fail;
	}
	*out = net;
	return 0;
fail:
	soft_net_free(net);
	return rc;
}

void soft_net_free(struct soft_net *net)
{
	if (!net)
		return;
	for (uint32_t i = 0; net->layers && i < net->n_layers; i++)
		free(net->layers[i].a);
	free(net->layers);
	free(net);
}
