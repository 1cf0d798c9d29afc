/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the model loader: any bytes either are refused with a record or give a model of which
 * everything can be read, and which saved loads again as the same. The mutator keeps
 * the header of the tree in step with the data, so that changes reach the loader and are not all
 * stopped at the header.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <libfdt.h>
#include <pbit/backend.h>
#include "model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static volatile uint64_t sink;

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void read_text(const char *text)
{
	require(text != NULL);
	sink += strlen(text);
}

static void read_layer(const struct pbit_model *model, const struct pbit_layer *layer)
{
	float *a, *c;
	const uint8_t *weights = layer->weights;

	read_text(layer->name);
	sink += pbit_layer_state_words(layer);
	if (layer->type == PBIT_MAXPOOL)
		return;
	require((uintptr_t)weights % 64 == 0 && layer->weights_size % 64 == 0);
	for (size_t i = 0; i < layer->weights_size; i++)
		sink += weights[i];
	require(layer->n_scale == 1 || layer->n_scale == layer->n_out);
	a = malloc(2 * sizeof(*a) * layer->n_out);
	if (!a)
		return;
	c = a + layer->n_out;
	require(!pbit_layer_affine(model, layer->index, 0, layer->kernel_h, 0, layer->kernel_w, a,
				   c));
	require(!pbit_layer_affine(model, layer->index, layer->kernel_h / 2, layer->kernel_h, 0,
				   layer->kernel_w / 2, a, c));
	free(a);
	for (uint32_t k = 0; k < 64; k++)
		sink += pbit_layer_weight(layer, k % layer->n_out, k * 37) != 0;
	sink += pbit_layer_weight(layer, layer->n_out - 1, layer->k_padded - 1) != 0;
}

static void read_model(const struct pbit_model *model)
{
	struct pbit_model_info info = PBIT_INIT(info);
	const char *key, *value;

	require(!pbit_model_info(model, &info));
	read_text(info.name);
	read_text(info.description);
	read_text(info.path);
	for (uint32_t i = 0; i < info.n_layers; i++)
		read_layer(model, pbit_model_layer(model, i));
	for (uint32_t i = 0; i < info.n_classes; i++)
		read_text(pbit_model_class(model, i));
	for (uint32_t i = 0; !pbit_model_provenance(model, i, &key, &value); i++) {
		read_text(key);
		read_text(value);
	}
}

/* What save writes, without the file. */
static void read_again(const struct pbit_model *model)
{
	static const struct pbit__origin origin = {"cannot save model", "memory", NULL,
						   PBIT_ERR_FILE};
	struct pbit_model *again = NULL;
	void *blob;
	size_t size;

	require(!pbit__model_rewrite(&origin, model, &blob, &size));
	require(!pbit_model_from_memory(blob, size, &again));
	free(blob);
	require(again->aligned && again->n_layers == model->n_layers);
	for (uint32_t i = 0; i < model->n_layers; i++) {
		const struct pbit_layer *x = &model->layers[i], *y = &again->layers[i];

		require(x->weights_size == y->weights_size);
		require(!x->weights || !memcmp(x->weights, y->weights, x->weights_size));
	}
	pbit_model_put(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pbit_model *model = NULL;
	int err = pbit_model_from_memory(data, size, &model);

	if (err) {
		require(err == -EINVAL && !model);
		require(pbit_last_error()->code == err && pbit_last_error()->why[0]);
		return 0;
	}
	read_model(model);
	read_again(model);
	pbit_model_put(model);
	return 0;
}

/* A property at random, each with the same chance; 0 where there is none. */
static int pick_property(const void *blob, unsigned int *seed)
{
	int offset, next = 0, chosen = 0;
	unsigned int n = 0;
	uint32_t tag;

	do {
		offset = next;
		tag = fdt_next_tag(blob, offset, &next);
		if (tag == FDT_PROP && (unsigned int)rand_r(seed) % ++n == 0)
			chosen = offset;
	} while (tag != FDT_END && next > 0);
	return chosen;
}

/* Changes cells of one property, mostly to numbers that sit on an edge. */
static void change_property(void *blob, unsigned int *seed)
{
	static const uint32_t edges[] = {
		0,     1,     2,	  3,	      16,	  31,	      32,	 255,
		65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fc00000, 0x7f800000};
	int offset = pick_property(blob, seed), size;
	char *data =
		offset ? (char *)(uintptr_t)fdt_getprop_by_offset(blob, offset, NULL, &size) : NULL;

	if (!data || size < 1)
		return;
	if (rand_r(seed) % 4 == 0) {
		LLVMFuzzerMutate((uint8_t *)data, (size_t)size, (size_t)size);
	} else if (size >= 4) {
		size_t cell = (size_t)rand_r(seed) % ((size_t)size / 4);

		fdt32_st(data + 4 * cell,
			 edges[(size_t)rand_r(seed) % (sizeof(edges) / sizeof(*edges))]);
	}
}

/* Gives a property another length, or takes it or a node away, with libfdt. */
static void change_tree(void *blob, unsigned int *seed)
{
	int offset = pick_property(blob, seed), node = 0, next = 0, size;
	const char *name;
	char fill[64];
	uint32_t tag;

	if (!offset || !fdt_getprop_by_offset(blob, offset, &name, &size))
		return;
	for (int at = 0; at < offset && next >= 0; at = next) {
		tag = fdt_next_tag(blob, at, &next);
		if (tag == FDT_BEGIN_NODE)
			node = at;
	}
	memset(fill, rand_r(seed) & 255, sizeof(fill));
	switch (rand_r(seed) % 4) {
	case 0:
		(void)fdt_delprop(blob, node, name);
		break;
	case 1:
		if (node)
			(void)fdt_del_node(blob, node);
		break;
	default:
		(void)fdt_setprop(blob, node, name, fill, (int)(rand_r(seed) % 64));
		break;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	static const struct pbit__origin origin = {"cannot mutate", "memory", NULL, PBIT_ERR_FILE};
	void *tree;
	size_t used;

	if (rand_r(&seed) % 8 == 0 || max_size > INT_MAX)
		return LLVMFuzzerMutate(data, size, max_size);
	tree = aligned_alloc(64, (max_size + 63) / 64 * 64);
	/* Not fdt_check_full() alone: libfdt 1.6 dies of trees of an old version. */
	if (!tree || pbit__tree_check(&origin, data, size) ||
	    fdt_open_into(data, tree, (int)max_size)) {
		free(tree);
		return LLVMFuzzerMutate(data, size, max_size);
	}
	for (int n = 1 + (int)(rand_r(&seed) % 3); n > 0; n--) {
		if (rand_r(&seed) % 3)
			change_property(tree, &seed);
		else
			change_tree(tree, &seed);
	}
	(void)fdt_pack(tree);
	used = fdt_totalsize(tree);
	memcpy(data, tree, used);
	free(tree);
	return used;
}
