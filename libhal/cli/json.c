/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON writer (RFC 8259) with two spaces of indentation. */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "utf8.h"

static void add(struct json *json, const char *text, size_t n)
{
	if (json->failed)
		return;
	if (n >= json->size - json->length) {
		size_t size = json->size ? json->size : 512;
		char *bigger;

		while (n >= size - json->length)
			size *= 2;
		bigger = realloc(json->text, size);
		if (!bigger) {
			json->failed = true;
			return;
		}
		json->text = bigger;
		json->size = size;
	}
	memcpy(json->text + json->length, text, n);
	json->length += n;
	json->text[json->length] = '\0';
}

static void add_text(struct json *json, const char *text)
{
	add(json, text, strlen(text));
}

static void add_newline(struct json *json)
{
	add(json, "\n", 1);
	for (unsigned i = 0; i < json->depth; i++)
		add(json, "  ", 2);
}

static void add_escaped_byte(struct json *json, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *found = c ? strchr(from, c) : NULL;
	char text[8];

	if (found)
		snprintf(text, sizeof(text), "\\%c", to[found - from]);
	else if (c < 0x20 || c == 0x7f)
		snprintf(text, sizeof(text), "\\u%04x", c);
	else
		snprintf(text, sizeof(text), "%c", c);
	add_text(json, text);
}

static void add_string(struct json *json, const char *value)
{
	add(json, "\"", 1);
	while (*value) {
		size_t n = utf8_length(value);

		if (n == 0) {
			add_text(json, "\\ufffd");
			value++;
			continue;
		}
		if (n == 1)
			add_escaped_byte(json, (unsigned char)*value);
		else
			add(json, value, n);
		value += n;
	}
	add(json, "\"", 1);
}

/* What precedes a value: comma, newline, name. */
static void begin_value(struct json *json, const char *name)
{
	if (json->depth == 0) {
		if (json->length || name)
			json->misused = true;
		return;
	}
	if (json->is_array[json->depth - 1] != !name)
		json->misused = true;
	if (!json->first[json->depth - 1])
		add(json, ",", 1);
	json->first[json->depth - 1] = false;
	add_newline(json);
	if (name) {
		add_string(json, name);
		add(json, ": ", 2);
	}
}

static void open_level(struct json *json, const char *name, bool is_array)
{
	begin_value(json, name);
	if (json->depth == JSON_DEPTH) {
		json->misused = true;
		return;
	}
	add(json, is_array ? "[" : "{", 1);
	json->is_array[json->depth] = is_array;
	json->first[json->depth] = true;
	json->depth++;
}

void json_object(struct json *json, const char *name)
{
	open_level(json, name, false);
}

void json_array(struct json *json, const char *name)
{
	open_level(json, name, true);
}

void json_end(struct json *json)
{
	if (json->depth == 0) {
		json->misused = true;
		return;
	}
	json->depth--;
	if (!json->first[json->depth])
		add_newline(json);
	add(json, json->is_array[json->depth] ? "]" : "}", 1);
}

static void add_value(struct json *json, const char *name, const char *text)
{
	begin_value(json, name);
	add_text(json, text);
}

void json_string(struct json *json, const char *name, const char *value)
{
	if (!value) {
		json_null(json, name);
		return;
	}
	begin_value(json, name);
	add_string(json, value);
}

void json_number(struct json *json, const char *name, double value)
{
	char text[40];

	if (!isfinite(value)) {
		json_null(json, name);
		return;
	}
	/* As short as reads back to the same value. */
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	add_value(json, name, text);
}

void json_count(struct json *json, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	add_value(json, name, text);
}

void json_integer(struct json *json, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	add_value(json, name, text);
}

void json_bool(struct json *json, const char *name, bool value)
{
	add_value(json, name, value ? "true" : "false");
}

void json_null(struct json *json, const char *name)
{
	add_value(json, name, "null");
}

const char *json_finish(struct json *json)
{
	if (json->depth != 0 || json->length == 0 || json->misused)
		return NULL;
	add(json, "\n", 1);
	return json->failed ? NULL : json->text;
}

void json_free(struct json *json)
{
	free(json->text);
	memset(json, 0, sizeof(*json));
}
