/* SPDX-License-Identifier: Apache-2.0 */
/* Terms that add up, directed couplings, and the colouring of both kinds of machine. */
#include "test_boltzmann_mock.h"

static struct pbit_bm *machine_of(uint32_t n)
{
	struct pbit_bm *bm;

	assert_int_equal(pbit_bm_new(n, &bm), 0);
	return bm;
}

static struct pbit_bm_view view_of(struct pbit_bm *bm)
{
	struct pbit_bm_view view = PBIT_INIT(view);

	assert_int_equal(pbit_bm_view(bm, &view), 0);
	return view;
}

static void test_terms(void **state)
{
	struct pbit_bm *bm = machine_of(4);
	struct pbit_bm_view v;

	(void)state;
	assert_int_equal(pbit_bm_add_term(bm, 2, 1, 0.5), 0);
	assert_int_equal(pbit_bm_add_term(bm, 1, 2, 0.25), 0);
	assert_int_equal(pbit_bm_add_term(bm, 3, 3, 1.0), 0);
	assert_int_equal(pbit_bm_add_term(bm, 3, 3, -3.0), 0);
	assert_int_equal(pbit_bm_couplings(bm), 1);
	v = view_of(bm);
	assert_int_equal(v.row[4], 2);
	assert_true(v.J[0] == 0.75 && v.J[1] == 0.75 && v.h[3] == -2.0);
	/* A sum of 0 is no coupling. */
	assert_int_equal(pbit_bm_add_term(bm, 1, 2, -0.75), 0);
	assert_int_equal(view_of(bm).row[4], 0);
	assert_int_equal(pbit_bm_add_coupling(bm, 2, 3, 1.0), 0);
	assert_int_equal(pbit_bm_add_term(bm, 3, 2, 1.0), 0);
	assert_true(view_of(bm).J[0] == 2.0);
	pbit_bm_put(bm);
}

static void test_terms_refuse(void **state)
{
	struct pbit_bm *bm = machine_of(3);

	(void)state;
	assert_error(pbit_bm_add_term(NULL, 0, 1, 1.0), -EINVAL, "NULL");
	assert_error(pbit_bm_add_term(bm, 0, 3, 1.0), -EINVAL, "p-bit 3");
	assert_error(pbit_bm_add_term(bm, 0, 1, NAN), -EINVAL, "value");
	assert_int_equal(pbit_bm_add_term(bm, 0, 1, 6e299), 0);
	assert_error(pbit_bm_add_term(bm, 0, 1, 6e299), -EINVAL, "sum with J");
	assert_int_equal(pbit_bm_add_term(bm, 0, 0, -6e299), 0);
	assert_error(pbit_bm_add_term(bm, 0, 0, -6e299), -EINVAL, "sum with h");
	assert_true(view_of(bm).J[0] == 6e299 && view_of(bm).h[0] == -6e299);
	assert_int_equal(pbit_bm_add_directed(bm, 2, 1, 1.0), 0);
	assert_error(pbit_bm_add_term(bm, 1, 2, 1.0), -EEXIST, "directed");
	pbit__bm_freeze(bm);
	assert_error(pbit_bm_add_term(bm, 0, 1, 1.0), -EBUSY, "programmed");
	assert_error(pbit_bm_add_directed(bm, 0, 1, 1.0), -EBUSY, "programmed");
	pbit_bm_put(bm);
}

static void test_directed(void **state)
{
	static const uint64_t row[] = {0, 1, 3, 4, 5};
	static const uint32_t col[] = {3, 0, 2, 1, 1};
	static const double J[] = {7.0, 2.0, 3.0, 5.0, 4.0};
	struct pbit_bm *bm = machine_of(4);
	struct pbit_bm_view v;
	uint64_t word = 5;

	(void)state;
	assert_int_equal(pbit_bm_add_directed(bm, 1, 3, 4.0), 0);
	assert_int_equal(pbit_bm_add_directed(bm, 0, 1, 2.0), 0);
	assert_int_equal(pbit_bm_add_directed(bm, 2, 1, 3.0), 0);
	assert_int_equal(pbit_bm_add_directed(bm, 1, 2, 5.0), 0);
	assert_int_equal(pbit_bm_add_directed(bm, 3, 0, 7.0), 0);
	assert_int_equal(pbit_bm_couplings(bm), 5);
	v = view_of(bm);
	assert_int_equal(v.flags, PBIT_BM_DIRECTED | PBIT_BM_EXACT);
	assert_memory_equal(v.row, row, sizeof(row));
	assert_memory_equal(v.col, col, sizeof(col));
	assert_memory_equal(v.J, J, sizeof(J));
	assert_true(isnan(pbit_bm_energy(bm, &word)));
	assert_error(pbit_last_error()->code, -EINVAL, "directed");
	/* Each direction once, and no symmetric coupling on top, nor beneath. */
	assert_error(pbit_bm_add_directed(bm, 1, 3, 1.0), -EEXIST, "p-bit 1 acts on p-bit 3");
	assert_error(pbit_bm_add_coupling(bm, 3, 1, 1.0), -EEXIST, "p-bit 1 acts on p-bit 3");
	assert_int_equal(pbit_bm_add_coupling(bm, 0, 2, 1.0), 0);
	assert_error(pbit_bm_add_directed(bm, 2, 0, 1.0), -EEXIST, "coupled already");
	assert_error(pbit_bm_add_directed(bm, 2, 2, 1.0), -EINVAL, "itself");
	assert_error(pbit_bm_add_directed(bm, 4, 2, 1.0), -EINVAL, "p-bit 4");
	assert_error(pbit_bm_add_directed(bm, 0, 3, INFINITY), -EINVAL, "value");
	assert_int_equal(view_of(bm).row[4], 7);
	pbit_bm_put(bm);
}

/* A dense matrix replaces directed couplings too. */
static void test_directed_then_dense(void **state)
{
	static const double J[4] = {0, 1, 1, 0};
	struct pbit_bm *bm = machine_of(2);
	uint64_t word = 3;

	(void)state;
	assert_int_equal(pbit_bm_add_directed(bm, 0, 1, 4.0), 0);
	assert_int_equal(pbit_bm_set_dense(bm, J), 0);
	assert_int_equal(view_of(bm).flags & PBIT_BM_DIRECTED, 0);
	assert_true(pbit_bm_energy(bm, &word) == -1.0);
	assert_error(pbit_bm_add_directed(bm, 0, 1, 4.0), -EEXIST, "coupled already");
	pbit_bm_put(bm);
}

static void test_directed_device(void **state)
{
	struct mock *m = *state;
	struct pbit_bm *bm = machine_of(3);
	uint64_t mask = 1, value = 1, got;
	unsigned int up = 0;

	/* 0 acts on 1 by so much that 1 follows it; were it symmetric, h would lose. */
	assert_int_equal(pbit_bm_add_directed(bm, 0, 1, 30.0), 0);
	assert_error(pbit_program(&m->dev, bm, 0, 1), -EOPNOTSUPP, "directed");
	m->dev.caps.flags |= PBIT_FLAG_DIRECTED;
	m->dev.caps.stated |= PBIT_CAP_TOPOLOGY;
	m->dev.caps.topology = PBIT_TOPOLOGY_BIPARTITE;
	assert_int_equal(pbit_program(&m->dev, bm, 0, 1), 0);
	assert_int_equal(pbit_clamp(&m->dev, &mask, &value), 0);
	assert_int_equal(pbit_update(&m->dev, 1.0, 1), 0);
	assert_int_equal(pbit_read(&m->dev, &got), 0);
	assert_int_equal(got & 3, 3);
	/*
	 * p-bit 0 alone does not feel 1: 400 draws of 1/2 leave [100, 300] with probability 1e-24.
	 */
	mask = value = 2;
	assert_int_equal(pbit_clamp(&m->dev, &mask, &value), 0);
	for (int k = 0; k < 400; k++) {
		assert_int_equal(pbit_update(&m->dev, 1.0, 1), 0);
		assert_int_equal(pbit_read(&m->dev, &got), 0);
		up += got & 1;
	}
	assert_in_range(up, 100, 300);
	pbit_bm_put(bm);
}

/* A ring of directed couplings of odd length is found whichever way they point. */
static void test_directed_sides(void **state)
{
	struct mock *m = *state;

	m->dev.caps.flags |= PBIT_FLAG_DIRECTED;
	m->dev.caps.stated |= PBIT_CAP_TOPOLOGY;
	m->dev.caps.topology = PBIT_TOPOLOGY_BIPARTITE;
	for (unsigned int ways = 0; ways < 32; ways++) {
		for (uint32_t n = 4; n <= 5; n++) {
			struct pbit_bm *bm = machine_of(n);

			for (uint32_t i = 0; i < n; i++) {
				uint32_t j = (i + 1) % n;
				bool way = ways >> i & 1;

				assert_int_equal(
					pbit_bm_add_directed(bm, way ? i : j, way ? j : i, 1.0), 0);
			}
			if (n == 4)
				assert_int_equal(pbit_program(&m->dev, bm, 0, 1), 0);
			else
				assert_error(pbit_program(&m->dev, bm, 0, 1), -EOPNOTSUPP,
					     "odd length");
			pbit_bm_put(bm);
		}
	}
}

/* Word by word: each p-bit the smallest colour of none of its coupled p-bits below it. */
static void check_colours(const bool *coupled, uint32_t n, const uint32_t *colour, uint32_t colours)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t want = 0;
		bool clash = true;

		for (; clash; want += clash) {
			clash = false;
			for (uint32_t j = 0; j < i; j++)
				clash |= (coupled[i * n + j] || coupled[j * n + i]) &&
					 colour[j] == want;
		}
		assert_int_equal(colour[i], want);
		most = want > most ? want : most;
	}
	assert_int_equal(colours, most + 1);
}

#define COLOUR_PBITS 40u

static void test_colour(void **state)
{
	uint64_t random = 12345;

	(void)state;
	for (int round = 0; round < 60; round++) {
		bool coupled[COLOUR_PBITS * COLOUR_PBITS] = {false};
		uint32_t colour[COLOUR_PBITS], colours = 0;
		struct pbit_bm *bm = machine_of(COLOUR_PBITS);

		for (int k = 0; k < 20 * (round % 5); k++) {
			uint32_t i, j;

			random = random * 6364136223846793005u + 1442695040888963407u;
			i = (uint32_t)(random >> 33) % COLOUR_PBITS;
			j = (uint32_t)(random >> 48) % COLOUR_PBITS;
			if (i == j || coupled[i * COLOUR_PBITS + j] ||
			    coupled[j * COLOUR_PBITS + i])
				continue;
			coupled[i * COLOUR_PBITS + j] = true;
			if (round % 2)
				assert_int_equal(pbit_bm_add_directed(bm, i, j, 1.0), 0);
			else
				assert_int_equal(pbit_bm_add_coupling(bm, i, j, 1.0), 0);
		}
		assert_int_equal(pbit_bm_colour(bm, colour, &colours), 0);
		check_colours(coupled, COLOUR_PBITS, colour, colours);
		pbit_bm_put(bm);
	}
	assert_error(pbit_bm_colour(NULL, NULL, NULL), -EINVAL, "NULL");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terms),	 cmocka_unit_test(test_terms_refuse),
		cmocka_unit_test(test_directed), cmocka_unit_test(test_directed_then_dense),
		TEST(test_directed_device),	 TEST(test_directed_sides),
		cmocka_unit_test(test_colour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
