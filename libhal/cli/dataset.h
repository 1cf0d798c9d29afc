/* SPDX-License-Identifier: Apache-2.0 */
/* What `pbit run` runs over: images, and labels where there are any. */
#ifndef PBIT_CLI_DATASET_H
#define PBIT_CLI_DATASET_H

#include <stdbool.h>
#include <stdint.h>
#include <pbit/run.h>
#include "data_tensor.h"

#define FASHION_MNIST "fashion-mnist"

struct dataset {
	char *images_path;
	char *labels_path; /* NULL: no labels */
	struct tensor images;
	uint32_t *labels; /* one per image, or NULL */
};

/*
 * name: FASHION_MNIST or a file. labels_path: a file, or NULL for the data set's own labels
 * (files have none).
 */
int dataset_open(struct dataset *dataset, const char *name, const char *labels_path);
void dataset_close(struct dataset *dataset);

/* Checks the images against what a model takes, and the labels against its number of outputs. */
int dataset_check(const struct dataset *dataset, uint64_t n_inputs, uint64_t n_outputs);

/* Describes the first n images for a run. */
void dataset_input(const struct dataset *dataset, uint64_t n, struct pbit_input *input);

/* Where Fashion-MNIST's test set is (asprintf() of the file), NULL where it is not or out of memory. */
char *dataset_find_fashion_mnist(const char *file);

/* The folder that is searched for it. */
const char *dataset_folder(void);

#endif
