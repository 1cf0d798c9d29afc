/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of devices, parsed: the grammar is in pbit/device.h. */
#ifndef PBIT_SRC_ADDRESS_H
#define PBIT_SRC_ADDRESS_H

#include <pbit/backend.h>

#define PBIT__ADDRESS_MAX_LENGTH 4096u
#define PBIT__ADDRESS_MAX_PARAMS 64u
#define PBIT__ADDRESS_MAX_DEPTH	 8u
#define PBIT__SCHEME_MAX	 32u

struct pbit__address {
	struct pbit_uri uri; /* points into what follows and into storage */
	struct pbit_param params[PBIT__ADDRESS_MAX_PARAMS];
	char *storage;
};

/*
 * Parses text into *address, freed by pbit__address_free(). Stacked addresses are checked to the
 * end. -EINVAL with a record that names the offending place, -ENOMEM.
 */
int pbit__address_parse(const char *text, struct pbit__address **address);
void pbit__address_free(struct pbit__address *address);

/* The canonical text of an address, to be freed; NULL without memory. */
char *pbit__address_text(const struct pbit__address *address);

/* Is it [a-z][a-z0-9+-]* of at most PBIT__SCHEME_MAX characters? */
int pbit__scheme_valid(const char *scheme);

#endif
