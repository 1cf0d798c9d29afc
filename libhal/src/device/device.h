/* SPDX-License-Identifier: Apache-2.0 */
/* An open device, as the rest of the library sees it. */
#ifndef PBIT_SRC_DEVICE_H
#define PBIT_SRC_DEVICE_H

#include <pthread.h>
#include <pbit/backend.h>

struct pbit_device {
	const struct pbit_backend *backend;
	struct pbit_backend_ops ops; /* a copy; members the backend's table lacks are NULL */
	void *priv;
	char *uri;
	pthread_mutex_t lock;  /* serialises operations; get_caps is called without it */
	struct pbit_caps caps; /* as read at open */
	struct pbit_bm *bm;    /* programmed machine (Boltzmann mode) or NULL; under lock */
};

#endif
