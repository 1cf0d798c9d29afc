/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON writer. It builds one document in memory, so that nothing of it
 * appears where the command fails half-way. Numbers that JSON lacks (NaN,
 * infinities) become null; bytes that are not UTF-8 become U+FFFD.
 */
#ifndef PBIT_CLI_JSON_H
#define PBIT_CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH 16u

struct json {
	char *text;
	size_t length, size;
	unsigned depth;
	bool first[JSON_DEPTH];	   /* no member yet at this depth */
	bool is_array[JSON_DEPTH]; /* else an object */
	bool failed;		   /* out of memory */
	bool misused;		   /* calls that would not give a document */
};

/* name: the member's name inside an object, NULL inside an array and at the top. */
void json_object(struct json *json, const char *name);
void json_array(struct json *json, const char *name);
void json_end(struct json *json); /* of the innermost object or array */

void json_string(struct json *json, const char *name, const char *value); /* NULL: null */
void json_number(struct json *json, const char *name, double value);
void json_count(struct json *json, const char *name, uint64_t value);
void json_integer(struct json *json, const char *name, int64_t value);
void json_bool(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);

/* The finished document with a final newline, NULL out of memory or unfinished. Lives until json_free(). */
const char *json_finish(struct json *json);
void json_free(struct json *json);

/* Opens the top object with "schema" and "command". */
void json_begin_document(struct json *json, const char *command);

/* Closes it and prints the document; returns an exit status. Frees. */
int json_print(struct json *json);

#endif
