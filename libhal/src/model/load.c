/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of a model into a struct pbit_model: root, input, provenance, classes and the list of
 * layers. Every way to make a model ends here, so everything is validated once and in one place.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <libfdt.h>
#include "model.h"

/* Offsets of the nodes that a model is made of. */
struct parts {
	int input;
	int layers;
	int provenance;
};

static int take_once(const struct pbit__node *root, int offset, const char *path, int *part)
{
	if (*part >= 0)
		return pbit__model_fail(root->origin, -EINVAL, path, NULL,
					"there twice, expected once");
	*part = offset;
	return 0;
}

static int find_parts(const struct pbit__node *root, struct parts *parts)
{
	int offset, err = 0;

	*parts = (struct parts){-1, -1, -1};
	fdt_for_each_subnode(offset, root->blob, 0)
	{
		const char *name = fdt_get_name(root->blob, offset, NULL);

		if (!name)
			continue;
		if (!strcmp(name, "input"))
			err = take_once(root, offset, "/input", &parts->input);
		else if (!strcmp(name, "layers"))
			err = take_once(root, offset, "/layers", &parts->layers);
		else if (!strcmp(name, "provenance"))
			err = take_once(root, offset, "/provenance", &parts->provenance);
		if (err)
			return err;
	}
	if (parts->input < 0)
		return pbit__model_fail(root->origin, -EINVAL, "/input", NULL,
					"missing, but required");
	if (parts->layers < 0)
		return pbit__model_fail(root->origin, -EINVAL, "/layers", NULL,
					"missing, but required");
	return 0;
}

static int check_version(const struct pbit__node *root, const struct pbit__property *property)
{
	uint32_t version[2];
	struct pbit__origin origin = *root->origin;
	int err = pbit__property_cells(root, property, 2, version);

	if (err || version[0] == 1)
		return err;
	origin.error_class = PBIT_ERR_VERSION;
	origin.hint = "update libpbit, or write the model in version 1";
	return pbit__model_fail(&origin, -EINVAL, "/", "version",
				"format version %u.%u, expected 1.x", version[0], version[1]);
}

static int check_compatible(const struct pbit__node *root, const struct pbit__property *property)
{
	const char *text = property->data;
	int err = pbit__property_need(root, property);

	if (err)
		return err;
	if (pbit__property_strings(property) >= 1) {
		for (const char *end = text + property->size; text < end; text += strlen(text) + 1)
			if (!strcmp(text, "pbit,model"))
				return 0;
	}
	return pbit__model_fail(
		root->origin, -EINVAL, "/", "compatible", "\"%.*s\", expected \"pbit,model\"",
		property->size < 64 ? property->size : 64, (const char *)property->data);
}

enum {
	COMPATIBLE,
	VERSION,
	MODEL,
	DESCRIPTION,
	CLASSES,
	N_ROOT,
};

static int read_root(struct pbit_model *model, const struct pbit__node *root,
		     struct pbit__property *properties)
{
	int err = pbit__node_read(root, properties, N_ROOT);

	if (!err)
		err = check_compatible(root, &properties[COMPATIBLE]);
	if (!err)
		err = check_version(root, &properties[VERSION]);
	if (!err)
		err = pbit__property_string(root, &properties[MODEL], &model->info.name);
	if (!err && properties[DESCRIPTION].data)
		err = pbit__property_string(root, &properties[DESCRIPTION],
					    &model->info.description);
	return err;
}

static int read_shape(const struct pbit__node *node, const struct pbit__property *property,
		      struct pbit_shape *shape)
{
	uint32_t cells[3] = {0, 1, 1};
	size_t n = property->data && property->size == 4 ? 1 : 3;
	int err = pbit__property_cells(node, property, n, cells);

	if (err)
		return err;
	*shape = (struct pbit_shape){cells[0], cells[1], cells[2]};
	return pbit__shape_check(node->origin, node->path, "shape", cells[0], cells[1], cells[2]);
}

static int read_codes(const struct pbit__node *node, const struct pbit__property *bits,
		      const struct pbit__property *scale, const struct pbit__property *zero,
		      struct pbit_model_info *info)
{
	int err = pbit__property_cells(node, bits, 1, &info->input_bits);

	if (err)
		return err;
	if (info->input_bits != 8 && info->input_bits != 16)
		return pbit__model_fail(node->origin, -EINVAL, node->path, "bits",
					"%u, expected 8 or 16", info->input_bits);
	err = pbit__property_floats(node, scale, 1, &info->input_scale);
	if (err)
		return err;
	if (!(info->input_scale > 0))
		return pbit__model_fail(node->origin, -EINVAL, node->path, "scale",
					"%g, expected more than 0", (double)info->input_scale);
	err = pbit__property_cells(node, zero, 1, &info->input_zero);
	if (err)
		return err;
	if (info->input_zero >> info->input_bits)
		return pbit__model_fail(node->origin, -EINVAL, node->path, "zero",
					"%u, expected a code of %u bits, 0 ... %u",
					info->input_zero, info->input_bits,
					(1u << info->input_bits) - 1);
	return 0;
}

static int read_input(struct pbit_model *model, const struct pbit__node *node)
{
	static const char *const orders[] = {"hwc", "chw", NULL};
	struct pbit__property properties[] = {
		{.name = "shape"}, {.name = "bits"},  {.name = "scale"},
		{.name = "zero"},  {.name = "order"},
	};
	int err = pbit__node_read(node, properties, 5);

	if (!err)
		err = read_shape(node, &properties[0], &model->info.in);
	if (!err)
		err = read_codes(node, &properties[1], &properties[2], &properties[3],
				 &model->info);
	if (!err && properties[4].data)
		err = pbit__property_word(node, &properties[4], orders, &model->info.input_chw);
	return err;
}

static uint64_t elements(const struct pbit_shape *shape)
{
	return (uint64_t)shape->channels * shape->height * shape->width;
}

static void sum_up(struct pbit_model *model)
{
	struct pbit_model_info *info = &model->info;

	info->n_layers = model->n_layers;
	info->n_inputs = elements(&info->in);
	info->out = model->layers[model->n_layers - 1].out;
	info->n_outputs = elements(&info->out);
	for (uint32_t i = 0; i < model->n_layers; i++) {
		const struct pbit_layer *layer = &model->layers[i];

		if (layer->type == PBIT_MAXPOOL)
			continue;
		if (layer->activation == PBIT_ACT_PBIT)
			info->n_pbits += elements(&layer->out);
		info->n_weights += (uint64_t)layer->n_out * layer->fan_in;
		info->n_macs += elements(&layer->out) * layer->fan_in;
		info->weight_bytes += layer->weights_size;
	}
}

/* "layer@1f" gives 31; hexadecimal, lower case, no leading zeros. -1: anything else. */
static int layer_number(const char *name)
{
	static const char prefix[] = "layer@", digits[] = "0123456789abcdef";
	const char *p = name + sizeof(prefix) - 1;
	int number = 0;

	if (strncmp(name, prefix, sizeof(prefix) - 1) || !*p || (*p == '0' && p[1]))
		return -1;
	for (; *p; p++) {
		const char *digit = strchr(digits, *p);

		if (!digit || number > INT_MAX / 16)
			return -1;
		number = number * 16 + (int)(digit - digits);
	}
	return number;
}

static int collect_layers(struct pbit_model *model, const struct pbit__node *list, int *offsets)
{
	char path[48];
	int offset;

	for (uint32_t i = 0; i < PBIT_MAX_LAYERS; i++)
		offsets[i] = -1;
	fdt_for_each_subnode(offset, list->blob, list->offset)
	{
		const char *name = fdt_get_name(list->blob, offset, NULL);
		int number = name ? layer_number(name) : -1;

		if (number < 0)
			return pbit__model_fail(list->origin, -EINVAL, list->path, NULL,
						"a node \"%.64s\", expected layer@N, N hexadecimal "
						"in lower case without leading zeros",
						name ? name : "");
		snprintf(path, sizeof(path), "/layers/layer@%x", (unsigned int)number);
		if ((uint32_t)number >= PBIT_MAX_LAYERS)
			return pbit__model_fail(list->origin, -EINVAL, path, NULL,
						"expected at most %u layers", PBIT_MAX_LAYERS);
		if (offsets[number] >= 0)
			return pbit__model_fail(list->origin, -EINVAL, path, NULL,
						"there twice, expected once");
		offsets[number] = offset;
		model->n_layers++;
	}
	if (!model->n_layers)
		return pbit__model_fail(list->origin, -EINVAL, list->path, NULL,
					"no layers, expected 1 ... %u", PBIT_MAX_LAYERS);
	for (uint32_t i = 0; i < model->n_layers; i++) {
		snprintf(path, sizeof(path), "/layers/layer@%x", i);
		if (offsets[i] < 0)
			return pbit__model_fail(list->origin, -EINVAL, path, NULL,
						"missing: %u layers are numbered 0 ... %x without "
						"a gap",
						model->n_layers, model->n_layers - 1);
	}
	return 0;
}

static int read_layers(struct pbit_model *model, const struct pbit__node *list)
{
	int offsets[PBIT_MAX_LAYERS];
	struct pbit__node node = *list;
	int err = collect_layers(model, list, offsets);

	if (err)
		return err;
	model->layers = calloc(model->n_layers, sizeof(*model->layers));
	model->stores = calloc(model->n_layers, sizeof(*model->stores));
	if (!model->layers || !model->stores)
		return pbit__model_no_memory(list->origin,
					     model->n_layers * sizeof(*model->layers));
	for (uint32_t i = 0; i < model->n_layers; i++) {
		node.offset = offsets[i];
		snprintf(node.path, sizeof(node.path), "/layers/layer@%x", i);
		model->n_nodes = i + 1;
		err = pbit__layer_read(model, &node, i);
		if (err)
			return err;
	}
	return 0;
}

static int read_model(struct pbit_model *model, const struct pbit__origin *origin)
{
	struct pbit__node root = {.origin = origin, .blob = model->blob, .path = "/"};
	struct pbit__node input = root, layers = root, provenance = root;
	struct pbit__property properties[N_ROOT] = {
		{.name = "compatible"},	 {.name = "version"}, {.name = "model"},
		{.name = "description"}, {.name = "classes"},
	};
	struct parts parts;
	int err = read_root(model, &root, properties);

	if (!err)
		err = find_parts(&root, &parts);
	if (err)
		return err;
	input.offset = parts.input;
	layers.offset = parts.layers;
	provenance.offset = parts.provenance;
	snprintf(input.path, sizeof(input.path), "/input");
	snprintf(layers.path, sizeof(layers.path), "/layers");
	snprintf(provenance.path, sizeof(provenance.path), "/provenance");
	err = read_input(model, &input);
	if (!err)
		err = read_layers(model, &layers);
	if (err)
		return err;
	sum_up(model);
	if (parts.provenance >= 0)
		err = pbit__model_read_provenance(model, &provenance);
	if (!err)
		err = pbit__model_read_classes(model, &root, &properties[CLASSES]);
	return err;
}

void pbit__model_free(struct pbit_model *model)
{
	for (uint32_t i = 0; i < model->n_nodes; i++) {
		free(model->stores[i].scale);
		free(model->stores[i].bias);
		free(model->stores[i].weights);
	}
	free(model->stores);
	free(model->layers);
	free(model->classes);
	free(model->provenance);
	free(model->path);
	if (model->mapped)
		munmap((void *)(uintptr_t)model->blob, model->mapped);
	else
		free((void *)(uintptr_t)model->blob);
	free(model);
}

int pbit__model_load(const struct pbit__origin *origin, const void *blob, size_t size,
		     size_t mapped, const char *path, struct pbit_model **model)
{
	struct pbit_model *new_model;
	int err = pbit__tree_check(origin, blob, size);

	if (err)
		return err;
	new_model = calloc(1, sizeof(*new_model));
	if (!new_model)
		return pbit__model_no_memory(origin, sizeof(*new_model));
	atomic_init(&new_model->references, 1);
	new_model->blob = blob;
	new_model->size = fdt_totalsize(blob);
	new_model->aligned = true;
	new_model->info.description = "";
	new_model->path = strdup(path);
	err = new_model->path ? read_model(new_model, origin)
			      : pbit__model_no_memory(origin, strlen(path) + 1);
	if (err)
		goto fail;
	new_model->info.path = new_model->path;
	new_model->info.n_classes = new_model->n_classes;
	new_model->mapped = mapped;
	*model = new_model;
	return 0;
fail:
	new_model->blob = NULL; /* stays with the caller */
	pbit__model_free(new_model);
	return err;
}
