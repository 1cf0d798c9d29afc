/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A caller's images as the codes that a device takes: checked, converted, put into the
 * order of MODEL.md. Images that already are codes in that order are used where they lie.
 */
#ifndef PBIT_SRC_EXEC_INPUT_H
#define PBIT_SRC_EXEC_INPUT_H

#include <stdbool.h>
#include <pbit/model.h>
#include <pbit/run.h>
#include "exec/buffer.h"

struct pbit__input {
	const unsigned char *data;
	uint64_t n_images;
	size_t n_values;
	size_t stride;
	uint32_t format; /* enum pbit_input_format */
	uint32_t code_bytes;
	uint32_t largest_code;
	bool as_is;	    /* data are codes in order */
	size_t channels;    /* 1 where the order of values stays */
	double scale, zero; /* code = rint(x / scale + zero) */
};

/* Checks the struct, which is whole, (not the values) against the model. -EINVAL. */
int pbit__input_check(struct pbit__input *checked, const struct pbit_model_info *info,
		      const struct pbit_input *input);

/*
 * Codes of images first ... first + n - 1 in *codes, *stride bytes apart, in buffer where they had to be
 * converted; adds the number of clipped values to *clipped. -EDOM names image and value, -ENOMEM.
 */
int pbit__input_codes(const struct pbit__input *input, uint64_t first, uint32_t n,
		      struct pbit__buffer *buffer, const void **codes, size_t *stride,
		      uint64_t *clipped);

#endif
