/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a device with a backend that is known already. */
#ifndef PBIT_SRC_OPEN_H
#define PBIT_SRC_OPEN_H

#include "device/address.h"
#include "device/device.h"

/* opts is complete (pbit__open_opts_read()). The errors of pbit_open(). */
int pbit__open_uri(const char *uri, const struct pbit_open_opts *opts, struct pbit_device **dev);

/* The best device that answers. */
int pbit__open_best(const struct pbit_open_opts *opts, struct pbit_device **dev);

/* A full copy of the caller's options, checked; opts may be NULL. */
int pbit__open_opts_read(const struct pbit_open_opts *opts, struct pbit_open_opts *own,
			 const char *what);

#endif
