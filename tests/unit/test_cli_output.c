/* SPDX-License-Identifier: Apache-2.0 */
/* Files that appear whole or not at all, and the .npy writer by its reader. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../libhal/cli/output_file.c"
#include "../../libhal/cli/npy_write.c"
#undef PIECE
#include "../../libhal/cli/data_source.c"
#include "../../libhal/cli/data_tensor.c"
#include "../../libhal/cli/data_idx.c"
#include "../../libhal/cli/data_npy.c"

static char folder[64];
static char path[96];

static int count_files(void)
{
	DIR *dir = opendir(folder);
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void put(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void expect_content(const char *text)
{
	char buf[64] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_int_equal(fread(buf, 1, sizeof(buf) - 1, file), strlen(text));
	fclose(file);
	assert_string_equal(buf, text);
}

static void test_commit(void **state)
{
	struct output_file file;
	struct stat st;

	(void)state;
	put("old");
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(output_file_open(&file, path), 0);
	assert_int_equal(output_file_write(&file, "new", 3), 0);
	expect_content("old");
	assert_int_equal(output_file_commit(&file), 0);
	expect_content("new");
	assert_int_equal(count_files(), 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void test_abandon(void **state)
{
	struct output_file file;

	(void)state;
	put("old");
	assert_int_equal(output_file_open(&file, path), 0);
	assert_int_equal(output_file_write(&file, "half", 4), 0);
	output_file_abandon(&file);
	expect_content("old");
	assert_int_equal(count_files(), 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(output_file_open(&file, path), 0);
	output_file_abandon(&file);
	assert_int_equal(count_files(), 0);
}

static void test_link(void **state)
{
	struct output_file file;
	char link_path[128];
	struct stat st;

	(void)state;
	put("old");
	snprintf(link_path, sizeof(link_path), "%s.link", path);
	assert_int_equal(symlink(path, link_path), 0);
	assert_int_equal(output_file_open(&file, link_path), 0);
	assert_int_equal(output_file_write(&file, "new", 3), 0);
	assert_int_equal(output_file_commit(&file), 0);
	assert_int_equal(lstat(link_path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	expect_content("new");
	assert_int_equal(unlink(link_path), 0);
}

static void test_device(void **state)
{
	struct output_file file;
	struct stat st;

	(void)state;
	assert_int_equal(output_file_open(&file, "/dev/null"), 0);
	assert_int_equal(output_file_write(&file, "x", 1), 0);
	assert_int_equal(output_file_commit(&file), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(output_file_open(&file, "/dev/full"), 0);
	assert_int_equal(output_file_write(&file, "x", 1), -ENOSPC);
	output_file_abandon(&file);
}

static void test_refused(void **state)
{
	struct output_file file;

	(void)state;
	assert_int_equal(output_file_open(&file, "/nonexistent/folder/file"), -ENOENT);
	assert_int_equal(output_file_open(&file, folder), -EISDIR);
	assert_int_equal(output_file_open(&file, ""), -ENOENT);
}

static void test_npy_round_trip(void **state)
{
	double values[1200];
	struct output_file file;
	struct tensor tensor;

	(void)state;
	for (int i = 0; i < 1200; i++)
		values[i] = i / 7.0;
	assert_int_equal(output_file_open(&file, path), 0);
	assert_int_equal(npy_write(&file, values, 120, 10), 0);
	assert_int_equal(output_file_commit(&file), 0);
	assert_int_equal(tensor_read(path, &tensor), 0);
	assert_int_equal(tensor.element, ELEMENT_F64);
	assert_int_equal(tensor.n_rows, 120);
	assert_int_equal(tensor.n_values, 10);
	assert_memory_equal(tensor.data, values, sizeof(values));
	tensor_free(&tensor);
}

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/pbit-output-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_abandon, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_device, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_npy_round_trip, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
