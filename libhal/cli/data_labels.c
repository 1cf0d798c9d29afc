/* SPDX-License-Identifier: Apache-2.0 */
/* Labels from an idx or .npy file, of whatever integer type, as 32-bit numbers. */
#include "data_labels.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <pbit/backend.h>
#include "data_tensor.h"

#define WHAT "cannot read labels"

/* Value i; false where it is no class number. */
static bool label_at(const struct tensor *tensor, uint64_t i, uint32_t *label)
{
	int64_t value;

	switch (tensor->element) {
	case ELEMENT_U8:
		value = ((const uint8_t *)tensor->data)[i];
		break;
	case ELEMENT_U16:
		value = ((const uint16_t *)tensor->data)[i];
		break;
	case ELEMENT_U32:
		value = ((const uint32_t *)tensor->data)[i];
		break;
	case ELEMENT_I8:
		value = ((const int8_t *)tensor->data)[i];
		break;
	case ELEMENT_I16:
		value = ((const int16_t *)tensor->data)[i];
		break;
	case ELEMENT_I32:
		value = ((const int32_t *)tensor->data)[i];
		break;
	case ELEMENT_U64: /* beyond 2^63 it shows as negative */
	case ELEMENT_I64:
		value = ((const int64_t *)tensor->data)[i];
		break;
	default:
		return false;
	}
	if (value < 0 || value > UINT32_MAX)
		return false;
	*label = (uint32_t)value;
	return true;
}

static int check_shape(const char *path, const struct tensor *tensor, uint64_t n)
{
	if (tensor->element == ELEMENT_F32 || tensor->element == ELEMENT_F64)
		return pbit_fail(-EINVAL, PBIT_ERR_FILE, WHAT, path, "save them as integers",
				 "labels of type %s, not integers", element_name(tensor->element));
	if (tensor->n_values != 1)
		return pbit_fail(-EINVAL, PBIT_ERR_FILE, WHAT, path,
				 "give one label per image; are these the images?",
				 "an array of %u dimensions, not a list", tensor->n_dims);
	if (tensor->n_rows != n)
		return pbit_fail(-EINVAL, PBIT_ERR_FILE, WHAT, path,
				 "give the labels that belong to the images",
				 "%llu labels for %llu images", (unsigned long long)tensor->n_rows,
				 (unsigned long long)n);
	return 0;
}

int labels_read(const char *path, uint64_t n, uint32_t **labels)
{
	struct tensor tensor;
	uint32_t *list = NULL;
	int err = tensor_read(path, &tensor);

	if (err)
		return err;
	err = check_shape(path, &tensor, n);
	if (err)
		goto free_tensor;
	list = malloc((size_t)n * sizeof(*list));
	if (!list) {
		err = pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, WHAT, path, NULL, "out of memory");
		goto free_tensor;
	}
	for (uint64_t i = 0; i < n; i++) {
		if (!label_at(&tensor, i, &list[i])) {
			err = pbit_fail(-ERANGE, PBIT_ERR_FILE, WHAT, path, NULL,
					"label %llu is negative or larger than 32 bits",
					(unsigned long long)i);
			goto free_list;
		}
	}
	*labels = list;
	list = NULL;
free_list:
	free(list);
free_tensor:
	tensor_free(&tensor);
	return err;
}
