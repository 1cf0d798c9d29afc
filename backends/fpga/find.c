/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for devices of the driver in sysfs, without opening them. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "node.h"

struct fpga_paths pbit__fpga_paths = {
	.class_folder = "/sys/class/pbit",
	.node_folder = "/dev",
	.module_folder = "/sys/module/pbit",
};

bool fpga_node_name(const char *text, unsigned int *number)
{
	const char *digits = text + 4;
	unsigned long value;
	char *end;

	if (strncmp(text, "pbit", 4) || !isdigit((unsigned char)*digits) ||
	    (digits[0] == '0' && digits[1]) || strlen(digits) > 7)
		return false;
	value = strtoul(digits, &end, 10);
	*number = (unsigned int)value;
	return !*end;
}

static int by_number(const void *a, const void *b)
{
	const unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return (x > y) - (x < y);
}

int fpga_node_list(unsigned int **numbers, size_t *n)
{
	DIR *dir = opendir(pbit__fpga_paths.class_folder);
	unsigned int *list = NULL, number;
	struct dirent *entry;
	size_t room = 0;

	*numbers = NULL;
	*n = 0;
	while (dir && (entry = readdir(dir))) {
		if (!fpga_node_name(entry->d_name, &number))
			continue;
		if (*n == room) {
			unsigned int *more;

			room = room ? 2 * room : 8;
			more = realloc(list, room * sizeof(*list));
			if (!more) {
				free(list);
				closedir(dir);
				return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE,
						 "cannot look for devices", "fpga:", NULL,
						 "out of memory");
			}
			list = more;
		}
		list[(*n)++] = number;
	}
	if (dir)
		closedir(dir);
	if (*n)
		qsort(list, *n, sizeof(*list), by_number);
	*numbers = list;
	return 0;
}

void fpga_node_attribute(const char *name, const char *attribute, char *text, size_t size)
{
	char path[512];
	ssize_t n = -1;
	int fd;

	text[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/%s/%s", pbit__fpga_paths.class_folder, name,
		     attribute) >= (int)sizeof(path))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static int check_version(const char *name, char *reason, size_t size)
{
	unsigned int major, level;
	char uapi[32];

	fpga_node_attribute(name, "uapi", uapi, sizeof(uapi));
	if (sscanf(uapi, "%u.%u", &major, &level) != 2 ||
	    (major == PBIT_UAPI_MAJOR && level >= FPGA_OLDEST_LEVEL))
		return 0;
	snprintf(reason, size,
		 "the driver speaks interface %u.%u, this library accepts %u.%u to %u.x", major,
		 level, PBIT_UAPI_MAJOR, FPGA_OLDEST_LEVEL, PBIT_UAPI_MAJOR);
	return -EPROTO;
}

int fpga_node_check(const char *name, char *reason, size_t size)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", pbit__fpga_paths.node_folder, name);
	if (access(path, F_OK)) {
		snprintf(reason, size, "%s is missing: %s", path, strerror(errno));
		return -ENOENT;
	}
	if (access(path, R_OK | W_OK)) {
		snprintf(reason, size, "no permission for %s: " FPGA_PERMISSION_HINT, path);
		return -EACCES;
	}
	return check_version(name, reason, size);
}
