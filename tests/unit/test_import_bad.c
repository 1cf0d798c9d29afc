/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every way for a machine file to be wrong: refused with the right code, at the right place, with a
 * reason that names the fault; nothing is handed out and nothing large is allocated.
 */
#include "test_import_make.h"

#include <stdio.h>
#include <sys/resource.h>

/* They reserve address space without bounds. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#else
#define HAS_SANITIZER 0
#endif

struct bad {
	const char *text;
	const char *format; /* NULL: told by content */
	const char *where;  /* part of the record's where */
	const char *why;    /* part of its reason */
	int code;	    /* 0: -EINVAL */
};

static const struct bad bad_edges[] = {
	{"", NULL, "memory", "empty", 0},
	{" \n\n# only words\n", NULL, "memory", "empty", 0},
	{"hello\n", NULL, "memory:1:1", "like none of", 0},
	{"\x7f"
	 "ELF\x02",
	 NULL, "memory:1:1", "like none of", 0},
	{"0 0\n", NULL, "memory", "no p-bits", 0},
	{"0 0 0\n", NULL, "memory", "no p-bits", 0},
	{"4\n", NULL, "memory:1:2", "number of couplings", 0},
	{"4 x\n", NULL, "memory:1:3", "\"x\"", 0},
	{"4 -1\n", NULL, "memory:1:3", "\"-1\"", 0},
	{"4 1 7\n", NULL, "memory:1:5", "third count is \"7\"", 0},
	{"4 1 0 0\n0 1 1\n", NULL, "memory:1:7", "line should end", 0},
	{"4 1 0\n0 1 1\n", "gset", "memory:1:", "third count", 0},
	{"4 2\n1 2 1\n", NULL, "memory:3:1", "after 1 of the 2 lines", 0},
	{"4 1\n1 2 1\n3 4 1\n", NULL, "memory:3:1", "one line more than the 1", 0},
	{"4 1\n1 5 1\n", NULL, "memory:2:3", "5, out of range: they go from 1 to 4", 0},
	{"4 1\n0 1 1\n", NULL, "memory:2:1", "0, out of range", 0},
	{"4 1 0\n0 4 1\n", NULL, "memory:2:3", "they go from 0 to 3", 0},
	{"4 1\n2 2 1\n", NULL, "memory:2:3", "joined to itself", 0},
	{"4 1\n1 2 nan\n", NULL, "memory:2:5", "\"nan\", expected a finite", 0},
	{"4 1\n1 2 inf\n", NULL, "memory:2:5", "\"inf\", expected a finite", 0},
	{"4 1\n1 2 0x10\n", NULL, "memory:2:5", "\"0x10\"", 0},
	{"4 1\n1 2 1e999\n", NULL, "memory:2:5", "between -1e+300 and 1e+300", 0},
	{"4 1\n1 2 2e300\n", NULL, "memory:2:5", "between -1e+300 and 1e+300", 0},
	{"4 1\n1 2 1.2.3\n", NULL, "memory:2:5", "\"1.2.3\"", 0},
	{"4 1\n1 2 -\n", NULL, "memory:2:5", "expected a decimal number", 0},
	{"4 1\n1 2 1 9\n", NULL, "memory:2:7", "\"9\" where the line should end", 0},
	{"4 1\n1\n", NULL, "memory:2:2", "the line ends where the vertex", 0},
	{"4 1\n1", NULL, "memory:2:2", "the file ends where the vertex", 0},
	{"4 1 0\n1 2\n", NULL, "memory:2:4", "where J is expected", 0},
	{"4 2\n1 2 1\n2 1 -1\n", NULL, "memory",
	 "1 and 2 is given twice: 1 in line 2, -1 in line 3", 0},
	{"4 2 0\n1 2 1\n1 2 1.5\n", NULL, "memory", "1 and 2 is given twice", 0},
	{"4 2 0\n1 1 1\n1 1 2\n", NULL, "memory", "field on 1 is given twice", 0},
	{"99999999999999999999999 1\n1 2 1\n", NULL, "memory", "at most", -E2BIG},
	{"67108865 1\n1 2 1\n", NULL, "memory", "67108865 p-bits, at most 67108864", -E2BIG},
	{"67108864 1\n1 2 1\n", NULL, "memory", "67108864 p-bits in a file of 17 bytes", 0},
	{"65537 1\n1 2 1\n", NULL, "memory", "65537 p-bits in a file of", 0},
	{"4 18446744073709551615\n1 2 1\n", NULL, "memory:1:3", "at most", 0},
	{"4 99999999999\n1 2 1\n", NULL, "memory:3:1", "of the 99999999999", 0},
	{"4 1\n1 4294967297 1\n", NULL, "memory:2:3", "4294967297, out of range", 0},
	{"4 1\n1 18446744073709551616 1\n", NULL, "memory:2:3", "out of range", 0},
	{"4 1\n1 \xff\xfe 1\n", NULL, "memory:2:3", "\"??\"", 0},
	{"\xef\xbb"
	 "4 1\n1 2 1\n",
	 NULL, "memory", "byte-order", 0},
};

static const struct bad bad_qubo[] = {
	{"c only\n", NULL, "memory", "no line \"p qubo", 0},
	{"p\n", NULL, "memory:1:2", "where \"qubo\" is expected", 0},
	{"p cnf 3 4\n", NULL, "memory:1:3", "\"cnf\"", 0},
	{"p qubo\n", NULL, "memory:1:7", "topology", 0},
	{"p qubo 0 4 5 0\n", NULL, "memory:1:12", "at most 4", 0},
	{"p qubo 0 4 4\n", NULL, "memory:1:13", "nCouplers", 0},
	{"p qubo 0 0 0 0\n", NULL, "memory", "no p-bits", 0},
	{"p qubo 0 99999999999 99999999999 0\n", NULL, "memory", "at most", -E2BIG},
	{"p qubo 0 2 2 1\n0 0 1\n1 1 1\n", NULL, "memory:4:1", "2 of 2 nodes and 0 of 1", 0},
	{"p qubo 0 2 2 1\n0 0 1\n0 1 1\n", NULL, "memory:4:1", "1 of 2 nodes", 0},
	{"p qubo 0 2 1 1\n0 0 1\n0 1 1\n", NULL, "memory", "line 3 names node 1", 0},
	{"p qubo 0 2 2 0\n0 0 1\n0 0 2\n", NULL, "memory", "node 0 is in line 2 and in line 3", 0},
	{"p qubo 0 2 1 0\n0 0 1\n1 1 2\n", NULL, "memory:3", "one node more than the 1", 0},
	{"p qubo 0 2 2 1\n0 0 1\n1 1 2\n1 0 3\n", NULL, "memory:4:3", "i < j", 0},
	{"p qubo 0 2 2 1\n0 0 1\n1 1 2\n0 1 3\n0 1 3\n", NULL, "memory:5", "one coupler more", 0},
	{"p qubo 0 2 2 2\n0 0 1\n1 1 2\n0 1 3\n0 1 3\n", NULL, "memory",
	 "given twice: 3 in line 4, 3 in line 5", 0},
	{"p qubo 0 2 1 0\n2 2 1\n", NULL, "memory:2:1", "at most 1", 0},
	{"p qubo 0 2 1 0\n0 0 nan\n", NULL, "memory:2:5", "\"nan\"", 0},
	{"p qubo 0 2 1 0\n0 0\n", NULL, "memory:2:4", "the weight", 0},
	{"p qubo 0 2 1 0\n0 0 1 1\n", NULL, "memory:2:7", "line should end", 0},
	{"c\n0 0 1\n", NULL, "memory:2:1", "before the line", 0},
	{"p qubo 0 3 3 2\n0 0 1\n1 1 1\n2 2 1\n0 1 1e300\n0 2 1e300\n", NULL, NULL, NULL, 1},
};

/* Vectors 1 to 7 and 9 of the specification, and more. */
static const struct bad bad_ftp[] = {
	{"spins 4\n", "ftp", "memory:1:1", "\"spins\" comes before \"ftp 1\"", 0},
	{"ftp 99\n", NULL, "memory:1:5", "version 99", 0},
	{"ftp 1\nbias 0 1\n", NULL, "memory:2:1", "\"bias\" before \"spins\"", 0},
	{"ftp 1\nspins 4\nfactor 1 0 9\n", NULL, "memory:3:12", "spin 9 is out of range", 0},
	{"ftp 1\nspins 4\nfactor 1 0 0\n", NULL, "memory:3:12", "spin 0 is in the factor twice", 0},
	{"ftp 1\nspins 4\nwobble 3\n", NULL, "memory:3:1", "unknown directive \"wobble\"", 0},
	{"ftp 1\nspins 4\nencode 0 3 trinary\n", NULL, "memory:3:12", "\"trinary\"", 0},
	{"ftp 1\n", NULL, "memory:2:1", "without \"spins\"", 0},
	{"ftp 1\nftp 1\n", NULL, "memory:2:1", "a second \"ftp\"", 0},
	{"ftp 1\nspins 4\nspins 4\n", NULL, "memory:3:1", "a second \"spins\"", 0},
	{"ftp 1\nname a\nname b\n", NULL, "memory:3:1", "a second \"name\"", 0},
	{"ftp 1\nname \xff\n", NULL, "memory:2:6", "not UTF-8", 0},
	{"ftp 1\nname a b\n", NULL, "memory:2:8", "line should end", 0},
	{"ftp 1\nspins 0\n", NULL, "memory", "no p-bits", 0},
	{"ftp 1\nspins 99999999\n", NULL, "memory", "at most", -E2BIG},
	{"ftp 1\nspins 60000000\n", NULL, "memory", "in a file of", 0},
	{"ftp 1\nspins 4\nfactor 1\n", NULL, "memory:3:9", "no spin", 0},
	{"ftp 1\nspins 4\nfactor 1 0 1 2\n", NULL, "memory:3:14", "more than two", -EOPNOTSUPP},
	{"ftp 1\nspins 4\nfactor inf 0 1\n", NULL, "memory:3:8", "\"inf\"", 0},
	{"ftp 1\nspins 4\nbias 4 1\n", NULL, "memory:3:6", "spin 4 is out", 0},
	{"ftp 1\nspins 4\nbias 0 NaN\n", NULL, "memory:3:8", "\"NaN\"", 0},
	{"ftp 1\nspins 4\nbias 0 1e300\nbias 0 1e300\n", NULL, "memory", "add up to", 0},
	{"ftp 1\nspins 4\ncolor 18446744073709551615 0\n", NULL, "memory:3:7", "at most 3", 0},
	{"ftp 1\nspins 4\ncolor 0 4\n", NULL, "memory:3:9", "spin 4 is out", 0},
	{"ftp 1\nspins 4\nencode 0 1 binary\n", NULL, "memory:3:10", "two are the least", 0},
	{"ftp 1\nspins 4\nencode 2 3 onehot\n", NULL, "memory:3:12", "beyond the last", 0},
	{"ftp 1\nspins 4\nstage 0.5\n", NULL, "memory:3:10", "number of sweeps", 0},
	{"ftp 1\nspins 4\nstage nan 1 1 1\n", NULL, "memory:3:7", "\"nan\"", 0},
	{"ftp 1\nspins 4\nobserve\n", NULL, "memory:3:8", "a quantity", 0},
	{"# nothing\n", "ftp", "memory", "\"ftp 1\" is missing", 0},
};

static void check_bad(const struct bad *bad, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		struct pbit_bm *bm = NULL;
		struct pbit_bm_info info = PBIT_INIT(info);
		const struct pbit_error *error;
		int rc = pbit_bm_from_memory(bad[k].text, strlen(bad[k].text), bad[k].format, &bm,
					     &info);

		if (bad[k].code == 1) { /* a neighbour of a bad one that is good */
			assert_int_equal(rc, 0);
			pbit_bm_put(bm);
			pbit_bm_info_free(&info);
			continue;
		}
		error = pbit_last_error();
		if (rc != (bad[k].code ? bad[k].code : -EINVAL) ||
		    !strstr(error->where, bad[k].where) || !strstr(error->why, bad[k].why))
			fail_msg("%s: %d, %s: %s", bad[k].text, rc, error->where, error->why);
		assert_int_equal(error->code, rc);
		assert_null(bm);
		assert_null(info.memory);
	}
}

static void test_edges(void **state)
{
	(void)state;
	check_bad(bad_edges, sizeof(bad_edges) / sizeof(bad_edges[0]));
}

static void test_qubo(void **state)
{
	(void)state;
	check_bad(bad_qubo, sizeof(bad_qubo) / sizeof(bad_qubo[0]));
}

static void test_ftp(void **state)
{
	(void)state;
	check_bad(bad_ftp, sizeof(bad_ftp) / sizeof(bad_ftp[0]));
}

/* A good file cut anywhere is refused, except where nothing but its last digits or spaces are gone. */
static void test_truncated(void **state)
{
	static const char *const whole[] = {
		"4 3 0\n0 1 -1\n1 2 -1\n2 3 -1\n",
		"c\np qubo 0 3 3 2\n0 0 1\n1 1 2\n2 2 3\n0 1 -1\n1 2 -1\n",
		"{\"linear\": {\"a\": 1}, \"quadratic\": {\"a,b\": 1}, \"vartype\": \"SPIN\"}",
	};

	(void)state;
	for (size_t w = 0; w < 3; w++) {
		size_t length = strlen(whole[w]);

		for (size_t n = 0; n <= length; n++) {
			struct pbit_bm *bm = NULL;
			int rc = pbit_bm_from_memory(whole[w], n, NULL, &bm, NULL);

			if (n + 1 >= length + (w == 2))
				assert_int_equal(rc, 0);
			else
				assert_int_equal(rc, -EINVAL);
			pbit_bm_put(bm);
		}
	}
}

/* A byte 0, and a word without end. */
static void test_no_text(void **state)
{
	static const char zero[] = "4 1\n1 \0002 1\n";
	struct pbit_bm *bm = NULL;
	char *line = malloc(100000);

	(void)state;
	assert_non_null(line);
	memset(line, '7', 100000);
	assert_int_equal(pbit_bm_from_memory(zero, sizeof(zero) - 1, NULL, &bm, NULL), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "byte 0"));
	assert_int_equal(pbit_bm_from_memory(line, 100000, NULL, &bm, NULL), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "a word of more than 255 bytes"));
	free(line);
	assert_null(bm);
}

/* With 64 MiB of address space more than there is, counts in small files do no harm. */
static void test_counts_allocate_nothing(void **state)
{
	static const char *const texts[] = {
		"67108864 67108864\n1 2 1\n",
		"67108864 18446744073709551614 0\n0 1 1\n",
		"p qubo 0 67108864 67108864 67108864\n0 0 1\n",
		"ftp 1\nspins 67108864\ncolor 67108863 0\n",
		"{\"version\":{\"bqm_schema\":\"3.0.0\"},\"variable_type\":\"SPIN\","
		"\"num_variables\":67108864,\"num_interactions\":67108864,\"linear_biases\":[1],"
		"\"quadratic_biases\":[],\"quadratic_head\":[],\"quadratic_tail\":[],"
		"\"variable_labels\":[0]}",
	};
	struct rlimit old, small;
	unsigned long pages = 0;
	FILE *statm;

	(void)state;
	if (HAS_SANITIZER)
		skip();
	statm = fopen("/proc/self/statm", "r");
	assert_non_null(statm);
	assert_int_equal(fscanf(statm, "%lu", &pages), 1);
	fclose(statm);
	assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
	small = old;
	small.rlim_cur = pages * 4096 + (64ul << 20);
	assert_int_equal(setrlimit(RLIMIT_AS, &small), 0);
	for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
		struct pbit_bm *bm = NULL;
		int rc = pbit_bm_from_memory(texts[k], strlen(texts[k]), NULL, &bm, NULL);

		if (rc != -EINVAL || bm) {
			setrlimit(RLIMIT_AS, &old);
			fail_msg("%s: %d %s", texts[k], rc, pbit_last_error()->why);
		}
	}
	setrlimit(RLIMIT_AS, &old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),	cmocka_unit_test(test_qubo),
		cmocka_unit_test(test_ftp),	cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_no_text), cmocka_unit_test(test_counts_allocate_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
