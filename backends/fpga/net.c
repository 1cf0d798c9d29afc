/* SPDX-License-Identifier: Apache-2.0 */
/* Loads dense layers into a card's memory. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "net.h"

static const char what[] = "cannot load model";

static int unsupported(const struct card *card, const struct pbit_layer *l, const char *why)
{
	return pbit_fail(-EOPNOTSUPP, PBIT_ERR_LIMIT, what, card->link->where,
			 "have the library lower the layers onto the card's Boltzmann mode",
			 "layer %u%s%s%s %s", l->index, *l->name ? " (" : "", l->name,
			 *l->name ? ")" : "", why);
}

static int too_big(const struct card *card, const struct pbit_layer *l, const char *quantity,
		   uint64_t found, uint64_t limit)
{
	return pbit_fail(-E2BIG, PBIT_ERR_LIMIT, what, card->link->where,
			 "use a smaller model or a larger card",
			 "layer %u has %s of %llu, the card takes %llu", l->index, quantity,
			 (unsigned long long)found, (unsigned long long)limit);
}

static int check(const struct card *card, const struct card_layer *layer)
{
	const struct pbit_card_rom *rom = &card->link->rom;
	const struct pbit_layer *l = layer->info;

	if (!(le32toh(rom->flags) & PBIT_CARD_LAYER))
		return unsupported(card, l, "is a layer, and the card has Boltzmann mode only");
	if (l->type != PBIT_DENSE)
		return unsupported(card, l, "is not dense, the only kind that the card runs");
	if (l->weight_bits > 8 || !(le32toh(rom->weight_bits) >> (l->weight_bits - 1) & 1))
		return unsupported(card, l, "has weights of a width that the card lacks");
	if (layer->n_inputs > le32toh(rom->max_inputs))
		return too_big(card, l, "a fan-in", layer->n_inputs, le32toh(rom->max_inputs));
	if (l->n_out > le32toh(rom->max_outputs))
		return too_big(card, l, "a number of outputs", l->n_out, le32toh(rom->max_outputs));
	if (layer->macs > card->link->max_work)
		return too_big(card, l, "a number of weights", layer->macs, card->link->max_work);
	return 0;
}

/* a[0] ... c[0] ... in binary32, rounded up to the lanes of a tile. */
static int load_factors(struct card *card, const struct pbit_model *model,
			const struct card_layer *layer)
{
	const uint32_t padded = (uint32_t)card_round_up(layer->info->n_out, 16);
	float *a = calloc(padded, 2 * sizeof(*a));
	int rc;

	if (!a)
		return card_no_memory(card, what);
	rc = pbit_layer_affine(model, layer->info->index, 0, 1, 0, 1, a, a + padded);
	if (!rc)
		rc = card_upload(card, what, &layer->memory, layer->factors, a,
				 2 * sizeof(*a) * padded);
	free(a);
	return rc;
}

static int load_layer(struct card *card, const struct pbit_model *model, uint32_t index,
		      struct card_layer *layer)
{
	const struct pbit_layer *l = pbit_model_layer(model, index);
	const uint64_t padded = card_round_up(l->n_out, 16);
	int rc;

	layer->info = l;
	/* What is not dense is refused before this counts. */
	layer->n_inputs = l->in.height * l->in.width * l->in_stride;
	layer->macs = card_round_up(layer->n_inputs, 32) * padded;
	layer->out_stride = (uint32_t)card_round_up(l->n_out, 64) / 8;
	rc = check(card, layer);
	if (rc)
		return rc;
	layer->factors = card_round_up(l->weights_size, 64);
	rc = card_buffer_new(card, what, PBIT_BUFFER_DEVICE, layer->factors + 8 * padded,
			     &layer->memory);
	if (!rc)
		rc = card_upload(card, what, &layer->memory, 0, l->weights, l->weights_size);
	return rc ? rc : load_factors(card, model, layer);
}

static int load_input(const struct card *card, const struct pbit_model *model, uint32_t first,
		      struct card_net *net)
{
	struct pbit_model_info info = PBIT_INIT(info);
	const uint32_t n = net->layer[0].n_inputs;
	int rc = pbit_model_info(model, &info);

	if (rc)
		return rc;
	net->codes = first == 0;
	net->code_bytes = info.input_bits / 8;
	net->in_stride = (uint32_t)(net->codes ? card_round_up((uint64_t)n * net->code_bytes, 8)
					       : card_round_up(n, 64) / 8);
	if (net->codes && !(le32toh(card->link->rom.code_bits) >> (info.input_bits - 1) & 1))
		return unsupported(card, net->layer[0].info, "has codes of a width the card lacks");
	return 0;
}

int card_net_load(void *priv, const struct pbit_model *model, uint32_t first, uint32_t n,
		  void **out)
{
	struct card *card = priv;
	struct card_net *net;
	int rc = 0;

	if (n > card->link->max_commands)
		return pbit_fail(-E2BIG, PBIT_ERR_LIMIT, what, card->link->where,
				 "run fewer layers at a time",
				 "%u layers are more than the %u commands of a job", n,
				 card->link->max_commands);
	net = calloc(1, sizeof(*net) + n * sizeof(net->layer[0]));
	if (!net)
		return card_no_memory(card, what);
	net->n = n;
	net->max_rows = le32toh(card->link->rom.max_samples);
	for (uint32_t i = 0; !rc && i < n; i++) {
		rc = load_layer(card, model, first + i, &net->layer[i]);
		if (!rc && card->link->max_work / net->layer[i].macs < net->max_rows)
			net->max_rows = card->link->max_work / net->layer[i].macs;
	}
	if (!rc)
		rc = load_input(card, model, first, net);
	if (rc) {
		card_net_unload(card, net);
		return rc;
	}
	*out = net;
	return 0;
}

void card_net_unload(void *priv, void *loaded)
{
	struct card *card = priv;
	struct card_net *net = loaded;

	for (uint32_t i = 0; i < net->n; i++)
		card_buffer_free(card, &net->layer[i].memory);
	for (uint32_t i = 0; i < CARD_SLOTS; i++)
		card_buffer_free(card, &net->slot[i]);
	card_buffer_free(card, &net->state[0]);
	card_buffer_free(card, &net->state[1]);
	free(net);
}
