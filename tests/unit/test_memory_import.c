/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of memory at every single allocation of reading a machine in each format: -ENOMEM with a record
 * each time, nothing leaks, and the next attempt succeeds. Allocations of the JSON library are counted
 * but not refused: jansson 2.14 itself goes on after some that fail.
 */
#include "test_import_make.h"
#include "test_memory_wrap.h"

#include <jansson.h>

static const char *text;
static struct pbit_bm *bm;
static struct pbit_bm_info info = PBIT_INIT(info);
static uint64_t couplings;

static int load(void)
{
	return pbit_bm_from_memory(text, strlen(text), NULL, &bm, &info);
}

static void nothing(void)
{
	assert_null(bm);
	assert_null(info.memory);
}

static void check(void)
{
	assert_int_equal(pbit_bm_couplings(bm), couplings);
	assert_non_null(info.memory);
}

static void clean(void)
{
	pbit_bm_put(bm);
	bm = NULL;
	pbit_bm_info_free(&info);
}

static void every_failure_of(const char *machine, uint64_t expected, long at_least)
{
	text = machine;
	couplings = expected;
	every_failure(&(struct scenario){.act = load,
					 .refused = nothing,
					 .check = check,
					 .clean = clean,
					 .at_least = at_least});
}

static void test_text(void **state)
{
	(void)state;
	every_failure_of("4 3\n1 2 1\n2 3 1\n3 4 -1\n", 3, 7);
	every_failure_of("c\np qubo 0 9 3 2\n1 1 1\n4 4 2\n8 8 0\n1 4 1\n4 8 1\n", 2, 8);
	every_failure_of("ftp 1\nname x\nspins 3\nfactor 1 0 1\nbias 1 3\nstage 1 2 0 0\n", 1, 8);
}

static void *never_refused(size_t size)
{
	return wrap_count(__real_malloc(size));
}

static void test_json(void **state)
{
	(void)state;
	json_set_alloc_funcs(never_refused, free);
	every_failure_of("{\"linear\":{\"a\":1},\"quadratic\":{\"a,b\":2},\"vartype\":\"SPIN\"}", 1,
			 8);
	every_failure_of("{\"linear\":{},\"quadratic\":[[1,0,2]],\"vartype\":\"SPIN\"}", 1, 8);
	every_failure_of("{\"version\":{\"bqm_schema\":\"3.0.0\"},\"variable_type\":\"SPIN\","
			 "\"use_bytes\":true,\"bias_type\":\"float64\",\"index_type\":\"int8\","
			 "\"linear_biases\":[1,2],\"quadratic_biases\":\"AAAAAAAA8D8=\","
			 "\"quadratic_head\":\"AA==\",\"quadratic_tail\":\"AQ==\","
			 "\"variable_labels\":[[\"x\",1],\"y\"]}",
			 1, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
