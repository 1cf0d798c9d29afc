/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the values in a capability record and in a model. */
#ifndef PBIT_CLI_CAPS_NAMES_H
#define PBIT_CLI_CAPS_NAMES_H

#include <stdint.h>
#include <pbit/caps.h>

struct bit_name {
	uint32_t bit;
	const char *name;
};

/* Lists end with a NULL name. */
extern const struct bit_name flag_names[];
extern const struct bit_name order_names[];

/* "unknown" outside the enumeration. */
const char *topology_name(uint32_t topology);
const char *random_source_name(uint32_t source);
const char *layer_type_name(uint32_t type);
const char *activation_name(uint32_t activation);
const char *encoding_name(uint32_t encoding);

/* "s{4}{11}" or "float32" into buf of 24 bytes. */
const char *format_name(const struct pbit_format *format, char *buf);

#endif
