/* SPDX-License-Identifier: Apache-2.0 */
/* An open device, as the rest of the library sees it. */
#ifndef PBIT_SRC_DEVICE_H
#define PBIT_SRC_DEVICE_H

#include <pthread.h>
#include <pbit/backend.h>
#include <pbit/lower.h>

struct pbit_device {
	const struct pbit_backend *backend;
	struct pbit_backend_ops ops; /* a copy; members the backend's table lacks are NULL */
	void *priv;
	char *uri;
	pthread_mutex_t lock;  /* serialises operations; get_caps is called without it */
	struct pbit_caps caps; /* as read at open */
	/* Boltzmann mode, under lock. */
	struct pbit_bm *bm;	     /* programmed machine or NULL */
	struct pbit__chains *chains; /* its chains, where there is one (boltzmann/chains.h) */
	uint64_t programs;	     /* times that programming was tried: tells machines apart */
	struct pbit_lower_opts lower; /* how layers are lowered here; under lock */
};

#endif
