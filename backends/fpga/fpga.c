/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards behind the kernel driver.
 *
 *     fpga:pbitN,priority=low|normal|high		fpga: is the first that opens
 */
#include <errno.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/error.h"
#include "node.h"

extern const struct pbit_backend pbit__fpga_backend;

static int report(const char *name, pbit_found_fn *fn, void *user)
{
	struct pbit_found found = PBIT_INIT(found);
	char uri[32], label[64], bus[32], serial[64], flags[32], text[224], reason[512] = "";

	snprintf(uri, sizeof(uri), "fpga:%s", name);
	fpga_node_attribute(name, "label", label, sizeof(label));
	fpga_node_attribute(name, "bus", bus, sizeof(bus));
	fpga_node_attribute(name, "serial", serial, sizeof(serial));
	fpga_node_attribute(name, "flags", flags, sizeof(flags));
	snprintf(text, sizeof(text), "%s on %s%s%s", *label ? label : "p-bit card",
		 *bus ? bus : "an unknown bus", *serial ? ", serial " : "", serial);
	found.status = fpga_node_check(name, reason, sizeof(reason));
	if (strtoul(flags, NULL, 0) & PBIT_CARD_SIMULATED)
		found.flags = PBIT_FLAG_SIMULATED;
	found.uri = uri;
	found.description = text;
	found.backend = "fpga";
	found.reason = reason;
	return fn(&found, user);
}

static int fpga_scan(const struct pbit_backend *self, pbit_found_fn *fn, void *user)
{
	unsigned int *numbers;
	char name[16];
	size_t n;
	int rc;

	(void)self;
	rc = fpga_node_list(&numbers, &n);
	for (size_t i = 0; !rc && i < n; i++) {
		snprintf(name, sizeof(name), "pbit%u", numbers[i]);
		rc = report(name, fn, user);
	}
	free(numbers);
	return rc;
}

static int read_priority(const struct pbit_uri *uri, uint32_t *priority)
{
	static const char *const names[] = {
		[PBIT_PRIORITY_LOW] = "low",
		[PBIT_PRIORITY_NORMAL] = "normal",
		[PBIT_PRIORITY_HIGH] = "high",
	};
	const char *name = pbit_uri_param(uri, "priority");

	*priority = PBIT_PRIORITY_NORMAL;
	for (uint32_t i = 0; name && i < 3; i++)
		if (!strcmp(name, names[i])) {
			*priority = i;
			return 0;
		}
	return !name ? 0
		     : pbit_fail(-EINVAL, PBIT_ERR_URI, "cannot open device", uri->text,
				 "priorities are low, normal, high", "there is no priority \"%s\"",
				 name);
}

/* The first that opens; the record of the first that does not where none does. */
static int open_first(const struct pbit_uri *uri, uint32_t priority, struct card_link **link)
{
	struct pbit__error_copy first;
	unsigned int *numbers;
	char name[16];
	size_t n;
	int rc;

	rc = fpga_node_list(&numbers, &n);
	if (rc)
		return rc;
	if (!n) {
		free(numbers);
		/* Says whether the module is there. */
		return fpga_node_open("pbit0", uri->text, priority, link);
	}
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "pbit%u", numbers[i]);
		rc = fpga_node_open(name, uri->text, priority, link);
		if (!rc)
			break;
		if (!i)
			pbit__error_save(&first);
	}
	free(numbers);
	if (!rc)
		return 0;
	pbit__error_restore(&first);
	return first.code;
}

static int fpga_open(const struct pbit_uri *uri, const struct pbit_open_opts *opts, void **priv)
{
	static const char *const known[] = {"priority", NULL};
	struct card_link *link;
	unsigned int number;
	uint32_t priority;
	int rc;

	(void)opts;
	rc = pbit_uri_only(uri, known);
	if (!rc)
		rc = read_priority(uri, &priority);
	if (rc)
		return rc;
	if (*uri->target && !fpga_node_name(uri->target, &number))
		return pbit_fail(-EINVAL, PBIT_ERR_URI, "cannot open device", uri->text,
				 "write fpga:pbit0, or fpga: for the first",
				 "\"%s\" is not the name of a device of the driver", uri->target);
	rc = *uri->target ? fpga_node_open(uri->target, uri->text, priority, &link)
			  : open_first(uri, priority, &link);
	return rc ? rc : card_new(link, uri->text, (struct card **)priv);
}

static const struct pbit_backend_ops ops = {
	.struct_size = sizeof(ops),
	.scan = fpga_scan,
	.open = fpga_open,
	CARD_OPS,
};

const struct pbit_backend pbit__fpga_backend = {
	.struct_size = sizeof(pbit__fpga_backend),
	.abi = PBIT_ABI,
	.name = "fpga",
	.scheme = "fpga",
	.description = "p-bit cards behind the kernel driver",
	.version = "0.1.0",
	.rank = PBIT_RANK_HARDWARE,
	.ops = &ops,
};
