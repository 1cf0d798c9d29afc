/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every rule of MODEL.md, broken one at a time in a good model: the loader refuses it with -EINVAL
 * and a record that names node and property.
 */
#include <libfdt.h>
#include "test_model_make.h"

#define ROOM 16384

/* A change of one property, cells if there are any, else bytes; no data at all deletes it. */
struct change {
	const char *node;
	const char *property;
	uint32_t n_cells;
	uint32_t cells[6];
	const char *bytes;
	int size;
	const char *where; /* NULL: node and property */
	const char *why;   /* part of the reason */
};

#define L0 "/layers/layer@0"
#define L1 "/layers/layer@1"
#define L2 "/layers/layer@2"
#define L3 "/layers/layer@3"
#define L4 "/layers/layer@4"
#define L5 "/layers/layer@5"

#define GONE	       .n_cells = 0
#define CELL(a)	       .n_cells = 1, .cells = {a}
#define PAIR(a, b)     .n_cells = 2, .cells = {a, b}
#define THREE(a, b, c) .n_cells = 3, .cells = {a, b, c}
#define TEXT(t)	       .bytes = t, .size = sizeof(t)
#define RAW(t, n)      .bytes = t, .size = n
#define INFINITE       0x7f800000u
#define NAN_BITS       0x7fc00001u
#define ONE	       0x3f800000u
#define MINUS_ONE      0xbf800000u

static const struct change changes[] = {
	/* root */
	{"/", "compatible", .why = "missing"},
	{"/", "compatible", TEXT("pbit,board"), .why = "pbit,board"},
	{"/", "compatible", RAW("pbit,model", 10), .why = "expected"},
	{"/", "compatible", RAW("", 0), .why = "expected"},
	{"/", "version", .why = "missing"},
	{"/", "version", PAIR(2, 0), .why = "2.0, expected 1.x"},
	{"/", "version", PAIR(0, 9), .why = "0.9"},
	{"/", "version", CELL(1), .why = "4 bytes, expected 8"},
	{"/", "model", .why = "missing"},
	{"/", "model", RAW("abc", 3), .why = "final zero"},
	{"/", "model", RAW("a\0b", 4), .why = "one string"},
	{"/", "description", RAW("", 0), .why = "0 bytes"},
	{"/", "classes", TEXT("only one"), .why = "1 names, expected 3"},
	{"/", "classes", RAW("a\0b\0c\0d", 8), .why = "4 names, expected 3"},
	{"/", "classes", RAW("a\0b\0c", 5), .why = "no final zero"},
	/* input */
	{"/input", "shape", .why = "missing"},
	{"/input", "shape", PAIR(2, 6), .why = "8 bytes, expected 12"},
	{"/input", "shape", CELL(0), .why = "<0 1 1>"},
	{"/input", "shape", CELL(65536), .why = "65535"},
	{"/input", "shape", THREE(2, 0, 5), .why = "<2 0 5>"},
	{"/input", "shape", THREE(2, 6, 0xffffffff), .why = "4294967295"},
	{"/input", "shape", THREE(65535, 65535, 65535), .why = "elements"},
	{"/input", "bits", .why = "missing"},
	{"/input", "bits", CELL(12), .why = "12, expected 8 or 16"},
	{"/input", "bits", PAIR(8, 8), .why = "expected 4"},
	{"/input", "scale", .why = "missing"},
	{"/input", "scale", CELL(0), .why = "more than 0"},
	{"/input", "scale", CELL(MINUS_ONE), .why = "-1, expected more than 0"},
	{"/input", "scale", CELL(INFINITE), .why = "infinite"},
	{"/input", "scale", CELL(NAN_BITS), .why = "NaN"},
	{"/input", "zero", .why = "missing"},
	{"/input", "zero", CELL(256), .why = "256, expected a code of 8 bits"},
	{"/input", "order", TEXT("whc"), .why = "\"whc\", expected one of \"hwc\", \"chw\""},
	{"/input", "order", RAW("hwc", 3), .why = "final zero"},
	/* provenance */
	{"/provenance", "tool", RAW("unit", 4), .why = "final zero"},
	{"/provenance", "more", RAW("a\0b", 4), .why = "one string"},
	/* what every layer has */
	{L0, "type", .why = "missing"},
	{L0, "type", TEXT("conv3d"), .why = "\"conv3d\", expected one of \"dense\""},
	{L0, "type", CELL(0), .why = "one string"},
	{L0, "label", RAW("first", 5), .why = "final zero"},
	{L0, "type", TEXT("maxpool"), .where = L0 "/channels", .why = "maxpool"},
	{L1, "type", TEXT("dense"), .where = L1 "/kernel", .why = "does not belong to dense"},
	/* properties of another kind of layer */
	{L0, "outputs", CELL(5), .why = "does not belong to conv2d"},
	{L3, "channels", CELL(19), .why = "does not belong to dense"},
	{L3, "kernel", PAIR(1, 1), .why = "does not belong to dense"},
	{L3, "stride", PAIR(1, 1), .why = "does not belong to dense"},
	{L3, "padding", PAIR(0, 0), .why = "does not belong to dense"},
	{L1, "padding", PAIR(0, 0), .why = "does not belong to maxpool"},
	{L1, "activation", TEXT("pbit"), .why = "does not belong to maxpool"},
	{L1, "encoding", TEXT("binary"), .why = "does not belong to maxpool"},
	{L1, "beta", CELL(ONE), .why = "does not belong to maxpool"},
	{L1, "weight-bits", CELL(1), .why = "does not belong to maxpool"},
	{L1, "weights", CELL(1), .why = "does not belong to maxpool"},
	{L1, "scale", CELL(ONE), .why = "does not belong to maxpool"},
	{L1, "bias", CELL(ONE), .why = "does not belong to maxpool"},
	{L5, "beta", CELL(ONE), .why = "does not belong to a read-out"},
	{L5, "encoding", TEXT("binary"), .why = "does not belong to a read-out"},
	/* geometry */
	{L3, "outputs", .why = "missing"},
	{L3, "outputs", CELL(0), .why = "expected 1 ... 65535"},
	{L3, "outputs", CELL(0xffffffff), .why = "4294967295"},
	{L3, "outputs", PAIR(19, 0), .why = "8 bytes, expected 4"},
	{L3, "outputs", CELL(20), .where = L3 "/bias", .why = "76 bytes, expected 80"},
	{L3, "outputs", CELL(35), .where = L3 "/bias", .why = "76 bytes, expected 140"},
	{L0, "channels", .why = "missing"},
	{L0, "channels", CELL(0), .why = "<0 6 5>"},
	{L0, "channels", CELL(65536), .why = "65536"},
	{L0, "kernel", .why = "missing"},
	{L0, "kernel", CELL(3), .why = "4 bytes, expected 8"},
	{L0, "kernel", PAIR(0, 3), .why = "<0 3>, expected 1 ... 65535"},
	{L0, "kernel", PAIR(3, 65536), .why = "65536"},
	{L0, "kernel", PAIR(9, 3), .why = "does not fit"},
	{L0, "kernel", PAIR(3, 8), .why = "does not fit"},
	{L0, "kernel", PAIR(0xffffffff, 0xffffffff), .why = "4294967295"},
	{L0, "stride", PAIR(0, 1), .why = "<0 1>, expected 1"},
	{L0, "stride", PAIR(1, 70000), .why = "70000"},
	{L0, "stride", THREE(1, 1, 1), .why = "12 bytes, expected 8"},
	{L0, "padding", PAIR(0, 65536), .why = "<0 65536>, expected 0 ... 65535"},
	{L0, "padding", PAIR(0xffffffff, 0), .why = "4294967295"},
	{L1, "kernel", PAIR(7, 2), .why = "does not fit"},
	{L1, "kernel", .why = "missing"},
	{L1, "stride", PAIR(0, 0), .why = "<0 0>"},
	/* activation */
	{L3, "activation", .why = "missing"},
	{L3, "activation", TEXT("relu"), .why = "\"relu\", expected one of"},
	{L5, "activation", TEXT("pbit"), .where = L5 "/encoding", .why = "missing"},
	{L3, "encoding", .why = "missing"},
	{L3, "encoding", TEXT("ternary"), .why = "\"ternary\""},
	{L0, "beta", CELL(0), .why = "more than 0"},
	{L0, "beta", CELL(MINUS_ONE), .why = "-1, expected more than 0"},
	{L0, "beta", CELL(INFINITE), .why = "infinite"},
	{L0, "beta", CELL(NAN_BITS), .why = "NaN"},
	{L0, "beta", PAIR(ONE, ONE), .why = "expected 4"},
	/* weights, scale, bias */
	{L3, "weight-bits", .why = "missing"},
	{L3, "weight-bits", CELL(3), .why = "3, expected 1, 2, 4, 8 or 32"},
	{L3, "weight-bits", CELL(16), .why = "16"},
	{L3, "weight-bits", CELL(4), .where = L3 "/weights", .why = "512 bytes, expected 1024"},
	{L3, "weights", .why = "missing"},
	{L3, "weights", CELL(0), .why = "4 bytes, expected 512"},
	{L3, "scale", .why = "missing"},
	{L3, "scale", RAW("", 0), .why = "0 bytes, expected 4 (one value) or 76"},
	{L3, "scale", PAIR(ONE, ONE), .why = "8 bytes"},
	{L3, "scale", CELL(NAN_BITS), .why = "NaN"},
	{L3, "scale", CELL(0xff800000), .why = "infinite"},
	{L3, "bias", .why = "missing"},
	{L3, "bias", CELL(ONE), .why = "4 bytes, expected 76"},
	{L5, "bias", THREE(ONE, ONE, NAN_BITS), .why = "value 2 is NaN"},
	{L5, "bias", THREE(INFINITE, ONE, ONE), .why = "value 0 is infinite"},
};

struct blob {
	unsigned char *bytes;
	size_t size;
};

static struct blob good;

static int setup(void **state)
{
	struct make make;

	(void)state;
	make_rich(&make);
	good.bytes = make_bytes(&make, &good.size);
	make_end(&make);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(good.bytes);
	return 0;
}

/* A copy that can be changed. */
static void *editable(size_t room)
{
	void *copy = malloc(good.size + room);

	assert_non_null(copy);
	assert_int_equal(fdt_open_into(good.bytes, copy, (int)(good.size + room)), 0);
	return copy;
}

static int load(const void *blob)
{
	struct pbit_model *model = NULL;
	int err;

	pbit_clear_error();
	err = pbit_model_from_memory(blob, fdt_totalsize(blob), &model);
	if (err)
		assert_null(model);
	pbit_model_put(model);
	return err;
}

static void expect(const void *blob, const char *where, const char *why)
{
	int err = load(blob);
	const struct pbit_error *record = pbit_last_error();

	if (err != -EINVAL || strcmp(record->where, where) || !strstr(record->why, why))
		fail_msg("expected %s: %s, got %d %s: %s", where, why, err, record->where,
			 record->why);
	assert_int_equal(record->code, -EINVAL);
	assert_true(record->hint[0] && record->what[0]);
}

static void apply(void *blob, const struct change *change)
{
	int node = fdt_path_offset(blob, change->node);
	unsigned char cells[24];

	assert_true(node >= 0);
	for (uint32_t i = 0; i < change->n_cells; i++)
		fdt32_st(cells + 4 * i, change->cells[i]);
	if (change->n_cells)
		assert_int_equal(fdt_setprop(blob, node, change->property, cells,
					     (int)(4 * change->n_cells)),
				 0);
	else if (change->bytes)
		assert_int_equal(
			fdt_setprop(blob, node, change->property, change->bytes, change->size), 0);
	else
		assert_int_equal(fdt_delprop(blob, node, change->property), 0);
}

static void test_changes(void **state)
{
	(void)state;
	assert_int_equal(load(good.bytes), 0);
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		const struct change *change = &changes[i];
		void *blob = editable(ROOM);
		char where[128];

		apply(blob, change);
		if (change->where)
			snprintf(where, sizeof(where), "memory:%s", change->where);
		else
			snprintf(where, sizeof(where), "memory:%s/%s",
				 change->node[1] ? change->node : "", change->property);
		expect(blob, where, change->why);
		free(blob);
	}
}

/* What is allowed although it is not what this library writes. */
static void test_accepted(void **state)
{
	static const struct change fine[] = {
		{"/", "compatible", RAW("acme,net\0pbit,model", 20)},
		{"/", "version", PAIR(1, 7)},
		{"/", "unknown", CELL(7)},
		{"/", "description", GONE},
		{"/", "classes", GONE},
		{L3, "unknown", TEXT("text")},
		{L3, "align", CELL(1)},
		{L0, "beta", GONE},
		{L0, "label", GONE},
		{L0, "stride", GONE},
		{L1, "stride", GONE},
		{"/input", "order", GONE},
		{"/input", "order", TEXT("hwc")},
		{"/input", "zero", CELL(255)},
		{"/input", "scale", CELL(1)}, /* the smallest number above 0 */
		{L5, "activation", TEXT("sigmoid")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(*fine); i++) {
		void *blob = editable(ROOM);
		char text[1024];

		apply(blob, &fine[i]);
		if (load(blob)) {
			pbit_format_error(text, sizeof(text));
			fail_msg("%s of %s: %s", fine[i].property, fine[i].node, text);
		}
		free(blob);
	}
}

static void rename_node(const char *path, const char *name, const char *where, const char *why)
{
	void *blob = editable(ROOM);

	assert_int_equal(fdt_set_name(blob, fdt_path_offset(blob, path), name), 0);
	expect(blob, where, why);
	free(blob);
}

static void test_numbering(void **state)
{
	(void)state;
	rename_node("/input", "inputs", "memory:/input", "missing");
	rename_node("/input", "input@0", "memory:/input", "missing");
	rename_node("/layers", "layer", "memory:/layers", "missing");
	rename_node(L3, "layer@6", "memory:" L3, "missing");
	rename_node(L3, "layer@03", "memory:/layers", "layer@03");
	rename_node(L3, "layer@A", "memory:/layers", "layer@A");
	rename_node(L3, "layer@", "memory:/layers", "layer@N");
	rename_node(L3, "layer3", "memory:/layers", "layer3");
	rename_node(L3, "layer@-1", "memory:/layers", "layer@-1");
	rename_node(L3, "layer@400", "memory:/layers/layer@400", "at most 1024");
	rename_node(L3, "layer@ffffffffffffffff3", "memory:/layers", "layer@N");
	rename_node(L3, "layer@2", "memory:" L2, "there twice");
	rename_node(L0, "layer@\033[2J", "memory:/layers", "layer@?[2J");
}

/* Any order of the nodes in the file will do: libfdt adds a node in front of the others. */
static void test_order_of_nodes(void **state)
{
	void *blob = editable(ROOM);
	int from = fdt_path_offset(good.bytes, L3), to, offset;

	(void)state;
	assert_int_equal(fdt_del_node(blob, fdt_path_offset(blob, L3)), 0);
	to = fdt_add_subnode(blob, fdt_path_offset(blob, "/layers"), "layer@3");
	assert_true(to > 0 && to < fdt_path_offset(blob, L0));
	fdt_for_each_property_offset(offset, good.bytes, from)
	{
		const char *name;
		int size;
		const void *data = fdt_getprop_by_offset(good.bytes, offset, &name, &size);

		assert_int_equal(fdt_setprop(blob, to, name, data, size), 0);
	}
	assert_int_equal(load(blob), 0);
	free(blob);
}

static void test_structure(void **state)
{
	void *blob = editable(ROOM);
	int node;

	(void)state;
	for (int i = 0; i < 6; i++) {
		char path[] = "/layers/layer@0";

		path[14] = (char)('0' + i);
		assert_int_equal(fdt_del_node(blob, fdt_path_offset(blob, path)), 0);
	}
	expect(blob, "memory:/layers", "no layers");
	free(blob);

	/* A read-out in the middle: the last layer goes, and another is made one. */
	blob = editable(ROOM);
	node = fdt_path_offset(blob, L4);
	assert_int_equal(fdt_setprop_string(blob, node, "activation", "linear"), 0);
	assert_int_equal(fdt_delprop(blob, fdt_path_offset(blob, L4), "encoding"), 0);
	expect(blob, "memory:" L4 "/activation", "before the last layer");
	free(blob);

	/* A max-pool as the first layer. */
	blob = editable(ROOM);
	assert_int_equal(fdt_del_node(blob, fdt_path_offset(blob, L0)), 0);
	assert_int_equal(fdt_set_name(blob, fdt_path_offset(blob, L1), "layer@0"), 0);
	assert_int_equal(fdt_set_name(blob, fdt_path_offset(blob, L2), "layer@1"), 0);
	assert_int_equal(fdt_set_name(blob, fdt_path_offset(blob, L3), "layer@2"), 0);
	assert_int_equal(fdt_set_name(blob, fdt_path_offset(blob, L4), "layer@3"), 0);
	assert_int_equal(fdt_set_name(blob, fdt_path_offset(blob, L5), "layer@4"), 0);
	expect(blob, "memory:" L0 "/type", "max-pool");
	free(blob);
}

/* fdt_setprop() cannot make these, so the name of a neighbour in the strings block is changed. */
static void test_twice(void **state)
{
	void *blob = editable(ROOM);
	char *strings, *name;

	(void)state;
	assert_int_equal(fdt_setprop_u32(blob, fdt_path_offset(blob, L3), "outputz", 19), 0);
	strings = (char *)blob + fdt_off_dt_strings(blob);
	name = memmem(strings, fdt_size_dt_strings(blob), "outputz", 8);
	assert_non_null(name);
	name[6] = 's';
	expect(blob, "memory:" L3 "/outputs", "there twice");
	free(blob);

	blob = editable(ROOM);
	assert_int_equal(
		fdt_setprop_string(blob, fdt_path_offset(blob, "/provenance"), "tooz", "x"), 0);
	strings = (char *)blob + fdt_off_dt_strings(blob);
	name = memmem(strings, fdt_size_dt_strings(blob), "tooz", 5);
	assert_non_null(name);
	name[3] = 'l';
	expect(blob, "memory:/provenance/tool", "there twice");
	free(blob);

	blob = editable(ROOM);
	assert_true(fdt_add_subnode(blob, 0, "inpuz") > 0);
	name = memmem(blob, fdt_totalsize(blob), "inpuz", 6);
	assert_non_null(name);
	name[4] = 't';
	expect(blob, "memory:/input", "there twice");
	free(blob);
}

/* A value in the padding of the last tile counts for nothing, yet must be a number. */
static void test_weights_f32(void **state)
{
	void *blob = editable(ROOM);
	int size;
	unsigned char *weights = fdt_getprop_w(blob, fdt_path_offset(blob, L5), "weights", &size);

	(void)state;
	assert_non_null(weights);
	weights[size - 1] = 0x7f;
	weights[size - 2] = 0x80;
	expect(blob, "memory:" L5 "/weights", "not finite");
	free(blob);
}

static void test_fan_in(void **state)
{
	struct pbit_model *model = NULL;
	struct make make;

	(void)state;
	make_begin(&make);
	make.spec.in = (struct pbit_shape){1, 65537 / 3 + 1, 3};
	make_dense(&make, 1, 1, PBIT_ACT_LINEAR, 0, 65540);
	assert_int_equal(pbit_model_create(&make.spec, &model), -EINVAL);
	assert_string_equal(pbit_last_error()->where, "model:" L0 "/weights");
	assert_non_null(strstr(pbit_last_error()->why, "fan-in of 65538, expected at most 65536"));
	make_end(&make);
	make_begin(&make);
	make.spec.in = (struct pbit_shape){1, 65537 / 3 + 1, 3};
	make_dense(&make, 1, 32, PBIT_ACT_LINEAR, 0, 65540);
	model = make_model(&make);
	pbit_model_put(model);
	make_end(&make);
}

/* Too large for any file; nothing of that size is allocated or read. */
static void test_absurd_size(void **state)
{
	static const float one[65535];
	struct pbit_model *model = NULL;
	struct make make;

	(void)state;
	make_begin(&make);
	make.spec.in = (struct pbit_shape){65535, 1, 1};
	make.layers[0] = (struct pbit_layer_spec)PBIT_INIT(make.layers[0]);
	make.spec.n_layers = 1;
	make.layers[0].activation = PBIT_ACT_LINEAR;
	make.layers[0].n_out = 65535;
	make.layers[0].n_scale = 1;
	make.layers[0].weight_bits = 8;
	make.layers[0].scale = one;
	make.layers[0].weights = (const int8_t *)one;
	assert_int_equal(pbit_model_create(&make.spec, &model), -EINVAL);
	assert_string_equal(pbit_last_error()->where, "model:" L0 "/weights");
	assert_non_null(strstr(pbit_last_error()->why, "more than a file may have"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),	    cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_numbering),   cmocka_unit_test(test_order_of_nodes),
		cmocka_unit_test(test_structure),   cmocka_unit_test(test_twice),
		cmocka_unit_test(test_weights_f32), cmocka_unit_test(test_fan_in),
		cmocka_unit_test(test_absurd_size),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
