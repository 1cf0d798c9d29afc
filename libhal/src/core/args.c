/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and filling size-first structs of callers; see args.h. */
#include <errno.h>
#include <string.h>

#include <pbit/backend.h>
#include "core/args.h"

/* No struct of this interface comes near it: a size above is an uninitialised struct. */
#define SIZE_SANE 65536u

static int check_size(const void *caller, size_t mandatory, const char *what, const char *name,
		      uint32_t *size)
{
	if (!caller)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, name, NULL, "%s is NULL", name);
	memcpy(size, caller, sizeof(*size));
	if (*size < mandatory || *size > SIZE_SANE)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, name,
				 "initialise the struct with PBIT_INIT()",
				 "%s.struct_size is %u, expected %zu to %u", name, *size, mandatory,
				 SIZE_SANE);
	return 0;
}

int pbit__args_read(void *own, size_t own_size, const void *caller, size_t mandatory,
		    const char *what, const char *name)
{
	uint32_t size = 0, full = (uint32_t)own_size;
	int rc = check_size(caller, mandatory, what, name, &size);

	if (rc)
		return rc;
	memset(own, 0, own_size);
	memcpy(own, caller, size < own_size ? size : own_size);
	memcpy(own, &full, sizeof(full));
	return 0;
}

int pbit__args_write(void *caller, const void *own, size_t own_size, size_t mandatory,
		     const char *what, const char *name)
{
	uint32_t size = 0;
	int rc = check_size(caller, mandatory, what, name, &size);

	if (rc)
		return rc;
	memset(caller, 0, size);
	memcpy(caller, own, size < own_size ? size : own_size);
	memcpy(caller, &size, sizeof(size));
	return 0;
}
