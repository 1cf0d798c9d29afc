/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a backend's descriptor: interface version before anything else, then the sizes of its
 * tables, its names, and that the operations it offers make up whole modes.
 */
#include <errno.h>
#include <string.h>

#include "core/args.h"
#include "core/text.h"
#include "device/address.h"
#include "device/backend_check.h"

#define NAME_MAX_LENGTH 64u
#define TABLE_SANE	4096u

/* The sizes of interface 1.0: what every descriptor of this major version has. */
#define DESCRIPTOR_LEAST PBIT__SIZE_TO(struct pbit_backend, ops)
#define OPS_LEAST	 PBIT__SIZE_TO(struct pbit_backend_ops, get_caps)

struct verdict {
	char *reason;
	size_t size;
};

static int refuse(const struct verdict *v, int code, const char *fmt, ...) PBIT_PRINTF(3, 4);
static int refuse(const struct verdict *v, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	pbit__text_format(v->reason, v->size, fmt, args);
	va_end(args);
	return code;
}

static int check_version(const struct verdict *v, const struct pbit_backend *backend)
{
	uint32_t abi = backend->abi;

	if (abi >= PBIT_ABI_OLDEST && abi <= PBIT_ABI)
		return 0;
	return refuse(v, -EPROTO,
		      "it was built for backend interface %u.%u, this library accepts %u.%u to "
		      "%u.%u",
		      abi >> 16, abi & 0xffff, PBIT_ABI_OLDEST >> 16, PBIT_ABI_OLDEST & 0xffff,
		      PBIT_ABI_MAJOR, PBIT_ABI_MINOR);
}

static int name_valid(const char *name)
{
	size_t n;

	for (n = 0; name[n]; n++)
		if (n >= NAME_MAX_LENGTH ||
		    !strchr("abcdefghijklmnopqrstuvwxyz0123456789_-+", name[n]))
			return 0;
	return n > 0 && name[0] != '-';
}

static int check_names(const struct verdict *v, const struct pbit_backend *backend,
		       const char *file_name)
{
	if (!backend->name || !name_valid(backend->name))
		return refuse(v, -EINVAL, "its name is missing or malformed");
	if (file_name && strcmp(backend->name, file_name))
		return refuse(v, -EINVAL, "it calls itself '%s' but its file is pbit-%s.so",
			      backend->name, file_name);
	if (!backend->scheme || !pbit__scheme_valid(backend->scheme))
		return refuse(v, -EINVAL, "its scheme is missing or malformed");
	return 0;
}

void pbit__backend_ops(const struct pbit_backend *backend, struct pbit_backend_ops *ops)
{
	size_t size = backend->ops->struct_size;

	memset(ops, 0, sizeof(*ops));
	memcpy(ops, backend->ops, size < sizeof(*ops) ? size : sizeof(*ops));
}

/* What 1.1 added, all of it beyond the four operations of Boltzmann mode. */
static int check_chains(const struct verdict *v, const struct pbit_backend_ops *ops)
{
	int replicas = !!ops->program_replicas + !!ops->clamp_each + !!ops->update_each;

	if (replicas % 3)
		return refuse(v, -EINVAL,
			      "of program_replicas, clamp_each and update_each it has %d: all or "
			      "none belong together",
			      replicas);
	if (!ops->program && (replicas || ops->seek || ops->rebias))
		return refuse(v, -EINVAL, "it has %s but no Boltzmann mode",
			      replicas	  ? "replicas"
			      : ops->seek ? "seek"
					  : "rebias");
	return 0;
}

static int check_ops(const struct verdict *v, const struct pbit_backend *backend)
{
	struct pbit_backend_ops ops;
	int boltzmann, layers;

	if (!backend->ops)
		return refuse(v, -EINVAL, "it has no table of operations");
	if (backend->ops->struct_size < OPS_LEAST || backend->ops->struct_size > TABLE_SANE)
		return refuse(v, -EINVAL,
			      "the size of its table of operations is %u, expected %zu to %u",
			      backend->ops->struct_size, OPS_LEAST, TABLE_SANE);
	pbit__backend_ops(backend, &ops);
	if (!ops.open || !ops.close || !ops.get_caps)
		return refuse(v, -EINVAL, "it lacks the mandatory operation %s",
			      !ops.open	   ? "open"
			      : !ops.close ? "close"
					   : "get_caps");
	boltzmann = !!ops.program + !!ops.clamp + !!ops.update + !!ops.read;
	layers = !!ops.net_load + !!ops.net_unload + !!ops.net_run;
	if (boltzmann % 4)
		return refuse(v, -EINVAL,
			      "of program, clamp, update and read it has %d: all or none belong "
			      "together",
			      boltzmann);
	if (layers % 3)
		return refuse(v, -EINVAL,
			      "of net_load, net_unload and net_run it has %d: all or none belong "
			      "together",
			      layers);
	if (!boltzmann && !layers)
		return refuse(v, -EINVAL, "it offers neither Boltzmann mode nor layer mode");
	return check_chains(v, &ops);
}

int pbit__backend_check(const struct pbit_backend *backend, size_t symbol_size,
			const char *file_name, char *reason, size_t reason_size)
{
	const struct verdict v = {reason, reason_size};
	int rc;

	if (symbol_size && symbol_size < PBIT__SIZE_TO(struct pbit_backend, abi))
		return refuse(&v, -EINVAL, "its descriptor has only %zu bytes", symbol_size);
	rc = check_version(&v, backend);
	if (rc)
		return rc;
	if (backend->struct_size < DESCRIPTOR_LEAST || backend->struct_size > TABLE_SANE ||
	    (symbol_size && backend->struct_size > symbol_size))
		return refuse(&v, -EINVAL, "the size of its descriptor is %u, expected %zu to %zu",
			      backend->struct_size, DESCRIPTOR_LEAST,
			      symbol_size ? symbol_size : TABLE_SANE);
	rc = check_names(&v, backend, file_name);
	return rc ? rc : check_ops(&v, backend);
}
