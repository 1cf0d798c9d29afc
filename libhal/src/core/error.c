/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of the last failure, one per thread. Its strings live in fixed buffers of the
 * thread's own storage: making a record needs no memory, so running out of memory can be reported,
 * and nothing is left to free when a thread ends.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pbit/backend.h>
#include "core/error.h"
#include "core/text.h"

static _Thread_local struct pbit__error_copy record;
static _Thread_local struct pbit_error shown;

const struct pbit_error *pbit_last_error(void)
{
	shown = (struct pbit_error){
		.struct_size = sizeof(shown),
		.code = record.code,
		.error_class = record.error_class,
		.native = record.native,
		.what = record.what,
		.where = record.where,
		.why = record.why,
		.hint = record.hint,
	};
	return &shown;
}

void pbit_clear_error(void)
{
	memset(&record, 0, sizeof(record));
}

void pbit__error_save(struct pbit__error_copy *copy)
{
	*copy = record;
}

void pbit__error_restore(const struct pbit__error_copy *copy)
{
	record = *copy;
}

int pbit_fail(int code, uint32_t error_class, const char *what, const char *where, const char *hint,
	      const char *why, ...)
{
	/* Built aside: the arguments may be strings of the record that is being replaced. */
	struct pbit__error_copy fresh;
	int saved = errno;
	va_list args;

	fresh.code = code > 0 ? -code : code ? code : -EIO;
	fresh.error_class = error_class;
	fresh.native = 0;
	fresh.why[0] = '\0';
	if (why) {
		va_start(args, why);
		pbit__text_format(fresh.why, sizeof(fresh.why), why, args);
		va_end(args);
	}
	pbit__text_copy(fresh.what, sizeof(fresh.what), what);
	pbit__text_copy(fresh.where, sizeof(fresh.where), where);
	pbit__text_copy(fresh.hint, sizeof(fresh.hint), hint);
	record = fresh;
	pbit_log(PBIT_LOG_DEBUG, "%s%s%s: %s [%s, %d]", record.what, record.where[0] ? ": " : "",
		 record.where, record.why, pbit_error_class_name(error_class), record.code);
	errno = saved;
	return record.code;
}

void pbit_fail_native(int native)
{
	record.native = native;
}

int pbit_format_error(char *buf, size_t size)
{
	const struct pbit__error_copy *e = &record;
	const char *colon1 = e->what[0] && (e->where[0] || e->why[0]) ? ": " : "";
	const char *colon2 = e->where[0] && e->why[0] ? ": " : "";
	const char *open = e->hint[0] ? " (" : "", *close = e->hint[0] ? ")" : "";

	return snprintf(buf, size, "%s%s%s%s%s%s%s%s", e->what, colon1, e->where, colon2, e->why,
			open, e->hint, close);
}

const char *pbit_error_class_name(uint32_t error_class)
{
	static const char *const names[] = {
		[PBIT_ERR_NONE] = "none",	    [PBIT_ERR_ARGUMENT] = "argument",
		[PBIT_ERR_FILE] = "file",	    [PBIT_ERR_URI] = "uri",
		[PBIT_ERR_NO_DEVICE] = "no-device", [PBIT_ERR_PERMISSION] = "no-permission",
		[PBIT_ERR_NO_DRIVER] = "no-driver", [PBIT_ERR_VERSION] = "version",
		[PBIT_ERR_RESOURCE] = "resource",   [PBIT_ERR_LIMIT] = "limit",
		[PBIT_ERR_DEVICE] = "device",	    [PBIT_ERR_GONE] = "gone",
		[PBIT_ERR_TIMEOUT] = "timeout",	    [PBIT_ERR_CANCELLED] = "cancelled",
		[PBIT_ERR_INTERNAL] = "internal",
	};

	return error_class < sizeof(names) / sizeof(names[0]) ? names[error_class] : "unknown";
}
