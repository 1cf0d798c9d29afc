/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs made to hurt: cut short, headers that point anywhere, bits flipped, nested without end,
 * names without an end. Each is refused or loads; none crashes, hangs or takes memory out of
 * proportion. (tests/fuzz looks for more.)
 */
#include <time.h>
#include <libfdt.h>
#include "test_model_make.h"

static unsigned char *good;
static size_t good_size;

static int setup(void **state)
{
	struct make make;

	(void)state;
	make_rich(&make);
	good = make_bytes(&make, &good_size);
	make_end(&make);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(good);
	return 0;
}

/* From an allocation of just that size, so that a sanitizer sees reads past it. */
static int load(const void *bytes, size_t size)
{
	struct pbit_model *model = NULL;
	void *copy = malloc(size ? size : 1);
	int err;

	assert_non_null(copy);
	if (size)
		memcpy(copy, bytes, size);
	err = pbit_model_from_memory(copy, size, &model);
	free(copy);
	if (err) {
		assert_null(model);
		assert_int_equal(err, -EINVAL);
		assert_int_equal(pbit_last_error()->code, -EINVAL);
	}
	pbit_model_put(model);
	return err;
}

static void test_arguments(void **state)
{
	struct pbit_model *model = NULL;

	(void)state;
	assert_int_equal(pbit_model_from_memory(NULL, 4, &model), -EINVAL);
	assert_int_equal(pbit_model_from_memory(good, good_size, NULL), -EINVAL);
	assert_int_equal(pbit_model_from_memory(good, 0, &model), -EINVAL);
	assert_int_equal(pbit_model_from_memory(good, SIZE_MAX, &model), -EINVAL);
	assert_int_equal(pbit_model_open(NULL, &model), -EINVAL);
	assert_int_equal(pbit_model_create(NULL, &model), -EINVAL);
	assert_null(model);
}

static void test_truncated(void **state)
{
	(void)state;
	for (size_t size = 0; size < good_size; size += size < 128 ? 1 : 97)
		assert_int_equal(load(good, size), -EINVAL);
	assert_int_equal(load(good, good_size - 1), -EINVAL);
	assert_int_equal(load(good, good_size), 0);
}

/* Every field of the header with every awkward number. */
static void test_header(void **state)
{
	static const uint32_t values[] = {
		0,  1,	2,	    3,		4,	    16,		17,	   18,
		39, 40, 0x7fffffff, 0x80000000, 0xfffffffc, 0xfffffff8, 0xffffffff};
	unsigned char *copy = malloc(good_size);

	(void)state;
	assert_non_null(copy);
	for (size_t field = 0; field < 10; field++) {
		for (size_t i = 0; i < sizeof(values) / sizeof(*values) + 2; i++) {
			uint32_t value = i < 15 ? values[i] : (uint32_t)(good_size - 16 + i);

			memcpy(copy, good, good_size);
			fdt32_st(copy + 4 * field, value);
			(void)load(copy, good_size);
		}
	}
	/* Old and future versions, as a person would meet them. */
	memcpy(copy, good, good_size);
	fdt_set_version(copy, 16);
	assert_int_equal(load(copy, good_size), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "version 16"));
	fdt_set_version(copy, 18);
	fdt_set_last_comp_version(copy, 18);
	assert_int_equal(load(copy, good_size), -EINVAL);
	free(copy);
}

static void test_flipped_bits(void **state)
{
	unsigned char *copy = malloc(good_size);
	uint64_t random = 7;
	unsigned int refused = 0;

	(void)state;
	assert_non_null(copy);
	for (int i = 0; i < 3000; i++) {
		memcpy(copy, good, good_size);
		for (int n = 0; n <= i % 4; n++) {
			random = random * 6364136223846793005ull + 1442695040888963407ull;
			copy[(random >> 33) % good_size] ^=
				(unsigned char)(1 << (random >> 30 & 7));
		}
		refused += load(copy, good_size) != 0;
	}
	assert_true(refused > 100 && refused < 3000);
	free(copy);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* A tree of cells in which `strings` follows: header, empty reserve map, structure, strings. */
static unsigned char *assemble(const unsigned char *structure, size_t n, const char *strings,
			       size_t n_strings, size_t *size)
{
	unsigned char *blob;

	*size = 56 + n + n_strings;
	blob = calloc(1, *size);
	assert_non_null(blob);
	fdt_set_magic(blob, FDT_MAGIC);
	fdt_set_totalsize(blob, (uint32_t)*size);
	fdt_set_off_dt_struct(blob, 56);
	fdt_set_off_dt_strings(blob, (uint32_t)(56 + n));
	fdt_set_off_mem_rsvmap(blob, 40);
	fdt_set_version(blob, 17);
	fdt_set_last_comp_version(blob, 16);
	fdt_set_size_dt_strings(blob, (uint32_t)n_strings);
	fdt_set_size_dt_struct(blob, (uint32_t)n);
	memcpy(blob + 56, structure, n);
	memcpy(blob + 56 + n, strings, n_strings);
	return blob;
}

static void test_deep_nesting(void **state)
{
	const size_t depth = 200000;
	unsigned char *cells = calloc(depth * 3 + 1, 4), *p = cells, *blob;
	size_t size;

	(void)state;
	assert_non_null(cells);
	for (size_t i = 0; i < depth; i++, p += 8) {
		fdt32_st(p, FDT_BEGIN_NODE);
		if (i)
			p[4] = 'n';
	}
	for (size_t i = 0; i < depth; i++, p += 4)
		fdt32_st(p, FDT_END_NODE);
	fdt32_st(p, FDT_END);
	blob = assemble(cells, depth * 12 + 4, "", 1, &size);
	assert_int_equal(load(blob, size), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->where, "compatible"));
	free(blob);
	free(cells);
}

/* Many properties that all name one endless string: quadratic for a naive reader. */
static void test_endless_name(void **state)
{
	const size_t n = 300000, length = 4 << 20;
	unsigned char *cells = calloc(n * 3 + 4, 4), *p = cells, *blob;
	char *strings = malloc(length);
	double start = seconds();
	size_t size;

	(void)state;
	assert_non_null(cells);
	assert_non_null(strings);
	memset(strings, 'x', length);
	strings[length - 1] = 0;
	fdt32_st(p, FDT_BEGIN_NODE);
	for (p += 8; p < cells + 8 + n * 12; p += 12)
		fdt32_st(p, FDT_PROP);
	fdt32_st(p, FDT_END_NODE);
	fdt32_st(p + 4, FDT_END);
	blob = assemble(cells, n * 12 + 16, strings, length, &size);
	assert_int_equal(load(blob, size), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "within 255 bytes"));
	assert_true(seconds() - start < 10);
	free(blob);
	free(strings);
	free(cells);
}

/* A property whose length leads back to itself, and other impossible structures. */
static void test_structures(void **state)
{
	static const struct {
		uint32_t cells[8];
		const char *why;
	} trees[] = {
		{{FDT_BEGIN_NODE, 0, FDT_PROP, 0xfffffff4, 0, FDT_END_NODE, FDT_END, FDT_END},
		 "longer than the block"},
		{{FDT_BEGIN_NODE, 0, FDT_PROP, 0xffffffff, 0, FDT_END_NODE, FDT_END, FDT_END},
		 "longer than the block"},
		{{FDT_BEGIN_NODE, 0, FDT_PROP, 13, 0, FDT_END_NODE, FDT_END, FDT_END},
		 "longer than the block"},
		{{FDT_BEGIN_NODE, 0, FDT_PROP, 0, 4, FDT_END_NODE, FDT_END, FDT_END},
		 "outside the strings"},
		{{FDT_PROP, 0, 0, FDT_BEGIN_NODE, 0, FDT_END_NODE, FDT_END, FDT_END},
		 "outside or at the end"},
		{{FDT_BEGIN_NODE, 0, FDT_END_NODE, FDT_PROP, 0, 0, FDT_END, FDT_END},
		 "outside or at the end"},
		{{FDT_BEGIN_NODE, 0, FDT_NOP, FDT_NOP, FDT_NOP, FDT_NOP, FDT_NOP, FDT_PROP},
		 "without its length"},
		{{FDT_BEGIN_NODE, 0, FDT_NOP, FDT_NOP, FDT_NOP, FDT_NOP, FDT_NOP, FDT_NOP},
		 "no end"},
		{{FDT_BEGIN_NODE, 0, FDT_NOP, FDT_NOP, FDT_NOP, FDT_NOP, FDT_NOP, FDT_END},
		 "node without an end"},
		{{FDT_BEGIN_NODE, 0x61616161, 0x61616161, 0x61616161, 0x61616161, 0x61616161,
		  0x61616161, 0x61616161},
		 "name has no end"},
		{{FDT_BEGIN_NODE, 0, FDT_END_NODE, FDT_END_NODE, FDT_END, FDT_END, FDT_END,
		  FDT_END},
		 "end without a node"},
		{{FDT_BEGIN_NODE, 0, 7, FDT_END_NODE, FDT_END, FDT_END, FDT_END, FDT_END},
		 "unknown tag"},
		{{FDT_BEGIN_NODE, 0, FDT_END_NODE, FDT_BEGIN_NODE, 0, FDT_END_NODE, FDT_END,
		  FDT_END},
		 "damaged flattened device tree"},
		{{FDT_END, 0, 0, 0, 0, 0, 0, 0}, "missing"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(trees) / sizeof(*trees); i++) {
		unsigned char cells[32], *blob;
		size_t size;

		for (int c = 0; c < 8; c++)
			fdt32_st(cells + 4 * c, trees[i].cells[c]);
		blob = assemble(cells, sizeof(cells), "abc", 4, &size);
		assert_int_equal(load(blob, size), -EINVAL);
		if (!strstr(pbit_last_error()->why, trees[i].why))
			fail_msg("tree %zu: %s", i, pbit_last_error()->why);
		free(blob);
	}
}

static void test_name_without_end(void **state)
{
	unsigned char *copy = malloc(good_size);

	(void)state;
	assert_non_null(copy);
	memcpy(copy, good, good_size);
	fdt_set_size_dt_strings(copy, fdt_size_dt_strings(copy) - 1);
	assert_int_equal(load(copy, good_size), -EINVAL);
	free(copy);
}

/* More layers than there may be, and the most there may be. */
static void test_many_layers(void **state)
{
	(void)state;
	for (unsigned int n = 1023; n <= 1026; n++) {
		void *copy = calloc(1, good_size + 400000);
		int first, layers, err;

		assert_non_null(copy);
		assert_int_equal(fdt_open_into(good, copy, (int)good_size + 400000), 0);
		layers = fdt_path_offset(copy, "/layers");
		while ((first = fdt_first_subnode(copy, layers)) > 0)
			assert_int_equal(fdt_del_node(copy, first), 0);
		for (unsigned int i = 0; i < n; i++) {
			char name[32];
			int node;

			snprintf(name, sizeof(name), "layer@%x", n - 1 - i);
			node = fdt_add_subnode(copy, layers, name);
			assert_true(node > 0);
			assert_int_equal(fdt_setprop_string(copy, node, "type", "maxpool"), 0);
		}
		err = load(copy, fdt_totalsize(copy));
		assert_int_equal(err, -EINVAL);
		assert_string_equal(pbit_last_error()->where,
				    n <= 1024	? "memory:/layers/layer@0/kernel"
				    : n == 1025 ? "memory:/layers/layer@400"
						: "memory:/layers/layer@400");
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments),	 cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_header),		 cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_deep_nesting),	 cmocka_unit_test(test_endless_name),
		cmocka_unit_test(test_name_without_end), cmocka_unit_test(test_structures),
		cmocka_unit_test(test_many_layers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
