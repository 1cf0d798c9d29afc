/* SPDX-License-Identifier: Apache-2.0 */
/* Finds and reads a data set, and checks that it suits a model. */
#include "dataset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <pbit/backend.h>
#include "data_labels.h"

#define WHAT	    "cannot read data"
#define DATA_FOLDER "/usr/share/datasets/fashion-mnist" /* of Debian's dataset-fashion-mnist */

const char *dataset_folder(void)
{
	const char *folder = getenv("PBIT_DATA_DIR");

	return folder && *folder ? folder : DATA_FOLDER;
}

char *dataset_find_fashion_mnist(const char *file)
{
	static const char *const endings[] = {".gz", ""};

	for (size_t i = 0; i < 2; i++) {
		char *path;

		if (asprintf(&path, "%s/%s%s", dataset_folder(), file, endings[i]) < 0)
			return NULL;
		if (!access(path, F_OK))
			return path;
		free(path);
	}
	return NULL;
}

static int find(const char *file, char **path)
{
	*path = dataset_find_fashion_mnist(file);
	if (*path)
		return 0;
	return pbit_fail(-ENOENT, PBIT_ERR_FILE, WHAT, dataset_folder(),
			 getenv("PBIT_DATA_DIR")
				 ? "let PBIT_DATA_DIR name the folder of Fashion-MNIST's test set"
				 : "apt install dataset-fashion-mnist, or set PBIT_DATA_DIR",
			 "%s.gz is not there", file);
}

static int copy_path(const char *text, char **path)
{
	*path = strdup(text);
	if (*path)
		return 0;
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, WHAT, text, NULL, "out of memory");
}

static int locate(struct dataset *dataset, const char *name, const char *labels_path)
{
	bool is_fashion = !strcmp(name, FASHION_MNIST);
	int err;

	err = is_fashion ? find("t10k-images-idx3-ubyte", &dataset->images_path)
			 : copy_path(name, &dataset->images_path);
	if (err)
		return err;
	if (labels_path)
		return copy_path(labels_path, &dataset->labels_path);
	return is_fashion ? find("t10k-labels-idx1-ubyte", &dataset->labels_path) : 0;
}

static int read_images(struct dataset *dataset)
{
	int err = tensor_read(dataset->images_path, &dataset->images);

	if (err)
		return err;
	switch (dataset->images.element) {
	case ELEMENT_U8:
	case ELEMENT_U16:
	case ELEMENT_F32:
	case ELEMENT_F64:
		return 0;
	default:
		return pbit_fail(-EINVAL, PBIT_ERR_FILE, WHAT, dataset->images_path,
				 "save it as uint8, uint16, float32 or float64",
				 "images of type %s are not read",
				 element_name(dataset->images.element));
	}
}

int dataset_open(struct dataset *dataset, const char *name, const char *labels_path)
{
	int err;

	memset(dataset, 0, sizeof(*dataset));
	err = locate(dataset, name, labels_path);
	if (!err)
		err = read_images(dataset);
	if (!err && dataset->labels_path)
		err = labels_read(dataset->labels_path, dataset->images.n_rows, &dataset->labels);
	if (err)
		dataset_close(dataset);
	return err;
}

void dataset_close(struct dataset *dataset)
{
	tensor_free(&dataset->images);
	free(dataset->labels);
	free(dataset->images_path);
	free(dataset->labels_path);
	memset(dataset, 0, sizeof(*dataset));
}

static void format_shape(const struct tensor *tensor, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < tensor->n_dims && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%llu", i ? " x " : "",
					 (unsigned long long)tensor->dims[i]);
}

int dataset_check(const struct dataset *dataset, uint64_t n_inputs, uint64_t n_outputs)
{
	char shape[TENSOR_DIMS * 24];

	if (dataset->images.n_values != n_inputs) {
		format_shape(&dataset->images, shape, sizeof(shape));
		return pbit_fail(-EINVAL, PBIT_ERR_FILE, "cannot use data", dataset->images_path,
				 "choose data that was made for this model",
				 "an image has %llu values (the file is %s), the model takes %llu",
				 (unsigned long long)dataset->images.n_values, shape,
				 (unsigned long long)n_inputs);
	}
	for (uint64_t i = 0; dataset->labels && i < dataset->images.n_rows; i++)
		if (dataset->labels[i] >= n_outputs)
			return pbit_fail(-ERANGE, PBIT_ERR_FILE, "cannot use labels",
					 dataset->labels_path,
					 "choose labels that were made for this model",
					 "label %u of image %llu, the model has outputs 0 to %llu",
					 dataset->labels[i], (unsigned long long)i,
					 (unsigned long long)n_outputs - 1);
	return 0;
}

void dataset_input(const struct dataset *dataset, uint64_t n, struct pbit_input *input)
{
	static const uint32_t formats[] = {
		[ELEMENT_U8] = PBIT_INPUT_U8,
		[ELEMENT_U16] = PBIT_INPUT_U16,
		[ELEMENT_F32] = PBIT_INPUT_F32,
		[ELEMENT_F64] = PBIT_INPUT_F64,
	};

	*input = (struct pbit_input)PBIT_INIT(*input);
	input->format = formats[dataset->images.element];
	input->data = dataset->images.data;
	input->n_images = n;
	input->n_values = dataset->images.n_values;
}
