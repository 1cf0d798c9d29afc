/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers loaded on a device: by its own operations where it has them, lowered onto its Boltzmann mode
 * where it has not or its user wants so. Behind this the rest of the library sees no difference.
 */
#ifndef PBIT_SRC_LOWER_NET_H
#define PBIT_SRC_LOWER_NET_H

#include <stdbool.h>
#include "device/device.h"

struct pbit__net {
	void *native;
	struct pbit__lowered *lowered; /* NULL: native */
};

/*
 * Would these layers be lowered on this device? They are where it has no layers of its own, where its user
 * wants so, and where one of them is of a kind or a size that it does not state.
 */
bool pbit__net_is_lowered(const struct pbit_device *dev, const struct pbit_model *model,
			  uint32_t first, uint32_t n);

/* Each under the device's lock. The errors of pbit_session_new() and pbit_session_run(). */
int pbit__net_load(struct pbit_device *dev, const struct pbit_model *model, uint32_t first,
		   uint32_t n, struct pbit__net *net);
void pbit__net_unload(struct pbit_device *dev, struct pbit__net *net);
int pbit__net_run(struct pbit_device *dev, struct pbit__net *net, const struct pbit_layers_req *req,
		  struct pbit_ctl *ctl);

#endif
