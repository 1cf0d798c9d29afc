/* SPDX-License-Identifier: Apache-2.0 */
/* A session: one model loaded on one or several devices. */
#ifndef PBIT_SRC_EXEC_SESSION_H
#define PBIT_SRC_EXEC_SESSION_H

#include <pthread.h>
#include <stdbool.h>
#include "device/device.h"
#include "exec/buffer.h"
#include "exec/early.h"
#include "exec/readout.h"
#include "exec/tally.h"
#include "job/job.h"
#include "lower/net.h"

/* A device of a session and what a thread that works for it needs. */
struct pbit__runner {
	struct pbit_device *dev;
	struct pbit__net net;
	struct pbit__tally tally;
	struct pbit__early early;
	struct pbit__buffer codes;
	struct pbit__buffer raw;
	struct pbit__buffer active;  /* uint32_t: images of the batch still drawing */
	struct pbit__buffer numbers; /* uint64_t: their numbers in the random stream's key */
};

struct pbit_session {
	struct pbit_model *model;
	struct pbit_model_info info;
	struct pbit__readout readout;
	bool reports;	      /* every device returns each sample */
	uint64_t max_images;  /* per request, the least of the devices' */
	uint64_t max_samples; /* image-samples per request, likewise */
	uint32_t n_devices;
	struct pbit__runner *runners;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	bool busy;     /* a run has the runners */
	uint32_t jobs; /* submitted and not released */
	struct pbit_worker *worker;
};

#endif
