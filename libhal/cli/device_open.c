/* SPDX-License-Identifier: Apache-2.0 */
/* Opens devices as the options --device and --threads ask for. */
#include "device_open.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>
#include "number.h"

#define SOFTWARE "software:"

static const struct pbit_open_opts open_opts = {
	.struct_size = (uint32_t)sizeof(open_opts),
	.consumer = "pbit",
};

static bool is_software(const char *uri)
{
	return !strncmp(uri, SOFTWARE, strlen(SOFTWARE));
}

/* The text behind "threads=" in the parameters of an address. */
static const char *find_threads(const char *uri)
{
	const char *at = strchr(uri, ':');

	while (at && *at) {
		if (!strncmp(at + 1, "threads=", 8))
			return at + 9;
		at = strchr(at + 1, ',');
	}
	return NULL;
}

uint64_t device_uri_threads(const char *uri)
{
	const char *text = find_threads(uri);
	char digits[24];
	uint64_t threads;
	size_t length;

	if (!text)
		return 0;
	length = strcspn(text, ",");
	if (length >= sizeof(digits))
		return 0;
	memcpy(digits, text, length);
	digits[length] = '\0';
	return number_parse(digits, 1, THREADS_MAX, &threads) ? threads : 0;
}

static int not_software(const char *uri)
{
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot set --threads", uri,
			 "leave --threads out, or add --device software:",
			 "only the software device has threads");
}

static int open_with_threads(const char *uri, uint64_t threads, struct pbit_device **dev)
{
	const char *separator = strcmp(uri, SOFTWARE) ? "," : "";
	char *text;
	int err;

	if (!is_software(uri))
		return not_software(uri);
	if (find_threads(uri))
		return pbit_open(uri, &open_opts, dev);
	if (asprintf(&text, "%s%sthreads=%llu", uri, separator, (unsigned long long)threads) < 0)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot open device", uri, NULL,
				 "out of memory");
	err = pbit_open(text, &open_opts, dev);
	free(text);
	return err;
}

int device_open(const char *uri, uint64_t threads, struct pbit_device **dev)
{
	struct pbit_device *best;
	int err;

	if (threads == 0)
		return pbit_open(uri, &open_opts, dev);
	if (!uri) {
		uri = getenv("PBIT_URI");
		if (uri && !*uri)
			uri = NULL;
	}
	if (uri)
		return open_with_threads(uri, threads, dev);
	err = pbit_open(NULL, &open_opts, &best);
	if (err)
		return err;
	if (!is_software(pbit_device_uri(best)))
		err = not_software(pbit_device_uri(best));
	pbit_close(best);
	return err ? err : open_with_threads(SOFTWARE, threads, dev);
}
