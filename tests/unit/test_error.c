/* SPDX-License-Identifier: Apache-2.0 */
/* Error records, log lines, size-first structs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <pbit/backend.h>
#include "core/args.h"
#include "core/error.h"
#include "core/text.h"

static void test_record(void **state)
{
	const struct pbit_error *e;

	(void)state;
	pbit_clear_error();
	e = pbit_last_error();
	assert_int_equal(e->code, 0);
	assert_string_equal(e->what, "");
	assert_string_equal(e->hint, "");
	errno = 77;
	assert_int_equal(pbit_fail(-ENODEV, PBIT_ERR_NO_DEVICE, "cannot open device", "x:1",
				   "plug it", "nothing at %d", 5),
			 -ENODEV);
	assert_int_equal(errno, 77);
	pbit_fail_native(-9);
	e = pbit_last_error();
	assert_int_equal(e->struct_size, sizeof(*e));
	assert_int_equal(e->code, -ENODEV);
	assert_int_equal(e->error_class, PBIT_ERR_NO_DEVICE);
	assert_int_equal(e->native, -9);
	assert_string_equal(e->what, "cannot open device");
	assert_string_equal(e->where, "x:1");
	assert_string_equal(e->why, "nothing at 5");
	assert_string_equal(e->hint, "plug it");
	pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "w", NULL, NULL, "y");
	e = pbit_last_error();
	assert_int_equal(e->native, 0);
	assert_string_equal(e->where, "");
	assert_string_equal(e->hint, "");
	/* A code that is no negative errno still makes an error. */
	assert_int_equal(pbit_fail(EBUSY, PBIT_ERR_RESOURCE, "w", NULL, NULL, "y"), -EBUSY);
	assert_true(pbit_fail(0, PBIT_ERR_INTERNAL, "w", NULL, NULL, "y") < 0);
}

/* Wrapping a record: the arguments are its own strings. */
static void test_wrap_own_strings(void **state)
{
	const struct pbit_error *e;

	(void)state;
	pbit_fail(-EIO, PBIT_ERR_DEVICE, "inner", "here", "advice", "reason");
	e = pbit_last_error();
	pbit_fail(-EIO, PBIT_ERR_DEVICE, e->hint, e->what, e->where, "outer: %s", e->why);
	e = pbit_last_error();
	assert_string_equal(e->what, "advice");
	assert_string_equal(e->where, "inner");
	assert_string_equal(e->hint, "here");
	assert_string_equal(e->why, "outer: reason");
}

static void test_long_text_is_cut(void **state)
{
	static char text[3001];
	const struct pbit_error *e;
	size_t i, n;

	(void)state;
	/* Two-byte characters: a cut in the middle of one would not be UTF-8 any more. */
	for (i = 0; i < 3000; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	pbit_fail(-EIO, PBIT_ERR_DEVICE, text, text + 0, text, "x%s", text);
	e = pbit_last_error();
	const char *const parts[] = {e->what, e->where, e->why, e->hint};

	for (i = 0; i < 4; i++) {
		n = strlen(parts[i]);
		assert_true(n > 50 && n < 3000);
		assert_string_equal(parts[i] + n - 3, "\xe2\x80\xa6");
		assert_int_equal((n - 3 - (i == 2)) % 2, 0);
	}
	assert_int_equal(pbit_format_error(NULL, 0),
			 strlen(e->what) + strlen(e->where) + strlen(e->why) + strlen(e->hint) + 7);
}

static void test_text_sizes(void **state)
{
	char buf[16];
	size_t size;

	(void)state;
	for (size = 0; size <= sizeof(buf); size++) {
		memset(buf, '#', sizeof(buf));
		pbit__text_copy(buf, size, "abcdefghij");
		if (size) {
			assert_true(strlen(buf) < size);
		}
		for (size_t i = size; i < sizeof(buf); i++)
			assert_int_equal(buf[i], '#');
	}
	pbit__text_copy(buf, 8, "abcdefghij");
	assert_string_equal(buf, "abcd\xe2\x80\xa6");
	pbit__text_copy(buf, 8, "abcdefg");
	assert_string_equal(buf, "abcdefg");
	pbit__text_append(buf, sizeof(buf), "%d", 12345);
	assert_string_equal(buf, "abcdefg12345");
	pbit__text_append(buf, sizeof(buf), "%d", 12345);
	assert_string_equal(buf, "abcdefg12345\xe2\x80\xa6");
}

static void test_format(void **state)
{
	char buf[64];

	(void)state;
	pbit_clear_error();
	assert_int_equal(pbit_format_error(buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	pbit_fail(-EIO, PBIT_ERR_DEVICE, "what", "where", "hint", "why");
	assert_int_equal(pbit_format_error(buf, sizeof(buf)), 23);
	assert_string_equal(buf, "what: where: why (hint)");
	assert_int_equal(pbit_format_error(buf, 8), 23);
	assert_string_equal(buf, "what: w");
	pbit_fail(-EIO, PBIT_ERR_DEVICE, "what", NULL, NULL, "why");
	pbit_format_error(buf, sizeof(buf));
	assert_string_equal(buf, "what: why");
}

static void test_class_names(void **state)
{
	uint32_t i, j;

	(void)state;
	assert_string_equal(pbit_error_class_name(PBIT_ERR_PERMISSION), "no-permission");
	assert_string_equal(pbit_error_class_name(PBIT_ERR_NO_DRIVER), "no-driver");
	assert_string_equal(pbit_error_class_name(PBIT_ERR_NO_DEVICE), "no-device");
	assert_string_equal(pbit_error_class_name(PBIT_ERR_VERSION), "version");
	assert_string_equal(pbit_error_class_name(PBIT_ERR_RESOURCE), "resource");
	for (i = 0; i <= PBIT_ERR_INTERNAL; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(pbit_error_class_name(i), pbit_error_class_name(j));
	assert_string_equal(pbit_error_class_name(PBIT_ERR_INTERNAL + 1), "unknown");
	assert_string_equal(pbit_error_class_name(UINT32_MAX), "unknown");
}

/* What a thread returns where something was wrong. */
static void *complain(const char *text)
{
	return (void *)(uintptr_t)text;
}

static void *other_thread(void *arg)
{
	struct pbit__error_copy *copy = arg;

	if (pbit_last_error()->code)
		return complain("record leaked between threads");
	pbit_fail(-EPERM, PBIT_ERR_PERMISSION, "in thread", "t", "h", "because");
	pbit_fail_native(5);
	pbit__error_save(copy);
	return NULL;
}

static void test_threads_and_carry_over(void **state)
{
	struct pbit__error_copy copy;
	pthread_t thread;
	void *complaint;

	(void)state;
	pbit_fail(-EIO, PBIT_ERR_DEVICE, "mine", NULL, NULL, "y");
	pthread_create(&thread, NULL, other_thread, &copy);
	pthread_join(thread, &complaint);
	assert_null(complaint);
	assert_string_equal(pbit_last_error()->what, "mine");
	pbit__error_restore(&copy);
	assert_int_equal(pbit_last_error()->code, -EPERM);
	assert_int_equal(pbit_last_error()->native, 5);
	assert_string_equal(pbit_last_error()->why, "because");
}

/* The child fills its memory, then makes a record. */
static int child_without_memory(void)
{
	struct rlimit limit = {64 << 20, 64 << 20};
	size_t size;

	if (setrlimit(RLIMIT_AS, &limit))
		return 2;
	for (size = 1 << 24; size; size /= 2)
		while (malloc(size))
			;
	pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot load model", "file", NULL, "%s %d",
		  "out of memory", 3);
	return strcmp(pbit_last_error()->why, "out of memory 3") != 0;
}

static void test_without_memory(void **state)
{
	const char *preload = getenv("LD_PRELOAD");
	int status;
	pid_t pid;

	(void)state;
	if (preload && strstr(preload, "vgpreload"))
		skip(); /* valgrind needs address space of its own, too */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* sanitizers need address space of their own */
#endif
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(child_without_memory());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

struct lines {
	int count, level;
	char last[3000];
};

static void keep_line(int level, const char *line, void *user)
{
	struct lines *lines = user;

	lines->count++;
	lines->level = level;
	snprintf(lines->last, sizeof(lines->last), "%s", line);
}

static void test_log_callback(void **state)
{
	struct lines lines = {0};

	(void)state;
	pbit_set_log(keep_line, &lines, PBIT_LOG_INFO);
	pbit_log(PBIT_LOG_INFO, "a\nb %d", 7);
	assert_int_equal(lines.count, 1);
	assert_int_equal(lines.level, PBIT_LOG_INFO);
	assert_string_equal(lines.last, "a b 7");
	pbit_log(PBIT_LOG_DEBUG, "not this");
	pbit_fail(-EIO, PBIT_ERR_DEVICE, "what", NULL, NULL, "why");
	assert_int_equal(lines.count, 1);
	pbit_set_log(keep_line, &lines, PBIT_LOG_DEBUG);
	pbit_fail(-EIO, PBIT_ERR_DEVICE, "what", "where", NULL, "why");
	assert_int_equal(lines.count, 2);
	assert_non_null(strstr(lines.last, "what: where: why"));
	pbit_set_log(keep_line, &lines, PBIT_LOG_NONE);
	pbit_log(PBIT_LOG_ERROR, "off");
	assert_int_equal(lines.count, 2);
	pbit_set_log(NULL, NULL, 0);
}

/* Bytes on standard error while a line of each level is logged, PBIT_LOG being `value`. */
static size_t logged_to_stderr(const char *value, char *text, size_t size)
{
	int pipes[2], saved;
	ssize_t n;

	assert_int_equal(pipe(pipes), 0);
	saved = dup(STDERR_FILENO);
	dup2(pipes[1], STDERR_FILENO);
	if (value)
		setenv("PBIT_LOG", value, 1);
	else
		unsetenv("PBIT_LOG");
	pbit_set_log(NULL, NULL, PBIT_LOG_DEBUG);
	pbit_log(PBIT_LOG_ERROR, "e");
	pbit_log(PBIT_LOG_WARN, "w");
	pbit_log(PBIT_LOG_DEBUG, "d");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipes[1]);
	n = read(pipes[0], text, size - 1);
	close(pipes[0]);
	assert_true(n >= 0);
	text[n] = '\0';
	unsetenv("PBIT_LOG");
	pbit_set_log(NULL, NULL, 0);
	return (size_t)n;
}

static void test_log_environment(void **state)
{
	char text[256];

	(void)state;
	assert_int_equal(logged_to_stderr(NULL, text, sizeof(text)), 0);
	assert_int_equal(logged_to_stderr("loud", text, sizeof(text)), 0);
	logged_to_stderr("warn", text, sizeof(text));
	assert_string_equal(text, "pbit: error: e\npbit: warn: w\n");
	logged_to_stderr("DEBUG", text, sizeof(text));
	assert_string_equal(text, "pbit: error: e\npbit: warn: w\npbit: debug: d\n");
}

struct sample_args {
	uint32_t struct_size;
	uint32_t first;
	uint64_t second;
	uint64_t third;
};

static void test_args(void **state)
{
	struct {
		struct sample_args args;
		uint64_t beyond;
	} caller = {{0, 1, 2, 3}, 4};
	struct sample_args own;
	size_t least = PBIT__SIZE_TO(struct sample_args, first);
	uint32_t refused[] = {0, 4, 7, 1u << 20, UINT32_MAX};

	(void)state;
	assert_int_equal(pbit__args_read(&own, sizeof(own), NULL, least, "w", "args"), -EINVAL);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		caller.args.struct_size = refused[i];
		assert_int_equal(
			pbit__args_read(&own, sizeof(own), &caller.args, least, "w", "args"),
			-EINVAL);
		assert_int_equal(
			pbit__args_write(&caller.args, &own, sizeof(own), least, "w", "args"),
			-EINVAL);
	}
	caller.args.struct_size = 16; /* an older caller without `third` */
	assert_int_equal(pbit__args_read(&own, sizeof(own), &caller.args, least, "w", "args"), 0);
	assert_int_equal(own.struct_size, sizeof(own));
	assert_int_equal(own.second, 2);
	assert_int_equal(own.third, 0);
	own = (struct sample_args){sizeof(own), 10, 20, 30};
	assert_int_equal(pbit__args_write(&caller.args, &own, sizeof(own), least, "w", "args"), 0);
	assert_int_equal(caller.args.struct_size, 16);
	assert_int_equal(caller.args.second, 20);
	assert_int_equal(caller.args.third, 3);
	caller.args.struct_size = sizeof(caller); /* a newer one */
	assert_int_equal(pbit__args_write(&caller.args, &own, sizeof(own), least, "w", "args"), 0);
	assert_int_equal(caller.args.third, 30);
	assert_int_equal(caller.beyond, 0);
	assert_int_equal(pbit__args_read(&own, sizeof(own), &caller.args, least, "w", "args"), 0);
	assert_int_equal(own.struct_size, sizeof(own));
}

static void test_version(void **state)
{
	char text[32];

	(void)state;
	snprintf(text, sizeof(text), "%d.%d.%d", PBIT_VERSION_MAJOR, PBIT_VERSION_MINOR,
		 PBIT_VERSION_PATCH);
	assert_string_equal(pbit_version(), text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_wrap_own_strings),
		cmocka_unit_test(test_long_text_is_cut),
		cmocka_unit_test(test_text_sizes),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_class_names),
		cmocka_unit_test(test_threads_and_carry_over),
		cmocka_unit_test(test_without_memory),
		cmocka_unit_test(test_log_callback),
		cmocka_unit_test(test_log_environment),
		cmocka_unit_test(test_args),
		cmocka_unit_test(test_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
