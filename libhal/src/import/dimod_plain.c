/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bare layout of a binary quadratic model: {"linear": {v: a}, "quadratic": ..., "offset": c,
 * "vartype": "SPIN"}. quadratic is a list of [u, v, b]; an object {u: {v: b}}, which may state both directions where
 * they agree; or an object with keys of two labels, "u,v", also as Python prints
 * a pair: "('u', 'v')".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "import/dimod.h"

/* Labels to variables, numbered as they come. */
struct plain {
	struct pbit__dimod *d;
	json_t *numbers; /* label: number */
	size_t place;
};

static int find(struct plain *p, const char *label, uint64_t *number)
{
	json_t *known = json_object_get(p->numbers, label);

	if (known) {
		*number = (uint64_t)json_integer_value(known);
		return 0;
	}
	*number = json_object_size(p->numbers);
	if (!pbit__is_utf8_text(label))
		return pbit__dimod_fail(p->d, "linear", SIZE_MAX, NULL,
					"a label has control characters");
	if (json_object_set_new(p->numbers, label, json_integer((json_int_t)*number)))
		return pbit__reader_fail_memory(p->d->reader);
	return 0;
}

static int add(struct plain *p, const char *u, const char *v, const json_t *value)
{
	uint64_t i, j;
	double b;
	int err = pbit__dimod_real(p->d, value, "quadratic", p->place, &b);

	if (!err)
		err = find(p, u, &i);
	if (!err)
		err = find(p, v, &j);
	/* x^2 = x, so that a pair of one variable 0/1 is a linear term. */
	if (!err && i == j && !p->d->draft->is_binary)
		err = pbit__dimod_fail(p->d, "quadratic", p->place, NULL,
				       "variable \"%s\" would be coupled to itself", PBIT__SHOW(u));
	return err ? err : pbit__draft_add(p->d->draft, p->d->reader, i, j, b, p->place++);
}

static int take_linear(struct plain *p)
{
	json_t *linear = json_object_get(p->d->root, "linear"), *value;
	const char *label;
	uint64_t i;
	double a;
	int err = 0;

	if (!linear)
		return 0;
	if (!json_is_object(linear))
		return pbit__dimod_fail(p->d, "linear", SIZE_MAX, NULL,
					"expected an object, label: bias");
	json_object_foreach(linear, label, value)
	{
		err = pbit__dimod_real(p->d, value, "linear", p->place, &a);
		if (!err)
			err = find(p, label, &i);
		if (!err)
			err = pbit__draft_add(p->d->draft, p->d->reader, i, i, a, p->place++);
		if (err)
			return err;
	}
	return 0;
}

static int take_list(struct plain *p, const json_t *list)
{
	int err = 0;

	for (size_t k = 0; k < json_array_size(list) && !err; k++) {
		const json_t *item = json_array_get(list, k);
		char *u, *v;

		if (json_array_size(item) != 3)
			return pbit__dimod_fail(p->d, "quadratic", k, NULL,
						"expected [label, label, bias]");
		u = pbit__dimod_label(p->d, json_array_get(item, 0), "quadratic", k);
		v = u ? pbit__dimod_label(p->d, json_array_get(item, 1), "quadratic", k) : NULL;
		err = v ? add(p, u, v, json_array_get(item, 2)) : pbit_last_error()->code;
		free(u);
		free(v);
	}
	return err;
}

static int take_row(struct plain *p, const char *u, json_t *row)
{
	const char *v;
	json_t *value;

	json_object_foreach(row, v, value)
	{
		int err = add(p, u, v, value);

		if (err)
			return err;
	}
	return 0;
}

/* The label between from and to, without spaces and quotes around it; "" where there is none. */
static const char *trim(char *from, char *to)
{
	while (from < to && *from == ' ')
		from++;
	while (from < to && to[-1] == ' ')
		to--;
	if (to - from >= 2 && (*from == '\'' || *from == '"') && to[-1] == *from) {
		from++;
		to--;
	}
	*to = '\0';
	return from;
}

static int take_pair(struct plain *p, const char *key, const json_t *value)
{
	char *copy = strdup(key), *from, *to, *comma;
	const char *u, *v;
	int err;

	if (!copy)
		return pbit__reader_fail_memory(p->d->reader);
	from = copy;
	to = copy + strlen(copy);
	if (to - from >= 2 && *from == '(' && to[-1] == ')') {
		from++;
		to--;
		*to = '\0';
	}
	comma = strchr(from, ',');
	u = comma ? trim(from, comma) : "";
	v = comma ? trim(comma + 1, to) : "";
	if (!*u || !*v || strchr(v, ','))
		err = pbit__dimod_fail(
			p->d, "quadratic", p->place, "or give a list of [label, label, bias]",
			"the key \"%s\" is not of the form \"u,v\"", PBIT__SHOW(key));
	else
		err = add(p, u, v, value);
	free(copy);
	return err;
}

static int take_quadratic(struct plain *p)
{
	json_t *quadratic = json_object_get(p->d->root, "quadratic"), *value;
	const char *key;
	int err = 0;

	if (!quadratic)
		return 0;
	if (json_is_array(quadratic))
		return take_list(p, quadratic);
	if (!json_is_object(quadratic))
		return pbit__dimod_fail(p->d, "quadratic", SIZE_MAX, NULL,
					"expected an object or a list");
	json_object_foreach(quadratic, key, value)
	{
		if (json_is_object(value)) {
			p->d->draft->repeat = PBIT__REPEAT_EQUAL;
			err = take_row(p, key, value);
		} else {
			err = take_pair(p, key, value);
		}
		if (err)
			return err;
	}
	return 0;
}

/* Number a label spells, at most n - 1, in its one way of being written; n for anything else. */
static uint64_t spelt(const char *label, uint64_t n)
{
	uint64_t number = 0;

	if (!*label || (*label == '0' && label[1]))
		return n;
	for (; *label; label++) {
		if (*label < '0' || *label > '9' || number >= n)
			return n;
		number = number * 10 + (uint64_t)(*label - '0');
	}
	return number < n ? number : n;
}

/* n different labels that all spell a number below n: each number is there. */
static bool are_numbers(const struct plain *p)
{
	const char *label;
	json_t *number;

	json_object_foreach(p->numbers, label, number)
	{
		if (spelt(label, p->d->draft->n) == p->d->draft->n)
			return false;
	}
	return true;
}

/* Labels 0 ... n - 1, in whatever order they came, are the p-bits' own numbers. */
static int renumber(struct plain *p)
{
	struct pbit__draft *draft = p->d->draft;
	uint32_t *own = calloc(draft->n, sizeof(*own));
	const char *label;
	json_t *number;

	if (!own)
		return pbit__reader_fail_memory(p->d->reader);
	json_object_foreach(p->numbers, label, number)
	{
		own[json_integer_value(number)] = (uint32_t)spelt(label, draft->n);
	}
	for (size_t k = 0; k < draft->count; k++) {
		struct pbit__term *t = &draft->terms[k];
		uint32_t i = own[t->i], j = own[t->j];

		t->i = i < j ? i : j;
		t->j = i < j ? j : i;
	}
	free(own);
	return 0;
}

static int take_labels(struct plain *p)
{
	struct pbit__draft *draft = p->d->draft;
	const char *label;
	json_t *number;
	int err;

	draft->n = json_object_size(p->numbers);
	err = pbit__draft_check_size(p->d->reader, draft->n);
	if (err || are_numbers(p))
		return err ? err : renumber(p);
	draft->labels = calloc(draft->n, sizeof(*draft->labels));
	if (!draft->labels)
		return pbit__reader_fail_memory(p->d->reader);
	json_object_foreach(p->numbers, label, number)
	{
		char *copy = strdup(label);

		if (!copy)
			return pbit__reader_fail_memory(p->d->reader);
		draft->labels[json_integer_value(number)] = copy;
	}
	return 0;
}

int pbit__dimod_plain(struct pbit__dimod *d)
{
	struct plain p = {.d = d, .numbers = json_object()};
	int err;

	if (!p.numbers)
		return pbit__reader_fail_memory(d->reader);
	err = pbit__dimod_vartype(d, "vartype");
	if (!err)
		err = pbit__dimod_offset(d);
	if (!err)
		err = take_linear(&p);
	if (!err)
		err = take_quadratic(&p);
	if (!err)
		err = take_labels(&p);
	json_decref(p.numbers);
	return err;
}
