/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of a model's tree in which all weights are aligned. It copies nodes and properties as
 * they are, those unknown to this library included, and only moves `weights`.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <libfdt.h>
#include "model.h"

/* Depth of /layers/layer@N, the root being 1. */
#define LAYER_DEPTH 3

struct copy {
	struct pbit__writer writer;
	const void *blob;
	int depth;
	bool in_layers;
};

static void copy_node(struct copy *copy, int offset)
{
	const char *name = fdt_get_name(copy->blob, offset, NULL);

	copy->depth++;
	if (copy->depth == LAYER_DEPTH - 1)
		copy->in_layers = name && !strcmp(name, "layers");
	pbit__writer_node(&copy->writer, name ? name : "");
}

static void copy_property(struct copy *copy, int offset)
{
	int size;
	const char *name;
	const void *data = fdt_getprop_by_offset(copy->blob, offset, &name, &size);
	bool in_layer = copy->in_layers && copy->depth == LAYER_DEPTH;
	void *place;

	if (!data || (in_layer && !strcmp(name, "align")))
		return;
	if (!in_layer || strcmp(name, "weights")) {
		pbit__writer_property(&copy->writer, name, data, (uint64_t)size);
		return;
	}
	place = pbit__writer_weights(&copy->writer, (uint64_t)size);
	if (place)
		memcpy(place, data, (size_t)size);
}

int pbit__model_rewrite(const struct pbit__origin *origin, const struct pbit_model *model,
			void **blob, size_t *size)
{
	struct copy copy = {.blob = model->blob};
	int offset, next = 0;
	uint32_t tag;
	int err = pbit__writer_begin(&copy.writer, origin, model->size + 128ull * model->n_layers);

	do {
		offset = next;
		tag = fdt_next_tag(model->blob, offset, &next);
		if (tag == FDT_BEGIN_NODE) {
			copy_node(&copy, offset);
		} else if (tag == FDT_END_NODE) {
			copy.depth--;
			pbit__writer_end_node(&copy.writer);
		} else if (tag == FDT_PROP) {
			copy_property(&copy, offset);
		}
	} while (!err && tag != FDT_END && next >= 0);
	return pbit__writer_finish(&copy.writer, blob, size);
}
