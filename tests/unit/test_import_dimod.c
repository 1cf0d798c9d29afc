/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binary quadratic models in JSON: both layouts, lists and base64, spins and binary variables, labels of
 * every kind; and every way for them to be wrong.
 */
#include "test_import_make.h"

#include <stdio.h>

#define HEAD(type)                                                                   \
	"{\"type\":\"BinaryQuadraticModel\",\"version\":{\"bqm_schema\":\"3.0.0\"}," \
	"\"use_bytes\":false,\"index_type\":\"int32\",\"bias_type\":\"float64\","    \
	"\"variable_type\":\"" type "\",\"info\":{},"

/* Two variables as to_serializable() of dimod writes them. */
static const char written[] =
	HEAD("SPIN") "\"num_variables\":2,\"num_interactions\":1,\"variable_labels\":[\"a\",\"b\"],"
		     "\"offset\":0.25,\"linear_biases\":[-1.0,1],\"quadratic_biases\":[-1.5],"
		     "\"quadratic_head\":[0],\"quadratic_tail\":[1]}";

static void test_written(void **state)
{
	struct pbit_bm_info info = PBIT_INIT(info);
	struct pbit_bm *bm = load_text(written, NULL, &info);

	(void)state;
	assert_int_equal(info.format, PBIT_FORMAT_DIMOD);
	assert_int_equal(info.vartype, PBIT_SPIN_VARIABLES);
	assert_true(info.offset == 0.25);
	assert_string_equal(info.labels[0], "a");
	assert_string_equal(info.labels[1], "b");
	assert_true(value_of(bm, 0, 0) == 1 && value_of(bm, 1, 1) == -1);
	assert_true(value_of(bm, 0, 1) == 1.5);
	pbit_bm_info_free(&info);
	pbit_bm_put(bm);
}

/* Little-endian float64 1, -2, 0.5; float64 4, -8; int32 0, 1 and 1, 2. */
static void test_bytes(void **state)
{
	struct pbit_bm_info info = PBIT_INIT(info);
	struct pbit_bm *bm =
		load_text("{\"version\":{\"bqm_schema\":\"3.0.0\"},\"use_bytes\":true,\"index_"
			  "type\":\"int32\","
			  "\"bias_type\":\"float64\",\"variable_type\":\"BINARY\",\"offset\":2,"
			  "\"linear_biases\":\"AAAAAAAA8D8AAAAAAAAAwAAAAAAAAOA/\","
			  "\"quadratic_biases\":\"AAAAAAAAEEAAAAAAAAAgwA==\","
			  "\"quadratic_head\":\"AAAAAAEAAAA=\",\"quadratic_tail\":\"AQAAAAIAAAA=\","
			  "\"variable_labels\":[0,1,2]}",
			  NULL, &info);
	static const double a[] = {1, -2, 0.5};

	(void)state;
	assert_null(info.labels);
	for (uint64_t s = 0; s < 8; s++) {
		double E = 2;

		for (int i = 0; i < 3; i++)
			E += s >> i & 1 ? a[i] : 0;
		E += (s & 3) == 3 ? 4 : 0;
		E += (s & 6) == 6 ? -8 : 0;
		assert_true(fabs(pbit_bm_energy(bm, &s) + info.offset - E) < 1e-12);
	}
	pbit_bm_info_free(&info);
	pbit_bm_put(bm);
	/* The same couplings in float32 and uint8. */
	bm = load_text(
		"{\"version\":{\"bqm_schema\":\"3.0.0\"},\"use_bytes\":true,"
		"\"index_type\":\"uint8\",\"bias_type\":\"float32\",\"variable_type\":\"SPIN\","
		"\"linear_biases\":\"AACAPwAAAMA=\",\"quadratic_biases\":\"AACAQA==\","
		"\"quadratic_head\":\"AA==\",\"quadratic_tail\":\"AQ==\"}",
		NULL, NULL);
	assert_true(value_of(bm, 0, 0) == -1 && value_of(bm, 1, 1) == 2);
	assert_true(value_of(bm, 0, 1) == -4);
	pbit_bm_put(bm);
}

static void test_labels(void **state)
{
	struct pbit_bm_info info = PBIT_INIT(info);
	struct pbit_bm *bm = load_text(
		HEAD("SPIN") "\"offset\":0,\"linear_biases\":[0,0,0,0],\"quadratic_biases\":[],"
			     "\"quadratic_head\":[],\"quadratic_tail\":[],"
			     "\"variable_labels\":[3,[\"x\",1],0.5,\"\\u00e4\"]}",
		NULL, &info);
	static const char *const expected[] = {"3", "[\"x\",1]", "0.5", "\xc3\xa4"};

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_string_equal(info.labels[i], expected[i]);
	pbit_bm_info_free(&info);
	pbit_bm_put(bm);
}

/* The bare layout, its four ways to write pairs. */
static void test_plain(void **state)
{
	static const char *const pairs[] = {
		"{\"a,b\": 2, \"b,c\": -1}",
		"{\"('a', 'b')\": 2, \"( 'c' ,'b')\": -1}",
		"[[\"a\", \"b\", 2], [\"c\", \"b\", -1]]",
		"{\"a\": {\"b\": 2}, \"b\": {\"a\": 2, \"c\": -1}, \"c\": {\"b\": -1}}",
	};
	char text[512];

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct pbit_bm_info info = PBIT_INIT(info);
		struct pbit_bm *bm;

		snprintf(text, sizeof(text),
			 "\n\n {\"linear\": {\"a\": 0.5, \"b\": 0}, \"quadratic\": %s,"
			 " \"offset\": -1, \"vartype\": \"SPIN\"}\n",
			 pairs[k]);
		bm = load_text(text, NULL, &info);
		assert_int_equal(pbit_bm_size(bm), 3);
		assert_int_equal(pbit_bm_couplings(bm), 2);
		assert_string_equal(info.labels[0], "a");
		assert_string_equal(info.labels[2], "c");
		assert_true(info.offset == -1);
		assert_true(value_of(bm, 0, 0) == -0.5);
		assert_true(value_of(bm, 0, 1) == -2 && value_of(bm, 1, 2) == 1);
		pbit_bm_info_free(&info);
		pbit_bm_put(bm);
	}
}

/* A diagonal of binary variables is linear; labels 0 ... n - 1 in any order are the p-bits. */
static void test_plain_binary(void **state)
{
	struct pbit_bm_info info = PBIT_INIT(info);
	struct pbit_bm *bm = load_text("{\"linear\": {}, \"vartype\": \"BINARY\", \"quadratic\": "
				       "{\"2,0\": 8, \"2,2\": -1, \"0,0\": 3, \"1,1\": 5}}",
				       NULL, &info);

	(void)state;
	assert_null(info.labels);
	for (uint64_t s = 0; s < 8; s++) {
		double E = ((s & 5) == 5 ? 8 : 0) + (s & 4 ? -1 : 0) + (s & 1 ? 3 : 0) +
			   (s & 2 ? 5 : 0);

		assert_true(fabs(pbit_bm_energy(bm, &s) + info.offset - E) < 1e-12);
	}
	pbit_bm_info_free(&info);
	pbit_bm_put(bm);
}

struct bad {
	const char *text;
	const char *where;
	const char *why;
};

#define ARRAYS(type, lin, quad, head, tail)                                 \
	HEAD(type)                                                          \
	"\"offset\":0,\"linear_biases\":" lin ",\"quadratic_biases\":" quad \
	",\"quadratic_head\":" head ",\"quadratic_tail\":" tail "}"
#define PLAIN(lin, quad) "{\"vartype\":\"SPIN\",\"linear\":" lin ",\"quadratic\":" quad "}"
#define BYTES(lin, quad, head, tail)                                                           \
	"{\"version\":{\"bqm_schema\":\"3.0.0\"},\"use_bytes\":true,\"index_type\":\"int32\"," \
	"\"bias_type\":\"float64\",\"variable_type\":\"SPIN\",\"linear_biases\":" lin          \
	",\"quadratic_biases\":" quad ",\"quadratic_head\":" head ",\"quadratic_tail\":" tail "}"

static const struct bad bad[] = {
	{"{", "memory:1:1", "not valid JSON"},
	{"\n\n{\"linear\": {\"a\": 1,}}", "memory:3:20", "not valid JSON"},
	{"{\"linear\": {\"a\": NaN}}", "memory:1", "not valid JSON"},
	{"{\"linear\": {\"a\": 1e999}}", "memory:1", "not valid JSON"},
	{"{\"linear\": {\"\xff\": 1}}", "memory:1", "not valid JSON"},
	{"{} x", "memory:1", "not valid JSON"},
	{"{\"linear\": {\"a\": 1, \"a\": 2}}", "memory:1", "duplicate"},
	{"[]", "memory", "no binary quadratic model"},
	{"{}", "memory", "no binary quadratic model"},
	{"{\"linear\": {}}", "memory: vartype", "missing"},
	{"{\"linear\": {}, \"vartype\": 1}", "memory: vartype", "not a string"},
	{"{\"linear\": {}, \"vartype\": \"DISCRETE\"}", "memory: vartype", "\"DISCRETE\""},
	{"{\"linear\": {}, \"vartype\": \"SPIN\"}", "memory", "no p-bits"},
	{"{\"linear\": [], \"vartype\": \"SPIN\"}", "memory: linear", "expected an object"},
	{"{\"linear\": {\"a\":1}, \"vartype\": \"SPIN\", \"offset\": \"1\"}", "memory: offset",
	 "expected a number"},
	{PLAIN("{\"a\":\"x\"}", "{}"), "memory: linear[0]", "expected a number"},
	{PLAIN("{\"a\":2e300}", "{}"), "memory: linear[0]", "1e+300"},
	{PLAIN("{}", "{\"a,a\":1}"), "memory: quadratic[0]", "coupled to itself"},
	{PLAIN("{}", "{\"a,b\":1,\"b,a\":1}"), "memory", "a and b is given twice"},
	{PLAIN("{}", "{\"a\":{\"b\":1},\"b\":{\"a\":2}}"), "memory",
	 "given twice: 1 in entry 0, 2"},
	{PLAIN("{}", "[[\"a\",\"b\",1],[\"a\",\"b\",2]]"), "memory", "a and b is given twice"},
	{PLAIN("{}", "{\"ab\":1}"), "memory: quadratic[0]", "not of the form \"u,v\""},
	{PLAIN("{}", "{\"a,b,c\":1}"), "memory: quadratic[0]", "not of the form"},
	{PLAIN("{}", "{\",b\":1}"), "memory: quadratic[0]", "not of the form"},
	{PLAIN("{}", "[[\"a\",\"b\"]]"), "memory: quadratic[0]", "[label, label, bias]"},
	{PLAIN("{}", "[[\"a\",null,1]]"), "memory: quadratic[0]", "a label is"},
	{PLAIN("{}", "[7]"), "memory: quadratic[0]", "[label, label, bias]"},
	{PLAIN("{}", "7"), "memory: quadratic", "an object or a list"},
	{PLAIN("{\"a\\nb\":1}", "{}"), "memory: linear", "control characters"},
	{"{\"linear_biases\":[]}", "memory: version", "missing"},
	{"{\"linear_biases\":[],\"version\":{\"bqm_schema\":\"1.0.0\"}}", "memory: version",
	 "\"1.0.0\""},
	{"{\"linear_biases\":[],\"version\":7}", "memory: version", "missing"},
	{"{\"linear_biases\":[],\"version\":{\"bqm_schema\":\"2.0.0\"},\"use_bytes\":true}",
	 "memory: version", "without bytes"},
	{ARRAYS("INTEGER", "[0]", "[]", "[]", "[]"), "memory: variable_type", "\"INTEGER\""},
	{ARRAYS("SPIN", "[]", "[]", "[]", "[]"), "memory", "no p-bits"},
	{ARRAYS("SPIN", "[0,0]", "[1]", "[0]", "[]"), "memory: quadratic_tail", "0 entries"},
	{ARRAYS("SPIN", "[0,0]", "[1]", "[]", "[0]"), "memory: quadratic_head", "0 entries"},
	{ARRAYS("SPIN", "[0,0]", "[1]", "[0]", "[2]"), "memory: quadratic_tail[0]", "out of range"},
	{ARRAYS("SPIN", "[0,0]", "[1]", "[-1]", "[1]"), "memory: quadratic_head[0]",
	 "out of range"},
	{ARRAYS("SPIN", "[0,0]", "[1]", "[0.5]", "[1]"), "memory: quadratic_head[0]", "whole"},
	{ARRAYS("SPIN", "[0,0]", "[1]", "[1]", "[1]"), "memory: quadratic_tail[0]", "to itself"},
	{ARRAYS("SPIN", "[0,0]", "[1,1]", "[0,1]", "[1,0]"), "memory", "0 and 1 is given twice"},
	{ARRAYS("SPIN", "[0,null]", "[]", "[]", "[]"), "memory: linear_biases[1]", "a number"},
	{ARRAYS("SPIN", "7", "[]", "[]", "[]"), "memory: linear_biases", "a list"},
	{HEAD("SPIN") "\"linear_biases\":[1],\"num_variables\":9,\"quadratic_biases\":[],"
		      "\"quadratic_head\":[],\"quadratic_tail\":[]}",
	 "memory: num_variables", "9, but the lists have 1"},
	{HEAD("SPIN") "\"linear_biases\":[1],\"num_interactions\":-1,\"quadratic_biases\":[],"
		      "\"quadratic_head\":[],\"quadratic_tail\":[]}",
	 "memory: num_interactions", "-1, but"},
	{HEAD("SPIN") "\"linear_biases\":[1],\"variable_labels\":[],\"quadratic_biases\":[],"
		      "\"quadratic_head\":[],\"quadratic_tail\":[]}",
	 "memory: variable_labels", "a list of 1 labels"},
	{HEAD("SPIN") "\"linear_biases\":[1,1],\"variable_labels\":[\"x\",\"x\"],"
		      "\"quadratic_biases\":[],\"quadratic_head\":[],\"quadratic_tail\":[]}",
	 "memory: variable_labels", "\"x\" is there twice"},
	{HEAD("SPIN") "\"linear_biases\":[1,1],\"variable_labels\":[\"x\",{}],"
		      "\"quadratic_biases\":[],\"quadratic_head\":[],\"quadratic_tail\":[]}",
	 "memory: variable_labels[1]", "a label is"},
	{BYTES("\"AAA\"", "\"\"", "\"\"", "\"\""), "memory: linear_biases", "base64"},
	{BYTES("\"AA=A\"", "\"\"", "\"\"", "\"\""), "memory: linear_biases", "base64"},
	{BYTES("\"A!AA\"", "\"\"", "\"\"", "\"\""), "memory: linear_biases", "base64"},
	{BYTES("\"AAB=\"", "\"\"", "\"\"", "\"\""), "memory: linear_biases", "base64"},
	{BYTES("\"AAAA\"", "\"\"", "\"\"", "\"\""), "memory: linear_biases", "3 bytes"},
	{BYTES("\"AAAAAAAA8H8=\"", "\"\"", "\"\"", "\"\""), "memory: linear_biases[0]", "inf"},
	{BYTES("\"AAAAAAAA+H8=\"", "\"\"", "\"\"", "\"\""), "memory: linear_biases[0]", "nan"},
	{BYTES("\"AAAAAAAA8D8=\"", "\"AAAAAAAA8D8=\"", "\"/////w==\"", "\"AAAAAA==\""),
	 "memory: quadratic_head[0]", "below 0"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		struct pbit_bm *bm = NULL;
		struct pbit_bm_info info = PBIT_INIT(info);
		int rc = pbit_bm_from_memory(bad[k].text, strlen(bad[k].text), NULL, &bm, &info);
		const struct pbit_error *error = pbit_last_error();

		if (rc != -EINVAL || !strstr(error->where, bad[k].where) ||
		    !strstr(error->why, bad[k].why))
			fail_msg("%s: %d, %s: %s", bad[k].text, rc, error->where, error->why);
		assert_null(bm);
		assert_null(info.memory);
	}
}

static void test_deep(void **state)
{
	size_t depth = 3000000;
	char *text = malloc(depth);
	struct pbit_bm *bm = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, '[', depth);
	assert_int_equal(pbit_bm_from_memory(text, depth, NULL, &bm, NULL), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "depth"));
	/* A label may be a list of lists, as deep as JSON goes. */
	snprintf(text, depth, "{\"vartype\":\"SPIN\",\"quadratic\":[[");
	memset(text + strlen(text), '[', 3000);
	assert_int_equal(pbit_bm_from_memory(text, strnlen(text, depth), NULL, &bm, NULL), -EINVAL);
	free(text);
	assert_null(bm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written),	     cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_labels),	     cmocka_unit_test(test_plain),
		cmocka_unit_test(test_plain_binary), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
