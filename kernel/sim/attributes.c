// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of a sim's folder: what it is to be, settled while it is not live, and knobs that can
 * be turned at any time.
 */
#include <linux/module.h>
#include <linux/sizes.h>
#include "sim.h"

/* One number. */
static int parse(const char *page, u64 min, u64 max, u64 *out)
{
	int rc = kstrtou64(page, 0, out);

	if (rc)
		return rc;
	return *out < min || *out > max ? -ERANGE : 0;
}

/* A number of the plan: busy while the device is live. */
#define PLAN(_name, _min, _max)								\
static ssize_t sim_##_name##_show(struct config_item *item, char *page)			\
{											\
	return sprintf(page, "%llu\n", (u64)to_sim(item)->plan._name);			\
}											\
											\
static ssize_t sim_##_name##_store(struct config_item *item, const char *page, size_t n) \
{											\
	struct pbit_sim *sim = to_sim(item);						\
	u64 value;									\
	int rc = parse(page, _min, _max, &value);					\
											\
	mutex_lock(&sim->lock);								\
	if (!rc && sim->device)								\
		rc = -EBUSY;								\
	if (!rc)									\
		sim->plan._name = value;						\
	mutex_unlock(&sim->lock);							\
	return rc ? rc : (ssize_t)n;							\
}											\
CONFIGFS_ATTR(sim_, _name)

/* A number that the threads look at. */
#define KNOB(_name, _max)								\
static ssize_t sim_##_name##_show(struct config_item *item, char *page)			\
{											\
	return sprintf(page, "%u\n", READ_ONCE(to_sim(item)->knobs._name));		\
}											\
											\
static ssize_t sim_##_name##_store(struct config_item *item, const char *page, size_t n) \
{											\
	u64 value;									\
	int rc = parse(page, 0, _max, &value);						\
											\
	if (!rc)									\
		WRITE_ONCE(to_sim(item)->knobs._name, (u32)value);			\
	return rc ? rc : (ssize_t)n;							\
}											\
CONFIGFS_ATTR(sim_, _name)

PLAN(pbits, 1, 1u << 22);
PLAN(degree, 1, 1u << 22);
PLAN(inputs, 1, 1u << 16);
PLAN(outputs, 1, 1u << 16);
PLAN(samples, 1, U32_MAX);
PLAN(queues, 1, PBIT_CARD_MAX_QUEUES);
PLAN(work, 1, 1ull << 40);

KNOB(latency_us, 10 * USEC_PER_SEC);
KNOB(late_us, 10 * USEC_PER_SEC);
KNOB(stall, PBIT_SIM_STALL_END - 1);
KNOB(error_every, U32_MAX);
KNOB(error_status, PBIT_DONE_RANDOM);
KNOB(bit_error, U32_MAX);
KNOB(bad_done, PBIT_SIM_LIE_END - 1);
KNOB(power_uw, U32_MAX);

static ssize_t sim_memory_show(struct config_item *item, char *page)
{
	return sprintf(page, "%llu\n", to_sim(item)->plan.memory);
}

static ssize_t sim_memory_store(struct config_item *item, const char *page, size_t n)
{
	struct pbit_sim *sim = to_sim(item);
	u64 value;
	int rc = parse(page, PAGE_SIZE, SZ_1G, &value);

	if (!rc && value % PAGE_SIZE)
		rc = -EINVAL;
	mutex_lock(&sim->lock);
	if (!rc && sim->device)
		rc = -EBUSY;
	if (!rc)
		sim->plan.memory = value;
	mutex_unlock(&sim->lock);
	return rc ? rc : (ssize_t)n;
}
CONFIGFS_ATTR(sim_, memory);

static ssize_t sim_temperature_show(struct config_item *item, char *page)
{
	return sprintf(page, "%d\n", READ_ONCE(to_sim(item)->knobs.temperature_mc));
}

static ssize_t sim_temperature_store(struct config_item *item, const char *page, size_t n)
{
	s32 value;
	int rc = kstrtos32(page, 0, &value);

	if (!rc)
		WRITE_ONCE(to_sim(item)->knobs.temperature_mc, value);
	return rc ? rc : (ssize_t)n;
}
CONFIGFS_ATTR(sim_, temperature);

static ssize_t sim_generator_show(struct config_item *item, char *page)
{
	return sprintf(page, "%s\n", to_sim(item)->plan.physical ? "physical" : "counter");
}

static ssize_t sim_generator_store(struct config_item *item, const char *page, size_t n)
{
	struct pbit_sim *sim = to_sim(item);
	int rc = 0;

	mutex_lock(&sim->lock);
	if (sim->device)
		rc = -EBUSY;
	else if (sysfs_streq(page, "counter"))
		sim->plan.physical = false;
	else if (sysfs_streq(page, "physical"))
		sim->plan.physical = true;
	else
		rc = -EINVAL;
	mutex_unlock(&sim->lock);
	return rc ? rc : (ssize_t)n;
}
CONFIGFS_ATTR(sim_, generator);

/* "OFFSET VALUE": a word of the ROM to lie in. "none": the truth. */
static ssize_t sim_rom_show(struct config_item *item, char *page)
{
	const struct pbit_sim_plan *plan = &to_sim(item)->plan;

	if (plan->rom_offset == ~0u)
		return sprintf(page, "none\n");
	return sprintf(page, "%u %#x\n", plan->rom_offset, plan->rom_value);
}

static ssize_t sim_rom_store(struct config_item *item, const char *page, size_t n)
{
	struct pbit_sim *sim = to_sim(item);
	u32 offset = ~0u, value = 0;
	int rc = 0;

	if (!sysfs_streq(page, "none") &&
	    (sscanf(page, "%i %i", &offset, &value) != 2 || offset % 4 ||
	     offset >= sizeof(struct pbit_card_rom)))
		return -EINVAL;
	mutex_lock(&sim->lock);
	if (sim->device)
		rc = -EBUSY;
	sim->plan.rom_offset = rc ? sim->plan.rom_offset : offset;
	sim->plan.rom_value = rc ? sim->plan.rom_value : value;
	mutex_unlock(&sim->lock);
	return rc ? rc : (ssize_t)n;
}
CONFIGFS_ATTR(sim_, rom);

static ssize_t sim_live_show(struct config_item *item, char *page)
{
	return sprintf(page, "%d\n", !!READ_ONCE(to_sim(item)->device));
}

/* When it returns, /dev/pbitN is there, or gone. */
static ssize_t sim_live_store(struct config_item *item, const char *page, size_t n)
{
	struct pbit_sim *sim = to_sim(item);
	bool live;
	int rc = kstrtobool(page, &live);

	if (rc)
		return rc;
	mutex_lock(&sim->lock);
	if (live && !sim->device)
		rc = pbit_sim_up(sim);
	else if (!live && sim->device)
		pbit_sim_down(sim, false);
	mutex_unlock(&sim->lock);
	return rc ? rc : (ssize_t)n;
}
CONFIGFS_ATTR(sim_, live);

static ssize_t sim_device_show(struct config_item *item, char *page)
{
	struct pbit_sim *sim = to_sim(item);
	int n;

	mutex_lock(&sim->lock);
	n = sprintf(page, "%s\n", sim->device ? pbit_device_name(sim->device->pdev) : "");
	mutex_unlock(&sim->lock);
	return n;
}
CONFIGFS_ATTR_RO(sim_, device);

/* Pulled out, in the midst of whatever it does. */
static ssize_t sim_remove_store(struct config_item *item, const char *page, size_t n)
{
	struct pbit_sim *sim = to_sim(item);
	bool pull;
	int rc = kstrtobool(page, &pull);

	if (!rc && !pull)
		rc = -EINVAL;
	mutex_lock(&sim->lock);
	if (!rc && !sim->device)
		rc = -ENODEV;
	if (!rc)
		pbit_sim_down(sim, true);
	mutex_unlock(&sim->lock);
	return rc ? rc : (ssize_t)n;
}
CONFIGFS_ATTR_WO(sim_, remove);

/* The device reports PBIT_FAULT_*. */
static ssize_t sim_fault_store(struct config_item *item, const char *page, size_t n)
{
	struct pbit_sim *sim = to_sim(item);
	u64 fault;
	int rc = parse(page, PBIT_FAULT_MEMORY, PBIT_FAULT_RANDOM, &fault);

	mutex_lock(&sim->lock);
	if (!rc && !sim->device)
		rc = -ENODEV;
	if (!rc)
		pbit_device_fault(sim->device->pdev, (u32)fault, "reported by the sim");
	mutex_unlock(&sim->lock);
	return rc ? rc : (ssize_t)n;
}
CONFIGFS_ATTR_WO(sim_, fault);

struct configfs_attribute *pbit_sim_attributes[] = {
	&sim_attr_pbits,
	&sim_attr_degree,
	&sim_attr_inputs,
	&sim_attr_outputs,
	&sim_attr_samples,
	&sim_attr_queues,
	&sim_attr_memory,
	&sim_attr_work,
	&sim_attr_generator,
	&sim_attr_rom,
	&sim_attr_live,
	&sim_attr_device,
	&sim_attr_latency_us,
	&sim_attr_late_us,
	&sim_attr_stall,
	&sim_attr_error_every,
	&sim_attr_error_status,
	&sim_attr_bit_error,
	&sim_attr_bad_done,
	&sim_attr_fault,
	&sim_attr_temperature,
	&sim_attr_power_uw,
	&sim_attr_remove,
	NULL,
};

void pbit_sim_defaults(struct pbit_sim *sim)
{
	sim->plan = (struct pbit_sim_plan){
		.pbits = 65536,
		.degree = 65536,
		.inputs = 16384,
		.outputs = 16384,
		.samples = 1u << 20,
		.queues = 2,
		.rom_offset = ~0u,
		.memory = SZ_16M,
		.work = 1ull << 32,
	};
	sim->knobs = (struct pbit_sim_knobs){
		.error_status = PBIT_DONE_MEMORY,
		.temperature_mc = 40000,
		.power_uw = 1000000,
	};
}
