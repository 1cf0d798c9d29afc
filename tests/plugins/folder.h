/* SPDX-License-Identifier: Apache-2.0 */
/* Where the stand-in plugins are: beside the folder of the test program. */
#ifndef TEST_PLUGIN_FOLDER_H
#define TEST_PLUGIN_FOLDER_H

#include <limits.h>
#include <string.h>
#include <unistd.h>

static inline const char *plugin_folder(void)
{
	static char path[PATH_MAX + 16];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	for (int up = 0; up < 2; up++)
		if ((slash = strrchr(path, '/')))
			*slash = '\0';
	return strcat(path, "/plugins");
}

#endif
