/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model from plain arrays: written as a tree, weights packed straight into it, and then loaded
 * like any file. Only what the loader cannot see any more is checked here: pointers, sizes of
 * structs, weights that do not fit their bits.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/args.h"
#include "model.h"

static const char what[] = "cannot create model";
static const char *const types[] = {"dense", "conv2d", "maxpool"};
static const char *const activations[] = {"pbit", "linear", "sigmoid"};
static const char *const encodings[] = {"bipolar", "binary"};

/* A layer as given and as it will be, for one pass that sizes and one that writes. */
struct draft {
	struct pbit_layer_spec spec;
	struct pbit_layer layer;
	char path[48];
};

static int fail_missing(const struct pbit__origin *origin, const char *path, const char *property)
{
	return pbit__model_fail(origin, -EINVAL, path, property, "NULL, but required");
}

static int draft_window(const struct pbit__origin *origin, struct draft *draft)
{
	const struct pbit_layer_spec *spec = &draft->spec;
	struct pbit_layer *layer = &draft->layer;
	bool pool = spec->type == PBIT_MAXPOOL;

	if (spec->type == PBIT_DENSE &&
	    (spec->kernel_h > 1 || spec->kernel_w > 1 || spec->stride_h > 1 || spec->stride_w > 1))
		return pbit__model_fail(origin, -EINVAL, draft->path, "kernel",
					"kernel or stride above 1 in a dense layer, expected 0");
	if (spec->type != PBIT_CONV2D && (spec->pad_h || spec->pad_w))
		return pbit__model_fail(origin, -EINVAL, draft->path, "padding",
					"<%u %u>, expected <0 0> outside a conv2d layer",
					spec->pad_h, spec->pad_w);
	layer->kernel_h = spec->type == PBIT_DENSE ? 1 : spec->kernel_h;
	layer->kernel_w = spec->type == PBIT_DENSE ? 1 : spec->kernel_w;
	layer->stride_h = spec->stride_h ? spec->stride_h : pool ? spec->kernel_h : 1;
	layer->stride_w = spec->stride_w ? spec->stride_w : pool ? spec->kernel_w : 1;
	layer->pad_h = spec->pad_h;
	layer->pad_w = spec->pad_w;
	return 0;
}

static int draft_neurons(const struct pbit__origin *origin, struct draft *draft)
{
	const struct pbit_layer_spec *spec = &draft->spec;
	struct pbit_layer *layer = &draft->layer;
	uint32_t bits = spec->weight_bits;

	if (spec->activation > PBIT_ACT_SIGMOID)
		return pbit__model_fail(origin, -EINVAL, draft->path, "activation",
					"%u, expected PBIT_ACT_PBIT, _LINEAR or _SIGMOID",
					spec->activation);
	if (spec->encoding > PBIT_BINARY)
		return pbit__model_fail(origin, -EINVAL, draft->path, "encoding",
					"%u, expected PBIT_BIPOLAR or PBIT_BINARY", spec->encoding);
	/* Not written for a read-out, so it would be lost in silence. */
	if (spec->activation != PBIT_ACT_PBIT && !(spec->beta == 0 || spec->beta == 1))
		return pbit__model_fail(origin, -EINVAL, draft->path, "beta",
					"%g in a read-out, expected 0 or 1", (double)spec->beta);
	if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 32)
		return pbit__model_fail(origin, -EINVAL, draft->path, "weight-bits",
					"%u, expected 1, 2, 4, 8 or 32", bits);
	if (!(bits == 32 ? (const void *)spec->weights_f32 : (const void *)spec->weights))
		return fail_missing(origin, draft->path, "weights");
	if (!spec->scale)
		return fail_missing(origin, draft->path, "scale");
	if (spec->n_scale != 1 && spec->n_scale != spec->n_out)
		return pbit__model_fail(origin, -EINVAL, draft->path, "scale",
					"%u values, expected 1 or %u (one per output)",
					spec->n_scale, spec->n_out);
	layer->activation = spec->activation;
	layer->encoding = spec->encoding;
	layer->n_out = spec->n_out;
	layer->weight_bits = bits;
	layer->n_scale = spec->n_scale;
	return 0;
}

static int draft_layer(const struct pbit__origin *origin, struct draft *draft,
		       const struct pbit__map *in, bool last)
{
	struct pbit_layer *layer = &draft->layer;
	int err;

	if (draft->spec.type > PBIT_MAXPOOL)
		return pbit__model_fail(origin, -EINVAL, draft->path, "type",
					"%u, expected PBIT_DENSE, PBIT_CONV2D or PBIT_MAXPOOL",
					draft->spec.type);
	layer->type = draft->spec.type;
	layer->activation = PBIT_ACT_NONE;
	err = draft_window(origin, draft);
	if (!err && layer->type != PBIT_MAXPOOL)
		err = draft_neurons(origin, draft);
	return err ? err : pbit__layer_derive(origin, draft->path, layer, in, last);
}

static int draft_layers(const struct pbit__origin *origin, const struct pbit_model_spec *spec,
			struct draft *drafts)
{
	struct pbit__map in = {spec->in, PBIT_CODES, spec->in.channels};
	const char *next = (const char *)spec->layers;
	uint32_t size = spec->layers[0].struct_size;

	for (uint32_t i = 0; i < spec->n_layers; i++, next += size) {
		struct draft *draft = &drafts[i];
		char name[32];
		int err;

		snprintf(name, sizeof(name), "layers[%u]", i);
		snprintf(draft->path, sizeof(draft->path), "/layers/layer@%x", i);
		err = pbit__args_read(&draft->spec, sizeof(draft->spec), next,
				      PBIT__SIZE_TO(struct pbit_layer_spec, scale), what, name);
		if (err)
			return err;
		memcpy(&draft->spec.struct_size, next, sizeof(uint32_t));
		if (draft->spec.struct_size != size)
			return pbit__model_fail(origin, -EINVAL, draft->path, NULL,
						"struct_size is %u, expected %u as in layers[0]",
						draft->spec.struct_size, size);
		err = draft_layer(origin, draft, &in, i + 1 == spec->n_layers);
		if (err)
			return err;
		pbit__layer_output(&draft->layer, &in);
	}
	return 0;
}

static int write_weights(struct pbit__writer *writer, const struct draft *draft)
{
	const struct pbit_layer *layer = &draft->layer;
	void *packed = pbit__writer_weights(writer, layer->weights_size);

	if (!packed)
		return writer->error;
	if (layer->weight_bits == 32)
		pbit__layer_pack_f32(layer, draft->spec.weights_f32, packed);
	else
		writer->error = pbit__layer_pack(writer->origin, draft->path, layer,
						 draft->spec.weights, packed);
	return writer->error;
}

static void write_window(struct pbit__writer *writer, const struct pbit_layer *layer)
{
	uint32_t kernel[] = {layer->kernel_h, layer->kernel_w};
	uint32_t stride[] = {layer->stride_h, layer->stride_w};
	uint32_t padding[] = {layer->pad_h, layer->pad_w};

	if (layer->type == PBIT_DENSE)
		return;
	pbit__writer_cells(writer, "kernel", 2, kernel);
	pbit__writer_cells(writer, "stride", 2, stride);
	if (layer->type == PBIT_CONV2D)
		pbit__writer_cells(writer, "padding", 2, padding);
}

static void write_bias(struct pbit__writer *writer, const struct draft *draft)
{
	void *place;

	if (draft->spec.bias) {
		pbit__writer_floats(writer, "bias", draft->layer.n_out, draft->spec.bias);
		return;
	}
	place = pbit__writer_place(writer, "bias", 4ull * draft->layer.n_out);
	if (place)
		memset(place, 0, 4ull * draft->layer.n_out);
}

static int write_layer(struct pbit__writer *writer, const struct draft *draft)
{
	const struct pbit_layer_spec *spec = &draft->spec;
	const struct pbit_layer *layer = &draft->layer;

	pbit__writer_node(writer, draft->path + sizeof("/layers/") - 1);
	pbit__writer_string(writer, "type", types[layer->type]);
	if (spec->name)
		pbit__writer_string(writer, "label", spec->name);
	write_window(writer, layer);
	if (layer->type != PBIT_MAXPOOL) {
		pbit__writer_cells(writer, layer->type == PBIT_DENSE ? "outputs" : "channels", 1,
				   &layer->n_out);
		pbit__writer_string(writer, "activation", activations[layer->activation]);
		if (layer->activation == PBIT_ACT_PBIT) {
			pbit__writer_string(writer, "encoding", encodings[layer->encoding]);
			if (spec->beta != 0)
				pbit__writer_floats(writer, "beta", 1, &spec->beta);
		}
		pbit__writer_cells(writer, "weight-bits", 1, &layer->weight_bits);
		pbit__writer_floats(writer, "scale", layer->n_scale, spec->scale);
		write_bias(writer, draft);
		write_weights(writer, draft);
	}
	pbit__writer_end_node(writer);
	return writer->error;
}

static void write_input(struct pbit__writer *writer, const struct pbit_model_spec *spec)
{
	uint32_t shape[] = {spec->in.channels, spec->in.height, spec->in.width};
	size_t n = spec->in.height == 1 && spec->in.width == 1 ? 1 : 3;

	pbit__writer_node(writer, "input");
	pbit__writer_cells(writer, "shape", n, shape);
	pbit__writer_cells(writer, "bits", 1, &spec->input_bits);
	pbit__writer_floats(writer, "scale", 1, &spec->input_scale);
	pbit__writer_cells(writer, "zero", 1, &spec->input_zero);
	if (spec->input_chw)
		pbit__writer_string(writer, "order", "chw");
	pbit__writer_end_node(writer);
}

static void write_classes(struct pbit__writer *writer, const struct pbit_model_spec *spec)
{
	uint64_t size = 0;
	char *place;

	for (uint32_t i = 0; i < spec->n_classes; i++)
		size += strlen(spec->classes[i]) + 1;
	place = spec->n_classes ? pbit__writer_place(writer, "classes", size) : NULL;
	for (uint32_t i = 0; i < spec->n_classes && place; i++)
		place = stpcpy(place, spec->classes[i]) + 1;
}

static void write_provenance(struct pbit__writer *writer, const struct pbit_model_spec *spec)
{
	if (!spec->n_provenance)
		return;
	pbit__writer_node(writer, "provenance");
	for (uint32_t i = 0; i < spec->n_provenance; i++)
		pbit__writer_string(writer, spec->provenance[2 * i], spec->provenance[2 * i + 1]);
	pbit__writer_end_node(writer);
}

static int write_tree(struct pbit__writer *writer, const struct pbit_model_spec *spec,
		      const struct draft *drafts)
{
	static const uint32_t version[] = {1, 0};
	int err = 0;

	pbit__writer_node(writer, "");
	pbit__writer_string(writer, "compatible", "pbit,model");
	pbit__writer_cells(writer, "version", 2, version);
	pbit__writer_string(writer, "model", spec->name ? spec->name : "");
	if (spec->description)
		pbit__writer_string(writer, "description", spec->description);
	write_classes(writer, spec);
	write_provenance(writer, spec);
	write_input(writer, spec);
	pbit__writer_node(writer, "layers");
	for (uint32_t i = 0; i < spec->n_layers && !err; i++)
		err = write_layer(writer, &drafts[i]);
	pbit__writer_end_node(writer);
	pbit__writer_end_node(writer);
	return writer->error;
}

/* Names of properties, or the tree could not be written as text. */
static bool is_key(const char *key)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789,._+?#-";
	size_t length = strspn(key, letters);

	return length && !key[length] && length <= PBIT__MAX_NAME;
}

static int check_words(const struct pbit__origin *origin, const struct pbit_model_spec *spec)
{
	if (spec->n_classes && !spec->classes)
		return fail_missing(origin, "/", "classes");
	for (uint32_t i = 0; i < spec->n_classes; i++) {
		if (!spec->classes[i])
			return pbit__model_fail(origin, -EINVAL, "/", "classes",
						"the name of class %u is NULL", i);
	}
	if (spec->n_provenance && !spec->provenance)
		return fail_missing(origin, "/provenance", NULL);
	for (size_t i = 0; i < spec->n_provenance; i++) {
		const char *key = spec->provenance[2 * i];

		if (!key || !spec->provenance[2 * i + 1])
			return pbit__model_fail(origin, -EINVAL, "/provenance", NULL,
						"key or value of entry %zu is NULL", i);
		if (!is_key(key))
			return pbit__model_fail(origin, -EINVAL, "/provenance", NULL,
						"\"%.64s\", expected a key of 1 ... %u letters, "
						"digits and ,._+?#-",
						key, PBIT__MAX_NAME);
	}
	return 0;
}

static int check_spec(const struct pbit__origin *origin, const struct pbit_model_spec *spec)
{
	int err;

	if (!spec->layers)
		return fail_missing(origin, "/layers", NULL);
	if (!spec->n_layers || spec->n_layers > PBIT_MAX_LAYERS)
		return pbit__model_fail(origin, -EINVAL, "/layers", NULL,
					"%u layers, expected 1 ... %u", spec->n_layers,
					PBIT_MAX_LAYERS);
	if (spec->input_chw > 1)
		return pbit__model_fail(origin, -EINVAL, "/input", "order",
					"input_chw is %u, expected 0 or 1", spec->input_chw);
	err = pbit__shape_check(origin, "/input", "shape", spec->in.channels, spec->in.height,
				spec->in.width);
	return err ? err : check_words(origin, spec);
}

/* About the whole tree; the buffer grows for what texts need beyond it. */
static uint64_t size_of_tree(const struct pbit_model_spec *spec, const struct draft *drafts)
{
	uint64_t size = 4096;

	for (uint32_t i = 0; i < spec->n_layers; i++) {
		const struct pbit_layer *layer = &drafts[i].layer;

		size += 768 + layer->weights_size + 4ull * layer->n_scale + 4ull * layer->n_out;
	}
	return size;
}

static int build(const struct pbit__origin *origin, const struct pbit_model_spec *spec, void **blob,
		 size_t *size)
{
	struct pbit__writer writer = {0};
	struct draft *drafts = calloc(spec->n_layers, sizeof(*drafts));
	int err;

	if (!drafts)
		return pbit__model_no_memory(origin, spec->n_layers * sizeof(*drafts));
	err = draft_layers(origin, spec, drafts);
	if (!err)
		err = pbit__writer_begin(&writer, origin, size_of_tree(spec, drafts));
	if (!err)
		err = write_tree(&writer, spec, drafts);
	free(drafts);
	if (err) {
		pbit__writer_drop(&writer);
		return err;
	}
	return pbit__writer_finish(&writer, blob, size);
}

int pbit_model_create(const struct pbit_model_spec *spec, struct pbit_model **model)
{
	static const struct pbit__origin origin = {
		what, "model", "correct the description of the model", PBIT_ERR_ARGUMENT};
	struct pbit_model_spec own;
	void *blob;
	size_t size;
	int err;

	if (!model)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "model",
				 "pass a place for the model", "NULL argument");
	err = pbit__args_read(&own, sizeof(own), spec,
			      PBIT__SIZE_TO(struct pbit_model_spec, layers), what, "spec");
	if (!err)
		err = check_spec(&origin, &own);
	if (!err)
		err = build(&origin, &own, &blob, &size);
	if (err)
		return err;
	err = pbit__model_load(&origin, blob, size, 0, "", model);
	if (err)
		free(blob);
	return err;
}
