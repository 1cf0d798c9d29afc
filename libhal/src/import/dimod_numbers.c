/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays of numbers in a binary quadratic model: lists, or bytes in base64 (little-endian). */
#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "import/dimod.h"

static const struct {
	const char *name;
	uint8_t width;
	bool is_real, is_signed;
} types[] = {
	{"float64", 8, true, true},  {"float32", 4, true, true},  {"int8", 1, false, true},
	{"int16", 2, false, true},   {"int32", 4, false, true},	  {"int64", 8, false, true},
	{"uint8", 1, false, false},  {"uint16", 2, false, false}, {"uint32", 4, false, false},
	{"uint64", 8, false, false},
};

static int set_type(const struct pbit__dimod *d, const char *type, struct pbit__numbers *numbers)
{
	const char *name = json_string_value(json_object_get(d->root, type));

	for (size_t k = 0; name && k < sizeof(types) / sizeof(types[0]); k++) {
		if (strcmp(types[k].name, name))
			continue;
		numbers->width = types[k].width;
		numbers->is_real = types[k].is_real;
		numbers->is_signed = types[k].is_signed;
		return 0;
	}
	return pbit__dimod_fail(d, type, SIZE_MAX, NULL,
				"\"%s\" is no type of bytes, expected float64, int32 or the like",
				PBIT__SHOW(name ? name : ""));
}

static int open_bytes(const struct pbit__dimod *d, const json_t *value, const char *type,
		      struct pbit__numbers *numbers)
{
	size_t size;
	int err = set_type(d, type, numbers);

	if (err)
		return err;
	err = pbit__base64(json_string_value(value), json_string_length(value), &numbers->bytes,
			   &size);
	if (err == -ENOMEM)
		return pbit__reader_fail_memory(d->reader);
	if (err)
		return pbit__dimod_fail(d, numbers->member, SIZE_MAX, NULL,
					"not valid base64 (RFC 4648, padded)");
	if (size % numbers->width)
		return pbit__dimod_fail(d, numbers->member, SIZE_MAX, NULL,
					"%zu bytes, not a multiple of the %zu of a number", size,
					numbers->width);
	numbers->count = size / numbers->width;
	return 0;
}

int pbit__numbers_open(const struct pbit__dimod *d, const char *member, const char *type,
		       struct pbit__numbers *numbers)
{
	const json_t *value = json_object_get(d->root, member);

	numbers->member = member;
	if (json_is_string(value))
		return open_bytes(d, value, type, numbers);
	if (!json_is_array(value))
		return pbit__dimod_fail(d, member, SIZE_MAX, NULL,
					"%s, expected a list, or base64 text",
					value ? "something else" : "missing");
	numbers->list = value;
	numbers->count = json_array_size(value);
	return 0;
}

void pbit__numbers_close(struct pbit__numbers *numbers)
{
	free(numbers->bytes);
	numbers->bytes = NULL;
}

static uint64_t bits_at(const struct pbit__numbers *numbers, size_t k)
{
	uint64_t bits = 0;

	memcpy(&bits, numbers->bytes + k * numbers->width, numbers->width);
	return le64toh(bits);
}

int pbit__numbers_real(const struct pbit__dimod *d, const struct pbit__numbers *numbers, size_t k,
		       double *value)
{
	uint64_t bits;
	uint32_t half;
	float single;

	if (numbers->list)
		return pbit__dimod_real(d, json_array_get(numbers->list, k), numbers->member, k,
					value);
	if (!numbers->is_real)
		return pbit__dimod_fail(d, "bias_type", SIZE_MAX, NULL,
					"biases in bytes are float64 or float32");
	bits = bits_at(numbers, k);
	if (numbers->width == sizeof(single)) {
		half = (uint32_t)bits;
		memcpy(&single, &half, sizeof(single));
		*value = (double)single;
	} else {
		memcpy(value, &bits, sizeof(*value));
	}
	if (!(fabs(*value) <= 1e300))
		return pbit__dimod_fail(d, numbers->member, k, "scale the energy",
					"%g, it must be between -1e300 and 1e300", *value);
	return 0;
}

int pbit__numbers_index(const struct pbit__dimod *d, const struct pbit__numbers *numbers, size_t k,
			uint64_t n, uint64_t *value)
{
	bool is_negative;

	if (numbers->list) {
		const json_t *item = json_array_get(numbers->list, k);

		if (!json_is_integer(item))
			return pbit__dimod_fail(d, numbers->member, k, NULL, "not a whole number");
		*value = (uint64_t)json_integer_value(item);
		is_negative = json_integer_value(item) < 0;
	} else {
		if (numbers->is_real)
			return pbit__dimod_fail(d, "index_type", SIZE_MAX, NULL,
						"indices in bytes are whole numbers");
		*value = bits_at(numbers, k);
		is_negative = numbers->is_signed && *value >> (8 * numbers->width - 1);
	}
	if (is_negative || *value >= n)
		return pbit__dimod_fail(d, numbers->member, k, NULL,
					"index %s%llu is out of range, there are %llu variables",
					is_negative ? "below 0: " : "", (unsigned long long)*value,
					(unsigned long long)n);
	return 0;
}
