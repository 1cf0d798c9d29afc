/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binary quadratic models in JSON: the document is read by jansson in bounded pieces, then taken
 * apart by one of two layouts. The energy is sum a_i v_i + sum b_ij v_i v_j + offset, v = -1/+1 or 0/1.
 */
#include "import/dimod.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "boltzmann/bm.h"
#include "core/text.h"

/* The tree takes some twenty times the memory of the text. */
#define JSON_MOST (UINT64_C(256) << 20)

int pbit__dimod_fail(const struct pbit__dimod *d, const char *member, size_t index,
		     const char *hint, const char *why, ...)
{
	char where[512], text[512];
	va_list args;

	va_start(args, why);
	pbit__text_format(text, sizeof(text), why, args);
	va_end(args);
	if (index == SIZE_MAX)
		snprintf(where, sizeof(where), "%.400s: %s", d->reader->path, member);
	else
		snprintf(where, sizeof(where), "%.400s: %s[%zu]", d->reader->path, member, index);
	return pbit_fail(-EINVAL, PBIT_ERR_FILE, "cannot load machine", where, hint, "%s", text);
}

int pbit__dimod_vartype(struct pbit__dimod *d, const char *member)
{
	const json_t *value = json_object_get(d->root, member);
	const char *text = json_string_value(value);

	if (!text)
		return pbit__dimod_fail(d, member, SIZE_MAX, NULL,
					"%s, expected \"SPIN\" or \"BINARY\"",
					value ? "not a string" : "missing");
	if (strcmp(text, "SPIN") && strcmp(text, "BINARY"))
		return pbit__dimod_fail(d, member, SIZE_MAX, NULL,
					"unknown variable type \"%s\", expected \"SPIN\" or "
					"\"BINARY\"",
					PBIT__SHOW(text));
	d->draft->is_binary = !strcmp(text, "BINARY");
	d->draft->negate = true;
	return 0;
}

int pbit__dimod_real(const struct pbit__dimod *d, const json_t *value, const char *member,
		     size_t index, double *real)
{
	if (!json_is_number(value))
		return pbit__dimod_fail(d, member, index, NULL, "%s, expected a number",
					value ? "something else" : "missing");
	*real = json_number_value(value);
	if (!(fabs(*real) <= PBIT__BM_LARGEST))
		return pbit__dimod_fail(d, member, index, "scale the energy",
					"%g, it must be between -%g and %g", *real,
					PBIT__BM_LARGEST, PBIT__BM_LARGEST);
	return 0;
}

int pbit__dimod_offset(struct pbit__dimod *d)
{
	const json_t *value = json_object_get(d->root, "offset");

	if (!value)
		return 0;
	return pbit__dimod_real(d, value, "offset", SIZE_MAX, &d->draft->offset);
}

char *pbit__dimod_label(const struct pbit__dimod *d, const json_t *value, const char *member,
			size_t index)
{
	char *text;

	if (json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value))
		text = strdup(json_string_value(value));
	else if (json_is_number(value) || json_is_array(value))
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	else {
		(void)pbit__dimod_fail(d, member, index, NULL,
				       "a label is a string without NUL, a number or a list");
		return NULL;
	}
	if (!text) {
		(void)pbit__reader_fail_memory(d->reader);
	} else if (!pbit__is_utf8_text(text)) {
		(void)pbit__dimod_fail(d, member, index, NULL, "a label has control characters");
		free(text);
		text = NULL;
	}
	return text;
}

/* What json_load_callback() asks for its bytes. */
struct pieces {
	struct pbit__reader *reader;
	bool is_too_large, has_failed, is_short; /* is_short: of memory */
};

static size_t give_piece(void *buf, size_t size, void *user)
{
	struct pieces *pieces = user;
	size_t n;

	if (pieces->reader->bytes > JSON_MOST) {
		pieces->is_too_large = true;
		return (size_t)-1;
	}
	n = pbit__reader_take(pieces->reader, buf, size);
	if (n == PBIT__READ_ERROR) {
		pieces->has_failed = true;
		return (size_t)-1;
	}
	return n;
}

static int load_failure(struct pieces *pieces, const json_error_t *error, int code)
{
	struct pbit__reader *reader = pieces->reader;

	if (pieces->has_failed)
		return code;
	if (pieces->is_too_large)
		return pbit__reader_fail_whole(reader, -E2BIG, "use a text format",
					       "more than %llu MiB of JSON",
					       (unsigned long long)(JSON_MOST >> 20));
	/* To jansson, some allocations that fail are errors of syntax. */
	if (pieces->is_short || json_error_code(error) == json_error_out_of_memory)
		return pbit__reader_fail_memory(reader);
	/* Spaces before the document were taken already. */
	reader->word_line = reader->line + (uint64_t)(error->line > 1 ? error->line - 1 : 0);
	reader->word_column = (uint64_t)(error->column > 0 ? error->column : 0) +
			      (error->line > 1 ? 0 : reader->column - 1);
	return pbit__reader_fail(reader, -EINVAL, NULL, "not valid JSON: %s", error->text);
}

static int load_json(struct pbit__reader *reader, json_t **root)
{
	struct pieces pieces = {.reader = reader};
	json_error_t error;

	/* Where memory is short, jansson may also lose a part and go on. */
	errno = 0;
	*root = json_load_callback(give_piece, &pieces, JSON_REJECT_DUPLICATES, &error);
	pieces.is_short = errno == ENOMEM;
	if (*root && !pieces.is_short)
		return 0;
	json_decref(*root);
	return load_failure(&pieces, &error, pbit_last_error()->code);
}

int pbit__import_dimod(struct pbit__reader *reader, struct pbit__draft *draft)
{
	struct pbit__dimod d = {.reader = reader, .draft = draft};
	json_t *root;
	int err = load_json(reader, &root);

	if (err)
		return err;
	d.root = root;
	draft->repeat = PBIT__REPEAT_REFUSE;
	draft->place_name = "entry";
	if (json_object_get(root, "linear_biases"))
		err = pbit__dimod_arrays(&d);
	else if (json_object_get(root, "linear") || json_object_get(root, "quadratic"))
		err = pbit__dimod_plain(&d);
	else
		err = pbit__reader_fail_whole(
			reader, -EINVAL, "write it with to_serializable() of dimod",
			"JSON, but no binary quadratic model: it has neither linear_biases nor "
			"linear or quadratic");
	json_decref(root);
	return err;
}
