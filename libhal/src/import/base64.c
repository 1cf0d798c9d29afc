/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648, strict: the standard alphabet, padded, unused bits 0. */
#include <errno.h>
#include <stdlib.h>
#include "import/dimod.h"

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int pbit__base64(const char *text, size_t length, uint8_t **bytes, size_t *size)
{
	size_t padding = 0, n = 0;
	uint32_t group = 0;
	uint8_t *out;

	if (length % 4)
		return -EINVAL;
	while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
		padding++;
	out = malloc(length / 4 * 3 + 1);
	if (!out)
		return -ENOMEM;
	for (size_t k = 0; k < length; k++) {
		int value = k < length - padding ? value_of(text[k]) : 0;

		if (value < 0)
			goto invalid;
		group = group << 6 | (uint32_t)value;
		if (k % 4 != 3)
			continue;
		out[n++] = (uint8_t)(group >> 16);
		out[n++] = (uint8_t)(group >> 8);
		out[n++] = (uint8_t)group;
		group = 0;
	}
	for (size_t k = 0; k < padding; k++)
		if (out[n - 1 - k])
			goto invalid;
	*bytes = out;
	*size = n - padding;
	return 0;
invalid:
	free(out);
	return -EINVAL;
}
