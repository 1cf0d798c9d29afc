/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a tree front to back into a buffer that grows, with weights at multiples of 64 bytes. The
 * structure block begins where it will stay (libfdt moves only the strings at the end), so
 * the final offset of a property's data is known when it is written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <libfdt.h>
#include "model.h"

#define PROPERTY_HEADER 12u /* tag, length, offset of the name */

static int fail(struct pbit__writer *writer, int code)
{
	if (!writer->error)
		writer->error = code;
	return code;
}

static int fail_tree(struct pbit__writer *writer, int code)
{
	struct pbit__origin origin = *writer->origin;

	origin.error_class = PBIT_ERR_INTERNAL;
	origin.hint = "report this defect of libpbit";
	return fail(writer, pbit__model_fail(&origin, -EIO, NULL, NULL, "writing the tree: %s",
					     fdt_strerror(code)));
}

static int fail_size(struct pbit__writer *writer, uint64_t size)
{
	return fail(writer, pbit__model_fail(writer->origin, -EINVAL, NULL, NULL,
					     "needs %llu bytes, more than a file may have (%d)",
					     (unsigned long long)size, PBIT__MAX_SIZE));
}

static void grow(struct pbit__writer *writer, uint64_t capacity)
{
	void *buffer;
	int err;

	if (capacity > PBIT__MAX_SIZE) {
		fail_size(writer, capacity);
		return;
	}
	buffer = pbit__aligned((size_t)capacity);
	if (!buffer) {
		fail(writer, pbit__model_no_memory(writer->origin, (size_t)capacity));
		return;
	}
	err = fdt_resize(writer->buffer, buffer, (int)capacity);
	if (err) {
		free(buffer);
		fail_tree(writer, err);
		return;
	}
	free(writer->buffer);
	writer->buffer = buffer;
	writer->capacity = (size_t)capacity;
}

/* Room for `size` more bytes. */
static bool reserve(struct pbit__writer *writer, uint64_t size)
{
	uint64_t need = writer->used + size, more;

	if (writer->error)
		return false;
	if (need > writer->capacity) {
		more = writer->capacity + writer->capacity / 2;
		if (more > PBIT__MAX_SIZE)
			more = PBIT__MAX_SIZE;
		grow(writer, need > more ? need : more);
	}
	if (writer->error)
		return false;
	writer->used += (size_t)size;
	return true;
}

int pbit__writer_begin(struct pbit__writer *writer, const struct pbit__origin *origin,
		       uint64_t capacity)
{
	int err;

	*writer = (struct pbit__writer){.origin = origin, .used = 128};
	capacity += 1024;
	if (capacity > PBIT__MAX_SIZE)
		return fail_size(writer, capacity);
	writer->capacity = (size_t)capacity;
	writer->buffer = pbit__aligned((size_t)capacity);
	if (!writer->buffer)
		return fail(writer, pbit__model_no_memory(origin, (size_t)capacity));
	err = fdt_create(writer->buffer, (int)capacity);
	if (!err)
		err = fdt_finish_reservemap(writer->buffer);
	return err ? fail_tree(writer, err) : 0;
}

void pbit__writer_node(struct pbit__writer *writer, const char *name)
{
	int err;

	if (!reserve(writer, strlen(name) + 8))
		return;
	err = fdt_begin_node(writer->buffer, name);
	if (err)
		fail_tree(writer, err);
}

void pbit__writer_end_node(struct pbit__writer *writer)
{
	int err;

	if (!reserve(writer, 4))
		return;
	err = fdt_end_node(writer->buffer);
	if (err)
		fail_tree(writer, err);
}

/* Adds a property and returns the place of its data; NULL after an error. */
void *pbit__writer_place(struct pbit__writer *writer, const char *name, uint64_t size)
{
	void *data = NULL;
	int err;

	if (size > PBIT__MAX_SIZE) {
		if (!writer->error)
			fail_size(writer, size);
		return NULL;
	}
	if (!reserve(writer, PROPERTY_HEADER + size + 3 + strlen(name) + 1))
		return NULL;
	err = fdt_property_placeholder(writer->buffer, name, (int)size, &data);
	if (err) {
		fail_tree(writer, err);
		return NULL;
	}
	/* The bytes that round it up to a cell are part of the file too. */
	memset((char *)data + size, 0, (size_t)(-size & 3));
	return data;
}

void pbit__writer_property(struct pbit__writer *writer, const char *name, const void *data,
			   uint64_t size)
{
	void *place = pbit__writer_place(writer, name, size);

	if (place && size)
		memcpy(place, data, (size_t)size);
}

void pbit__writer_string(struct pbit__writer *writer, const char *name, const char *text)
{
	pbit__writer_property(writer, name, text, strlen(text) + 1);
}

void pbit__writer_cells(struct pbit__writer *writer, const char *name, size_t n,
			const uint32_t *cells)
{
	unsigned char *place = pbit__writer_place(writer, name, 4 * (uint64_t)n);

	for (size_t i = 0; i < n && place; i++)
		fdt32_st(place + 4 * i, cells[i]);
}

void pbit__writer_floats(struct pbit__writer *writer, const char *name, size_t n,
			 const float *values)
{
	unsigned char *place = pbit__writer_place(writer, name, 4 * (uint64_t)n);

	for (size_t i = 0; i < n && place; i++) {
		uint32_t bits;

		memcpy(&bits, &values[i], sizeof(bits));
		fdt32_st(place + 4 * i, bits);
	}
}

static size_t end_of_structure(const struct pbit__writer *writer)
{
	return fdt_off_dt_struct(writer->buffer) + fdt_size_dt_struct(writer->buffer);
}

void *pbit__writer_weights(struct pbit__writer *writer, uint64_t size)
{
	static const char zeros[PBIT__LINE];
	size_t data;
	void *place;

	if (writer->error)
		return NULL;
	/* Behind a property `align` of no bytes and the header of `weights`. */
	data = end_of_structure(writer) + 2 * PROPERTY_HEADER;
	pbit__writer_property(writer, "align", zeros, -data % PBIT__LINE);
	place = pbit__writer_place(writer, "weights", size);
	if (place)
		memset(place, 0, (size_t)size);
	return place;
}

int pbit__writer_finish(struct pbit__writer *writer, void **blob, size_t *size)
{
	int err;

	if (reserve(writer, 4)) {
		err = fdt_finish(writer->buffer);
		if (err)
			fail_tree(writer, err);
	}
	if (writer->error) {
		pbit__writer_drop(writer);
		return writer->error;
	}
	*blob = writer->buffer;
	*size = fdt_totalsize(writer->buffer);
	writer->buffer = NULL;
	return 0;
}

void pbit__writer_drop(struct pbit__writer *writer)
{
	free(writer->buffer);
	writer->buffer = NULL;
}
