/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors. Every call that can fail returns a negative errno value, and leaves a
 * record of what, where, why and what to do in the calling thread. The library never prints,
 * exits or aborts.
 */
#ifndef PBIT_ERROR_H
#define PBIT_ERROR_H

#include <pbit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What kind of trouble it is: what a program would branch on beyond errno. */
enum pbit_error_class {
	PBIT_ERR_NONE = 0,
	PBIT_ERR_ARGUMENT,   /* the caller's argument is wrong */
	PBIT_ERR_FILE,	     /* a file cannot be read or written, or its content is wrong */
	PBIT_ERR_URI,	     /* an address does not follow the grammar or names no backend */
	PBIT_ERR_NO_DEVICE,  /* the address is right and nothing answers */
	PBIT_ERR_PERMISSION, /* a device is there, this user may not open it */
	PBIT_ERR_NO_DRIVER,  /* a device is there, its driver or plugin is not */
	PBIT_ERR_VERSION,    /* an interface version is outside the accepted range */
	PBIT_ERR_RESOURCE,   /* memory, file descriptors, threads, a device's own limit */
	PBIT_ERR_LIMIT,	     /* the request exceeds what the device states it can do */
	PBIT_ERR_DEVICE,     /* the device reported an error or answered nonsense */
	PBIT_ERR_GONE,	     /* the device was removed or reset; the handle is dead */
	PBIT_ERR_TIMEOUT,    /* the deadline passed */
	PBIT_ERR_CANCELLED,  /* cancelled by the caller */
	PBIT_ERR_INTERNAL,   /* a defect of the library */
};

/* The record of the last failure in this thread. Strings are never NULL ("" where unknown). */
struct pbit_error {
	uint32_t struct_size;
	int32_t code;	      /* negative errno, 0 for none */
	uint32_t error_class; /* enum pbit_error_class */
	int32_t native;	      /* the backend's own code, 0 for none */
	const char *what;     /* what failed: "cannot load model" */
	const char *where;    /* URI, file, property path, offset */
	const char *why;      /* the cause */
	const char *hint;     /* what to do */
};

/*
 * The last failure in the calling thread. The record and its strings stay valid
 * until the next failing call in this thread; successful calls leave it alone. Never NULL, never
 * fails, any thread.
 */
PBIT_API const struct pbit_error *pbit_last_error(void);

/* Forgets the calling thread's record. */
PBIT_API void pbit_clear_error(void);

/*
 * Formats the calling thread's record on one line, "what: where: why (hint)",
 * like snprintf(): at most size bytes with the final NUL, returns the length of the whole text.
 */
PBIT_API int pbit_format_error(char *buf, size_t size);

/* Name of a class, "no-permission" style, for programs; static, "unknown" outside the list. */
PBIT_API const char *pbit_error_class_name(uint32_t error_class);

/* Log levels, also the values of the environment variable PBIT_LOG by name. */
enum pbit_log_level {
	PBIT_LOG_NONE = 0,
	PBIT_LOG_ERROR = 1,
	PBIT_LOG_WARN = 2,
	PBIT_LOG_INFO = 3,
	PBIT_LOG_DEBUG = 4,
};

/* Receives one line without a newline. Called in any thread, possibly several at once. */
typedef void pbit_log_fn(int level, const char *line, void *user);

/*
 * Sends log lines of at most `level` to fn. NULL restores the default: lines go
 * to standard error if the environment variable PBIT_LOG is one of error, warn, info, debug, and
 * nowhere otherwise. (That variable is a person's request to see them; without it the library is
 * silent.) Any thread; takes effect at once. A callback replaced here may still be running in
 * another thread when this returns.
 */
PBIT_API void pbit_set_log(pbit_log_fn *fn, void *user, int level);

#ifdef __cplusplus
}
#endif
#endif
