/* SPDX-License-Identifier: Apache-2.0 */
/* The frame common to the --json output of every command. */
#include "json.h"

#include <stdio.h>
#include "command.h"
#include "report.h"

void json_begin_document(struct json *json, const char *command)
{
	json_object(json, NULL);
	json_count(json, "schema", JSON_SCHEMA);
	json_string(json, "command", command);
}

int json_print(struct json *json)
{
	const char *text;
	int status = STATUS_OK;

	json_end(json);
	text = json_finish(json);
	if (text) {
		fputs(text, stdout);
	} else {
		report(json->failed ? "out of memory" : "cannot form the JSON document");
		status = STATUS_FAILURE;
	}
	json_free(json);
	return status;
}
