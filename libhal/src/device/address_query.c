/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend asks of a parsed address: values, whole numbers, nothing unknown. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pbit/backend.h>
#include "core/text.h"

#define WHAT "cannot open device"

const char *pbit_uri_param(const struct pbit_uri *uri, const char *key)
{
	uint32_t i;

	if (!uri || !key)
		return NULL;
	for (i = 0; i < uri->n_params; i++)
		if (!strcmp(uri->params[i].key, key))
			return uri->params[i].value;
	return NULL;
}

/* Decimal, or hexadecimal behind 0x; no sign, no space. */
static int read_number(const char *text, uint64_t *value)
{
	int hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	char *end;

	if (!*digits || digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")])
		return -1;
	errno = 0;
	*value = strtoull(digits, &end, hex ? 16 : 10);
	return errno || *end ? -1 : 0;
}

int pbit_uri_number(const struct pbit_uri *uri, const char *key, uint64_t min, uint64_t max,
		    uint64_t *value)
{
	const char *text;
	uint64_t number;

	if (!uri || !key || !value)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, NULL, NULL,
				 "an argument of pbit_uri_number() is NULL");
	text = pbit_uri_param(uri, key);
	if (!text)
		return 0;
	if (read_number(text, &number) || number < min || number > max)
		return pbit_fail(-EINVAL, PBIT_ERR_URI, WHAT, uri->text, NULL,
				 "parameter %s is '%s', expected a whole number from %llu to %llu",
				 key, text, (unsigned long long)min, (unsigned long long)max);
	*value = number;
	return 0;
}

static int in_list(const char *key, const char *const *known)
{
	for (; *known; known++)
		if (!strcmp(key, *known))
			return 1;
	return 0;
}

int pbit_uri_only(const struct pbit_uri *uri, const char *const *known)
{
	char list[256] = "known parameters: ";
	const char *const *name;
	uint32_t i;

	if (!uri || !known)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, WHAT, NULL, NULL,
				 "an argument of pbit_uri_only() is NULL");
	for (i = 0; i < uri->n_params; i++)
		if (!in_list(uri->params[i].key, known))
			break;
	if (i == uri->n_params)
		return 0;
	for (name = known; *name; name++)
		pbit__text_append(list, sizeof(list), "%s%s", name == known ? "" : ", ", *name);
	return pbit_fail(-EINVAL, PBIT_ERR_URI, WHAT, uri->text,
			 *known ? list : "it takes no parameters", "%s: has no parameter '%s'",
			 uri->scheme, uri->params[i].key);
}
