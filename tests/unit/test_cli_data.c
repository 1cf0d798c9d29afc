/* SPDX-License-Identifier: Apache-2.0 */
/* The readers of data files: what they accept, and that every kind of damage is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../libhal/cli/data_source.c"
#undef WHAT
#include "../../libhal/cli/data_tensor.c"
#include "../../libhal/cli/data_idx.c"
#include "../../libhal/cli/data_npy.c"
#include "../../libhal/cli/data_labels.c"

static char path[64];

static void write_plain(const void *data, size_t n)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

static void write_gzip(const void *data, size_t n)
{
	gzFile file = gzopen(path, "wb9");

	assert_non_null(file);
	assert_int_equal(gzwrite(file, data, (unsigned)n), n);
	assert_int_equal(gzclose(file), Z_OK);
}

/* The file is refused with code, and the reason holds why. */
static void refuse(int code, const char *why)
{
	struct tensor tensor;

	assert_int_equal(tensor_read(path, &tensor), code);
	assert_string_equal(pbit_last_error()->where, path);
	if (!strstr(pbit_last_error()->why, why))
		fail_msg("'%s' does not hold '%s'", pbit_last_error()->why, why);
	assert_null(tensor.data);
}

/* A .npy file of one version with this dictionary and data. */
static size_t make_npy(unsigned char *out, int version, const char *dictionary, const void *data,
		       size_t n)
{
	size_t length = strlen(dictionary), at = 8;

	memcpy(out, "\x93NUMPY", 6);
	out[6] = (unsigned char)version;
	out[7] = 0;
	out[at++] = (unsigned char)length;
	out[at++] = (unsigned char)(length >> 8);
	if (version != 1) {
		out[at++] = 0;
		out[at++] = 0;
	}
	memcpy(out + at, dictionary, length);
	memcpy(out + at + length, data, n);
	return at + length + n;
}

static void write_npy(const char *dictionary, const void *data, size_t n)
{
	unsigned char file[1024];

	write_plain(file, make_npy(file, 1, dictionary, data, n));
}

static const unsigned char idx[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0,
				    1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6};

static void check_idx(void)
{
	struct tensor tensor;

	assert_int_equal(tensor_read(path, &tensor), 0);
	assert_int_equal(tensor.element, ELEMENT_U8);
	assert_int_equal(tensor.n_dims, 3);
	assert_int_equal(tensor.n_rows, 2);
	assert_int_equal(tensor.n_values, 3);
	assert_memory_equal(tensor.data, idx + 16, 6);
	tensor_free(&tensor);
}

static void test_idx(void **state)
{
	(void)state;
	write_plain(idx, sizeof(idx));
	check_idx();
	write_gzip(idx, sizeof(idx));
	check_idx();
}

static void test_idx_damaged(void **state)
{
	unsigned char bad[32];

	(void)state;
	/* Every cut is refused. */
	for (size_t n = 0; n < sizeof(idx); n++) {
		write_plain(idx, n);
		refuse(-EINVAL, "");
	}
	memcpy(bad, idx, sizeof(idx));
	bad[sizeof(idx)] = 0;
	write_plain(bad, sizeof(idx) + 1);
	refuse(-EINVAL, "more data");
	bad[2] = 0x0d;
	write_plain(bad, sizeof(idx));
	refuse(-EINVAL, "float32");
	bad[2] = 0x77;
	write_plain(bad, sizeof(idx));
	refuse(-EINVAL, "0x77");
	bad[2] = 8;
	bad[3] = 9;
	write_plain(bad, sizeof(idx));
	refuse(-EINVAL, "dimensions");
	bad[3] = 0;
	write_plain(bad, sizeof(idx));
	refuse(-EINVAL, "dimensions");
	bad[3] = 3;
	memset(bad + 4, 0xff, 12);
	write_plain(bad, sizeof(idx));
	refuse(-EINVAL, "overflow");
	memset(bad + 8, 0, 8);
	bad[11] = bad[15] = 1;
	write_plain(bad, sizeof(idx));
	refuse(-EINVAL, "more than it holds");
	bad[15] = 0;
	write_plain(bad, sizeof(idx));
	refuse(-EINVAL, "dimension 2");
}

/* A small gzip file whose header claims 4 TiB must not make the reader ask for them. */
static void test_gzip_claim(void **state)
{
	static const unsigned char claim[] = {0, 0, 8, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 4, 0};

	(void)state;
	write_gzip(claim, sizeof(claim));
	refuse(-EINVAL, "more than it holds");
}

static void test_gzip_damaged(void **state)
{
	unsigned char file[256];
	FILE *stream;
	size_t n;

	(void)state;
	write_gzip(idx, sizeof(idx));
	stream = fopen(path, "rb");
	assert_non_null(stream);
	n = fread(file, 1, sizeof(file), stream);
	fclose(stream);
	for (size_t cut = 3; cut < n; cut++) {
		write_plain(file, cut);
		refuse(-EINVAL, "");
	}
	file[n - 8] ^= 1; /* the check sum */
	write_plain(file, n);
	refuse(-EINVAL, "damaged");
}

static void test_npy(void **state)
{
	static const float values[] = {0.5f, -1, 2, 3, 4, 5};
	unsigned char file[512];
	struct tensor tensor;
	size_t n;

	(void)state;
	for (int version = 1; version <= 2; version++) {
		n = make_npy(file, version,
			     "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 1), }   \n",
			     values, sizeof(values));
		write_plain(file, n);
		assert_int_equal(tensor_read(path, &tensor), 0);
		assert_int_equal(tensor.element, ELEMENT_F32);
		assert_int_equal(tensor.n_rows, 2);
		assert_int_equal(tensor.n_values, 3);
		assert_memory_equal(tensor.data, values, sizeof(values));
		tensor_free(&tensor);
	}
	write_gzip(file, n);
	assert_int_equal(tensor_read(path, &tensor), 0);
	tensor_free(&tensor);
	/* Another order of keys, other quotes, one dimension, nothing optional. */
	write_npy("{\"shape\":(3,),\"fortran_order\":False,\"descr\":\"|u1\"}", "abc", 3);
	assert_int_equal(tensor_read(path, &tensor), 0);
	assert_int_equal(tensor.element, ELEMENT_U8);
	assert_int_equal(tensor.n_values, 1);
	tensor_free(&tensor);
}

static void refuse_npy(const char *dictionary, const char *why)
{
	unsigned char data[64] = {0};

	write_npy(dictionary, data, sizeof(data));
	refuse(-EINVAL, why);
}

static void test_npy_refused(void **state)
{
	(void)state;
	refuse_npy("{'descr': '<f4', 'fortran_order': True, 'shape': (16,), }", "Fortran");
	refuse_npy("{'descr': '>f4', 'fortran_order': False, 'shape': (16,), }", "big-endian");
	refuse_npy("{'descr': '<c8', 'fortran_order': False, 'shape': (16,), }", "'<c8'");
	refuse_npy("{'descr': '|O', 'fortran_order': False, 'shape': (16,), }", "'|O'");
	refuse_npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (16,), }",
		   "records");
	refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "single number");
	refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (16), }", "a comma");
	refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }", "dimension 0");
	refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-16,), }", "a dimension");
	refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (16,,), }", "a dimension");
	refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (15,), }", "more data");
	refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (17,), }", "than it holds");
	refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296,4294967296,), }",
		   "overflow");
	refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
		   "overflow");
	refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }",
		   "dimensions");
	refuse_npy("{'descr': '<f4', 'fortran_order': False, }", "shape");
	refuse_npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (16,)}",
		   "twice");
	refuse_npy("{'descr': '<f4', 'other': False, 'shape': (16,), }", "'other'");
	refuse_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (16,), } x", "nothing more");
	refuse_npy("{'descr': '<f4', 'fortran_order': False 'shape': (16,), }", "a comma");
	refuse_npy("{'descr': '<f4", "end of a string");
	refuse_npy("", "{");
}

static void test_npy_damaged(void **state)
{
	static const char dictionary[] =
		"{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }\n";
	unsigned char file[256];
	size_t n = make_npy(file, 1, dictionary, "abcd", 4);

	(void)state;
	for (size_t cut = 0; cut < n; cut++) {
		write_plain(file, cut);
		refuse(-EINVAL, "");
	}
	file[6] = 3;
	write_plain(file, n);
	refuse(-EINVAL, "version 3.0");
	n = make_npy(file, 2, dictionary, "abcd", 4);
	file[11] = 0x7f;
	write_plain(file, n);
	refuse(-EINVAL, "a .npy header of");
}

static void test_not_data(void **state)
{
	struct tensor tensor;

	(void)state;
	write_plain("hello world", 11);
	refuse(-EINVAL, "neither");
	assert_int_equal(tensor_read("/nonexistent/file", &tensor), -ENOENT);
	assert_int_equal(tensor_read("/", &tensor), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "folder"));
}

static void test_labels(void **state)
{
	static const unsigned char labels_idx[] = {0, 0, 8, 1, 0, 0, 0, 3, 9, 0, 255};
	static const int64_t good[] = {0, 4294967295, 7}, negative[] = {0, -1, 2};
	static const char dictionary[] =
		"{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }\n";
	uint32_t *labels;

	(void)state;
	write_plain(labels_idx, sizeof(labels_idx));
	assert_int_equal(labels_read(path, 3, &labels), 0);
	assert_int_equal(labels[0], 9);
	assert_int_equal(labels[2], 255);
	free(labels);
	assert_int_equal(labels_read(path, 4, &labels), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "3 labels for 4 images"));
	write_npy(dictionary, good, sizeof(good));
	assert_int_equal(labels_read(path, 3, &labels), 0);
	assert_true(labels[1] == 4294967295u);
	free(labels);
	write_npy(dictionary, negative, sizeof(negative));
	assert_int_equal(labels_read(path, 3, &labels), -ERANGE);
	write_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n", good,
		  sizeof(good));
	assert_int_equal(labels_read(path, 3, &labels), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "float64"));
	write_plain(idx, sizeof(idx));
	assert_int_equal(labels_read(path, 2, &labels), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->hint, "images"));
}

static int setup(void **state)
{
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/pbit-data-XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idx),	    cmocka_unit_test(test_idx_damaged),
		cmocka_unit_test(test_gzip_claim),  cmocka_unit_test(test_gzip_damaged),
		cmocka_unit_test(test_npy),	    cmocka_unit_test(test_npy_refused),
		cmocka_unit_test(test_npy_damaged), cmocka_unit_test(test_not_data),
		cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
