/* SPDX-License-Identifier: Apache-2.0 */
/* A Boltzmann machine from a file, its clamps and its names. */
#include "machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pbit/backend.h>
#include "caps_names.h"
#include "number.h"

int machine_open(struct machine *machine, const char *path, const char *format)
{
	int err;

	*machine = (struct machine){.path = path, .info = PBIT_INIT(machine->info)};
	err = pbit_bm_load(path, format, &machine->bm, &machine->info);
	if (err)
		return err;
	machine->n = pbit_bm_size(machine->bm);
	machine->words = ((size_t)machine->n + 63) / 64;
	return 0;
}

void machine_close(struct machine *machine)
{
	free(machine->mask);
	free(machine->value);
	pbit_bm_info_free(&machine->info);
	pbit_bm_put(machine->bm);
	machine->bm = NULL;
}

const char *machine_label(const struct machine *machine, uint32_t i, char *buf)
{
	if (machine->info.labels)
		return machine->info.labels[i];
	snprintf(buf, 16, "%u", i);
	return buf;
}

double machine_energy(const struct machine *machine, const uint64_t *state)
{
	return pbit_bm_energy(machine->bm, state) + machine->info.offset;
}

static int fail_clamp(const char *text, const char *hint, const char *why)
{
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot clamp", text, hint, "%s", why);
}

/* The p-bit that a label or number names; machine->n where none. */
static uint32_t find_pbit(const struct machine *machine, const char *name, size_t length)
{
	char digits[24];
	uint64_t i;

	if (machine->info.labels) {
		for (uint32_t k = 0; k < machine->n; k++)
			if (!strncmp(machine->info.labels[k], name, length) &&
			    !machine->info.labels[k][length])
				return k;
		return machine->n;
	}
	if (length >= sizeof(digits))
		return machine->n;
	memcpy(digits, name, length);
	digits[length] = '\0';
	return number_parse(digits, 0, machine->n - 1, &i) ? (uint32_t)i : machine->n;
}

static int add_clamp(struct machine *machine, const char *text)
{
	const char *equals = strrchr(text, '=');
	uint64_t bit, up;
	uint32_t i;

	if (!equals || equals == text)
		return fail_clamp(text, "write --clamp 3=+1", "it is not of the form P=+1 or P=-1");
	if (strcmp(equals, "=+1") && strcmp(equals, "=1") && strcmp(equals, "=-1"))
		return fail_clamp(text, NULL, "a p-bit is clamped to +1 or -1");
	i = find_pbit(machine, text, (size_t)(equals - text));
	if (i == machine->n)
		return fail_clamp(text,
				  machine->info.labels ? "p-bits have the labels of the file"
						       : "p-bits count from 0",
				  "the machine has no such p-bit");
	bit = UINT64_C(1) << (i % 64);
	up = equals[1] == '-' ? 0 : bit;
	if (machine->mask[i / 64] & bit) {
		if ((machine->value[i / 64] & bit) == up)
			return 0;
		return fail_clamp(text, NULL, "the p-bit is clamped to +1 and to -1");
	}
	machine->mask[i / 64] |= bit;
	machine->value[i / 64] |= up;
	machine->n_clamped++;
	return 0;
}

int machine_clamp(struct machine *machine, const struct text_list *clamps)
{
	int err = 0;

	if (!clamps->n)
		return 0;
	machine->mask = calloc(machine->words, sizeof(*machine->mask));
	machine->value = calloc(machine->words, sizeof(*machine->value));
	if (!machine->mask || !machine->value)
		return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot clamp", NULL, NULL,
				 "out of memory");
	for (uint32_t k = 0; k < clamps->n && !err; k++)
		err = add_clamp(machine, clamps->text[k]);
	return err;
}

static uint64_t hash(uint64_t h, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
	return h;
}

int machine_digest(const struct machine *machine, uint64_t *digest)
{
	struct pbit_bm_view view = PBIT_INIT(view);
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	int err = pbit_bm_view(machine->bm, &view);

	if (err)
		return err;
	h = hash(h, &view.n, sizeof(view.n));
	h = hash(h, view.row, ((size_t)view.n + 1) * sizeof(*view.row));
	h = hash(h, view.col, view.row[view.n] * sizeof(*view.col));
	h = hash(h, view.J, view.row[view.n] * sizeof(*view.J));
	*digest = hash(h, view.h, view.n * sizeof(*view.h));
	return 0;
}

uint32_t order_by_name(const char *name)
{
	for (const struct bit_name *known = order_names; known->name; known++)
		if (!strcmp(known->name, name))
			return known->bit;
	(void)usage_error("--order: '%s' is none of sequential, chromatic, synchronous, "
			  "asynchronous",
			  name);
	return 0;
}

const char *order_name(const struct pbit_device *dev, uint32_t order)
{
	struct pbit_caps caps = PBIT_INIT(caps);

	if (!order && (pbit_get_caps((struct pbit_device *)(uintptr_t)dev, &caps) ||
		       !(caps.stated & PBIT_CAP_ORDERS)))
		return NULL;
	if (!order)
		order = caps.orders & (~caps.orders + 1);
	for (const struct bit_name *known = order_names; known->name; known++)
		if (known->bit == order)
			return known->name;
	return NULL;
}

void machine_json(struct json *json, const struct machine *machine)
{
	char buf[16];

	json_string(json, "machine", machine->path);
	json_string(json, "format", pbit_bm_format_name(machine->info.format));
	if (*machine->info.name)
		json_string(json, "name", machine->info.name);
	json_count(json, "n", machine->n);
	json_count(json, "couplings", pbit_bm_couplings(machine->bm));
	json_number(json, "offset", machine->info.offset);
	if (!machine->n_clamped)
		return;
	json_object(json, "clamped");
	for (uint32_t i = 0; i < machine->n; i++)
		if (state_bit(machine->mask, i) > 0)
			json_integer(json, machine_label(machine, i, buf),
				     state_bit(machine->value, i));
	json_end(json);
}

void machine_json_state(struct json *json, const struct machine *machine, const uint64_t *state)
{
	bool is_binary = machine->info.vartype == PBIT_BINARY_VARIABLES;
	char buf[16];

	json_array(json, "state");
	for (uint32_t i = 0; i < machine->n; i++)
		json_integer(json, NULL, state_bit(state, i));
	json_end(json);
	if (!machine->info.labels && !is_binary)
		return;
	json_object(json, "assignment");
	for (uint32_t i = 0; i < machine->n; i++) {
		int m = state_bit(state, i);

		json_integer(json, machine_label(machine, i, buf), is_binary ? (1 + m) / 2 : m);
	}
	json_end(json);
}
