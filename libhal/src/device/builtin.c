/* SPDX-License-Identifier: Apache-2.0 */
/* The list of built-in backends: add yours here, or install it as a plugin. */
#include "device/builtin.h"

extern const struct pbit_backend pbit__software_backend;
extern const struct pbit_backend pbit__fpga_backend;
extern const struct pbit_backend pbit__pci_backend;
extern const struct pbit_backend pbit__rules_backend;

const struct pbit_backend *const pbit__builtin_backends[] = {
	&pbit__software_backend,
	&pbit__fpga_backend,
	&pbit__pci_backend,
	&pbit__rules_backend,
	NULL,
};
