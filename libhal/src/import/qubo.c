/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QUBO in the text form of qbsolv: "c" begins comments; "p qubo topology maxNodes nNodes nCouplers"; nNodes
 * lines "i i a", nCouplers lines "i j b" with i < j. The energy is sum a_i x_i + sum b_ij x_i x_j, x
 * 0 or 1. The nodes in use become p-bits in ascending order and keep their numbers as labels.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "boltzmann/bm.h"
#include "import/format.h"

struct node {
	uint32_t number;
	double weight;
	uint64_t line;
};

struct qubo {
	struct pbit__reader *reader;
	struct pbit__draft *draft;
	uint64_t max_nodes, n_nodes, n_couplers;
	struct node *nodes;
	size_t count, capacity;
};

/* The next word that is no comment, or the end. */
static int next_line(struct qubo *q)
{
	for (;;) {
		int token = pbit__reader_next(q->reader), err;

		if (token != PBIT__WORD && token != PBIT__LINE_END)
			return token;
		if (token == PBIT__LINE_END)
			continue;
		if (q->reader->word[0] != 'c')
			return token;
		err = pbit__reader_skip_line(q->reader);
		if (err)
			return err;
	}
}

static int expect_word(struct qubo *q, const char *word)
{
	int token = pbit__reader_next(q->reader);

	if (token < 0)
		return token;
	if (token != PBIT__WORD || strcmp(q->reader->word, word))
		return pbit__reader_fail(q->reader, -EINVAL, NULL,
					 "\"%s\" where \"%s\" is expected",
					 PBIT__SHOW(q->reader->word), word);
	return 0;
}

static int read_program(struct qubo *q)
{
	struct pbit__reader *reader = q->reader;
	int token = next_line(q), err;

	if (token < 0)
		return token;
	if (token == PBIT__END)
		return pbit__reader_fail_whole(reader, -EINVAL, NULL,
					       "the file has no line \"p qubo ...\"");
	if (strcmp(reader->word, "p"))
		return pbit__reader_fail(reader, -EINVAL, NULL,
					 "\"%s\" before the line \"p qubo ...\"",
					 PBIT__SHOW(reader->word));
	err = expect_word(q, "qubo");
	if (err)
		return err;
	token = pbit__reader_next(reader);
	if (token != PBIT__WORD)
		return token < 0 ? token
				 : pbit__reader_fail(reader, -EINVAL, NULL,
						     "the topology is missing, \"0\" for any");
	err = pbit__reader_next_whole(reader, "maxNodes", UINT64_MAX, &q->max_nodes);
	if (!err)
		err = pbit__reader_next_whole(reader, "nNodes", q->max_nodes, &q->n_nodes);
	if (!err)
		err = pbit__reader_next_whole(reader, "nCouplers", UINT64_MAX - 1, &q->n_couplers);
	if (!err)
		err = pbit__reader_end_line(reader);
	return err ? err : pbit__draft_check_size(reader, q->n_nodes);
}

static int add_node(struct qubo *q, uint64_t number, double weight, uint64_t line)
{
	if (q->count == q->n_nodes)
		return pbit__reader_fail(q->reader, -EINVAL, NULL,
					 "one node more than the %llu that the header states",
					 (unsigned long long)q->n_nodes);
	if (q->count == q->capacity) {
		size_t capacity = q->capacity + q->capacity / 2 + 16;
		struct node *nodes = realloc(q->nodes, capacity * sizeof(*nodes));

		if (!nodes)
			return pbit__reader_fail_memory(q->reader);
		q->nodes = nodes;
		q->capacity = capacity;
	}
	q->nodes[q->count++] = (struct node){(uint32_t)number, weight, line};
	return 0;
}

static int add_coupler(struct qubo *q, uint64_t i, uint64_t j, double value, uint64_t line)
{
	if (q->draft->count == q->n_couplers)
		return pbit__reader_fail(q->reader, -EINVAL, NULL,
					 "one coupler more than the %llu that the header states",
					 (unsigned long long)q->n_couplers);
	return pbit__draft_add(q->draft, q->reader, i, j, value, line);
}

static int read_clause(struct qubo *q)
{
	/* Numbers are kept in 32 bits; where maxNodes is larger, higher ones are not in use here. */
	uint64_t top = q->max_nodes - 1 < UINT32_MAX ? q->max_nodes - 1 : UINT32_MAX;
	uint64_t i, j, line = q->reader->word_line;
	double value;
	int err = pbit__reader_whole(q->reader, "the node number", top, &i);

	if (!err)
		err = pbit__reader_next_whole(q->reader, "the second node number", top, &j);
	if (!err && j < i)
		err = pbit__reader_fail(q->reader, -EINVAL, "write the smaller node first",
					"nodes %llu and %llu: a coupler has i < j",
					(unsigned long long)i, (unsigned long long)j);
	if (!err)
		err = pbit__reader_next_real(q->reader, "the weight", &value);
	if (!err)
		err = pbit__reader_end_line(q->reader);
	if (err)
		return err;
	return i == j ? add_node(q, i, value, line) : add_coupler(q, i, j, value, line);
}

static int read_clauses(struct qubo *q)
{
	int token, err = 0;

	while (!err && (token = next_line(q)) != PBIT__END) {
		if (token < 0)
			return token;
		err = read_clause(q);
	}
	if (err)
		return err;
	if (q->count < q->n_nodes || q->draft->count < q->n_couplers)
		return pbit__reader_fail(
			q->reader, -EINVAL, "the file may be truncated",
			"the file ends after %zu of %llu nodes and %zu of %llu couplers", q->count,
			(unsigned long long)q->n_nodes, q->draft->count,
			(unsigned long long)q->n_couplers);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

static int find_node(struct qubo *q, uint32_t *number, uint64_t line)
{
	const struct node key = {.number = *number};
	size_t low = 0, high = q->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (q->nodes[middle].number < key.number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == q->count || q->nodes[low].number != key.number)
		return pbit__reader_fail_whole(q->reader, -EINVAL,
					       "give each node a line \"i i weight\", 0 if need be",
					       "the coupler in line %llu names node %u, which has "
					       "no line of its own",
					       (unsigned long long)line, key.number);
	*number = (uint32_t)low;
	return 0;
}

/* Node numbers into p-bits, weights into terms. */
static int number_nodes(struct qubo *q)
{
	size_t n_couplers = q->draft->count;
	int err = 0;

	qsort(q->nodes, q->count, sizeof(*q->nodes), compare);
	for (size_t k = 1; k < q->count; k++)
		if (q->nodes[k].number == q->nodes[k - 1].number)
			return pbit__reader_fail_whole(q->reader, -EINVAL, NULL,
						       "node %u is in line %llu and in line %llu",
						       q->nodes[k].number,
						       (unsigned long long)q->nodes[k - 1].line,
						       (unsigned long long)q->nodes[k].line);
	for (size_t k = 0; k < n_couplers && !err; k++) {
		struct pbit__term *term = &q->draft->terms[k];

		err = find_node(q, &term->i, term->place);
		if (!err)
			err = find_node(q, &term->j, term->place);
	}
	q->draft->n = q->count;
	for (size_t k = 0; k < q->count && !err; k++)
		err = pbit__draft_add(q->draft, q->reader, k, k, q->nodes[k].weight,
				      q->nodes[k].line);
	return err;
}

/* Nodes that are not 0 ... n - 1 keep their numbers as labels. */
static int label_nodes(struct qubo *q)
{
	char text[16];

	if (q->nodes[q->count - 1].number == q->count - 1)
		return 0;
	q->draft->labels = calloc(q->count, sizeof(*q->draft->labels));
	if (!q->draft->labels)
		return pbit__reader_fail_memory(q->reader);
	for (size_t k = 0; k < q->count; k++) {
		snprintf(text, sizeof(text), "%u", q->nodes[k].number);
		q->draft->labels[k] = strdup(text);
		if (!q->draft->labels[k])
			return pbit__reader_fail_memory(q->reader);
	}
	return 0;
}

int pbit__import_qubo(struct pbit__reader *reader, struct pbit__draft *draft)
{
	struct qubo q = {.reader = reader, .draft = draft};
	int err;

	draft->is_binary = true;
	draft->repeat = PBIT__REPEAT_REFUSE;
	draft->place_name = "line";
	err = read_program(&q);
	if (!err)
		err = read_clauses(&q);
	if (!err)
		err = number_nodes(&q);
	if (!err)
		err = label_nodes(&q);
	free(q.nodes);
	return err;
}
