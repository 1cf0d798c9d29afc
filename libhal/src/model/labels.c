/* SPDX-License-Identifier: Apache-2.0 */
/* Words that a model carries along: names of its classes, where it comes from. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <libfdt.h>
#include "model.h"

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct pbit__provenance *)a)->key,
		      ((const struct pbit__provenance *)b)->key);
}

/* Sorted apart, so that entries keep the order of the file. */
static int check_unique(const struct pbit__node *node, const struct pbit_model *model)
{
	size_t size = model->n_provenance * sizeof(*model->provenance);
	struct pbit__provenance *sorted = malloc(size);
	int err = 0;

	if (!sorted)
		return pbit__model_no_memory(node->origin, size);
	memcpy(sorted, model->provenance, size);
	qsort(sorted, model->n_provenance, sizeof(*sorted), compare_keys);
	for (uint32_t i = 1; i < model->n_provenance && !err; i++) {
		if (!compare_keys(&sorted[i - 1], &sorted[i]))
			err = pbit__model_fail(node->origin, -EINVAL, node->path, sorted[i].key,
					       "there twice, expected once");
	}
	free(sorted);
	return err;
}

int pbit__model_read_provenance(struct pbit_model *model, const struct pbit__node *node)
{
	uint32_t n = 0;
	int offset, err;

	fdt_for_each_property_offset(offset, node->blob, node->offset) n++;
	if (!n)
		return 0;
	model->provenance = calloc(n, sizeof(*model->provenance));
	if (!model->provenance)
		return pbit__model_no_memory(node->origin, n * sizeof(*model->provenance));
	fdt_for_each_property_offset(offset, node->blob, node->offset)
	{
		struct pbit__provenance *entry = &model->provenance[model->n_provenance];
		struct pbit__property property = {0};

		property.data =
			fdt_getprop_by_offset(node->blob, offset, &property.name, &property.size);
		if (!property.data)
			return pbit__model_fail(node->origin, -EINVAL, node->path, NULL,
						"damaged property: %s",
						fdt_strerror(property.size));
		entry->key = property.name;
		err = pbit__property_string(node, &property, &entry->value);
		if (err)
			return err;
		model->n_provenance++;
	}
	return check_unique(node, model);
}

int pbit__model_read_classes(struct pbit_model *model, const struct pbit__node *root,
			     const struct pbit__property *property)
{
	const char *text = property->data;
	int64_t n;

	if (!text)
		return 0;
	n = pbit__property_strings(property);
	if (n < 0)
		return pbit__model_fail(root->origin, -EINVAL, "/", "classes",
					"the last name has no final zero byte");
	if ((uint64_t)n != model->info.n_outputs)
		return pbit__model_fail(root->origin, -EINVAL, "/", "classes",
					"%lld names, expected %llu (one per output)", (long long)n,
					(unsigned long long)model->info.n_outputs);
	model->classes = calloc((size_t)n, sizeof(*model->classes));
	if (!model->classes)
		return pbit__model_no_memory(root->origin, (size_t)n * sizeof(*model->classes));
	for (int64_t i = 0; i < n; i++, text += strlen(text) + 1)
		model->classes[i] = text;
	model->n_classes = (uint32_t)n;
	return 0;
}
