/* SPDX-License-Identifier: Apache-2.0 */
/* An array read from a file: images or labels. */
#ifndef PBIT_CLI_DATA_TENSOR_H
#define PBIT_CLI_DATA_TENSOR_H

#include <stdint.h>
#include "data_source.h"

enum element {
	ELEMENT_U8,
	ELEMENT_U16,
	ELEMENT_U32,
	ELEMENT_U64,
	ELEMENT_I8,
	ELEMENT_I16,
	ELEMENT_I32,
	ELEMENT_I64,
	ELEMENT_F32,
	ELEMENT_F64,
};

#define TENSOR_DIMS 8u

struct tensor {
	enum element element;
	uint32_t n_dims; /* at least 1 */
	uint64_t dims[TENSOR_DIMS];
	uint64_t n_rows;   /* dims[0] */
	uint64_t n_values; /* per row: the product of the others */
	void *data;	   /* host byte order, row-major */
};

/* Reads an idx or .npy file, told apart by its first bytes. Freed by tensor_free(). */
int tensor_read(const char *path, struct tensor *tensor);
void tensor_free(struct tensor *tensor);

uint32_t element_size(enum element element);

/* The names of NumPy: "uint8". */
const char *element_name(enum element element);

/*
 * For the readers: sets the shape, with overflow checked and no dimension of size 0 accepted. *bytes is the data's size.
 */
int tensor_set_shape(struct tensor *tensor, const struct source *source, uint64_t *bytes);

/* Readers of one format each, the first four bytes having been read. */
int idx_read(struct source *source, const unsigned char magic[4], struct tensor *tensor);
int npy_read(struct source *source, const unsigned char magic[4], struct tensor *tensor);

#endif
