/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machine files read as they are meant: J, h, offset, labels, schedule of every format; the energy of
 * every state of a small machine is the one that the file's own terms give; formats told apart.
 */
#include "test_import_make.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#define NEAR 1e-12

static void test_gset(void **state)
{
	struct pbit_bm_info info = PBIT_INIT(info);
	struct pbit_bm *bm = load_text("4 4\n1 2 1\n2 3 -2.5\r\n\n3 4\n 4 1\t+3e0 \n", NULL, &info);

	(void)state;
	assert_int_equal(info.format, PBIT_FORMAT_GSET);
	assert_int_equal(info.is_cut, 1);
	assert_int_equal(info.vartype, PBIT_SPIN_VARIABLES);
	assert_true(info.total_weight == 1 - 2.5 + 1 + 3);
	assert_true(info.offset == 0);
	assert_null(info.labels);
	assert_int_equal(info.n_stages, 0);
	assert_string_equal(info.name, "");
	assert_int_equal(pbit_bm_size(bm), 4);
	assert_int_equal(pbit_bm_couplings(bm), 4);
	assert_true(value_of(bm, 0, 1) == -1 && value_of(bm, 1, 2) == 2.5);
	assert_true(value_of(bm, 2, 3) == -1 && value_of(bm, 0, 3) == -3);
	/* Vertices 1 and 3 on one side: every edge is cut. */
	uint64_t m = 5;

	assert_true((info.total_weight - pbit_bm_energy(bm, &m)) / 2 == 1 - 2.5 + 1 + 3);
	pbit_bm_info_free(&info);
	assert_null(info.memory);
	pbit_bm_info_free(&info);
	pbit_bm_put(bm);
}

static void test_ising(void **state)
{
	struct pbit_bm_info info = PBIT_INIT(info);
	struct pbit_bm *bm = load_text(
		"# a comment\n3 4 0 # another\n0 1 1\n2 1 -2\n1 1 0.5\n0 2 0\n", NULL, &info);

	(void)state;
	assert_int_equal(info.format, PBIT_FORMAT_ISING);
	assert_int_equal(info.is_cut, 0);
	assert_true(value_of(bm, 0, 1) == 1 && value_of(bm, 1, 2) == -2);
	assert_true(value_of(bm, 1, 1) == 0.5 && value_of(bm, 0, 0) == 0);
	/* A coupling of 0 is none. */
	assert_int_equal(pbit_bm_couplings(bm), 2);
	pbit_bm_info_free(&info);
	pbit_bm_put(bm);
	/* Without the third count, where the format is named. */
	bm = load_text("2 1\n0 1 3\n", "ising", NULL);
	assert_true(value_of(bm, 0, 1) == 3);
	pbit_bm_put(bm);
	/* Free p-bits. */
	bm = load_text("3 0\n", NULL, NULL);
	assert_int_equal(pbit_bm_size(bm), 3);
	assert_int_equal(pbit_bm_couplings(bm), 0);
	pbit_bm_put(bm);
	/* Both directions of a symmetric matrix: one coupling. */
	bm = load_text("2 2 0\n0 1 3\n1 0 3\n", NULL, NULL);
	assert_true(value_of(bm, 0, 1) == 3);
	pbit_bm_put(bm);
}

/* Energy in the file's own variables, for all states. */
static void check_binary(struct pbit_bm *bm, const struct pbit_bm_info *info, const double *Q,
			 double constant)
{
	uint32_t n = pbit_bm_size(bm);

	assert_int_equal(info->vartype, PBIT_BINARY_VARIABLES);
	for (uint64_t s = 0; s < 1u << n; s++) {
		double E = constant;

		for (uint32_t i = 0; i < n; i++)
			for (uint32_t j = i; j < n; j++)
				if (s >> i & 1 && s >> j & 1)
					E += Q[i * n + j];
		assert_true(fabs(pbit_bm_energy(bm, &s) + info->offset - E) < NEAR);
	}
}

static void test_qubo(void **state)
{
	static const char text[] = "c\nc a sample\n p  qubo  0  4  4  5\nc nodes\n0  0   3.4\n"
				   "1 1 4.5\n2 2 2.1\n3 3 -2.4\nc couplers\n0 1 2.2\n0 2 3.4\n"
				   "1 2 4.5\n0 3 -2\n2 3 -3.22\n";
	static const double Q[16] = {3.4, 2.2, 3.4, -2,	   0, 4.5, 4.5, 0,
				     0,	  0,   2.1, -3.22, 0, 0,   0,	-2.4};
	struct pbit_bm_info info = PBIT_INIT(info);
	struct pbit_bm *bm = load_text(text, "qubo", &info);

	(void)state;
	check_binary(bm, &info, Q, 0);
	assert_null(info.labels);
	pbit_bm_info_free(&info);
	pbit_bm_put(bm);
}

static void test_qubo_labels(void **state)
{
	static const double Q[9] = {1, -3, 0, 0, 0, 0.5, 0, 0, 2};
	struct pbit_bm_info info = PBIT_INIT(info);
	struct pbit_bm *bm = load_text("c x\np qubo unconstrained 4000000000 3 2\n7 7 1\n"
				       "3999999999 3999999999 2\n12 12 0\n7 12 -3\n"
				       "12 3999999999 0.5\n",
				       NULL, &info);

	(void)state;
	assert_int_equal(info.format, PBIT_FORMAT_QUBO);
	assert_int_equal(pbit_bm_size(bm), 3);
	assert_string_equal(info.labels[0], "7");
	assert_string_equal(info.labels[1], "12");
	assert_string_equal(info.labels[2], "3999999999");
	check_binary(bm, &info, Q, 0);
	pbit_bm_info_free(&info);
	pbit_bm_put(bm);
}

static double ground_energy(struct pbit_bm *bm)
{
	double least = HUGE_VAL;

	for (uint64_t s = 0; s < 1u << pbit_bm_size(bm); s++)
		if (pbit_bm_energy(bm, &s) < least)
			least = pbit_bm_energy(bm, &s);
	return least;
}

/* The example of the specification, section 6; vector 10: its ground energy is -3. */
static void test_ftp(void **state)
{
	static const char text[] =
		"\xef\xbb\xbf# a program\n\nftp 1\nname frustrated-ring\nspins 5\nfactor -1 0 1\n"
		"factor -1 1 2  # two\nfactor -1 2 3\nfactor -1 3 4\nfactor -1 4 0\n"
		"color 0 0 2\ncolor 1 1 3\ncolor 2 4\nencode 0 3 onehot\nencode 3 4 binary\n"
		"encode 2 4 domainwall\nstage 0.05 40 1 1\nstage 4 40 1 1\nobserve energy\n"
		"observe entropy\ntarget cpu\nprice z1_spice\n";
	struct pbit_bm_info info = PBIT_INIT(info);
	struct pbit_bm *bm = load_text(text, NULL, &info);

	(void)state;
	assert_int_equal(info.format, PBIT_FORMAT_FTP);
	assert_string_equal(info.name, "frustrated-ring");
	assert_int_equal(info.n_stages, 2);
	assert_true(info.stages[0].beta == 0.05 && info.stages[0].sweeps == 40);
	assert_true(info.stages[1].beta == 4 && info.stages[1].sweeps == 40);
	assert_true(ground_energy(bm) == -3);
	pbit_bm_info_free(&info);
	pbit_bm_put(bm);
}

/* Vectors 11 and 12: biases add up, numbers keep every bit; a factor of one spin is a bias. */
static void test_ftp_numbers(void **state)
{
	static const double awkward[] = {0.1, 1.0 / 3, 1e-300, 1e300, 3.141592653589793};
	struct pbit_bm *bm = load_text("ftp 1\nspins 6\nbias 2 0.1\nbias 2 0.1\nfactor 4 0\n"
				       "factor 0.1 0 1\nfactor 0.3333333333333333 1 2\n"
				       "factor 1e-300 2 3\nfactor 1e300 4 3\n"
				       "factor 3.141592653589793 4 5\nfactor 1 0 5\nfactor 2 5 0\n",
				       "ftp", NULL);

	(void)state;
	assert_true(value_of(bm, 2, 2) == 0.1 + 0.1);
	assert_true(value_of(bm, 0, 0) == 4);
	assert_true(value_of(bm, 0, 5) == 3);
	for (uint32_t i = 0; i < 5; i++)
		assert_true(value_of(bm, i, i + 1) == awkward[i]);
	pbit_bm_put(bm);
}

/* A program whose numbers are written with a comma reads the same values. */
static void test_locale(void **state)
{
	static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", NULL};
	struct pbit_bm *bm;
	int k = 0;

	(void)state;
	while (names[k] && !setlocale(LC_NUMERIC, names[k]))
		k++;
	bm = load_text("2 1 0\n0 1 2.5\n", NULL, NULL);
	assert_true(value_of(bm, 0, 1) == 2.5);
	pbit_bm_put(bm);
	setlocale(LC_NUMERIC, "C");
	/* Without such a locale the above shows nothing. */
	if (!names[k])
		skip();
}

static void write_all(int fd, const char *text)
{
	size_t length = strlen(text);

	assert_int_equal(write(fd, text, length), (ssize_t)length);
}

static void test_file(void **state)
{
	char path[] = "/tmp/test_import_XXXXXX";
	int fd = mkstemp(path);
	struct pbit_bm_info info = PBIT_INIT(info);
	struct pbit_bm *bm = NULL;

	(void)state;
	assert_true(fd >= 0);
	write_all(fd, "# a long comment\n#");
	for (int k = 0; k < 100000; k++)
		write_all(fd, "0123456789");
	write_all(fd, "\n");
	write_all(fd, "70000 69999 0\n");
	for (int k = 1; k < 70000; k++)
		dprintf(fd, "%d %d %d\n", k - 1, k, k);
	close(fd);
	assert_int_equal(pbit_bm_load(path, NULL, &bm, &info), 0);
	assert_int_equal(pbit_bm_size(bm), 70000);
	assert_int_equal(pbit_bm_couplings(bm), 69999);
	assert_true(value_of(bm, 69998, 69999) == 69999);
	pbit_bm_info_free(&info);
	pbit_bm_put(bm);
	unlink(path);
	bm = NULL;
	assert_int_equal(pbit_bm_load(path, NULL, &bm, NULL), -ENOENT);
	assert_string_equal(pbit_last_error()->where, path);
	assert_int_equal(pbit_bm_load("/", NULL, &bm, NULL), -EISDIR);
	assert_null(bm);
}

/* A caller of an older library has a shorter struct: nothing is written past it, nothing leaks. */
static void test_short_info(void **state)
{
	struct pbit_bm_info info;
	struct pbit_bm *bm = NULL;
	static const char text[] = "c\np qubo 0 9 2 1\n3 3 1\n5 5 1\n3 5 1\n";

	(void)state;
	memset(&info, 0xaa, sizeof(info));
	info.struct_size = (uint32_t)(offsetof(struct pbit_bm_info, offset));
	assert_int_equal(pbit_bm_from_memory(text, strlen(text), NULL, &bm, &info), 0);
	assert_int_equal(info.format, PBIT_FORMAT_QUBO);
	assert_non_null(info.memory);
	assert_int_equal(((unsigned char *)&info)[info.struct_size], 0xaa);
	pbit_bm_info_free(&info);
	assert_null(info.memory);
	pbit_bm_put(bm);
	bm = NULL;
	info.struct_size = 4;
	assert_int_equal(pbit_bm_from_memory(text, strlen(text), NULL, &bm, &info), -EINVAL);
	assert_null(bm);
	pbit_bm_info_free(&info);
	pbit_bm_info_free(NULL);
}

static void test_arguments(void **state)
{
	struct pbit_bm *bm = NULL;

	(void)state;
	assert_int_equal(pbit_bm_load(NULL, NULL, &bm, NULL), -EINVAL);
	assert_int_equal(pbit_bm_load("/dev/null", NULL, NULL, NULL), -EINVAL);
	assert_int_equal(pbit_bm_from_memory(NULL, 0, NULL, &bm, NULL), -EINVAL);
	assert_int_equal(pbit_bm_load("/dev/null", "lp", &bm, NULL), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->hint, "dimod"));
	assert_int_equal(pbit_bm_load("/dev/null", NULL, &bm, NULL), -EINVAL);
	assert_non_null(strstr(pbit_last_error()->why, "empty"));
	assert_null(bm);
	assert_string_equal(pbit_bm_format_name(PBIT_FORMAT_GSET), "gset");
	assert_string_equal(pbit_bm_format_name(PBIT_FORMAT_ISING), "ising");
	assert_string_equal(pbit_bm_format_name(0), "unknown");
	assert_string_equal(pbit_bm_format_name(6), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gset),	   cmocka_unit_test(test_ising),
		cmocka_unit_test(test_qubo),	   cmocka_unit_test(test_qubo_labels),
		cmocka_unit_test(test_ftp),	   cmocka_unit_test(test_ftp_numbers),
		cmocka_unit_test(test_locale),	   cmocka_unit_test(test_file),
		cmocka_unit_test(test_short_info), cmocka_unit_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
