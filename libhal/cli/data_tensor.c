/* SPDX-License-Identifier: Apache-2.0 */
/* Reads an array from a file of either known format. */
#include "data_tensor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>

uint32_t element_size(enum element element)
{
	static const uint32_t sizes[] = {
		[ELEMENT_U8] = 1,  [ELEMENT_U16] = 2, [ELEMENT_U32] = 4, [ELEMENT_U64] = 8,
		[ELEMENT_I8] = 1,  [ELEMENT_I16] = 2, [ELEMENT_I32] = 4, [ELEMENT_I64] = 8,
		[ELEMENT_F32] = 4, [ELEMENT_F64] = 8,
	};

	return sizes[element];
}

const char *element_name(enum element element)
{
	static const char *const names[] = {
		[ELEMENT_U8] = "uint8",	   [ELEMENT_U16] = "uint16", [ELEMENT_U32] = "uint32",
		[ELEMENT_U64] = "uint64",  [ELEMENT_I8] = "int8",    [ELEMENT_I16] = "int16",
		[ELEMENT_I32] = "int32",   [ELEMENT_I64] = "int64",  [ELEMENT_F32] = "float32",
		[ELEMENT_F64] = "float64",
	};

	return names[element];
}

int tensor_set_shape(struct tensor *tensor, const struct source *source, uint64_t *bytes)
{
	tensor->n_rows = tensor->dims[0];
	tensor->n_values = 1;
	for (uint32_t i = 0; i < tensor->n_dims; i++) {
		if (tensor->dims[i] == 0)
			return source_invalid(source, NULL, "dimension %u of its shape is 0", i);
		if (i > 0 &&
		    __builtin_mul_overflow(tensor->n_values, tensor->dims[i], &tensor->n_values))
			return source_invalid(source, NULL, "its shape overflows");
	}
	if (__builtin_mul_overflow(tensor->n_rows, tensor->n_values, bytes) ||
	    __builtin_mul_overflow(*bytes, (uint64_t)element_size(tensor->element), bytes))
		return source_invalid(source, NULL, "its shape overflows");
	return 0;
}

int tensor_read(const char *path, struct tensor *tensor)
{
	unsigned char magic[4];
	struct source source;
	int err;

	memset(tensor, 0, sizeof(*tensor));
	err = source_open(&source, path);
	if (err)
		return err;
	err = source_read(&source, magic, sizeof(magic));
	if (err)
		goto close;
	if (!memcmp(magic, "\x93NUM", 4))
		err = npy_read(&source, magic, tensor);
	else if (magic[0] == 0 && magic[1] == 0)
		err = idx_read(&source, magic, tensor);
	else
		err = source_invalid(&source, "give an idx or .npy file, gzip-compressed or not",
				     "neither an idx nor a .npy file: it begins with "
				     "%02x %02x %02x %02x",
				     magic[0], magic[1], magic[2], magic[3]);
close:
	source_close(&source);
	return err;
}

void tensor_free(struct tensor *tensor)
{
	free(tensor->data);
	memset(tensor, 0, sizeof(*tensor));
}
