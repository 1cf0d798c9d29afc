// SPDX-License-Identifier: GPL-2.0-only
/* A sim device: brought up, asked by the core, pulled out, taken down. */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "sim.h"

static int sim_start(struct pbit_device *pdev, u32 queue, const struct pbit_card_desc *desc)
{
	struct pbit_sim_device *sim = pbit_device_priv(pdev);

	/* A ROM that lies about its queues: what is given to one that is not there never ends. */
	if (queue >= sim->n_queues)
		return 0;
	return pbit_sim_queue_push(&sim->queue[queue], desc);
}

static void sim_abort(struct pbit_device *pdev, u32 queue)
{
	struct pbit_sim_device *sim = pbit_device_priv(pdev);

	if (queue < sim->n_queues)
		pbit_sim_queue_abort(&sim->queue[queue]);
}

static void quiet_queues(struct pbit_sim_device *sim)
{
	u32 q;

	for (q = 0; q < sim->n_queues; q++)
		pbit_sim_queue_quiet(&sim->queue[q]);
}

static int sim_reset(struct pbit_device *pdev)
{
	struct pbit_sim_device *sim = pbit_device_priv(pdev);
	int rc = 0;
	u32 q;

	mutex_lock(&sim->state);
	/* Whatever comes of it: what is not reset must not write either. */
	quiet_queues(sim);
	if (sim->pulled)
		rc = -ENODEV;
	else if (READ_ONCE(sim->knobs->stall) >= PBIT_SIM_STALL_RESET)
		rc = -EIO;
	for (q = 0; !rc && q < sim->n_queues; q++)
		pbit_sim_queue_open(&sim->queue[q]);
	atomic64_set(&sim->energy_pj, 0);
	atomic64_set(&sim->updates, 0);
	mutex_unlock(&sim->state);
	return rc;
}

static int sim_sensors(struct pbit_device *pdev, struct pbit_sensors *out)
{
	const struct pbit_sim_device *sim = pbit_device_priv(pdev);

	out->temperature_mc = READ_ONCE(sim->knobs->temperature_mc);
	out->critical_mc = 100000;
	out->power_uw = READ_ONCE(sim->knobs->power_uw);
	out->energy_uj = div_u64((u64)atomic64_read(&sim->energy_pj), 1000000);
	out->updates = (u64)atomic64_read(&sim->updates);
	return 0;
}

static u32 sim_progress(struct pbit_device *pdev, u32 queue)
{
	const struct pbit_sim_device *sim = pbit_device_priv(pdev);

	return queue < sim->n_queues ? READ_ONCE(sim->queue[queue].progress) : 0;
}

static const struct pbit_hw_ops ops = {
	.start = sim_start,
	.abort = sim_abort,
	.reset = sim_reset,
	.sensors = sim_sensors,
	.progress = sim_progress,
};

static void stop_queues(struct pbit_sim_device *sim)
{
	u32 q;

	for (q = 0; q < sim->n_queues; q++)
		pbit_sim_queue_stop(&sim->queue[q]);
}

static int start_queues(struct pbit_sim_device *sim)
{
	u32 q;
	int rc = 0;

	for (q = 0; q < sim->n_queues && !rc; q++)
		rc = pbit_sim_queue_start(sim, q);
	if (rc)
		stop_queues(sim);
	return rc;
}

static struct pbit_sim_device *make(struct pbit_sim *owner)
{
	const struct pbit_sim_plan *plan = &owner->plan;
	const char *name = config_item_name(&owner->group.cg_item);
	struct pbit_sim_device *sim;
	char parent[64];
	int rc = -ENOMEM;

	sim = kvzalloc(struct_size(sim, queue, plan->queues), GFP_KERNEL);
	if (!sim)
		return ERR_PTR(-ENOMEM);
	mutex_init(&sim->state);
	sim->owner = owner;
	sim->knobs = &owner->knobs;
	sim->n_queues = plan->queues;
	sim->physical = plan->physical;
	sim->memory_size = plan->memory;
	sim->memory = vzalloc((unsigned long)plan->memory);
	if (!sim->memory)
		goto free;
	snprintf(parent, sizeof(parent), "pbit-sim-%s", name);
	sim->parent = root_device_register(parent);
	if (IS_ERR(sim->parent)) {
		rc = PTR_ERR(sim->parent);
		goto free;
	}
	pbit_sim_rom(plan, name, &sim->rom);
	rc = pbit_rom_check(sim->parent, &sim->rom, sizeof(sim->rom));
	if (!rc)
		return sim;
	root_device_unregister(sim->parent);
free:
	vfree(sim->memory);
	kvfree(sim);
	return ERR_PTR(rc);
}

static void destroy(struct pbit_sim_device *sim)
{
	root_device_unregister(sim->parent);
	mutex_destroy(&sim->state);
	vfree(sim->memory);
	kvfree(sim);
}

int pbit_sim_up(struct pbit_sim *owner)
{
	struct pbit_sim_device *sim = make(owner);
	int rc;

	if (IS_ERR(sim))
		return PTR_ERR(sim);
	rc = start_queues(sim);
	if (rc)
		goto destroy;
	sim->pdev = pbit_device_alloc(sim->parent, PBIT_BUS_SIM, &sim->rom, &ops, sim);
	if (IS_ERR(sim->pdev)) {
		rc = PTR_ERR(sim->pdev);
		goto stop;
	}
	rc = pbit_device_register(sim->pdev);
	if (rc)
		goto put;
	owner->device = sim;
	return 0;
put:
	pbit_device_detach(sim->pdev, true);
	stop_queues(sim);
	pbit_device_put(sim->pdev);
	destroy(sim);
	return rc;
stop:
	stop_queues(sim);
destroy:
	destroy(sim);
	return rc;
}

void pbit_sim_down(struct pbit_sim *owner, bool pulled)
{
	struct pbit_sim_device *sim = owner->device;

	owner->device = NULL;
	if (pulled) {
		/* It writes no more; the core is told after that, as it is by a bus. */
		mutex_lock(&sim->state);
		sim->pulled = true;
		quiet_queues(sim);
		mutex_unlock(&sim->state);
	}
	pbit_device_detach(sim->pdev, pulled);
	stop_queues(sim);
	pbit_device_put(sim->pdev);
	destroy(sim);
}
