// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/config/pbit: a folder made there is a sim device to be. A folder holds the module, so
 * that it is not unloaded under a device.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "sim.h"

static void release(struct config_item *item)
{
	struct pbit_sim *sim = to_sim(item);

	mutex_destroy(&sim->lock);
	kfree(sim);
}

static struct configfs_item_operations item_ops = {
	.release = release,
};

static const struct config_item_type sim_type = {
	.ct_item_ops = &item_ops,
	.ct_attrs = pbit_sim_attributes,
	.ct_owner = THIS_MODULE,
};

static struct config_group *make_group(struct config_group *parent, const char *name)
{
	struct pbit_sim *sim;

	if (strlen(name) >= sizeof_field(struct pbit_card_rom, serial))
		return ERR_PTR(-ENAMETOOLONG);
	sim = kzalloc(sizeof(*sim), GFP_KERNEL);
	if (!sim)
		return ERR_PTR(-ENOMEM);
	mutex_init(&sim->lock);
	pbit_sim_defaults(sim);
	config_group_init_type_name(&sim->group, name, &sim_type);
	return &sim->group;
}

static void drop_item(struct config_group *parent, struct config_item *item)
{
	struct pbit_sim *sim = to_sim(item);

	mutex_lock(&sim->lock);
	if (sim->device)
		pbit_sim_down(sim, false);
	mutex_unlock(&sim->lock);
	config_item_put(item);
}

static struct configfs_group_operations group_ops = {
	.make_group = make_group,
	.drop_item = drop_item,
};

static const struct config_item_type root_type = {
	.ct_group_ops = &group_ops,
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem subsystem = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = "pbit",
			.ci_type = &root_type,
		},
	},
};

int pbit_sim_init(void)
{
	config_group_init(&subsystem.su_group);
	mutex_init(&subsystem.su_mutex);
	return configfs_register_subsystem(&subsystem);
}

void pbit_sim_exit(void)
{
	configfs_unregister_subsystem(&subsystem);
	mutex_destroy(&subsystem.su_mutex);
}
