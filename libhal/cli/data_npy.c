/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The .npy format of NumPy, versions 1 and 2: a magic string, a header that is
 * a Python dictionary of three entries, the data. Anything else in the header
 * is refused rather than guessed at.
 */
#include "data_tensor.h"

#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_MAX 65536u

struct header {
	const struct source *source;
	const char *at, *end;
	struct tensor *tensor;
	bool has_descr, has_order, has_shape;
};

static int malformed(const struct header *header, const char *expected)
{
	return source_invalid(header->source, "write it anew with numpy.save()",
			      "malformed .npy header: expected %s, %ld bytes before its end",
			      expected, (long)(header->end - header->at));
}

static void skip_spaces(struct header *header)
{
	while (header->at < header->end && (*header->at == ' ' || *header->at == '\n'))
		header->at++;
}

static bool accept(struct header *header, const char *text)
{
	size_t n = strlen(text);

	skip_spaces(header);
	if ((size_t)(header->end - header->at) < n || memcmp(header->at, text, n))
		return false;
	header->at += n;
	return true;
}

/* A quoted string of plain characters into buf. */
static int parse_string(struct header *header, char *buf, size_t size)
{
	size_t n = 0;
	char quote;

	skip_spaces(header);
	if (header->at == header->end || (*header->at != '\'' && *header->at != '"'))
		return malformed(header, "a string");
	quote = *header->at++;
	while (header->at < header->end && *header->at != quote) {
		if (n + 1 >= size || *header->at == '\\' || !*header->at)
			return malformed(header, "a short plain string");
		buf[n++] = *header->at++;
	}
	if (header->at == header->end)
		return malformed(header, "the end of a string");
	header->at++;
	buf[n] = '\0';
	return 0;
}

static int parse_descr(struct header *header)
{
	static const struct {
		const char *descr;
		enum element element;
	} known[] = {
		{"|u1", ELEMENT_U8},  {"<u1", ELEMENT_U8},  {"|i1", ELEMENT_I8},
		{"<i1", ELEMENT_I8},  {"<u2", ELEMENT_U16}, {"<u4", ELEMENT_U32},
		{"<u8", ELEMENT_U64}, {"<i2", ELEMENT_I16}, {"<i4", ELEMENT_I32},
		{"<i8", ELEMENT_I64}, {"<f4", ELEMENT_F32}, {"<f8", ELEMENT_F64},
	};
	char text[16];
	int err;

	skip_spaces(header);
	if (header->at < header->end && *header->at == '[')
		return source_invalid(header->source, "save a plain array of numbers",
				      "an array of records");
	err = parse_string(header, text, sizeof(text));
	if (err)
		return err;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!strcmp(text, known[i].descr)) {
			header->tensor->element = known[i].element;
			return 0;
		}
	}
	if (text[0] == '>')
		return source_invalid(header->source, "save x.astype(x.dtype.newbyteorder('<'))",
				      "big-endian data ('%s') is not read", text);
	return source_invalid(header->source, "save it as uint8, uint16, float32 or float64",
			      "data of type '%s' is not read", text);
}

static int parse_order(struct header *header)
{
	if (accept(header, "False"))
		return 0;
	if (accept(header, "True"))
		return source_invalid(header->source, "save numpy.ascontiguousarray(x)",
				      "Fortran order is not read");
	return malformed(header, "True or False");
}

static int parse_dimension(struct header *header, uint64_t *value)
{
	const char *start = header->at;

	*value = 0;
	while (header->at < header->end && *header->at >= '0' && *header->at <= '9') {
		if (__builtin_mul_overflow(*value, UINT64_C(10), value) ||
		    __builtin_add_overflow(*value, (uint64_t)(*header->at - '0'), value))
			return source_invalid(header->source, NULL, "its shape overflows");
		header->at++;
	}
	return header->at == start ? malformed(header, "a dimension") : 0;
}

static int parse_shape(struct header *header)
{
	struct tensor *tensor = header->tensor;
	int err;

	if (!accept(header, "("))
		return malformed(header, "(");
	tensor->n_dims = 0;
	while (!accept(header, ")")) {
		if (tensor->n_dims == TENSOR_DIMS)
			return source_invalid(header->source, NULL, "more than %u dimensions",
					      TENSOR_DIMS);
		err = parse_dimension(header, &tensor->dims[tensor->n_dims]);
		if (err)
			return err;
		tensor->n_dims++;
		if (accept(header, ","))
			continue;
		if (tensor->n_dims < 2 || !accept(header, ")"))
			return malformed(header, "a comma");
		break;
	}
	if (tensor->n_dims == 0)
		return source_invalid(header->source, "save an array of images",
				      "a single number, not an array");
	return 0;
}

static int parse_entry(struct header *header)
{
	char key[24];
	int err = parse_string(header, key, sizeof(key));

	if (err)
		return err;
	if (!accept(header, ":"))
		return malformed(header, ":");
	if (!strcmp(key, "descr") && !header->has_descr) {
		header->has_descr = true;
		return parse_descr(header);
	}
	if (!strcmp(key, "fortran_order") && !header->has_order) {
		header->has_order = true;
		return parse_order(header);
	}
	if (!strcmp(key, "shape") && !header->has_shape) {
		header->has_shape = true;
		return parse_shape(header);
	}
	return source_invalid(header->source, "write it anew with numpy.save()",
			      "malformed .npy header: key '%s' is unknown or there twice", key);
}

static int parse_header(struct header *header)
{
	int err;

	if (!accept(header, "{"))
		return malformed(header, "{");
	while (!accept(header, "}")) {
		err = parse_entry(header);
		if (err)
			return err;
		if (accept(header, ","))
			continue;
		if (!accept(header, "}"))
			return malformed(header, "a comma or }");
		break;
	}
	skip_spaces(header);
	if (header->at != header->end)
		return malformed(header, "nothing more");
	if (!header->has_descr || !header->has_order || !header->has_shape)
		return malformed(header, "descr, fortran_order and shape");
	return 0;
}

static int read_header_size(struct source *source, uint32_t *size)
{
	unsigned char rest[4]; /* of the magic string, and the version */
	uint16_t short_size;
	int err = source_read(source, rest, sizeof(rest));

	if (err)
		return err;
	if (memcmp(rest, "PY", 2))
		return source_invalid(source, NULL, "not a .npy file");
	if ((rest[2] != 1 && rest[2] != 2) || rest[3] != 0)
		return source_invalid(source, "save it with numpy.lib.format version (1, 0)",
				      ".npy version %u.%u; 1.0 and 2.0 are read", rest[2], rest[3]);
	if (rest[2] == 1) {
		err = source_read(source, &short_size, sizeof(short_size));
		*size = err ? 0 : le16toh(short_size);
	} else {
		err = source_read(source, size, sizeof(*size));
		*size = err ? 0 : le32toh(*size);
	}
	if (!err && *size > HEADER_MAX)
		return source_invalid(source, NULL, "a .npy header of %u bytes, more than %u",
				      *size, HEADER_MAX);
	return err;
}

static int read_header(struct source *source, struct tensor *tensor)
{
	struct header header = {.source = source, .tensor = tensor};
	uint32_t size;
	char *text;
	int err = read_header_size(source, &size);

	if (err)
		return err;
	text = malloc(size + 1);
	if (!text)
		return source_invalid(source, NULL, "out of memory");
	err = source_read(source, text, size);
	if (!err) {
		header.at = text;
		header.end = text + size;
		err = parse_header(&header);
	}
	free(text);
	return err;
}

static void to_host_order(struct tensor *tensor, uint64_t bytes)
{
	uint64_t n = bytes / element_size(tensor->element);

	switch (element_size(tensor->element)) {
	case 2:
		for (uint64_t i = 0; i < n; i++)
			((uint16_t *)tensor->data)[i] = le16toh(((uint16_t *)tensor->data)[i]);
		break;
	case 4:
		for (uint64_t i = 0; i < n; i++)
			((uint32_t *)tensor->data)[i] = le32toh(((uint32_t *)tensor->data)[i]);
		break;
	case 8:
		for (uint64_t i = 0; i < n; i++)
			((uint64_t *)tensor->data)[i] = le64toh(((uint64_t *)tensor->data)[i]);
		break;
	default:
		break;
	}
}

int npy_read(struct source *source, const unsigned char magic[4], struct tensor *tensor)
{
	uint64_t bytes;
	int err;

	(void)magic;
	err = read_header(source, tensor);
	if (err)
		return err;
	err = tensor_set_shape(tensor, source, &bytes);
	if (err)
		return err;
	err = source_read_rest(source, bytes, &tensor->data);
	if (!err)
		to_host_order(tensor, bytes);
	return err;
}
