/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing a device. What a backend hands over comes from outside the library: its
 * capabilities are checked, an error without a record gets one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boltzmann/chains.h"
#include "core/args.h"
#include "core/error.h"
#include "device/backend_check.h"
#include "device/open.h"
#include "device/registry.h"

#define WHAT "cannot open device"

int pbit__open_opts_read(const struct pbit_open_opts *opts, struct pbit_open_opts *own,
			 const char *what)
{
	const struct pbit_open_opts none = PBIT_INIT(none);
	int rc = pbit__args_read(own, sizeof(*own), opts ? opts : &none,
				 PBIT__SIZE_TO(struct pbit_open_opts, flags), what, "opts");

	if (rc)
		return rc;
	if (own->flags)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, "opts.flags", "set it to 0",
				 "unknown flags %#x", own->flags);
	if (!own->consumer)
		own->consumer = program_invocation_short_name;
	return 0;
}

/* Text from a backend, ended within its array whatever came. */
#define END_TEXT(array) ((array)[sizeof(array) - 1] = '\0')

static int read_caps(struct pbit_device *dev, struct pbit_caps *caps)
{
	int rc;

	memset(caps, 0, sizeof(*caps));
	caps->struct_size = sizeof(*caps);
	rc = dev->ops.get_caps(dev->priv, caps);
	caps->struct_size = sizeof(*caps);
	END_TEXT(caps->name);
	END_TEXT(caps->serial);
	END_TEXT(caps->version);
	return rc;
}

/* The error class of an errno, where the backend made no record. */
static uint32_t class_of(int code)
{
	switch (code) {
	case -EACCES:
	case -EPERM:
		return PBIT_ERR_PERMISSION;
	case -ENODEV:
	case -ENXIO:
	case -ENOENT:
		return PBIT_ERR_NO_DEVICE;
	case -ENOMEM:
	case -EMFILE:
	case -ENFILE:
	case -EAGAIN:
	case -EBUSY:
		return PBIT_ERR_RESOURCE;
	case -ETIMEDOUT:
		return PBIT_ERR_TIMEOUT;
	case -EINVAL:
		return PBIT_ERR_URI;
	default:
		return PBIT_ERR_DEVICE;
	}
}

/* Gives a failed operation a record where the backend made none; rc is what it returned. */
static int ensure_record(int rc, const char *uri, const char *operation)
{
	char text[128];

	if (rc > 0)
		return pbit_fail(-EIO, PBIT_ERR_DEVICE, WHAT, uri, "report it to its author",
				 "%s() of the backend returned %d", operation, rc);
	if (pbit_last_error()->code == rc)
		return rc;
	return pbit_fail(rc, class_of(rc), WHAT, uri, NULL, "%s() of the backend: %s", operation,
			 strerror_r(-rc, text, sizeof(text)));
}

/* A device must not promise a mode that its backend has no operations for. */
static int check_flags(const struct pbit_device *dev)
{
	uint32_t flags = dev->caps.flags;

	if ((!(flags & PBIT_FLAG_LAYERS) || dev->ops.net_run) &&
	    (!(flags & PBIT_FLAG_BOLTZMANN) || dev->ops.program))
		return 0;
	return pbit_fail(-EPROTO, PBIT_ERR_DEVICE, WHAT, dev->uri, "report it to its author",
			 "the device states the %s mode, its backend lacks the operations",
			 dev->ops.net_run ? "Boltzmann" : "layer");
}

/* Nor more replicas than one without the operations for them. */
static int check_replicas(const struct pbit_device *dev)
{
	if (!(dev->caps.stated & PBIT_CAP_REPLICAS) || dev->caps.replicas <= 1 ||
	    dev->ops.program_replicas)
		return 0;
	return pbit_fail(-EPROTO, PBIT_ERR_DEVICE, WHAT, dev->uri, "report it to its author",
			 "the device states %llu replicas, its backend lacks program_replicas",
			 (unsigned long long)dev->caps.replicas);
}

static void free_device(struct pbit_device *dev)
{
	if (!dev)
		return;
	pthread_mutex_destroy(&dev->lock);
	free(dev->uri);
	free(dev);
}

static int new_device(const struct pbit__address *address, const struct pbit_backend *backend,
		      struct pbit_device **out)
{
	struct pbit_device *dev = calloc(1, sizeof(*dev));

	if (!dev)
		goto no_memory;
	dev->backend = backend;
	pbit__backend_ops(backend, &dev->ops);
	pthread_mutex_init(&dev->lock, NULL);
	dev->uri = pbit__address_text(address);
	if (!dev->uri)
		goto no_memory;
	*out = dev;
	return 0;

no_memory:
	free_device(dev);
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, WHAT, address->uri.text, NULL,
			 "out of memory");
}

static int start_device(struct pbit_device *dev, const struct pbit__address *address,
			const struct pbit_open_opts *opts)
{
	int rc;

	rc = dev->ops.open(&address->uri, opts, &dev->priv);
	if (rc)
		return ensure_record(rc, dev->uri, "open");
	rc = read_caps(dev, &dev->caps);
	if (rc)
		rc = ensure_record(rc, dev->uri, "get_caps");
	else
		rc = check_flags(dev);
	if (!rc)
		rc = check_replicas(dev);
	/* One table may serve devices that draw as the contract and others that do not. */
	if (!(dev->caps.flags & PBIT_FLAG_CONTRACT))
		dev->ops.seek = NULL;
	if (rc)
		dev->ops.close(dev->priv);
	return rc;
}

int pbit__open_uri(const char *uri, const struct pbit_open_opts *opts, struct pbit_device **out)
{
	const struct pbit_backend *backend;
	struct pbit__error_copy record;
	struct pbit__address *address;
	struct pbit_device *dev = NULL;
	int rc;

	rc = pbit__address_parse(uri, &address);
	if (rc)
		return rc;
	rc = pbit__backend_find(address->uri.scheme, opts->backend_path, WHAT, uri, &backend);
	if (!rc)
		rc = new_device(address, backend, &dev);
	if (!rc) {
		/* Cleared to see whether the backend makes a record of its own. */
		pbit__error_save(&record);
		pbit_clear_error();
		rc = start_device(dev, address, opts);
		if (!rc)
			pbit__error_restore(&record);
	}
	pbit__address_free(address);
	if (rc) {
		free_device(dev);
		return rc;
	}
	*out = dev;
	return 0;
}

int pbit_open(const char *uri, const struct pbit_open_opts *opts, struct pbit_device **dev)
{
	struct pbit_open_opts own;
	const char *named;
	int rc;

	if (!dev)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, uri, NULL, "dev is NULL");
	*dev = NULL;
	rc = pbit__open_opts_read(opts, &own, WHAT);
	if (rc)
		return rc;
	named = uri ? uri : secure_getenv("PBIT_URI");
	if (!uri && named && !*named)
		named = NULL; /* PBIT_URI= is the shell's way to say "none" */
	return named ? pbit__open_uri(named, &own, dev) : pbit__open_best(&own, dev);
}

void pbit_close(struct pbit_device *dev)
{
	if (!dev)
		return;
	pthread_mutex_lock(&dev->lock);
	dev->ops.close(dev->priv);
	pthread_mutex_unlock(&dev->lock);
	pbit__chains_forget(dev);
	free_device(dev);
}

const char *pbit_device_uri(const struct pbit_device *dev)
{
	return dev ? dev->uri : "";
}

int pbit_get_caps(struct pbit_device *dev, struct pbit_caps *caps)
{
	static const char what[] = "cannot read capabilities";
	struct pbit_caps own;
	int rc;

	if (!dev)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, what, NULL, NULL, "dev is NULL");
	rc = read_caps(dev, &own);
	if (rc)
		return pbit_last_error()->code == rc
			       ? rc
			       : pbit_fail(rc < 0 ? rc : -EIO, PBIT_ERR_DEVICE, what, dev->uri,
					   NULL, "the backend reports error %d", rc);
	return pbit__args_write(caps, &own, sizeof(own), PBIT__SIZE_TO(struct pbit_caps, stated),
				what, "caps");
}
