/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards with no driver: for bringing up a card, and where no module can be loaded.
 *
 *     pci:0000:03:00.0		pci: is the first that no driver has
 *
 * A card that is pulled out while it is mapped ends this process with SIGBUS; the driver and fpga: do not.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "bare.h"

extern const struct pbit_backend pbit__pci_backend;

/* What the driver pbit calls the card, "" where that is not to be seen. */
static void node_of(const char *name, char *node, size_t size)
{
	char path[512];
	struct dirent *entry;
	DIR *dir;

	*node = '\0';
	bare_path(name, "pbit", path, sizeof(path));
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "pbit", 4))
			snprintf(node, size, "%.40s", entry->d_name);
	if (dir)
		closedir(dir);
}

/* Why a card cannot be used now; 0 where nothing is seen that stands against it. */
static int check(const char *name, char *reason, size_t reason_size, char *hint, size_t hint_size)
{
	char driver[64], node[64], path[512];

	bare_driver(name, driver, sizeof(driver));
	*reason = *hint = '\0';
	if (!strcmp(driver, "pbit")) {
		node_of(name, node, sizeof(node));
		snprintf(reason, reason_size, "the driver pbit has it");
		snprintf(hint, hint_size, "use fpga:%s", node);
		return -EBUSY;
	}
	if (*driver) {
		snprintf(reason, reason_size, "the driver %s has it", driver);
		snprintf(hint, hint_size, "take it away: echo %s > %s/drivers/%s/unbind", name,
			 pbit__pci_sysfs, driver);
		return -EBUSY;
	}
	bare_path(name, "resource0", path, sizeof(path));
	if (access(path, F_OK)) {
		snprintf(reason, reason_size, "there is no %s", path);
		return -ENODEV;
	}
	if (access(path, R_OK | W_OK)) {
		snprintf(reason, reason_size, "no permission for %s: it takes root", path);
		snprintf(hint, hint_size, "run as root, or load the driver and use fpga:");
		return -EACCES;
	}
	return 0;
}

struct scan {
	pbit_found_fn *fn;
	void *user;
};

static int report(const struct bare_address *address, void *user)
{
	char name[BARE_NAME_SIZE], uri[64], reason[640], hint[640], text[1300];
	struct pbit_found found = PBIT_INIT(found);
	const struct scan *scan = user;

	bare_address_text(address, name);
	snprintf(uri, sizeof(uri), "pci:%s", name);
	found.status = check(name, reason, sizeof(reason), hint, sizeof(hint));
	/* The driver's own cards are found as fpga:, once. */
	if (!strcmp(reason, "the driver pbit has it"))
		return 0;
	snprintf(text, sizeof(text), "%s%s%s", reason, *hint ? "; " : "", hint);
	found.uri = uri;
	found.description = "p-bit card with no driver";
	found.backend = "pci";
	found.reason = text;
	return scan->fn(&found, scan->user);
}

static int pci_scan(const struct pbit_backend *self, pbit_found_fn *fn, void *user)
{
	struct scan scan = {fn, user};

	(void)self;
	return bare_find(report, &scan);
}

struct wanted {
	const char *name; /* "" for the first without a driver */
	char found[BARE_NAME_SIZE];
	char other[BARE_NAME_SIZE]; /* one that has a driver */
};

static int match(const struct bare_address *address, void *user)
{
	char name[BARE_NAME_SIZE], driver[64];
	struct wanted *w = user;

	bare_address_text(address, name);
	bare_driver(name, driver, sizeof(driver));
	if (*w->name ? strcmp(name, w->name) != 0 : *driver != '\0') {
		snprintf(w->other, sizeof(w->other), "%s", name);
		return 0;
	}
	snprintf(w->found, sizeof(w->found), "%s", name);
	return 1;
}

static int find(const struct pbit_uri *uri, struct wanted *w)
{
	static const char what[] = "cannot open device";
	char name[BARE_NAME_SIZE] = "";
	struct bare_address address;
	int rc;

	if (*uri->target && !bare_address_read(uri->target, &address))
		return pbit_fail(-EINVAL, PBIT_ERR_URI, what, uri->text,
				 "write pci:0000:03:00.0, or pci: for the first",
				 "\"%s\" is not an address on the bus", uri->target);
	if (*uri->target)
		bare_address_text(&address, name);
	*w = (struct wanted){.name = name};
	rc = bare_find(match, w);
	w->name = NULL;
	if (rc < 0)
		return rc;
	if (*w->found)
		return 0;
	/* Refused below, with its driver's name. */
	if (!*uri->target && *w->other) {
		memcpy(w->found, w->other, sizeof(w->found));
		return 0;
	}
#ifndef PBIT_HAVE_LIBPCI
	return pbit_fail(-EOPNOTSUPP, PBIT_ERR_NO_DEVICE, what, uri->text,
			 "build it with libpci-dev installed",
			 "this libpbit was built without libpci");
#else
	return pbit_fail(-ENODEV, PBIT_ERR_NO_DEVICE, what, uri->text,
			 "see pbit list; lspci -d 1d6b:7062 shows the cards",
			 *name ? "there is no p-bit card at %s" : "there is no p-bit card%s", name);
#endif
}

static int pci_open(const struct pbit_uri *uri, const struct pbit_open_opts *opts, void **priv)
{
	static const char *const known[] = {NULL};
	char reason[640], hint[640];
	struct card_link *link;
	struct bare_bars bars;
	struct wanted w;
	int rc;

	(void)opts;
	rc = pbit_uri_only(uri, known);
	if (!rc)
		rc = find(uri, &w);
	if (rc)
		return rc;
	rc = check(w.found, reason, sizeof(reason), hint, sizeof(hint));
	if (rc)
		return pbit_fail(rc,
				 rc == -EACCES	? PBIT_ERR_PERMISSION
				 : rc == -EBUSY ? PBIT_ERR_RESOURCE
						: PBIT_ERR_NO_DEVICE,
				 "cannot open device", uri->text, hint, "%s: %s", w.found, reason);
	rc = bare_bars_map(w.found, uri->text, &bars);
	if (!rc)
		rc = bare_link_new(&bars, uri->text, &link);
	return rc ? rc : card_new(link, uri->text, (struct card **)priv);
}

static const struct pbit_backend_ops ops = {
	.struct_size = sizeof(ops),
	.scan = pci_scan,
	.open = pci_open,
	CARD_OPS,
};

const struct pbit_backend pbit__pci_backend = {
	.struct_size = sizeof(pbit__pci_backend),
	.abi = PBIT_ABI,
	.name = "pci",
	.scheme = "pci",
	.description = "p-bit cards on PCI with no driver",
	.version = "0.1.0",
	.rank = PBIT_RANK_NEVER,
	.ops = &ops,
};
