/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of memory at every single allocation of create, open, load, save and the factors: each gives
 * -ENOMEM with a record, and everything is given back. The linker puts the allocators below in
 * place of the C library's (rules-model.mk).
 */
#include <stdbool.h>
#include "test_model_make.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void __real_free(void *p);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
void __wrap_free(void *p);

static long calls, fail_at = -1, live;

static bool refuse(void)
{
	return calls++ == fail_at;
}

static void *count(void *p)
{
	live += p != NULL;
	return p;
}

void *__wrap_malloc(size_t size)
{
	return refuse() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refuse() ? NULL : count(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	void *q;

	if (refuse())
		return NULL;
	q = __real_realloc(p, size);
	live += q && !p;
	return q;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return refuse() ? NULL : count(__real_aligned_alloc(alignment, size));
}

char *__wrap_strdup(const char *text)
{
	return refuse() ? NULL : count(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t size)
{
	return refuse() ? NULL : count(__real_strndup(text, size));
}

void __wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

static struct make rich;
static char path[64];
static unsigned char *bytes;
static size_t size;

static int do_create(struct pbit_model **model)
{
	return pbit_model_create(&rich.spec, model);
}

static int do_open(struct pbit_model **model)
{
	return pbit_model_open(path, model);
}

/* No weights are aligned, all are copied. */
static int do_load(struct pbit_model **model)
{
	return pbit_model_from_memory(bytes, size, model);
}

/* Makes each allocation fail in turn until all succeed. */
static void every_failure(int (*run)(struct pbit_model **model), long at_least)
{
	long before = live, n;

	for (n = 0;; n++) {
		struct pbit_model *model = NULL;
		int err;

		pbit_clear_error();
		calls = 0;
		fail_at = n;
		err = run(&model);
		fail_at = -1;
		if (!err) {
			assert_true(calls <= n);
			pbit_model_put(model);
			break;
		}
		assert_int_equal(err, -ENOMEM);
		assert_null(model);
		assert_int_equal(pbit_last_error()->code, -ENOMEM);
		assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_RESOURCE);
		assert_int_equal(live, before);
	}
	assert_int_equal(live, before);
	assert_true(n >= at_least);
}

static void test_create(void **state)
{
	(void)state;
	/* drafts, tree, model, path, layers, stores, 5 scales and biases, provenance, sorted, classes */
	every_failure(do_create, 19);
}

static void test_open(void **state)
{
	(void)state;
	every_failure(do_open, 17);
}

static void test_load_unaligned(void **state)
{
	(void)state;
	every_failure(do_load, 23);
}

/* A failed save leaves the old file; only syncing the folder may go without memory. */
static void save_failures(struct pbit_model *model)
{
	long before = live, n;
	unsigned int failed = 0;

	for (n = 0;; n++) {
		struct pbit_model *opened = NULL;
		bool all;
		int err;

		calls = 0;
		fail_at = n;
		err = pbit_model_save(model, path);
		fail_at = -1;
		all = calls <= n;
		assert_int_equal(live, before);
		assert_true(!err || err == -ENOMEM);
		assert_true(!all || !err);
		failed += err != 0;
		assert_int_equal(pbit_model_open(path, &opened), 0);
		pbit_model_put(opened);
		if (all)
			break;
	}
	assert_true(failed >= 1);
}

static void test_save(void **state)
{
	struct pbit_model *model = make_model(&rich), *unaligned = NULL;

	(void)state;
	save_failures(model);
	pbit_model_put(model);
	assert_int_equal(do_load(&unaligned), 0);
	save_failures(unaligned);
	pbit_model_put(unaligned);
}

static void test_affine(void **state)
{
	struct pbit_model *model = make_model(&rich);
	float a[32], c[32];
	long before = live;

	(void)state;
	for (long n = 0; n < 2; n++) {
		calls = 0;
		fail_at = n;
		assert_int_equal(pbit_layer_affine(model, 0, 0, 3, 0, 3, a, c), -ENOMEM);
		fail_at = -1;
		assert_int_equal(live, before);
	}
	assert_int_equal(pbit_layer_affine(model, 0, 0, 3, 0, 3, a, c), 0);
	pbit_model_put(model);
}

/* The tree with one more cell in front, so that no weights are at a multiple of 64. */
static void make_unaligned(void)
{
	struct pbit_model *model = NULL;
	unsigned char *good;
	uint32_t structure;

	good = make_bytes(&rich, &size);
	bytes = malloc(size + 4);
	assert_non_null(bytes);
	/* A tag that means nothing, behind the root node's name, shifts what follows. */
	structure = (uint32_t)good[8] << 24 | (uint32_t)good[9] << 16 | (uint32_t)good[10] << 8 |
		    good[11];
	memcpy(bytes, good, structure + 8);
	memcpy(bytes + structure + 8, (unsigned char[]){0, 0, 0, 4}, 4);
	memcpy(bytes + structure + 12, good + structure + 8, size - structure - 8);
	for (int field = 4; field <= 36; field += 4) {
		uint32_t value = (uint32_t)good[field] << 24 | (uint32_t)good[field + 1] << 16 |
				 (uint32_t)good[field + 2] << 8 | good[field + 3];

		/* totalsize, off_dt_strings, size_dt_struct */
		if (field != 4 && field != 12 && field != 36)
			continue;
		value += 4;
		for (int byte = 0; byte < 4; byte++)
			bytes[field + byte] = (unsigned char)(value >> (24 - 8 * byte));
	}
	size += 4;
	free(good);
	assert_int_equal(pbit_model_from_memory(bytes, size, &model), 0);
	pbit_model_put(model);
}

static int setup(void **state)
{
	struct pbit_model *model;
	int fd;

	(void)state;
	make_rich(&rich);
	make_unaligned();
	snprintf(path, sizeof(path), "/tmp/test_model_XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -1;
	close(fd);
	model = make_model(&rich);
	assert_int_equal(pbit_model_save(model, path), 0);
	pbit_model_put(model);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	free(bytes);
	make_end(&rich);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),	       cmocka_unit_test(test_open),
		cmocka_unit_test(test_load_unaligned), cmocka_unit_test(test_save),
		cmocka_unit_test(test_affine),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
