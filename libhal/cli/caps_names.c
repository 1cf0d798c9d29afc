/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the values in a capability record and in a model. */
#include "caps_names.h"

#include <stdio.h>

#define COUNT(list) ((uint32_t)(sizeof(list) / sizeof((list)[0])))

const struct bit_name flag_names[] = {
	{PBIT_FLAG_LAYERS, "layers"},
	{PBIT_FLAG_BOLTZMANN, "boltzmann"},
	{PBIT_FLAG_DIRECTED, "directed"},
	{PBIT_FLAG_CLAMP, "clamp"},
	{PBIT_FLAG_SEEDABLE, "seedable"},
	{PBIT_FLAG_CONTRACT, "contract"},
	{PBIT_FLAG_SIMULATED, "simulated"},
	{PBIT_FLAG_REPORTS, "reports"},
	{0, NULL},
};

const struct bit_name order_names[] = {
	{PBIT_ORDER_SEQUENTIAL, "sequential"},
	{PBIT_ORDER_CHROMATIC, "chromatic"},
	{PBIT_ORDER_SYNCHRONOUS, "synchronous"},
	{PBIT_ORDER_ASYNCHRONOUS, "asynchronous"},
	{0, NULL},
};

const char *topology_name(uint32_t topology)
{
	static const char *const names[] = {"all", "bipartite", "grid", "listed"};

	return topology < COUNT(names) ? names[topology] : "unknown";
}

const char *random_source_name(uint32_t source)
{
	static const char *const names[] = {"counter", "sequential", "physical"};

	return source < COUNT(names) ? names[source] : "unknown";
}

const char *layer_type_name(uint32_t type)
{
	static const char *const names[] = {"dense", "conv2d", "maxpool"};

	return type < COUNT(names) ? names[type] : "unknown";
}

const char *activation_name(uint32_t activation)
{
	static const char *const names[] = {"pbit", "linear", "sigmoid", "none"};

	return activation < COUNT(names) ? names[activation] : "unknown";
}

const char *encoding_name(uint32_t encoding)
{
	static const char *const names[] = {"bipolar", "binary", "codes"};

	return encoding < COUNT(names) ? names[encoding] : "unknown";
}

const char *format_name(const struct pbit_format *format, char *buf)
{
	if (format->integer_bits == 255)
		snprintf(buf, 24, "float32");
	else
		snprintf(buf, 24, "s{%u}{%u}", format->integer_bits, format->fraction_bits);
	return buf;
}
