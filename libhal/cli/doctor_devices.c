/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the library, its backends and the devices they find. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>
#include "doctor.h"

#define ABI_TEXT(abi) (abi) >> 16, (abi)&0xffff

void check_library(struct doctor *doctor)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "%d.%d.%d", PBIT_VERSION_MAJOR, PBIT_VERSION_MINOR,
		 PBIT_VERSION_PATCH);
	if (strcmp(expected, pbit_version()) != 0)
		doctor_add(doctor, VERDICT_WARNING, "library",
			   "install pbit and libpbit of the same version",
			   "libpbit %s, while this command was built with %s", pbit_version(),
			   expected);
	else
		doctor_add(doctor, VERDICT_OK, "library", "", "libpbit %s", pbit_version());
	doctor_add(doctor, VERDICT_OK, "plugin interface", "", "%u.%u to %u.%u are accepted",
		   ABI_TEXT(PBIT_ABI_OLDEST), ABI_TEXT(PBIT_ABI));
}

/* Plugins in a folder, -1 with errno where it cannot be read. */
static int count_plugins(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int n = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);

		if (length > 8 && !strncmp(entry->d_name, "pbit-", 5) &&
		    !strcmp(entry->d_name + length - 3, ".so"))
			n++;
	}
	closedir(dir);
	return n;
}

static void check_folder(struct doctor *doctor, const char *folder, bool is_default)
{
	int n = count_plugins(folder);

	if (n >= 0)
		doctor_add(doctor, VERDICT_OK, "backend folder", "", "%s: %d plugin%s", folder, n,
			   n == 1 ? "" : "s");
	else if (errno == ENOENT && is_default)
		doctor_add(doctor, VERDICT_OK, "backend folder", "",
			   "%s: missing (only built-in backends)", folder);
	else
		doctor_add(doctor, VERDICT_WARNING, "backend folder",
			   "correct PBIT_BACKEND_PATH, or make the folder readable", "%s: %s",
			   folder, errno == ENOENT ? "missing" : strerror(errno));
}

static void check_folders(struct doctor *doctor)
{
	const char *path = getenv("PBIT_BACKEND_PATH");
	char *copy, *rest, *folder;

	if (!path || !*path) {
		check_folder(doctor, PBIT_BACKENDDIR, true);
		return;
	}
	copy = strdup(path);
	if (!copy) {
		doctor->failed = true;
		return;
	}
	rest = copy;
	while ((folder = strsep(&rest, ":")))
		if (*folder)
			check_folder(doctor, folder, false);
	free(copy);
}

static int add_backend(const struct pbit_backend_info *info, void *user)
{
	struct doctor *doctor = user;
	const char *origin = *info->path ? info->path : "built in";

	if (info->status == 0)
		doctor_add(doctor, VERDICT_OK, "backend", "", "%s %s (%s)", info->name,
			   info->version, origin);
	else
		doctor_add(doctor, VERDICT_PROBLEM, "backend",
			   info->status == -EPROTO
				   ? "rebuild or upgrade the plugin for this libpbit"
				   : "repair the plugin or remove it from the folder",
			   "%s: %s", *info->path ? info->path : info->name,
			   *info->reason ? info->reason : strerror(-info->status));
	return 0;
}

static void add_failure(struct doctor *doctor, const char *name)
{
	char text[512];

	pbit_format_error(text, sizeof(text));
	doctor_add(doctor, VERDICT_PROBLEM, name, "", "%s", text);
}

void check_backends(struct doctor *doctor)
{
	check_folders(doctor);
	if (pbit_list_backends(NULL, add_backend, doctor) < 0)
		add_failure(doctor, "backend");
}

static const char *device_advice(int status)
{
	switch (status) {
	case -EACCES:
	case -EPERM:
		return "join the group that owns the device (pbit for /dev/pbitN, by the driver's "
		       "udev rule), then log in anew";
	case -EBUSY:
		return "end the program that uses it, or wait for it";
	case -ENODEV:
	case -ENXIO:
		return "check that the device is connected and powered";
	case -ENOENT:
		return "load the device's driver";
	case -EPROTO:
		return "bring driver and libpbit to matching versions";
	default:
		return "see the reason; PBIT_LOG=debug tells more";
	}
}

static int add_device(const struct pbit_found *found, void *user)
{
	struct doctor *doctor = user;

	if (found->status == 0) {
		doctor->usable++;
		doctor_add(doctor, VERDICT_OK, "device", "", "%s %s", found->uri,
			   found->description);
	} else {
		doctor_add(doctor, VERDICT_PROBLEM, "device", device_advice(found->status),
			   "%s: %s", found->uri,
			   *found->reason ? found->reason : strerror(-found->status));
	}
	return 0;
}

void check_devices(struct doctor *doctor)
{
	int n = pbit_scan(NULL, NULL, add_device, doctor);

	if (n < 0)
		add_failure(doctor, "device");
	else if (n == 0)
		doctor_add(doctor, VERDICT_PROBLEM, "device",
			   "connect a device, or install a backend that has one",
			   "no backend found any");
}
