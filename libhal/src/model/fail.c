/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors of the model loader: each names the source, the node and the property. Text that comes
 * from a file may hold anything, so bytes that would disturb a terminal are masked.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "model.h"

/* Of a long path the end is shown: node and property behind it must not be cut off. */
#define SOURCE_SHOWN 256

static void mask_controls(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

int pbit__model_fail(const struct pbit__origin *origin, int code, const char *path,
		     const char *property, const char *fmt, ...)
{
	char where[SOURCE_SHOWN + 384], why[512];
	size_t length = strlen(origin->source);
	bool cut = length > SOURCE_SHOWN;
	va_list args;

	snprintf(where, sizeof(where), "%s%s%s%s%s%s", cut ? "..." : "",
		 origin->source + (cut ? length - SOURCE_SHOWN : 0), path ? ":" : "",
		 path ? path : "", property && path && path[1] ? "/" : "",
		 property ? property : "");
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	mask_controls(where);
	mask_controls(why);
	return pbit_fail(code, origin->error_class, origin->what, where, origin->hint, "%s", why);
}

int pbit__model_no_memory(const struct pbit__origin *origin, size_t size)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, origin->what, origin->source,
			 "free memory or use a smaller model", "out of memory for %zu bytes", size);
}
