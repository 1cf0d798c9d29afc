/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parser of addresses: scheme ':' [target] [',' key '=' value]... ['/' address]. One copy of the
 * text is cut into pieces in place and decoded where it lies; decoding never lengthens it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/address.h"

#define WHAT "cannot read device address"

static int is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int refuse(const char *text, const char *hint, const char *why)
{
	return pbit_fail(-EINVAL, PBIT_ERR_URI, WHAT, text, hint, "%s", why);
}

int pbit__scheme_valid(const char *scheme)
{
	size_t n;

	if (!is_lower(scheme[0]))
		return 0;
	for (n = 1; scheme[n]; n++)
		if (n >= PBIT__SCHEME_MAX || !(is_lower(scheme[n]) || is_digit(scheme[n]) ||
					       scheme[n] == '+' || scheme[n] == '-'))
			return 0;
	return 1;
}

static int key_valid(const char *key)
{
	if (!is_lower(key[0]))
		return 0;
	for (; *key; key++)
		if (!(is_lower(*key) || is_digit(*key) || *key == '_' || *key == '-'))
			return 0;
	return 1;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decodes %XX in place. */
static int decode(char *piece, const char *text)
{
	char *out = piece, *in;
	int high, low;

	for (in = piece; *in; in++, out++) {
		*out = *in;
		if (*in != '%')
			continue;
		high = hex_value(in[1]);
		low = high < 0 ? -1 : hex_value(in[2]);
		if (low < 0)
			return refuse(text, "write a plain '%' as %25",
				      "'%' is not followed by two hexadecimal digits");
		if (high == 0 && low == 0)
			return refuse(text, NULL, "%00 cannot be part of an address");
		*out = (char)(high << 4 | low);
		in += 2;
	}
	*out = '\0';
	return 0;
}

static int add_param(struct pbit__address *address, char *piece, const char *text)
{
	struct pbit_uri *uri = &address->uri;
	char *value = strchr(piece, '=');
	uint32_t i;
	int rc;

	if (!*piece)
		return refuse(text, "parameters are key=value, one ',' between two",
			      "a parameter is empty");
	if (!value)
		return pbit_fail(-EINVAL, PBIT_ERR_URI, WHAT, text,
				 "parameters are key=value; write a ',' inside a value as %2C",
				 "parameter '%s' has no value", piece);
	*value++ = '\0';
	if (!key_valid(piece))
		return pbit_fail(-EINVAL, PBIT_ERR_URI, WHAT, text,
				 "a key is made of a-z, 0-9, '_', '-' and begins with a letter",
				 "'%s' is not a parameter key", piece);
	if (strchr(value, '='))
		return pbit_fail(-EINVAL, PBIT_ERR_URI, WHAT, text,
				 "write a '=' inside a value as %3D",
				 "the value of '%s' contains a '='", piece);
	if (uri->n_params == PBIT__ADDRESS_MAX_PARAMS)
		return pbit_fail(-EINVAL, PBIT_ERR_URI, WHAT, text, NULL,
				 "it has more than %u parameters", PBIT__ADDRESS_MAX_PARAMS);
	for (i = 0; i < uri->n_params; i++)
		if (!strcmp(address->params[i].key, piece))
			return pbit_fail(-EINVAL, PBIT_ERR_URI, WHAT, text, "give it once",
					 "parameter '%s' is given twice", piece);
	rc = decode(value, text);
	if (rc)
		return rc;
	address->params[uri->n_params].key = piece;
	address->params[uri->n_params++].value = value;
	return 0;
}

/* What lies between the scheme and the stacked address. */
static int split_body(struct pbit__address *address, char *body, const char *text)
{
	char *piece, *rest = body;
	int rc, first = 1;

	while ((piece = strsep(&rest, ","))) {
		if (first && !strchr(piece, '=')) {
			address->uri.target = piece;
			rc = decode(piece, text);
		} else {
			rc = add_param(address, piece, text);
		}
		if (rc)
			return rc;
		first = 0;
	}
	return 0;
}

static int check_characters(const char *text)
{
	size_t length = strnlen(text, PBIT__ADDRESS_MAX_LENGTH + 1);
	const char *c;

	if (length > PBIT__ADDRESS_MAX_LENGTH)
		return pbit_fail(-EINVAL, PBIT_ERR_URI, WHAT, text, NULL,
				 "it is longer than %u bytes", PBIT__ADDRESS_MAX_LENGTH);
	if (!length)
		return refuse("", "an address looks like \"software:\"", "it is empty");
	for (c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return refuse(text, "write it as %XX in hexadecimal",
				      "it contains a control character");
	return 0;
}

static int parse_depth(const char *text, unsigned depth, struct pbit__address **out);

/* Only checks: the backend that stacks opens the inner address by itself. */
static int check_inner(const char *inner, const char *text, unsigned depth)
{
	struct pbit__address *address;
	int rc;

	if (!*inner)
		return refuse(text, "write a '/' inside a target or value as %2F",
			      "no address follows the '/'");
	if (depth >= PBIT__ADDRESS_MAX_DEPTH)
		return pbit_fail(-EINVAL, PBIT_ERR_URI, WHAT, text, NULL,
				 "more than %u addresses are stacked", PBIT__ADDRESS_MAX_DEPTH);
	rc = parse_depth(inner, depth + 1, &address);
	if (!rc)
		pbit__address_free(address);
	return rc;
}

static int parse_into(struct pbit__address *address, const char *text, unsigned depth)
{
	char *body = strchr(address->storage, ':');
	char *inner;
	int rc;

	if (!body || body == address->storage)
		return refuse(text,
			      depth > 1 ? "what follows a '/' is an address of its own; write a "
					  "'/' inside a target as %2F"
					: "an address looks like \"software:threads=2\"",
			      "it does not begin with a scheme and ':'");
	*body++ = '\0';
	if (!pbit__scheme_valid(address->storage))
		return pbit_fail(-EINVAL, PBIT_ERR_URI, WHAT, text,
				 "a scheme is made of a-z, 0-9, '+', '-' and begins with a letter",
				 "'%s' is not a scheme", address->storage);
	address->uri.scheme = address->storage;
	inner = strchr(body, '/');
	if (inner) {
		*inner++ = '\0';
		rc = check_inner(inner, text, depth);
		if (rc)
			return rc;
		address->uri.inner = inner;
	}
	return split_body(address, body, text);
}

static int parse_depth(const char *text, unsigned depth, struct pbit__address **out)
{
	struct pbit__address *address;
	int rc = check_characters(text);

	if (rc)
		return rc;
	address = calloc(1, sizeof(*address));
	if (!address)
		goto no_memory;
	address->storage = strdup(text);
	address->uri.text = strdup(text);
	if (!address->storage || !address->uri.text)
		goto no_memory;
	address->uri.struct_size = sizeof(address->uri);
	address->uri.target = address->uri.inner = "";
	address->uri.params = address->params;
	rc = parse_into(address, text, depth);
	if (rc) {
		pbit__address_free(address);
		return rc;
	}
	*out = address;
	return 0;

no_memory:
	pbit__address_free(address);
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, WHAT, text, NULL, "out of memory");
}

int pbit__address_parse(const char *text, struct pbit__address **address)
{
	return parse_depth(text, 1, address);
}

void pbit__address_free(struct pbit__address *address)
{
	if (!address)
		return;
	free(address->storage);
	free((char *)(uintptr_t)address->uri.text);
	free(address);
}

/* Appends text, escaped; returns the new end. */
static char *escape(char *out, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c != 0x7f && !strchr(",=/%", c)) {
			*out++ = *text;
			continue;
		}
		*out++ = '%';
		*out++ = digits[c >> 4];
		*out++ = digits[c & 15];
	}
	return out;
}

char *pbit__address_text(const struct pbit__address *address)
{
	const struct pbit_uri *uri = &address->uri;
	/* At worst every byte becomes three; separators were in the text. */
	char *text = malloc(3 * strlen(uri->text) + 2), *out = text;
	uint32_t i;

	if (!text)
		return NULL;
	out = stpcpy(out, uri->scheme);
	*out++ = ':';
	out = escape(out, uri->target);
	for (i = 0; i < uri->n_params; i++) {
		if (i || uri->target[0])
			*out++ = ',';
		out = stpcpy(out, uri->params[i].key);
		*out++ = '=';
		out = escape(out, uri->params[i].value);
	}
	if (uri->inner[0]) {
		*out++ = '/';
		out = stpcpy(out, uri->inner);
	}
	*out = '\0';
	return text;
}
