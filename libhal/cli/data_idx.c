/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The idx format of the MNIST family: two zero bytes, type, number of
 * dimensions, each dimension as 32 bits big-endian, the data.
 */
#include "data_tensor.h"

#include <endian.h>
#include <string.h>

#define IDX_U8 0x08

static const char *type_name(unsigned char type)
{
	switch (type) {
	case 0x09:
		return "signed bytes";
	case 0x0b:
		return "16-bit integers";
	case 0x0c:
		return "32-bit integers";
	case 0x0d:
		return "float32";
	case 0x0e:
		return "float64";
	default:
		return NULL;
	}
}

static int check_magic(const struct source *source, const unsigned char magic[4])
{
	const char *name = type_name(magic[2]);

	if (magic[2] != IDX_U8 && name)
		return source_invalid(source, "convert it to unsigned bytes, or to .npy",
				      "idx data of %s; only unsigned bytes are read", name);
	if (magic[2] != IDX_U8)
		return source_invalid(source, NULL, "idx data of unknown type 0x%02x", magic[2]);
	if (magic[3] == 0 || magic[3] > TENSOR_DIMS)
		return source_invalid(source, NULL, "idx data of %u dimensions, not 1 to %u",
				      magic[3], TENSOR_DIMS);
	return 0;
}

int idx_read(struct source *source, const unsigned char magic[4], struct tensor *tensor)
{
	uint32_t dims[TENSOR_DIMS];
	uint64_t bytes;
	int err = check_magic(source, magic);

	if (err)
		return err;
	tensor->element = ELEMENT_U8;
	tensor->n_dims = magic[3];
	err = source_read(source, dims, tensor->n_dims * sizeof(dims[0]));
	if (err)
		return err;
	for (uint32_t i = 0; i < tensor->n_dims; i++)
		tensor->dims[i] = be32toh(dims[i]);
	err = tensor_set_shape(tensor, source, &bytes);
	if (err)
		return err;
	return source_read_rest(source, bytes, &tensor->data);
}
