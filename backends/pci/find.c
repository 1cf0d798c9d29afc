/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards on the bus, by libpci. Its errors end the program unless they are caught, and its messages go to
 * standard error unless they are told not to.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bare.h"

const char *pbit__pci_sysfs = "/sys/bus/pci";

void bare_address_text(const struct bare_address *a, char text[BARE_NAME_SIZE])
{
	snprintf(text, BARE_NAME_SIZE, "%04x:%02x:%02x.%u", (unsigned int)a->domain, a->bus,
		 a->device, a->function);
}

bool bare_address_read(const char *text, struct bare_address *a)
{
	unsigned int domain;
	int end = 0;

	/* No sign, no space, no 0x: sscanf() would take them. */
	if (strspn(text, "0123456789abcdefABCDEF:.") != strlen(text) ||
	    sscanf(text, "%8x:%2x:%2x.%1u%n", &domain, &a->bus, &a->device, &a->function, &end) !=
		    4 ||
	    text[end] || domain > 0x7fffffff || a->device > 31 || a->function > 7)
		return false;
	a->domain = (int)domain;
	return true;
}

void bare_path(const char *name, const char *file, char *path, size_t size)
{
	snprintf(path, size, "%s/devices/%s/%s", pbit__pci_sysfs, name, file);
}

void bare_driver(const char *name, char *driver, size_t size)
{
	char path[512], target[512];
	const char *slash;
	ssize_t n;

	bare_path(name, "driver", path, sizeof(path));
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	slash = strrchr(target, '/');
	snprintf(driver, size, "%s", slash ? slash + 1 : target);
}

#ifdef PBIT_HAVE_LIBPCI
#include <pci/pci.h>

static _Thread_local struct {
	jmp_buf back;
	char text[160];
} trouble;

static void silent(char *fmt, ...)
{
	(void)fmt;
}

__attribute__((noreturn, format(printf, 1, 2))) static void fail_back(char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(trouble.text, sizeof(trouble.text), fmt, args);
	va_end(args);
	longjmp(trouble.back, 1);
}

#define MOST_CARDS 64u

struct cards {
	struct bare_address at[MOST_CARDS];
	uint32_t n;
};

static bool is_card(struct pci_dev *dev)
{
	pci_fill_info(dev, PCI_FILL_IDENT);
	return dev->vendor_id == PBIT_PCI_VENDOR_ID && dev->device_id == PBIT_PCI_DEVICE_ID;
}

/* All of libpci is in here, so that an error of its own leaves nothing of ours half done. */
static int list(struct cards *cards)
{
	struct pci_access *volatile bus = NULL;

	if (setjmp(trouble.back)) {
		if (bus)
			pci_cleanup(bus);
		return pbit_fail(-EIO, PBIT_ERR_RESOURCE, "cannot look for cards", "pci:", NULL,
				 "libpci: %s", trouble.text);
	}
	bus = pci_alloc();
	bus->error = fail_back;
	bus->warning = silent;
	bus->debug = silent;
	bus->method = PCI_ACCESS_SYS_BUS_PCI;
	pci_set_param(bus, (char *)"sysfs.path", (char *)(uintptr_t)pbit__pci_sysfs);
	pci_init(bus);
	pci_scan_bus(bus);
	for (struct pci_dev *dev = bus->devices; dev && cards->n < MOST_CARDS; dev = dev->next)
		if (is_card(dev))
			cards->at[cards->n++] =
				(struct bare_address){dev->domain, dev->bus, dev->dev, dev->func};
	pci_cleanup(bus);
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct bare_address *x = a, *y = b;

	if (x->domain != y->domain)
		return x->domain < y->domain ? -1 : 1;
	if (x->bus != y->bus)
		return x->bus < y->bus ? -1 : 1;
	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return (x->function > y->function) - (x->function < y->function);
}

int bare_find(int (*fn)(const struct bare_address *address, void *user), void *user)
{
	static _Thread_local struct cards cards;
	char path[512];
	int rc;

	/* A machine without PCI has no such folder, and no cards. */
	snprintf(path, sizeof(path), "%s/devices", pbit__pci_sysfs);
	if (access(path, F_OK))
		return 0;
	cards.n = 0;
	rc = list(&cards);
	if (cards.n)
		qsort(cards.at, cards.n, sizeof(cards.at[0]), by_address);
	for (uint32_t i = 0; !rc && i < cards.n; i++)
		rc = fn(&cards.at[i], user);
	return rc;
}
#else
int bare_find(int (*fn)(const struct bare_address *address, void *user), void *user)
{
	(void)fn;
	(void)user;
	return 0;
}
#endif
