/* SPDX-License-Identifier: Apache-2.0 */
/* `pbit`: finds the command, runs it, and sees that its output arrived. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <pbit/pbit.h>
#include "command.h"
#include "report.h"
#include "suggest.h"

static const struct command commands[] = {
	{"list", "find devices", command_list},
	{"info", "show what a device can do", command_info},
	{"doctor", "explain why a device is or is not usable", command_doctor},
	{"run", "run a model over a data set", command_run},
	{"sample", "sample a Boltzmann machine", command_sample},
	{"solve", "search a state of low energy", command_solve},
	{"bench", "measure how fast a device runs models", command_bench},
	{"check", "judge a device by the conformance suite", command_check},
	{"model", "show, pack and unpack model files", command_model},
	{"plan", "plan a model's layers on a Boltzmann machine", command_plan},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *out)
{
	fputs("usage: pbit COMMAND [ARGUMENT]...\n"
	      "       pbit help COMMAND\n"
	      "       pbit --version\n\n"
	      "Drives p-bit (Boltzmann-machine) accelerators.\n\nCommands:\n",
	      out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs("\nEvery command takes --help; man pbit has the whole story.\n", out);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *known[N_COMMANDS + 3];
	const char *nearest;
	size_t n = 0;

	for (size_t i = 0; i < N_COMMANDS; i++)
		known[n++] = commands[i].name;
	known[n++] = "help";
	known[n++] = "--version";
	known[n++] = "--help";
	nearest = suggest(name, known, n);
	if (nearest)
		report("unknown command '%s'; did you mean '%s'?", name, nearest);
	else
		report("unknown command '%s' (see pbit --help)", name);
	return STATUS_USAGE;
}

static int help(int argc, char **argv)
{
	static char option[] = "--help";
	char *arguments[4];
	const struct command *command;
	int n = 0;

	if (argc < 2) {
		print_usage(stdout);
		return STATUS_OK;
	}
	command = find(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	arguments[n++] = argv[1];
	if (argc > 2)
		arguments[n++] = argv[2];
	arguments[n++] = option;
	arguments[n] = NULL;
	return command->run(n, arguments);
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_usage(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("pbit %d.%d.%d\nlibpbit %s\n", PBIT_VERSION_MAJOR, PBIT_VERSION_MINOR,
		       PBIT_VERSION_PATCH, pbit_version());
		return STATUS_OK;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_usage(stdout);
		return STATUS_OK;
	}
	if (!strcmp(argv[1], "help"))
		return help(argc - 1, argv + 1);
	command = find(argv[1]);
	return command ? command->run(argc - 1, argv + 1) : unknown_command(argv[1]);
}

/* A reader that has left is no failure; a full disk is. */
static int finish_output(int status)
{
	int failed;

	errno = 0;
	failed = ferror(stdout);
	if (fflush(stdout))
		failed = 1;
	if (!failed || errno == EPIPE)
		return status;
	report("cannot write the output: %s", errno ? strerror(errno) : "write error");
	return status == STATUS_OK ? STATUS_FAILURE : status;
}

int main(int argc, char **argv)
{
	int status;

	signal(SIGPIPE, SIG_IGN);
	status = dispatch(argc, argv);
	return finish_output(status);
}
