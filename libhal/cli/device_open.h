/* SPDX-License-Identifier: Apache-2.0 */
/* Opens devices as the options --device and --threads ask for. */
#ifndef PBIT_CLI_DEVICE_OPEN_H
#define PBIT_CLI_DEVICE_OPEN_H

#include <stdint.h>
#include <pbit/device.h>

/*
 * Opens uri, NULL for the best device. threads: 0, or the number of threads of a software
 * device; other devices are refused then. Freed by pbit_close().
 */
int device_open(const char *uri, uint64_t threads, struct pbit_device **dev);

/* Parameter threads of an address, 0 where it has none. */
uint64_t device_uri_threads(const char *uri);

#define THREADS_MAX 4096u

#endif
