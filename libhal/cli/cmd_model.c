/* SPDX-License-Identifier: Apache-2.0 */
/* `pbit model`: chooses among its subcommands. */
#include <stdio.h>
#include <string.h>
#include "command.h"
#include "report.h"
#include "suggest.h"

static const struct command commands[] = {
	{"show", "show what a model file holds", model_show},
	{"pack", "make a model file from device-tree source", model_pack},
	{"unpack", "turn a model file into device-tree source", model_unpack},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *out)
{
	fputs("usage: pbit model show FILE [--json]\n"
	      "       pbit model pack IN.dts OUT.pbm\n"
	      "       pbit model unpack IN.pbm OUT.dts|-\n\nCommands:\n",
	      out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
}

static int unknown_command(const char *name)
{
	const char *known[N_COMMANDS];
	const char *nearest;

	for (size_t i = 0; i < N_COMMANDS; i++)
		known[i] = commands[i].name;
	nearest = suggest(name, known, N_COMMANDS);
	report("unknown command '%s'; %s '%s'", name,
	       nearest ? "did you mean" : "there is, for one,", nearest ? nearest : "show");
	return STATUS_USAGE;
}

int command_model(int argc, char **argv)
{
	report_name("pbit model");
	if (argc < 2) {
		print_usage(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_usage(stdout);
		return STATUS_OK;
	}
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i].name, argv[1]))
			return commands[i].run(argc - 1, argv + 1);
	return unknown_command(argv[1]);
}
