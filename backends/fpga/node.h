/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes of the driver: found, opened, told apart from what is not there. */
#ifndef PBIT_FPGA_NODE_H
#define PBIT_FPGA_NODE_H

#include "card.h"

/* Feature levels of the driver's interface, major PBIT_UAPI_MAJOR, that this library can use. */
#define FPGA_OLDEST_LEVEL 1u

/* Where the kernel shows things; tests have theirs. */
struct fpga_paths {
	const char *class_folder;
	const char *node_folder;
	const char *module_folder;
};

extern struct fpga_paths pbit__fpga_paths;

/* Opens /dev/NAME as a link. `where` is the address. */
int fpga_node_open(const char *name, const char *where, uint32_t priority, struct card_link **link);

/* Names "pbit0", "pbit1" ... in order of their numbers; *n may be 0. Freed by the caller. -ENOMEM. */
int fpga_node_list(unsigned int **numbers, size_t *n);

/* "pbitN" and nothing else. */
bool fpga_node_name(const char *text, unsigned int *number);

/* The first line of an attribute of a device's, "" where it is not there. */
void fpga_node_attribute(const char *name, const char *attribute, char *text, size_t size);

/* Would it open? 0 or a negative errno with a reason. */
int fpga_node_check(const char *name, char *reason, size_t size);

/* Who may open the nodes, and how to become one. */
#define FPGA_PERMISSION_HINT                                                     \
	"join the group pbit, which the driver's udev rule gives the device to " \
	"(usermod -aG pbit USER), then log in anew"

#endif
