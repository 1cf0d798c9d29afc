/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of dimod's to_serializable(), bqm_schema 3.0.0 (and 2.0.0, whose lists are the same):
 * linear_biases by variable, quadratic_biases between quadratic_head and quadratic_tail, variable_labels,
 * variable_type, offset. use_bytes: the arrays' bytes, here in base64.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "import/dimod.h"

struct arrays {
	struct pbit__numbers linear, quadratic, head, tail;
};

static int check_version(const struct pbit__dimod *d)
{
	const json_t *version = json_object_get(d->root, "version");
	const char *schema = json_string_value(json_object_get(version, "bqm_schema"));

	if (!schema)
		return pbit__dimod_fail(d, "version", SIZE_MAX, NULL,
					"bqm_schema is missing, expected \"3.0.0\"");
	if (!strncmp(schema, "3.", 2) ||
	    (!strncmp(schema, "2.", 2) && !json_is_true(json_object_get(d->root, "use_bytes"))))
		return 0;
	return pbit__dimod_fail(d, "version", SIZE_MAX, "write it anew with a dimod of today",
				"bqm_schema \"%s\": 3.x is supported, and 2.x without bytes",
				PBIT__SHOW(schema));
}

static int check_count(const struct pbit__dimod *d, const char *member, size_t count)
{
	const json_t *value = json_object_get(d->root, member);

	if (!value || (json_is_integer(value) && json_integer_value(value) >= 0 &&
		       (uint64_t)json_integer_value(value) == count))
		return 0;
	if (!json_is_integer(value))
		return pbit__dimod_fail(d, member, SIZE_MAX, NULL, "not a whole number");
	return pbit__dimod_fail(d, member, SIZE_MAX, "the file may be damaged",
				"%lld, but the lists have %zu",
				(long long)json_integer_value(value), count);
}

static int open_arrays(const struct pbit__dimod *d, struct arrays *a)
{
	int err = pbit__numbers_open(d, "linear_biases", "bias_type", &a->linear);

	if (!err)
		err = pbit__numbers_open(d, "quadratic_biases", "bias_type", &a->quadratic);
	if (!err)
		err = pbit__numbers_open(d, "quadratic_head", "index_type", &a->head);
	if (!err)
		err = pbit__numbers_open(d, "quadratic_tail", "index_type", &a->tail);
	if (!err)
		err = check_count(d, "num_variables", a->linear.count);
	if (!err)
		err = check_count(d, "num_interactions", a->quadratic.count);
	if (!err && a->head.count != a->quadratic.count)
		err = pbit__dimod_fail(d, "quadratic_head", SIZE_MAX, "the file may be damaged",
				       "%zu entries, quadratic_biases has %zu", a->head.count,
				       a->quadratic.count);
	if (!err && a->tail.count != a->quadratic.count)
		err = pbit__dimod_fail(d, "quadratic_tail", SIZE_MAX, "the file may be damaged",
				       "%zu entries, quadratic_biases has %zu", a->tail.count,
				       a->quadratic.count);
	return err ? err : pbit__draft_check_size(d->reader, a->linear.count);
}

static int take_terms(struct pbit__dimod *d, const struct arrays *a)
{
	uint64_t n = a->linear.count, i, j;
	double value;
	int err = 0;

	d->draft->n = n;
	for (size_t k = 0; k < n && !err; k++) {
		err = pbit__numbers_real(d, &a->linear, k, &value);
		if (!err)
			err = pbit__draft_add(d->draft, d->reader, k, k, value, k);
	}
	for (size_t k = 0; k < a->quadratic.count && !err; k++) {
		err = pbit__numbers_index(d, &a->head, k, n, &i);
		if (!err)
			err = pbit__numbers_index(d, &a->tail, k, n, &j);
		if (!err && i == j)
			err = pbit__dimod_fail(d, "quadratic_tail", k, NULL,
					       "variable %llu would be coupled to itself",
					       (unsigned long long)i);
		if (!err)
			err = pbit__numbers_real(d, &a->quadratic, k, &value);
		if (!err)
			err = pbit__draft_add(d->draft, d->reader, i, j, value, k);
	}
	return err;
}

static bool are_plain(const json_t *labels)
{
	for (size_t k = 0; k < json_array_size(labels); k++) {
		const json_t *label = json_array_get(labels, k);

		if (!json_is_integer(label) || json_integer_value(label) != (json_int_t)k)
			return false;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Two labels that read the same could not be told apart on a command line. */
static int check_unique(const struct pbit__dimod *d)
{
	size_t n = d->draft->n;
	char **sorted = calloc(n, sizeof(*sorted));
	int err = 0;

	if (!sorted)
		return pbit__reader_fail_memory(d->reader);
	memcpy(sorted, d->draft->labels, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare);
	for (size_t k = 1; k < n && !err; k++)
		if (!strcmp(sorted[k - 1], sorted[k]))
			err = pbit__dimod_fail(d, "variable_labels", SIZE_MAX, NULL,
					       "the label \"%s\" is there twice",
					       PBIT__SHOW(sorted[k]));
	free(sorted);
	return err;
}

static int take_labels(struct pbit__dimod *d)
{
	const json_t *labels = json_object_get(d->root, "variable_labels");
	size_t n = d->draft->n;

	if (!labels)
		return 0;
	if (!json_is_array(labels) || json_array_size(labels) != n)
		return pbit__dimod_fail(d, "variable_labels", SIZE_MAX, "the file may be damaged",
					"expected a list of %zu labels", n);
	if (are_plain(labels))
		return 0;
	d->draft->labels = calloc(n, sizeof(*d->draft->labels));
	if (!d->draft->labels)
		return pbit__reader_fail_memory(d->reader);
	for (size_t k = 0; k < n; k++) {
		d->draft->labels[k] =
			pbit__dimod_label(d, json_array_get(labels, k), "variable_labels", k);
		if (!d->draft->labels[k])
			return pbit_last_error()->code;
	}
	return check_unique(d);
}

int pbit__dimod_arrays(struct pbit__dimod *d)
{
	struct arrays a = {.linear = {.count = 0}};
	int err = check_version(d);

	if (!err)
		err = pbit__dimod_vartype(d, "variable_type");
	if (!err)
		err = pbit__dimod_offset(d);
	if (!err)
		err = open_arrays(d, &a);
	if (!err)
		err = take_terms(d, &a);
	if (!err)
		err = take_labels(d);
	pbit__numbers_close(&a.linear);
	pbit__numbers_close(&a.quadratic);
	pbit__numbers_close(&a.head);
	pbit__numbers_close(&a.tail);
	return err;
}
