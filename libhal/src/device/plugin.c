/* SPDX-License-Identifier: Apache-2.0 */
/* Loads a plugin and keeps it; see plugin.h. A refused one is unloaded at once. */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/text.h"
#include "device/backend_check.h"
#include "device/plugin.h"

struct loaded {
	struct loaded *next;
	void *handle;
};

/* One load at a time; recursive, since a plugin's constructor may use the library. */
static pthread_mutex_t loader_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static struct loaded *loaded; /* accepted plugins, once each; under loader_lock */

static void refuse(struct pbit__plugin_result *result, int status, const char *fmt, ...)
	PBIT_PRINTF(3, 4);
static void refuse(struct pbit__plugin_result *result, int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	pbit__text_format(result->reason, sizeof(result->reason), fmt, args);
	va_end(args);
	result->status = status;
}

/*
 * The loader counts references and returns the same handle for the same file, so that one
 * reference is kept and any further one given back.
 */
static int keep(void *handle)
{
	struct loaded *entry;

	for (entry = loaded; entry; entry = entry->next)
		if (entry->handle == handle)
			break;
	if (entry) {
		dlclose(handle);
		return 0;
	}
	entry = malloc(sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	*entry = (struct loaded){.next = loaded, .handle = handle};
	loaded = entry;
	return 0;
}

/* The exported descriptor and its size, 0 where the object has no size. */
static const struct pbit_backend *find_entry(void *handle, size_t *size,
					     struct pbit__plugin_result *result)
{
	void *entry = dlsym(handle, "pbit_backend_entry");
	const ElfW(Sym) *symbol = NULL;
	void *extra = NULL;
	Dl_info info;

	*size = 0;
	if (!entry) {
		refuse(result, -ENOEXEC, "it does not export pbit_backend_entry");
		return NULL;
	}
	if (dladdr1(entry, &info, &extra, RTLD_DL_SYMENT) && (symbol = extra) &&
	    info.dli_saddr == entry) {
		*size = symbol->st_size;
		if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC) {
			refuse(result, -EINVAL,
			       "its pbit_backend_entry is a function, not a descriptor");
			return NULL;
		}
	}
	return entry;
}

static void examine(void *handle, const char *name, struct pbit__plugin_result *result)
{
	const struct pbit_backend *backend;
	size_t size;

	backend = find_entry(handle, &size, result);
	if (!backend)
		return;
	if (!size || size >= 2 * sizeof(uint32_t))
		result->abi = backend->abi;
	result->status =
		pbit__backend_check(backend, size, name, result->reason, sizeof(result->reason));
	if (!result->status)
		result->backend = backend;
}

static void load_locked(const char *path, const char *name, struct pbit__plugin_result *result)
{
	const char *message;
	void *handle;

	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		message = dlerror();
		refuse(result, -ENOEXEC, "the loader refused it: %s",
		       message ? message : "no reason given");
		return;
	}
	examine(handle, name, result);
	if (!result->status && keep(handle)) {
		result->backend = NULL;
		refuse(result, -ENOMEM, "out of memory");
	}
	if (result->status)
		dlclose(handle);
}

void pbit__plugin_load(const char *path, const char *name, struct pbit__plugin_result *result)
{
	*result = (struct pbit__plugin_result){.backend = NULL};
	result->status = pbit__plugin_file_check(path, result->reason, sizeof(result->reason));
	if (result->status)
		return;
	pthread_mutex_lock(&loader_lock);
	load_locked(path, name, result);
	pthread_mutex_unlock(&loader_lock);
}
