/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices: find, open, ask. One address grammar:
 *
 *     scheme ':' [target] [',' key '=' value]...
 *
 * The target may be left out: "software:threads=2,seed=7" has none. A stacked
 * backend takes another address after a slash: "fault:hang@100/software:". In targets
 * and values, ',' '=' '/' and '%' are written %2C %3D %2F %25.
 */
#ifndef PBIT_DEVICE_H
#define PBIT_DEVICE_H

#include <pbit/caps.h>
#include <pbit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pbit_open_opts {
	uint32_t struct_size;
	uint32_t flags;	      /* must be 0 */
	const char *consumer; /* who opens it, shown to others; NULL: the program's name */
	const char *
		backend_path; /* folders searched for plugins, ':' between them; NULL: PBIT_BACKEND_PATH, then the installed folder */
};

/*
 * Opens the device at `uri`. NULL means the environment variable PBIT_URI; where that is not set,
 * the best device that answers: real hardware before emulators before software.
 * opts may be NULL. On success stores a handle in *dev that the caller closes
 * with pbit_close(). May block for as long as a device takes to answer.
 * Any thread; the handle may be used by any thread, calls on it are serialised.
 *
 * -EINVAL bad address or option; -ENOENT no such scheme (no such plugin);
 * -ENODEV nothing answers; -EACCES; -EPROTO ABI of the plugin not accepted; -ENOMEM.
 */
PBIT_API PBIT_CHECK int pbit_open(const char *uri, const struct pbit_open_opts *opts,
				  struct pbit_device **dev);

/*
 * Closes the handle: waits for a running call, cancels queued jobs (they complete with
 * -ECANCELED; their handles stay valid until freed). NULL is allowed. No other call may use the
 * handle during or after this one.
 */
PBIT_API void pbit_close(struct pbit_device *dev);

/* The canonical address that reopens this device. Valid until pbit_close(). */
PBIT_API const char *pbit_device_uri(const struct pbit_device *dev);

/*
 * Fills caps, as far as caps->struct_size reaches. Does not disturb a running
 * job. -EINVAL, -ENODEV (gone).
 */
PBIT_API PBIT_CHECK int pbit_get_caps(struct pbit_device *dev, struct pbit_caps *caps);

/* One device found by a scan. uri is accepted verbatim by pbit_open(). */
struct pbit_found {
	uint32_t struct_size;
	uint32_t flags; /* PBIT_FLAG_SIMULATED */
	const char *uri;
	const char *description;
	const char *backend;
	int32_t status;	    /* 0: usable; -EACCES, -ENODEV, -EBUSY…: seen but not usable */
	const char *reason; /* why not; "" */
};

/* Return 0 to go on, anything else ends the scan. Strings are valid during the call. */
typedef int pbit_found_fn(const struct pbit_found *found, void *user);

/*
 * Looks for devices with every backend, or those of the given scheme ("fpga", NULL: all). A
 * backend that cannot scan reports no device; it never fails the scan of the others. Does not
 * open devices, does not search a network. Returns the number of devices reported or a negative
 * errno.
 */
PBIT_API PBIT_CHECK int pbit_scan(const char *scheme, const struct pbit_open_opts *opts,
				  pbit_found_fn *fn, void *user);

/* One backend known to the library, or one plugin that was refused. */
struct pbit_backend_info {
	uint32_t struct_size;
	uint32_t abi; /* major << 16 | minor, as built; 0 where unknown */
	const char *name;
	const char *scheme;
	const char *description;
	const char *version;
	const char *path; /* of the plugin; "" where built in */
	int32_t status;	  /* 0: in use, else why it was refused */
	const char
		*reason; /* the same in words: expected and found versions, the loader's message */
};

typedef int pbit_backend_fn(const struct pbit_backend_info *info, void *user);

/*
 * Lists backends, refused plugins among them. Strings are valid during the call. Returns their
 * number or a negative errno.
 */
PBIT_API PBIT_CHECK int pbit_list_backends(const struct pbit_open_opts *opts, pbit_backend_fn *fn,
					   void *user);

#ifdef __cplusplus
}
#endif
#endif
