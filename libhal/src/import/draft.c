/* SPDX-License-Identifier: Apache-2.0 */
/* Terms of a file into J and h: sorted by pair, repeats judged, variables 0/1 made into -1/+1. */
#include "import/draft.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "boltzmann/bm.h"

/* p-bits that need no byte of the file each: 512 KiB of biases. */
#define FREE_PBITS 65536u

/* Room for one more of `size` bytes. The list, or NULL with a record. */
static void *reserve(void *list, size_t count, size_t *capacity, size_t size,
		     const struct pbit__reader *reader)
{
	size_t more = *capacity + *capacity / 2 + 16;
	void *bigger;

	if (count < *capacity)
		return list;
	bigger = more > SIZE_MAX / size ? NULL : realloc(list, more * size);
	if (!bigger) {
		(void)pbit__reader_fail_memory(reader);
		return NULL;
	}
	*capacity = more;
	return bigger;
}

int pbit__draft_add(struct pbit__draft *draft, const struct pbit__reader *reader, uint64_t i,
		    uint64_t j, double value, uint64_t place)
{
	uint32_t low = (uint32_t)(i < j ? i : j), high = (uint32_t)(i < j ? j : i);
	struct pbit__term *terms = reserve(draft->terms, draft->count, &draft->capacity,
					   sizeof(*draft->terms), reader);

	if (!terms)
		return -ENOMEM;
	draft->terms = terms;
	terms[draft->count++] = (struct pbit__term){low, high, value, place};
	return 0;
}

int pbit__draft_add_stage(struct pbit__draft *draft, const struct pbit__reader *reader, double beta,
			  uint64_t sweeps)
{
	struct pbit_bm_stage *stages = reserve(draft->stages, draft->n_stages,
					       &draft->stages_capacity, sizeof(*stages), reader);

	if (!stages)
		return -ENOMEM;
	draft->stages = stages;
	stages[draft->n_stages++] = (struct pbit_bm_stage){beta, sweeps};
	return 0;
}

int pbit__draft_check_size(const struct pbit__reader *reader, uint64_t n)
{
	if (!n)
		return pbit__reader_fail_whole(reader, -EINVAL, NULL,
					       "the machine is empty: it has no p-bits");
	if (n > PBIT__BM_MAX_PBITS)
		return pbit__reader_fail_whole(reader, -E2BIG, NULL,
					       "%llu p-bits, at most %u are possible",
					       (unsigned long long)n, PBIT__BM_MAX_PBITS);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct pbit__term *x = a, *y = b;

	if (x->i != y->i)
		return x->i < y->i ? -1 : 1;
	if (x->j != y->j)
		return x->j < y->j ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

/* The machine under construction. */
struct build {
	struct pbit__draft *draft;
	const struct pbit__reader *reader;
	struct pbit_bm *bm;
	double *h;
};

static const char *name_of(const struct build *b, uint32_t i, char *buf, size_t size)
{
	if (b->draft->labels)
		snprintf(buf, size, "%s", PBIT__SHOW(b->draft->labels[i]));
	else
		snprintf(buf, size, "%u", i + (b->draft->is_cut ? 1u : 0u));
	return buf;
}

static int fail_repeat(const struct build *b, const struct pbit__term *first,
		       const struct pbit__term *again)
{
	const char *place = b->draft->place_name;
	char i[64], j[64];
	const char *kind = first->i != first->j	 ? "coupling of"
			   : b->draft->is_binary ? "term of"
						 : "field on";

	return pbit__reader_fail_whole(
		b->reader, -EINVAL, "give each pair once",
		"%s %s%s%s is given twice: %.17g in %s %llu, %.17g in %s %llu", kind,
		name_of(b, first->i, i, sizeof(i)), first->i != first->j ? " and " : "",
		first->i != first->j ? name_of(b, first->j, j, sizeof(j)) : "", first->value, place,
		(unsigned long long)first->place, again->value, place,
		(unsigned long long)again->place);
}

static int add_coupling(struct build *b, uint32_t i, uint32_t j, double value)
{
	struct pbit__draft *draft = b->draft;
	double J = draft->negate ? 0.0 - value : value;

	draft->total_weight += value;
	if (draft->is_binary) {
		J = 0.0 - value / 4;
		b->h[i] -= value / 4;
		b->h[j] -= value / 4;
		draft->offset += value / 4;
	}
	return J == 0.0 ? 0 : pbit_bm_add_coupling(b->bm, i, j, J);
}

static void add_field(struct build *b, uint32_t i, double value)
{
	if (b->draft->is_binary) {
		b->h[i] -= value / 2;
		b->draft->offset += value / 2;
	} else {
		b->h[i] += b->draft->negate ? 0.0 - value : value;
	}
}

static int check_sum(const struct build *b, const struct pbit__term *term, double value)
{
	char i[64], j[64];

	if (fabs(value) <= PBIT__BM_LARGEST)
		return 0;
	return pbit__reader_fail_whole(b->reader, -EINVAL, "scale the energy",
				       "the terms of p-bits %s and %s add up to %g, more than %g",
				       name_of(b, term->i, i, sizeof(i)),
				       name_of(b, term->j, j, sizeof(j)), value, PBIT__BM_LARGEST);
}

static int add_terms(struct build *b)
{
	const struct pbit__term *terms = b->draft->terms;
	size_t count = b->draft->count;

	for (size_t k = 0, next; k < count; k = next) {
		const struct pbit__term *t = &terms[k];
		double value = t->value;
		int err;

		for (next = k + 1; next < count; next++) {
			const struct pbit__term *again = &terms[next];

			if (again->i != t->i || again->j != t->j)
				break;
			if (b->draft->repeat == PBIT__REPEAT_ADD)
				value += again->value;
			else if (b->draft->repeat == PBIT__REPEAT_REFUSE ||
				 again->value != t->value)
				return fail_repeat(b, t, again);
		}
		err = check_sum(b, t, value);
		if (!err && t->i == t->j)
			add_field(b, t->i, value);
		else if (!err)
			err = add_coupling(b, t->i, t->j, value);
		if (err)
			return err;
	}
	return 0;
}

static int add_biases(struct build *b)
{
	char name[64];

	for (uint32_t i = 0; i < b->draft->n; i++) {
		int err;

		if (b->h[i] == 0.0)
			continue;
		if (!(fabs(b->h[i]) <= PBIT__BM_LARGEST))
			return pbit__reader_fail_whole(
				b->reader, -EINVAL, "scale the energy",
				"the terms of p-bit %s add up to a bias of %g, more than %g",
				name_of(b, i, name, sizeof(name)), b->h[i], PBIT__BM_LARGEST);
		err = pbit_bm_set_bias(b->bm, i, b->h[i]);
		if (err)
			return err;
	}
	if (!isfinite(b->draft->offset) || !isfinite(b->draft->total_weight))
		return pbit__reader_fail_whole(b->reader, -EINVAL, "scale the energy",
					       "the terms add up to more than a number can hold");
	return 0;
}

int pbit__draft_build(struct pbit__draft *draft, const struct pbit__reader *reader,
		      struct pbit_bm **bm)
{
	struct build b = {.draft = draft, .reader = reader};
	int err = pbit__draft_check_size(reader, draft->n);

	if (err)
		return err;
	if (draft->n > FREE_PBITS && draft->n > reader->bytes)
		return pbit__reader_fail_whole(
			reader, -EINVAL, "the file may be truncated",
			"%llu p-bits in a file of %llu bytes: most would have no term",
			(unsigned long long)draft->n, (unsigned long long)reader->bytes);
	if (draft->count)
		qsort(draft->terms, draft->count, sizeof(*draft->terms), compare);
	b.h = calloc(draft->n, sizeof(*b.h));
	if (!b.h)
		return pbit__reader_fail_memory(reader);
	err = pbit_bm_new((uint32_t)draft->n, &b.bm);
	if (err)
		goto free_h;
	err = add_terms(&b);
	if (!err)
		err = add_biases(&b);
	if (err)
		pbit_bm_put(b.bm);
	else
		*bm = b.bm;
free_h:
	free(b.h);
	return err;
}

void pbit__draft_free(struct pbit__draft *draft)
{
	if (draft->labels)
		for (uint64_t i = 0; i < draft->n; i++)
			free(draft->labels[i]);
	free(draft->labels);
	free(draft->stages);
	free(draft->terms);
	free(draft->name);
	*draft = (struct pbit__draft){.n = 0};
}
