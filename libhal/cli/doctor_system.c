/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of what surrounds the library: environment, processor, data, tools, limits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <pbit/pbit.h>
#include "dataset.h"
#include "device_open.h"
#include "doctor.h"
#include "dtc.h"
#include "suggest.h"

#define N(list) (sizeof(list) / sizeof((list)[0]))

extern char **environ;

static const char *const variables[] = {"PBIT_URI", "PBIT_BACKEND_PATH", "PBIT_LOG",
					"PBIT_DATA_DIR"};

static bool is_variable(const char *name)
{
	for (size_t i = 0; i < N(variables); i++)
		if (!strcmp(name, variables[i]))
			return true;
	return false;
}

/* PBIT_URI decides what every command uses by default, so it had better open. */
static void check_uri(struct doctor *doctor, const char *uri)
{
	struct pbit_device *dev;
	char text[512];

	if (!*uri) {
		doctor_add(doctor, VERDICT_OK, "environment", "", "PBIT_URI is empty");
	} else if (pbit_open(uri, NULL, &dev)) {
		pbit_format_error(text, sizeof(text));
		doctor_add(doctor, VERDICT_PROBLEM, "environment",
			   "correct PBIT_URI, or unset it to use the best device",
			   "PBIT_URI=%s: %s", uri, text);
	} else {
		doctor_add(doctor, VERDICT_OK, "environment", "", "PBIT_URI=%s opens", uri);
		pbit_close(dev);
	}
}

static void check_log(struct doctor *doctor, const char *level)
{
	static const char *const levels[] = {"error", "warn", "info", "debug", ""};

	for (size_t i = 0; i < N(levels); i++) {
		if (!strcmp(level, levels[i])) {
			doctor_add(doctor, VERDICT_OK, "environment", "", "PBIT_LOG=%s", level);
			return;
		}
	}
	doctor_add(doctor, VERDICT_WARNING, "environment", "set it to error, warn, info or debug",
		   "PBIT_LOG=%s is no log level", level);
}

static void check_variable(struct doctor *doctor, const char *name, const char *value)
{
	const char *nearest;

	if (!strcmp(name, "PBIT_URI")) {
		check_uri(doctor, value);
	} else if (!strcmp(name, "PBIT_LOG")) {
		check_log(doctor, value);
	} else if (is_variable(name)) {
		doctor_add(doctor, VERDICT_OK, "environment", "", "%s=%s", name, value);
	} else {
		nearest = suggest(name, variables, N(variables));
		doctor_add(doctor, VERDICT_WARNING, "environment", "correct its name, or unset it",
			   "%s has no meaning to libpbit%s%s", name, nearest ? "; similar: " : "",
			   nearest ? nearest : "");
	}
}

void check_environment(struct doctor *doctor)
{
	size_t n = 0;

	for (char **entry = environ; *entry; entry++) {
		const char *equals = strchr(*entry, '=');
		char *name;

		if (!equals || strncmp(*entry, "PBIT_", 5) != 0)
			continue;
		n++;
		name = strndup(*entry, (size_t)(equals - *entry));
		if (!name) {
			doctor->failed = true;
			return;
		}
		check_variable(doctor, name, equals + 1);
		free(name);
	}
	if (n == 0)
		doctor_add(doctor, VERDICT_OK, "environment", "", "no PBIT_ variable is set");
}

/* Whether a list of words separated by spaces holds word. */
static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = strstr(list, word); at; at = strstr(at + 1, word))
		if ((at == list || strchr(" \t:", at[-1])) && (!at[n] || strchr(" \n", at[n])))
			return true;
	return false;
}

/* Instruction sets that the software kernels can use, of those the processor has. */
static void list_features(char *text, size_t size)
{
	static const char *const features[] = {
		"popcnt",   "avx2",	  "avx512f",	 "avx512bw",
		"avx512vl", "avx512vbmi", "avx512_vnni", "avx512_vpopcntdq",
		"amx_tile", "amx_int8",	  "asimd",	 "sve"};
	FILE *file = fopen("/proc/cpuinfo", "re");
	char *line = NULL;
	size_t room = 0, used = 0;

	text[0] = '\0';
	while (file && getline(&line, &room, file) > 0) {
		if (strncmp(line, "flags", 5) != 0 && strncmp(line, "Features", 8) != 0)
			continue;
		for (size_t i = 0; i < N(features) && used < size; i++)
			if (has_word(line, features[i]))
				used += (size_t)snprintf(text + used, size - used, "%s%s",
							 used ? " " : "", features[i]);
		break;
	}
	free(line);
	if (file)
		fclose(file);
}

void check_kernels(struct doctor *doctor)
{
	struct pbit_caps caps = PBIT_INIT(caps);
	struct pbit_device *dev;
	char text[512];

	if (device_open("software:", 0, &dev)) {
		pbit_format_error(text, sizeof(text));
		doctor_add(doctor, VERDICT_PROBLEM, "software kernels", "", "%s", text);
	} else if (pbit_get_caps(dev, &caps)) {
		pbit_format_error(text, sizeof(text));
		doctor_add(doctor, VERDICT_PROBLEM, "software kernels", "", "%s", text);
		pbit_close(dev);
	} else {
		doctor_add(doctor, VERDICT_OK, "software kernels", "", "%s",
			   *caps.version ? caps.version : "unnamed");
		pbit_close(dev);
	}
	list_features(text, sizeof(text));
	doctor_add(doctor, VERDICT_OK, "processor", "", "%ld CPUs; %s",
		   sysconf(_SC_NPROCESSORS_ONLN), *text ? text : "no known vector instructions");
}

void check_data_set(struct doctor *doctor)
{
	char *images = dataset_find_fashion_mnist("t10k-images-idx3-ubyte");
	char *labels = dataset_find_fashion_mnist("t10k-labels-idx1-ubyte");

	if (images && labels)
		doctor_add(doctor, VERDICT_OK, "data set", "", "Fashion-MNIST in %s",
			   dataset_folder());
	else
		doctor_add(doctor, VERDICT_WARNING, "data set",
			   "apt install dataset-fashion-mnist, for --data fashion-mnist",
			   "Fashion-MNIST is not in %s", dataset_folder());
	free(images);
	free(labels);
}

void check_compiler(struct doctor *doctor)
{
	char *path = dtc_find();

	if (path)
		doctor_add(doctor, VERDICT_OK, "dtc", "", "%s", path);
	else
		doctor_add(doctor, VERDICT_WARNING, "dtc",
			   "apt install device-tree-compiler, for pbit model pack and unpack",
			   "no dtc in PATH");
	free(path);
}

void check_memory_lock(struct doctor *doctor)
{
	/* What a device with a few transfer buffers pins. */
	const rlim_t enough = 8u << 20;
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	if (limit.rlim_cur == RLIM_INFINITY)
		doctor_add(doctor, VERDICT_OK, "locked memory", "", "unlimited");
	else if (limit.rlim_cur >= enough)
		doctor_add(doctor, VERDICT_OK, "locked memory", "", "up to %llu KiB",
			   (unsigned long long)limit.rlim_cur / 1024);
	else
		doctor_add(doctor, VERDICT_WARNING, "locked memory",
			   "raise it with ulimit -l, or memlock in /etc/security/limits.conf, "
			   "where a hardware device asks for it",
			   "up to %llu KiB", (unsigned long long)limit.rlim_cur / 1024);
}
