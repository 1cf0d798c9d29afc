// SPDX-License-Identifier: GPL-2.0-only
/* Temperature, power and energy of a device through hwmon. */
#include <linux/err.h>
#include <linux/hwmon.h>
#include "internal.h"

static umode_t is_visible(const void *data, enum hwmon_sensor_types type, u32 attr, int channel)
{
	return 0444;
}

static int read_sensor(struct device *dev, enum hwmon_sensor_types type, u32 attr, int channel,
		       long *value)
{
	struct pbit_device *pdev = dev_get_drvdata(dev);
	struct pbit_sensors s = {};
	int rc;

	if (down_read_interruptible(&pdev->gate))
		return -ERESTARTSYS;
	rc = pdev->detached ? -ENODEV : pdev->ops->sensors(pdev, &s);
	up_read(&pdev->gate);
	if (rc)
		return rc;
	if (type == hwmon_temp)
		*value = attr == hwmon_temp_crit ? s.critical_mc : s.temperature_mc;
	else if (type == hwmon_power)
		*value = s.power_uw;
	else
		*value = (long)s.energy_uj;
	return 0;
}

static int read_label(struct device *dev, enum hwmon_sensor_types type, u32 attr, int channel,
		      const char **text)
{
	*text = "p-bits";
	return 0;
}

static const struct hwmon_ops ops = {
	.is_visible = is_visible,
	.read = read_sensor,
	.read_string = read_label,
};

static const struct hwmon_channel_info *const channels[] = {
	HWMON_CHANNEL_INFO(temp, HWMON_T_INPUT | HWMON_T_CRIT | HWMON_T_LABEL),
	HWMON_CHANNEL_INFO(power, HWMON_P_INPUT),
	HWMON_CHANNEL_INFO(energy, HWMON_E_INPUT),
	NULL,
};

static const struct hwmon_chip_info chip = {
	.ops = &ops,
	/* const pointers since 6.3 only. */
	.info = (void *)channels,
};

int pbit_hwmon_add(struct pbit_device *pdev)
{
	struct device *hwmon;

	if (!IS_REACHABLE(CONFIG_HWMON))
		return 0;
	hwmon = hwmon_device_register_with_info(pdev->parent, "pbit", pdev, &chip, NULL);
	if (IS_ERR(hwmon))
		return PTR_ERR(hwmon);
	pdev->hwmon = hwmon;
	return 0;
}

void pbit_hwmon_remove(struct pbit_device *pdev)
{
	if (pdev->hwmon)
		hwmon_device_unregister(pdev->hwmon);
	pdev->hwmon = NULL;
}
