/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models through files: what is saved is what is opened, by way of device-tree text too; a file that
 * cannot be written leaves the old one, and nothing else, behind.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <libfdt.h>
#include "test_model_make.h"

static char folder[64];
static struct make rich;

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_model_XXXXXX");
	make_rich(&rich);
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	make_end(&rich);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static const char *in_folder(const char *name)
{
	static char path[4][160];
	static unsigned int next;
	char *p = path[next++ % 4];

	snprintf(p, 160, "%s/%s", folder, name);
	return p;
}

static unsigned int files(void)
{
	DIR *dir = opendir(folder);
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static struct pbit_model *open_model(const char *path)
{
	struct pbit_model *model = NULL;
	char text[1024];

	if (pbit_model_open(path, &model)) {
		pbit_format_error(text, sizeof(text));
		fail_msg("%s", text);
	}
	return model;
}

static void save_model(const struct pbit_model *model, const char *path)
{
	char text[1024];

	if (pbit_model_save(model, path)) {
		pbit_format_error(text, sizeof(text));
		fail_msg("%s", text);
	}
}

static void same_layer(const struct pbit_layer *a, const struct pbit_layer *b)
{
	size_t fixed = offsetof(struct pbit_layer, weights);

	assert_memory_equal(a, b, fixed);
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->weights_size, b->weights_size);
	assert_int_equal((uintptr_t)a->weights % 64, 0);
	assert_int_equal((uintptr_t)b->weights % 64, 0);
	if (a->type == PBIT_MAXPOOL)
		return;
	assert_memory_equal(a->weights, b->weights, a->weights_size);
	assert_memory_equal(a->scale, b->scale, a->n_scale * sizeof(float));
	assert_memory_equal(a->bias, b->bias, a->n_out * sizeof(float));
}

static void same_model(const struct pbit_model *a, const struct pbit_model *b)
{
	struct pbit_model_info ia = PBIT_INIT(ia), ib = PBIT_INIT(ib);
	const char *ka, *va, *kb, *vb;

	assert_int_equal(pbit_model_info(a, &ia), 0);
	assert_int_equal(pbit_model_info(b, &ib), 0);
	assert_memory_equal(&ia, &ib, offsetof(struct pbit_model_info, name));
	assert_string_equal(ia.name, ib.name);
	assert_string_equal(ia.description, ib.description);
	for (uint32_t i = 0; i < ia.n_layers; i++)
		same_layer(pbit_model_layer(a, i), pbit_model_layer(b, i));
	for (uint32_t i = 0; i < ia.n_classes; i++)
		assert_string_equal(pbit_model_class(a, i), pbit_model_class(b, i));
	assert_null(pbit_model_class(b, ia.n_classes));
	for (uint32_t i = 0; !pbit_model_provenance(a, i, &ka, &va); i++) {
		assert_int_equal(pbit_model_provenance(b, i, &kb, &vb), 0);
		assert_string_equal(ka, kb);
		assert_string_equal(va, vb);
	}
}

/* Offset in the file of every `weights`, all multiples of 64. */
static void check_aligned(const char *path)
{
	static unsigned char bytes[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;
	int found = 0;

	assert_non_null(file);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	assert_int_equal(size, fdt_totalsize(bytes));
	assert_int_equal(fdt_check_full(bytes, size), 0);
	for (int node = 0; node >= 0; node = fdt_next_node(bytes, node, NULL)) {
		const char *data = fdt_getprop(bytes, node, "weights", NULL);

		if (data) {
			assert_int_equal((data - (const char *)bytes) % 64, 0);
			found++;
		}
	}
	assert_int_equal(found, 5);
}

static void test_round_trip(void **state)
{
	const char *path = in_folder("model.pbm"), *key, *value;
	struct pbit_model *model = make_model(&rich), *opened;
	struct pbit_model_info info = PBIT_INIT(info);

	(void)state;
	save_model(model, path);
	check_aligned(path);
	opened = open_model(path);
	same_model(model, opened);
	assert_int_equal(pbit_model_info(opened, &info), 0);
	assert_string_equal(info.path, path);
	assert_string_equal(info.name, "rich");
	assert_string_equal(info.description, "every kind of layer");
	assert_string_equal(pbit_model_class(opened, 0), "shirt");
	assert_string_equal(pbit_model_class(opened, 1), "");
	assert_string_equal(pbit_model_class(opened, 2), "ankle boot");
	assert_int_equal(pbit_model_provenance(opened, 1, &key, &value), 0);
	assert_string_equal(key, "data,set");
	assert_string_equal(value, "none");
	assert_int_equal(pbit_model_provenance(opened, 2, &key, &value), -ENOENT);
	/* Onto the file that it is mapped from. */
	save_model(opened, path);
	same_model(model, opened);
	pbit_model_put(opened);
	opened = open_model(path);
	same_model(model, opened);
	pbit_model_put(opened);
	pbit_model_put(model);
	assert_int_equal(files(), 1);
	unlink(path);
}

static void test_by_text(void **state)
{
	const char *text = in_folder("model.dts"), *blob = in_folder("text.pbm"),
		   *path = in_folder("model.pbm");
	struct pbit_model *model = make_model(&rich), *opened;
	struct pbit_model_info info = PBIT_INIT(info);
	char command[512];

	(void)state;
	if (system("dtc --version >/dev/null 2>&1")) {
		pbit_model_put(model);
		skip();
	}
	save_model(model, path);
	snprintf(command, sizeof(command), "dtc -q -I dtb -O dts -o %s %s", text, path);
	assert_int_equal(system(command), 0);
	/* Longer by 3 characters, so that `align`, which dtc keeps, no longer does its work. */
	snprintf(command, sizeof(command), "sed -i 's/every kind of layer/&, 1/' %s", text);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "dtc -q -I dts -O dtb -o %s %s", blob, text);
	assert_int_equal(system(command), 0);
	opened = open_model(blob);
	assert_int_equal(pbit_model_info(opened, &info), 0);
	assert_string_equal(info.description, "every kind of layer, 1");
	for (uint32_t i = 0; i < MAKE_LAYERS; i++)
		same_layer(pbit_model_layer(model, i), pbit_model_layer(opened, i));
	save_model(opened, path);
	pbit_model_put(model);
	check_aligned(path);
	model = open_model(path);
	same_model(opened, model);
	pbit_model_put(opened);
	pbit_model_put(model);
	unlink(text);
	unlink(blob);
	unlink(path);
}

/* What this version does not know is carried along when weights have to move. */
static void test_unknown_kept(void **state)
{
	const char *path = in_folder("model.pbm");
	size_t size;
	unsigned char *bytes = make_bytes(&rich, &size), *edited = malloc(size + 4096);
	struct pbit_model *model = NULL, *opened;
	static unsigned char saved[1 << 20];
	FILE *file;
	int node;

	(void)state;
	assert_non_null(edited);
	assert_int_equal(fdt_open_into(bytes, edited, (int)size + 4096), 0);
	assert_int_equal(fdt_setprop_u32(edited, 0, "serial-number", 7), 0);
	node = fdt_add_subnode(edited, 0, "acme,extension");
	assert_int_equal(fdt_setprop(edited, node, "align", "\1\2\3", 3), 0);
	assert_int_equal(pbit_model_from_memory(edited, fdt_totalsize(edited), &model), 0);
	save_model(model, path);
	check_aligned(path);
	opened = open_model(path);
	same_model(model, opened);
	file = fopen(path, "rb");
	assert_non_null(file);
	assert_true(fread(saved, 1, sizeof(saved), file) > 0);
	fclose(file);
	assert_non_null(fdt_getprop(saved, 0, "serial-number", &node));
	assert_int_equal(node, 4);
	assert_non_null(
		fdt_getprop(saved, fdt_path_offset(saved, "/acme,extension"), "align", &node));
	assert_int_equal(node, 3);
	pbit_model_put(opened);
	pbit_model_put(model);
	free(edited);
	free(bytes);
	unlink(path);
}

static void expect_save(const struct pbit_model *model, const char *path, int code)
{
	pbit_clear_error();
	assert_int_equal(pbit_model_save(model, path), code);
	assert_int_equal(pbit_last_error()->code, code);
	assert_true(pbit_last_error()->why[0] && pbit_last_error()->hint[0]);
	assert_string_equal(pbit_last_error()->where, path);
}

static void test_refused_targets(void **state)
{
	struct pbit_model *model = make_model(&rich);
	const char *fifo = in_folder("fifo");
	struct stat status;

	(void)state;
	expect_save(model, folder, -EISDIR);
	expect_save(model, in_folder("no/such/model.pbm"), -ENOENT);
	expect_save(model, "", -ENOENT);
	expect_save(model, "/dev/null", -EINVAL);
	assert_int_equal(stat("/dev/null", &status), 0);
	assert_true(S_ISCHR(status.st_mode));
	assert_int_equal(mkfifo(fifo, 0600), 0);
	expect_save(model, fifo, -EINVAL);
	unlink(fifo);
	assert_int_equal(pbit_model_save(NULL, "x"), -EINVAL);
	assert_int_equal(pbit_model_save(model, NULL), -EINVAL);
	assert_int_equal(files(), 0);
	pbit_model_put(model);
}

static void test_readonly_folder(void **state)
{
	struct pbit_model *model = make_model(&rich);

	(void)state;
	if (geteuid() == 0) {
		/* Root may write anywhere but here. */
		assert_int_not_equal(pbit_model_save(model, "/proc/self/model.pbm"), 0);
	} else {
		assert_int_equal(chmod(folder, 0500), 0);
		expect_save(model, in_folder("model.pbm"), -EACCES);
		assert_int_equal(chmod(folder, 0700), 0);
	}
	assert_int_equal(files(), 0);
	pbit_model_put(model);
}

/* The disk is full after 5000 bytes: in a child, for the limit lasts. */
static void test_full_disk(void **state)
{
	const char *path = in_folder("model.pbm");
	struct pbit_model *model = make_model(&rich), *opened;
	int status;
	pid_t child;

	(void)state;
	save_model(model, path);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		struct rlimit limit = {5000, 5000};
		int err;

		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &limit))
			_exit(1);
		err = pbit_model_save(model, path);
		pbit_model_put(model);
		_exit(err == -EFBIG && pbit_last_error()->code == err ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(files(), 1);
	opened = open_model(path);
	same_model(model, opened);
	pbit_model_put(opened);
	pbit_model_put(model);
	unlink(path);
}

static void test_mode(void **state)
{
	const char *path = in_folder("model.pbm");
	struct pbit_model *model = make_model(&rich);
	mode_t mask = umask(027);
	struct stat status;

	(void)state;
	save_model(model, path);
	umask(mask);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	pbit_model_put(model);
	unlink(path);
}

static void expect_open(const char *path, int code, const char *why)
{
	struct pbit_model *model = NULL;

	pbit_clear_error();
	assert_int_equal(pbit_model_open(path, &model), code);
	assert_null(model);
	assert_int_equal(pbit_last_error()->code, code);
	assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_FILE);
	assert_string_equal(pbit_last_error()->where, path);
	assert_non_null(strstr(pbit_last_error()->why, why));
	assert_true(pbit_last_error()->hint[0]);
}

static void test_not_a_model(void **state)
{
	const char *path = in_folder("file"), *fifo = in_folder("fifo");
	FILE *file = fopen(path, "wb");

	(void)state;
	assert_non_null(file);
	expect_open(path, -EINVAL, "0 bytes");
	fputs("PK\3\4 this is some other kind of file, long enough for a header", file);
	fclose(file);
	expect_open(path, -EINVAL, "not a flattened device tree");
	expect_open(folder, -EINVAL, "not a regular file");
	expect_open("/dev/zero", -EINVAL, "not a regular file");
	expect_open(in_folder("absent"), -ENOENT, "No such file");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	expect_open(fifo, -EINVAL, "not a regular file");
	unlink(fifo);
	assert_int_equal(truncate(path, 1ll << 31), 0);
	expect_open(path, -EINVAL, "2147483648 bytes");
	if (geteuid()) {
		assert_int_equal(chmod(path, 0), 0);
		expect_open(path, -EACCES, "denied");
	}
	unlink(path);
}

/* A sparse file of 2 GiB - 1 whose header claims all of it. */
static void test_largest_file(void **state)
{
	const char *path = in_folder("model.pbm");
	struct pbit_model *model = make_model(&rich);
	unsigned char total[4] = {0x7f, 0xff, 0xff, 0xff};
	int fd;

	(void)state;
	save_model(model, path);
	pbit_model_put(model);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	if (ftruncate(fd, INT32_MAX)) {
		close(fd);
		unlink(path);
		skip();
	}
	/* What follows the tree is no part of it. */
	model = open_model(path);
	pbit_model_put(model);
	assert_int_equal(pwrite(fd, total, 4, 4), 4);
	close(fd);
	expect_open(path, -EINVAL, "a tree of 2147483647 bytes");
	unlink(path);
}

/* Node and property stay visible behind a long path, and a broken file is named. */
static void test_long_path(void **state)
{
	static char deep[3000];
	struct pbit_model *model = make_model(&rich);
	FILE *file;
	size_t length;
	int offset = 0;
	static unsigned char bytes[1 << 20];
	size_t size;

	(void)state;
	length = (size_t)snprintf(deep, sizeof(deep), "%s", folder);
	for (int i = 0; i < 4; i++) {
		memset(deep + length, 'd', 200);
		deep[length] = '/';
		length += 200;
		deep[length] = 0;
		assert_int_equal(mkdir(deep, 0700), 0);
	}
	strcpy(deep + length, "/model.pbm");
	save_model(model, deep);
	pbit_model_put(model);
	file = fopen(deep, "r+b");
	assert_non_null(file);
	size = fread(bytes, 1, sizeof(bytes), file);
	assert_true(size > 0);
	offset = fdt_path_offset(bytes, "/layers/layer@3");
	assert_int_equal(fdt_setprop_inplace_u32(bytes, offset, "weight-bits", 5), 0);
	rewind(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
	model = NULL;
	assert_int_equal(pbit_model_open(deep, &model), -EINVAL);
	assert_non_null(
		strstr(pbit_last_error()->where, "ddd/model.pbm:/layers/layer@3/weight-bits"));
	for (int i = 0; i < 5; i++) {
		assert_int_equal(remove(deep), 0);
		*strrchr(deep, '/') = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_by_text),
		cmocka_unit_test(test_unknown_kept),
		cmocka_unit_test(test_refused_targets),
		cmocka_unit_test(test_readonly_folder),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_not_a_model),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_largest_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
