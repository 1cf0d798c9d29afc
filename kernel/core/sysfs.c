// SPDX-License-Identifier: GPL-2.0-only
/* What /sys/class/pbit/pbitN tells: the feature ROM, one value a file, and who has the device. */
#include <linux/sysfs.h>
#include "internal.h"

#define ROM_U32(_name)                                                                      \
	static ssize_t _name##_show(struct device *dev, struct device_attribute *attr,      \
				    char *buf)                                              \
	{                                                                                   \
		const struct pbit_device *pdev = dev_get_drvdata(dev);                      \
											    \
		return sysfs_emit(buf, "%u\n", le32_to_cpu(pdev->rom._name));               \
	}                                                                                   \
	static DEVICE_ATTR_RO(_name)

#define ROM_U64(_name)                                                                      \
	static ssize_t _name##_show(struct device *dev, struct device_attribute *attr,      \
				    char *buf)                                              \
	{                                                                                   \
		const struct pbit_device *pdev = dev_get_drvdata(dev);                      \
											    \
		return sysfs_emit(buf, "%llu\n", le64_to_cpu(pdev->rom._name));             \
	}                                                                                   \
	static DEVICE_ATTR_RO(_name)

ROM_U32(n_queues);
ROM_U32(max_inputs);
ROM_U32(max_outputs);
ROM_U32(max_pbits);
ROM_U32(max_degree);
ROM_U32(max_samples);
ROM_U32(weight_bits);
ROM_U32(code_bits);
ROM_U32(orders);
ROM_U32(coupling_bits);
ROM_U32(random_source);
ROM_U32(random_bits);
ROM_U32(clock_khz);
ROM_U64(memory_size);
ROM_U64(max_work);

static ssize_t flags_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct pbit_device *pdev = dev_get_drvdata(dev);

	return sysfs_emit(buf, "0x%08x\n", le32_to_cpu(pdev->rom.flags));
}
static DEVICE_ATTR_RO(flags);

static ssize_t version_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct pbit_device *pdev = dev_get_drvdata(dev);
	const u32 version = le32_to_cpu(pdev->rom.version);

	return sysfs_emit(buf, "%u.%u\n", version >> 16, version & 0xffff);
}
static DEVICE_ATTR_RO(version);

static ssize_t label_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct pbit_device *pdev = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%.32s\n", pdev->rom.name);
}
static DEVICE_ATTR_RO(label);

static ssize_t serial_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct pbit_device *pdev = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%.32s\n", pdev->rom.serial);
}
static DEVICE_ATTR_RO(serial);

static ssize_t uapi_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u.%u\n", PBIT_UAPI_MAJOR, PBIT_UAPI_LEVEL);
}
static DEVICE_ATTR_RO(uapi);

static ssize_t bus_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	static const char *const names[] = { "pci", "platform", "sim" };
	const struct pbit_device *pdev = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%s\n", names[pdev->bus]);
}
static DEVICE_ATTR_RO(bus);

static ssize_t generation_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct pbit_device *pdev = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%llu\n", READ_ONCE(pdev->generation));
}
static DEVICE_ATTR_RO(generation);

/* pid, name, bytes pinned, unfinished jobs and unread events, cycles; for root. */
static ssize_t users_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct pbit_device *pdev = dev_get_drvdata(dev);
	struct pbit_context *ctx;
	int at = 0;

	spin_lock_irq(&pdev->lock);
	list_for_each_entry(ctx, &pdev->contexts, node) {
		if (ctx->closed)
			continue;
		at += sysfs_emit_at(buf, at, "%d %s %llu %u %llu\n", ctx->pid, ctx->comm,
				    READ_ONCE(ctx->pinned), ctx->n_jobs, ctx->cycles);
	}
	spin_unlock_irq(&pdev->lock);
	return at;
}
static DEVICE_ATTR_RO(users);

static struct attribute *pbit_attrs[] = {
	&dev_attr_n_queues.attr,
	&dev_attr_max_inputs.attr,
	&dev_attr_max_outputs.attr,
	&dev_attr_max_pbits.attr,
	&dev_attr_max_degree.attr,
	&dev_attr_max_samples.attr,
	&dev_attr_weight_bits.attr,
	&dev_attr_code_bits.attr,
	&dev_attr_orders.attr,
	&dev_attr_coupling_bits.attr,
	&dev_attr_random_source.attr,
	&dev_attr_random_bits.attr,
	&dev_attr_clock_khz.attr,
	&dev_attr_memory_size.attr,
	&dev_attr_max_work.attr,
	&dev_attr_flags.attr,
	&dev_attr_version.attr,
	&dev_attr_label.attr,
	&dev_attr_serial.attr,
	&dev_attr_uapi.attr,
	&dev_attr_bus.attr,
	&dev_attr_generation.attr,
	&dev_attr_users.attr,
	NULL,
};

static const struct attribute_group pbit_group = {
	.attrs = pbit_attrs,
};

const struct attribute_group *pbit_groups[] = { &pbit_group, NULL };
