/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins: which are taken, which are refused and why, and that none disturbs another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>
#include <pbit/backend.h>
#include "../plugins/folder.h"

#define MAX_BACKENDS 64
#define BUILT_IN     4 /* software, fpga, pci, rules */

struct listed {
	char name[64], scheme[64], path[512], reason[512];
	uint32_t abi;
	int32_t status;
};

struct listing {
	struct listed entry[MAX_BACKENDS];
	int n;
};

static int keep_backend(const struct pbit_backend_info *info, void *user)
{
	struct listing *listing = user;
	struct listed *entry = &listing->entry[listing->n++];

	assert_true(listing->n <= MAX_BACKENDS);
	assert_int_equal(info->struct_size, sizeof(*info));
	snprintf(entry->name, sizeof(entry->name), "%s", info->name);
	snprintf(entry->scheme, sizeof(entry->scheme), "%s", info->scheme);
	snprintf(entry->path, sizeof(entry->path), "%s", info->path);
	snprintf(entry->reason, sizeof(entry->reason), "%s", info->reason);
	entry->abi = info->abi;
	entry->status = info->status;
	/* Every entry is complete: in use without a reason, or refused with one. */
	assert_int_equal(!info->status, !info->reason[0]);
	assert_non_null(info->description);
	assert_non_null(info->version);
	return 0;
}

static const struct pbit_open_opts *opts_for(const char *path)
{
	static struct pbit_open_opts opts;

	opts = (struct pbit_open_opts)PBIT_INIT(opts);
	opts.backend_path = path;
	return &opts;
}

static void list(const char *path, struct listing *listing)
{
	int n;

	listing->n = 0;
	n = pbit_list_backends(opts_for(path), keep_backend, listing);
	assert_int_equal(n, listing->n);
}

static const struct listed *find(const struct listing *listing, const char *name)
{
	for (int i = 0; i < listing->n; i++)
		if (!strcmp(listing->entry[i].name, name))
			return &listing->entry[i];
	return NULL;
}

static void test_list(void **state)
{
	static const struct {
		const char *name;
		int32_t status;
		const char *reason;
	} expected[] = {
		{"software", 0, ""},
		{"fpga", 0, ""},
		{"pci", 0, ""},
		{"rules", 0, ""},
		{"good", 0, ""},
		{"liar", 0, ""},
		{"oldtable", 0, ""},
		{"wrongmajor", -EPROTO, "interface 2.3, this library accepts 1.0 to 1.1"},
		{"newerminor", -EPROTO, "interface 1.2, this library accepts 1.0 to 1.1"},
		{"nosymbol", -ENOEXEC, "does not export pbit_backend_entry"},
		{"function", -EINVAL, "is a function"},
		{"missingops", -EINVAL, "it has 3: all or none"},
		{"halfreplicas", -EINVAL, "update_each it has 1: all or none"},
		{"noclose", -EINVAL, "mandatory operation close"},
		{"hugesize", -EINVAL, "size of its descriptor"},
		{"badscheme", -EINVAL, "scheme is missing or malformed"},
		{"mismatch", -EINVAL, "calls itself 'another' but its file is pbit-mismatch.so"},
		{"duplicate", -EEXIST, "scheme 'software' is taken by the built-in backend"},
		{"rival", -EEXIST, "pbit-good.so"},
		{"unresolved", -ENOEXEC, "pbit_function_that_is_nowhere"},
		{"notelf", -ENOEXEC, "not a shared object"},
		{"cut", -ENOEXEC, "cut short"},
	};
	const size_t n = sizeof(expected) / sizeof(expected[0]);
	struct listing listing;

	(void)state;
	pbit_clear_error();
	for (int round = 0; round < 2; round++) {
		list(plugin_folder(), &listing);
		for (size_t i = 0; i < n; i++) {
			const struct listed *entry = find(&listing, expected[i].name);

			if (!entry)
				fail_msg("%s is not listed", expected[i].name);
			if (entry->status != expected[i].status ||
			    !strstr(entry->reason, expected[i].reason))
				fail_msg("%s: %d, \"%s\"", entry->name, entry->status,
					 entry->reason);
		}
		assert_int_equal(listing.n, n);
	}
	/* Refusals are no failures of the call. */
	assert_int_equal(pbit_last_error()->code, 0);
	assert_int_equal(find(&listing, "wrongmajor")->abi, (PBIT_ABI_MAJOR + 1) << 16 | 3);
	assert_int_equal(find(&listing, "good")->abi, PBIT_ABI);
	assert_string_equal(find(&listing, "software")->path, "");
	assert_non_null(strstr(find(&listing, "good")->path, "/pbit-good.so"));
	assert_string_equal(listing.entry[0].name, "software");
}

static int stop_at_first(const struct pbit_backend_info *info, void *user)
{
	(void)info;
	++*(int *)user;
	return 1;
}

static void test_list_arguments(void **state)
{
	struct pbit_open_opts opts = PBIT_INIT(opts);
	int calls = 0;

	(void)state;
	assert_int_equal(pbit_list_backends(NULL, NULL, NULL), -EINVAL);
	assert_int_equal(pbit_list_backends(opts_for(plugin_folder()), stop_at_first, &calls), 1);
	assert_int_equal(calls, 1);
	opts.flags = 1;
	assert_int_equal(pbit_list_backends(&opts, stop_at_first, &calls), -EINVAL);
	opts.flags = 0;
	opts.struct_size = 3;
	assert_int_equal(pbit_list_backends(&opts, stop_at_first, &calls), -EINVAL);
	assert_int_equal(calls, 1);
}

static void test_folders(void **state)
{
	char folder[] = "/tmp/pbit-test-XXXXXX", path[2 * PATH_MAX], link[128], odd[128],
	     pipe_name[128];
	struct listing listing;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(link, sizeof(link), "%s/pbit-good.so", folder);
	snprintf(odd, sizeof(odd), "%s/pbit-odd.so", folder);
	snprintf(pipe_name, sizeof(pipe_name), "%s/pbit-pipe.so", folder);
	snprintf(path, sizeof(path), "%s/pbit-good.so", plugin_folder());
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(mkdir(odd, 0700), 0);
	assert_int_equal(mkfifo(pipe_name, 0600), 0);

	list("", &listing);
	assert_int_equal(listing.n, BUILT_IN);
	list("/nowhere/at/all::/dev/null:", &listing);
	assert_int_equal(listing.n, BUILT_IN);
	list(folder, &listing);
	assert_int_equal(listing.n, BUILT_IN + 3);
	assert_int_equal(find(&listing, "good")->status, 0);
	assert_int_equal(find(&listing, "odd")->status, -ENOEXEC);
	assert_int_equal(find(&listing, "pipe")->status, -ENOEXEC);

	/* The first folder's good wins, the second's is named as refused. */
	snprintf(path, sizeof(path), "%s:%s", folder, plugin_folder());
	list(path, &listing);
	assert_string_equal(find(&listing, "good")->path, link);
	assert_int_equal(find(&listing, "oldtable")->status, 0);
	int refused = 0;

	for (int i = 0; i < listing.n; i++)
		if (!strcmp(listing.entry[i].name, "good") && listing.entry[i].status == -EEXIST) {
			assert_non_null(strstr(listing.entry[i].reason, link));
			refused++;
		}
	assert_int_equal(refused, 1);

	/* The environment, where the options say nothing. */
	setenv("PBIT_BACKEND_PATH", folder, 1);
	list(NULL, &listing);
	assert_int_equal(listing.n, BUILT_IN + 3);
	list("", &listing);
	assert_int_equal(listing.n, BUILT_IN);
	unsetenv("PBIT_BACKEND_PATH");
	unlink(link);
	unlink(pipe_name);
	rmdir(odd);
	rmdir(folder);
}

static void test_open_errors(void **state)
{
	static const struct {
		const char *uri;
		int code;
		uint32_t error_class;
		const char *words;
	} cases[] = {
		{"wrongmajor:", -EPROTO, PBIT_ERR_VERSION, "accepts 1.0 to 1.1"},
		{"newerminor:x", -EPROTO, PBIT_ERR_VERSION, "interface 1.2"},
		{"missingops:", -ENOENT, PBIT_ERR_NO_DRIVER, "pbit-missingops.so was refused"},
		{"notelf:", -ENOENT, PBIT_ERR_NO_DRIVER, "not a shared object"},
		{"goood:", -ENOENT, PBIT_ERR_URI, "did you mean 'good:'?"},
		{"sofware:", -ENOENT, PBIT_ERR_URI, "did you mean 'software:'?"},
		{"soft:", -ENOENT, PBIT_ERR_URI, "did you mean 'software:'?"},
		{"zzzzz:", -ENOENT, PBIT_ERR_URI,
		 "known are software:, fpga:, pci:, rules:, good:, liar:, oldtable:"},
		{"good:nothing=1", -EINVAL, PBIT_ERR_URI, "known parameters: fan-in"},
		{"good:fail=13", -EACCES, PBIT_ERR_PERMISSION, "join the group"},
		{"good:fail=13,silent=1", -EACCES, PBIT_ERR_PERMISSION, "open() of the backend"},
		{"good:fail=19,silent=1", -ENODEV, PBIT_ERR_NO_DEVICE, "open() of the backend"},
		{"good:fail=110,silent=1", -ETIMEDOUT, PBIT_ERR_TIMEOUT, "open() of the backend"},
		{"good:caps-error=5", -EIO, PBIT_ERR_DEVICE, "get_caps() of the backend"},
		{"oldtable", -EINVAL, PBIT_ERR_URI, "scheme"},
		{"", -EINVAL, PBIT_ERR_URI, "empty"},
	};
	struct pbit_device *dev = (struct pbit_device *)8;
	char record[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = pbit_open(cases[i].uri, opts_for(plugin_folder()), &dev);

		pbit_format_error(record, sizeof(record));
		if (rc != cases[i].code || pbit_last_error()->error_class != cases[i].error_class ||
		    !strstr(record, cases[i].words))
			fail_msg("%s: %d, class %s, \"%s\"", cases[i].uri, rc,
				 pbit_error_class_name(pbit_last_error()->error_class), record);
		assert_null(dev);
	}
	assert_int_equal(pbit_open("good:", NULL, NULL), -EINVAL);
}

static void test_open_and_use(void **state)
{
	struct pbit_device *dev, *second;
	struct pbit_caps caps = PBIT_INIT(caps);

	(void)state;
	pbit_fail(-EDOM, PBIT_ERR_ARGUMENT, "earlier", NULL, NULL, "failure");
	assert_int_equal(
		pbit_open("good:dev%2fx,record=1,fan-in=9", opts_for(plugin_folder()), &dev), 0);
	/* Success leaves the record alone, whatever the backend did on its way. */
	assert_int_equal(pbit_last_error()->code, -EDOM);
	assert_string_equal(pbit_device_uri(dev), "good:dev%2Fx,record=1,fan-in=9");
	assert_int_equal(pbit_open(pbit_device_uri(dev), opts_for(plugin_folder()), &second), 0);
	assert_int_equal(pbit_get_caps(dev, &caps), 0);
	assert_int_equal(caps.fan_in, 9);
	assert_int_equal(caps.stated, PBIT_CAP_FAN_IN);
	assert_int_equal(strlen(caps.name), sizeof(caps.name) - 1);
	pbit_close(dev);
	assert_int_equal(pbit_get_caps(second, &caps), 0);
	pbit_close(second);
	/* A layer operation behind the end of an older table is not there. */
	assert_int_equal(pbit_open("oldtable:", opts_for(plugin_folder()), &dev), 0);
	assert_int_equal(pbit_get_caps(dev, &caps), 0);
	assert_false(caps.flags & PBIT_FLAG_LAYERS);
	pbit_close(dev);
	pbit_close(NULL);
}

/* A device must not state a mode that its backend has no operations for. */
static void test_false_promise(void **state)
{
	struct pbit_device *dev;

	(void)state;
	assert_int_equal(pbit_open("liar:", opts_for(plugin_folder()), &dev), -EPROTO);
	assert_int_equal(pbit_last_error()->error_class, PBIT_ERR_DEVICE);
	assert_non_null(strstr(pbit_last_error()->why, "states the layer mode"));
	assert_null(dev);
	/* To state less than the operations suggest is fine. */
	assert_int_equal(pbit_open("good:flags=0", opts_for(plugin_folder()), &dev), 0);
	pbit_close(dev);
	assert_string_equal(pbit_device_uri(NULL), "");
}

/* What a thread returns where something was wrong. */
static void *complain(const char *text)
{
	return (void *)(uintptr_t)text;
}

static const char *folder_of_plugins; /* found once, before the threads */

static void *open_many(void *arg)
{
	struct pbit_open_opts opts = PBIT_INIT(opts);
	struct pbit_device *dev;
	struct listing *listing = arg;
	int n;

	opts.backend_path = folder_of_plugins;
	for (int i = 0; i < 10; i++) {
		if (pbit_open(i % 2 ? "good:" : "oldtable:", &opts, &dev))
			return complain("open failed");
		listing->n = 0;
		n = pbit_list_backends(&opts, keep_backend, listing);
		if (n != listing->n)
			return complain("list failed");
		pbit_close(dev);
		if (pbit_open("zzz:", &opts, &dev) != -ENOENT)
			return complain("unknown scheme opened");
	}
	return NULL;
}

static void test_threads(void **state)
{
	static struct listing listings[3];
	pthread_t threads[3];
	void *complaint;

	(void)state;
	folder_of_plugins = plugin_folder();
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, open_many, &listings[i]);
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], &complaint);
		assert_null(complaint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),	     cmocka_unit_test(test_list_arguments),
		cmocka_unit_test(test_folders),	     cmocka_unit_test(test_open_errors),
		cmocka_unit_test(test_open_and_use), cmocka_unit_test(test_false_promise),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
