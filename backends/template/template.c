/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole backend to start yours from: a Boltzmann machine that knows program, clamp, update and
 * read, and nothing else. This file is what the library sees: the descriptor, the table of
 * operations, finding, opening and describing a device. The device itself is in machine.c.
 *
 * Every place that a port changes is marked PORT and numbered in the order of README.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine.h"

/* One open device. */
struct device {
	struct limits limits;
	struct machine machine;
};

/*
 * PORT 5: look for your hardware (/sys, /dev) without opening it. Report one that is there but
 * cannot be used with its status (-EACCES, ...) and reason. Leave scan out if nothing can be found.
 */
static int device_scan(const struct pbit_backend *self, pbit_found_fn *fn, void *user)
{
	struct pbit_found found = PBIT_INIT(found);

	found.flags = PBIT_FLAG_SIMULATED;
	found.uri = "template:";
	found.description = self->description;
	found.backend = self->name;
	found.reason = "";
	return fn(&found, user);
}

/* PORT 4: open your hardware here; uri->target may name which one ("template:0000_01_00.0"). */
static int device_open(const struct pbit_uri *uri, const struct pbit_open_opts *opts, void **priv)
{
	struct device *device = calloc(1, sizeof(*device));
	int rc;

	(void)opts;
	if (!device)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot open device", uri->text, NULL,
				 "out of memory");
	rc = limits_read(&device->limits, uri);
	if (rc) {
		free(device);
		return rc;
	}
	device->machine.limits = &device->limits;
	*priv = device;
	return 0;
}

static void device_close(void *priv)
{
	struct device *device = priv;

	machine_clear(&device->machine);
	free(device);
}

/*
 * PORT 1: say what your device is and can do, and no more: the library refuses what does not fit
 * before it comes here, and plans by these numbers. Only what is in `stated` counts. May run while
 * another operation does, so it reads nothing that changes.
 */
static int device_get_caps(void *priv, struct pbit_caps *caps)
{
	const struct limits *limits = &((const struct device *)priv)->limits;

	/* SIMULATED goes with real p-bits; SEEDABLE if the same seed does not give the same bits. */
	caps->flags = PBIT_FLAG_BOLTZMANN | PBIT_FLAG_SEEDABLE | PBIT_FLAG_SIMULATED;
	if (limits->clamp)
		caps->flags |= PBIT_FLAG_CLAMP;
	if (limits->directed)
		caps->flags |= PBIT_FLAG_DIRECTED;
	if (limits->contract)
		caps->flags |= PBIT_FLAG_CONTRACT;
	caps->stated = PBIT_CAP_PBITS | PBIT_CAP_FAN_IN | PBIT_CAP_TOPOLOGY | PBIT_CAP_COUPLING |
		       PBIT_CAP_BIAS | PBIT_CAP_BETA | PBIT_CAP_ORDERS | PBIT_CAP_RANDOM_BITS |
		       PBIT_CAP_RANDOM_SOURCE;
	snprintf(caps->name, sizeof(caps->name), "template p-bits");
	caps->pbits = limits->pbits;
	caps->fan_in = limits->fan_in;
	caps->topology = limits->topology;
	caps->coupling = limits->coupling;
	caps->bias = limits->bias;
	caps->beta = limits->beta;
	caps->orders = limits->orders;
	caps->random_bits = 24;
	caps->random_source = limits->contract ? PBIT_RANDOM_COUNTER : PBIT_RANDOM_SEQUENTIAL;
	return 0;
}

static int device_program(void *priv, const struct pbit_bm_view *view, uint32_t order,
			  uint64_t seed)
{
	return machine_program(&((struct device *)priv)->machine, view, order, seed);
}

static int device_clamp(void *priv, const uint64_t *mask, const uint64_t *value)
{
	return machine_clamp(&((struct device *)priv)->machine, mask, value);
}

static int device_update(void *priv, double beta, uint64_t sweeps, struct pbit_ctl *ctl)
{
	return machine_update(&((struct device *)priv)->machine, beta, sweeps, ctl);
}

static int device_read(void *priv, uint64_t *state)
{
	return machine_read(&((struct device *)priv)->machine, state);
}

/* Only for devices that draw as CONTRACT.md; hardware leaves it out. */
static int device_seek(void *priv, const struct pbit_stream *stream)
{
	return random_seek(&((struct device *)priv)->machine.random, stream);
}

static const struct pbit_backend_ops ops = {
	.struct_size = sizeof(ops),
	.scan = device_scan,
	.open = device_open,
	.close = device_close,
	.get_caps = device_get_caps,
	.program = device_program,
	.clamp = device_clamp,
	.update = device_update,
	.read = device_read,
	.seek = device_seek,
};

/*
 * PORT 6: your own description and version. The rank decides who is chosen where no address is
 * given: PBIT_RANK_HARDWARE once `pbit check` passes on real hardware, PBIT_RANK_EMULATOR without it.
 */
PBIT_EXPORT const struct pbit_backend pbit_backend_entry = {
	.struct_size = sizeof(pbit_backend_entry),
	.abi = PBIT_ABI,
	.name = "template",
	.scheme = "template",
	.description = "example of a backend: a small slow Boltzmann machine in integers",
	.version = "1.0",
	.rank = PBIT_RANK_NEVER,
	.ops = &ops,
};
