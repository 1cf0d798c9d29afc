/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and conversion of a run's input: see input.h. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <pbit/backend.h>
#include "exec/input.h"

#define WHAT "cannot use the input"

/* Adding and subtracting it rounds |v| < 2^51 to an integer, ties to even, without a call. */
#define ROUNDER 0x1.8p52

static const struct {
	const char *name;
	size_t bytes;
} formats[] = {
	[PBIT_INPUT_U8] = {"u8", 1},
	[PBIT_INPUT_U16] = {"u16", 2},
	[PBIT_INPUT_F32] = {"f32", 4},
	[PBIT_INPUT_F64] = {"f64", 8},
};

static int check_memory(const struct pbit_input *input, size_t row)
{
	size_t extent, begin = (size_t)(uintptr_t)input->data;

	if (input->n_images == 0)
		return 0;
	if (!input->data)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, NULL, NULL, "data is NULL");
	if (input->stride && input->stride < row)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, NULL,
				 "stride counts bytes, 0 means contiguous rows",
				 "stride is %zu bytes, an image has %zu", input->stride, row);
	if (__builtin_mul_overflow(input->n_images - 1, input->stride ? input->stride : row,
				   &extent) ||
	    __builtin_add_overflow(extent, row, &extent) || extent > PTRDIFF_MAX ||
	    __builtin_add_overflow(begin, extent, &extent))
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, NULL, "check n_images",
				 "%llu images do not fit into memory",
				 (unsigned long long)input->n_images);
	return 0;
}

static bool usable_as_is(const struct pbit__input *in)
{
	if (in->channels > 1)
		return false;
	if (in->code_bytes == 1)
		return in->format == PBIT_INPUT_U8;
	return in->format == PBIT_INPUT_U16 && (uintptr_t)in->data % 2 == 0 && in->stride % 2 == 0;
}

int pbit__input_check(struct pbit__input *checked, const struct pbit_model_info *info,
		      const struct pbit_input *input)
{
	size_t row;
	int rc;

	if (input->format >= sizeof(formats) / sizeof(formats[0]))
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, NULL,
				 "use one of PBIT_INPUT_U8, U16, F32, F64", "format is %u",
				 input->format);
	if (input->n_values != info->n_inputs)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, info->name,
				 "give images of the model's input shape",
				 "an image has %llu values, the model takes %llu (%u x %u x %u)",
				 (unsigned long long)input->n_values,
				 (unsigned long long)info->n_inputs, info->in.channels,
				 info->in.height, info->in.width);
	row = (size_t)input->n_values * formats[input->format].bytes;
	rc = check_memory(input, row);
	if (rc)
		return rc;
	*checked = (struct pbit__input){
		.data = input->data,
		.n_images = input->n_images,
		.n_values = (size_t)input->n_values,
		.stride = input->stride ? input->stride : row,
		.format = input->format,
		.code_bytes = info->input_bits > 8 ? 2 : 1,
		.largest_code = info->input_bits > 8 ? UINT16_MAX : UINT8_MAX,
		.channels = info->input_chw ? info->in.channels : 1,
		.scale = (double)info->input_scale,
		.zero = info->input_zero,
	};
	checked->as_is = usable_as_is(checked);
	return 0;
}

/* Value i of a row, which need not be aligned. */
static inline __attribute__((always_inline)) double value_at(const unsigned char *row, size_t i,
							     uint32_t format)
{
	if (format == PBIT_INPUT_U8) {
		return row[i];
	} else if (format == PBIT_INPUT_U16) {
		uint16_t x;

		memcpy(&x, row + i * sizeof(x), sizeof(x));
		return x;
	} else if (format == PBIT_INPUT_F32) {
		float x;

		memcpy(&x, row + i * sizeof(x), sizeof(x));
		return (double)x;
	} else {
		double x;

		memcpy(&x, row + i * sizeof(x), sizeof(x));
		return x;
	}
}

static inline bool is_real(uint32_t format)
{
	return format == PBIT_INPUT_F32 || format == PBIT_INPUT_F64;
}

/* Converts one row; false when a value of it cannot be one. Compiled once for each format. */
static inline __attribute__((always_inline)) bool convert(const struct pbit__input *in,
							  const unsigned char *row, void *to,
							  uint32_t format, uint32_t code_bytes,
							  uint64_t *clipped)
{
	size_t channels = in->channels, pixels = in->n_values / channels;
	const double largest = in->largest_code, scale = in->scale, zero = in->zero;
	uint64_t outside = 0;
	bool good = true;

	for (size_t c = 0; c < channels; c++) {
		for (size_t p = 0; p < pixels; p++) {
			double v = value_at(row, c * pixels + p, format);

			if (is_real(format)) {
				/* Only the input itself must be finite: a quotient may overflow. */
				good &= v - v == 0;
				v = v / scale + zero;
				v = v > -1 ? v : -1;
				v = v < largest + 1 ? v : largest + 1;
				v = (v + ROUNDER) - ROUNDER;
				outside += (v < 0) | (v > largest);
				v = v > 0 ? v : 0;
				v = v < largest ? v : largest;
			} else {
				good &= v <= largest;
				v = v < largest ? v : largest;
			}
			if (code_bytes == 1)
				((uint8_t *)to)[p * channels + c] = (uint8_t)(int)v;
			else
				((uint16_t *)to)[p * channels + c] = (uint16_t)(int)v;
		}
	}
	*clipped += outside;
	return good;
}

static bool convert_row(const struct pbit__input *in, const unsigned char *row, void *to,
			uint64_t *clipped)
{
	bool wide = in->code_bytes == 2;

	switch (in->format) {
	case PBIT_INPUT_U8:
		return wide ? convert(in, row, to, PBIT_INPUT_U8, 2, clipped)
			    : convert(in, row, to, PBIT_INPUT_U8, 1, clipped);
	case PBIT_INPUT_U16:
		return wide ? convert(in, row, to, PBIT_INPUT_U16, 2, clipped)
			    : convert(in, row, to, PBIT_INPUT_U16, 1, clipped);
	case PBIT_INPUT_F32:
		return wide ? convert(in, row, to, PBIT_INPUT_F32, 2, clipped)
			    : convert(in, row, to, PBIT_INPUT_F32, 1, clipped);
	default:
		return wide ? convert(in, row, to, PBIT_INPUT_F64, 2, clipped)
			    : convert(in, row, to, PBIT_INPUT_F64, 1, clipped);
	}
}

static int refuse_row(const struct pbit__input *in, const unsigned char *row, uint64_t image)
{
	const char *name = formats[in->format].name;

	for (size_t i = 0; i < in->n_values; i++) {
		double v = value_at(row, i, in->format);

		if (is_real(in->format) && !isfinite(v))
			return pbit_fail(-EDOM, PBIT_ERR_ARGUMENT, WHAT, NULL,
					 "replace NaN and infinite values before the run",
					 "image %llu, value %zu (%s) is %s",
					 (unsigned long long)image, i, name,
					 isnan(v) ? "NaN" : "infinite");
		if (!is_real(in->format) && v > in->largest_code)
			return pbit_fail(
				-EDOM, PBIT_ERR_ARGUMENT, WHAT, NULL,
				"the model's input has 8 bits",
				"image %llu, value %zu is the code %.0f, the largest is %u",
				(unsigned long long)image, i, v, in->largest_code);
	}
	return pbit_fail(-EDOM, PBIT_ERR_ARGUMENT, WHAT, NULL, NULL,
			 "image %llu was changed while it was read", (unsigned long long)image);
}

int pbit__input_codes(const struct pbit__input *in, uint64_t first, uint32_t n,
		      struct pbit__buffer *buffer, const void **codes, size_t *stride,
		      uint64_t *clipped)
{
	const unsigned char *row = in->data + first * in->stride;
	size_t code_row = in->n_values * in->code_bytes;
	unsigned char *to;
	int rc;

	if (in->as_is) {
		*codes = row;
		*stride = in->stride;
		return 0;
	}
	rc = pbit__buffer_reserve(buffer, n, code_row);
	if (rc)
		return rc;
	to = buffer->data;
	for (uint32_t i = 0; i < n; i++, row += in->stride, to += code_row)
		if (!convert_row(in, row, to, clipped))
			return refuse_row(in, row, first + i);
	*codes = buffer->data;
	*stride = code_row;
	return 0;
}
