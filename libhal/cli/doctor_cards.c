/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of what lies between a p-bit card and the fpga: backend: the card on the bus, the kernel module,
 * which driver has the card. Whether a device node opens is the scan's to say.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "doctor.h"
#include "uapi/pbit_card.h"

#define BUS    "/sys/bus/pci/devices"
#define MODULE "/sys/module/pbit"
#define CLASS  "/sys/class/pbit"

static unsigned long read_number(const char *device, const char *name)
{
	char path[512], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), BUS "/%s/%s", device, name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return strtoul(text, NULL, 0);
}

static void driver_of(const char *device, char *driver, size_t size)
{
	char path[512], target[512];
	const char *slash;
	ssize_t n;

	snprintf(path, sizeof(path), BUS "/%s/driver", device);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	slash = strrchr(target, '/');
	snprintf(driver, size, "%s", slash ? slash + 1 : target);
}

static void check_card(struct doctor *doctor, const char *device, bool module)
{
	char driver[512];

	driver_of(device, driver, sizeof(driver));
	if (!strcmp(driver, "pbit"))
		doctor_add(doctor, VERDICT_OK, "card", "", "%s has the driver pbit", device);
	else if (*driver)
		doctor_add(
			doctor, VERDICT_PROBLEM, "card",
			"unbind that driver (its name in /sys/bus/pci/drivers, file unbind), then "
			"write the card's address to /sys/bus/pci/drivers/pbit/bind",
			"%s is bound to the driver %s", device, driver);
	else if (module)
		doctor_add(doctor, VERDICT_PROBLEM, "card",
			   "see what dmesg says of it; bind it: write its address to "
			   "/sys/bus/pci/drivers/pbit/bind",
			   "%s is not bound to the driver pbit, which is loaded", device);
	else
		doctor_add(doctor, VERDICT_PROBLEM, "card",
			   "load the driver: modprobe pbit; or use pci: as root",
			   "%s is there, the kernel module pbit is not loaded", device);
}

static unsigned int check_bus(struct doctor *doctor, bool module)
{
	DIR *dir = opendir(BUS);
	struct dirent *entry;
	unsigned int n = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    read_number(entry->d_name, "vendor") != PBIT_PCI_VENDOR_ID ||
		    read_number(entry->d_name, "device") != PBIT_PCI_DEVICE_ID)
			continue;
		check_card(doctor, entry->d_name, module);
		n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

static unsigned int count_nodes(void)
{
	DIR *dir = opendir(CLASS);
	struct dirent *entry;
	unsigned int n = 0;

	while (dir && (entry = readdir(dir)))
		n += !strncmp(entry->d_name, "pbit", 4);
	if (dir)
		closedir(dir);
	return n;
}

void check_cards(struct doctor *doctor)
{
	const bool module = !access(MODULE, F_OK);
	const unsigned int cards = check_bus(doctor, module);
	const unsigned int nodes = module ? count_nodes() : 0;

	if (nodes)
		doctor_add(doctor, VERDICT_OK, "kernel driver", "", "pbit is loaded, %u device%s",
			   nodes, nodes == 1 ? "" : "s");
	else if (module)
		doctor_add(doctor, VERDICT_WARNING, "kernel driver",
			   cards ? "see the card above, and dmesg"
				 : "check that the card is in its slot and powered: lspci -d "
				   "1d6b:7062",
			   "pbit is loaded and has no device");
	else if (!cards)
		doctor_add(doctor, VERDICT_OK, "kernel driver", "",
			   "pbit is not loaded, and no p-bit card is on the PCI bus");
}
