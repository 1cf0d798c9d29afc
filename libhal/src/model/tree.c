/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed access to the properties of a node. Nothing here knows what a layer is; the tree has been
 * checked before (check.c).
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <libfdt.h>
#include "model.h"

static struct pbit__property *find(struct pbit__property *properties, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(properties[i].name, name))
			return &properties[i];
	}
	return NULL;
}

/* Fills the properties that the node has; a known one that is there twice is refused. */
int pbit__node_read(const struct pbit__node *node, struct pbit__property *properties, size_t n)
{
	int offset;

	fdt_for_each_property_offset(offset, node->blob, node->offset)
	{
		const char *name;
		int size;
		const void *data = fdt_getprop_by_offset(node->blob, offset, &name, &size);
		struct pbit__property *property;

		if (!data)
			return pbit__model_fail(node->origin, -EINVAL, node->path, NULL,
						"damaged property: %s", fdt_strerror(size));
		property = find(properties, n, name);
		if (!property)
			continue;
		if (property->data)
			return pbit__model_fail(node->origin, -EINVAL, node->path, name,
						"there twice, expected once");
		property->data = data;
		property->size = size;
	}
	return 0;
}

int pbit__property_need(const struct pbit__node *node, const struct pbit__property *property)
{
	if (property->data)
		return 0;
	return pbit__model_fail(node->origin, -EINVAL, node->path, property->name,
				"missing, but required");
}

int pbit__property_refuse(const struct pbit__node *node, const struct pbit__property *property,
			  const char *why)
{
	if (!property->data)
		return 0;
	return pbit__model_fail(node->origin, -EINVAL, node->path, property->name,
				"found, but does not belong to %s", why);
}

static int need_size(const struct pbit__node *node, const struct pbit__property *property, size_t n)
{
	int err = pbit__property_need(node, property);

	if (err)
		return err;
	if ((size_t)property->size != 4 * n)
		return pbit__model_fail(node->origin, -EINVAL, node->path, property->name,
					"%d bytes, expected %zu (%zu cell%s)", property->size,
					4 * n, n, n == 1 ? "" : "s");
	return 0;
}

int pbit__property_cells(const struct pbit__node *node, const struct pbit__property *property,
			 size_t n, uint32_t *cells)
{
	const fdt32_t *data = property->data;
	int err = need_size(node, property, n);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		cells[i] = fdt32_ld(data + i);
	return 0;
}

int pbit__property_floats(const struct pbit__node *node, const struct pbit__property *property,
			  size_t n, float *values)
{
	const fdt32_t *data = property->data;
	int err = need_size(node, property, n);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		uint32_t bits = fdt32_ld(data + i);

		memcpy(&values[i], &bits, sizeof(bits));
		if (!isfinite(values[i]))
			return pbit__model_fail(node->origin, -EINVAL, node->path, property->name,
						"value %zu is %s (0x%08x), expected a finite "
						"binary32",
						i, isnan(values[i]) ? "NaN" : "infinite", bits);
	}
	return 0;
}

int pbit__property_string(const struct pbit__node *node, const struct pbit__property *property,
			  const char **text)
{
	int err = pbit__property_need(node, property);

	if (err)
		return err;
	if (property->size < 1 || memchr(property->data, 0, (size_t)property->size) !=
					  (const char *)property->data + property->size - 1)
		return pbit__model_fail(node->origin, -EINVAL, node->path, property->name,
					"%d bytes that are not one string with a final zero byte",
					property->size);
	*text = property->data;
	return 0;
}

int pbit__property_word(const struct pbit__node *node, const struct pbit__property *property,
			const char *const *words, uint32_t *index)
{
	char known[128] = "";
	const char *text;
	size_t length = 0;
	int err = pbit__property_string(node, property, &text);

	if (err)
		return err;
	for (uint32_t i = 0; words[i]; i++) {
		if (!strcmp(text, words[i])) {
			*index = i;
			return 0;
		}
		length += (size_t)snprintf(known + length, sizeof(known) - length, "%s\"%s\"",
					   i ? ", " : "", words[i]);
		if (length >= sizeof(known))
			length = sizeof(known) - 1;
	}
	return pbit__model_fail(node->origin, -EINVAL, node->path, property->name,
				"\"%.64s\", expected one of %s", text, known);
}

/* Strings of a list, each with its final zero byte; -1 where the last has none. */
int64_t pbit__property_strings(const struct pbit__property *property)
{
	const char *data = property->data;
	int64_t n = 0;

	if (property->size && data[property->size - 1])
		return -1;
	for (int i = 0; i < property->size; i++)
		n += data[i] == 0;
	return n;
}
