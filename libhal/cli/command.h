/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of `pbit`. Each is one function in a file of its own that gets
 * its arguments (argv[0] is the command's name) and returns the exit status.
 */
#ifndef PBIT_CLI_COMMAND_H
#define PBIT_CLI_COMMAND_H

enum status {
	STATUS_OK = 0,
	STATUS_FAILURE = 1,
	STATUS_USAGE = 2,
};

/* The document layout of every --json output. */
#define JSON_SCHEMA 1

struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

int command_list(int argc, char **argv);
int command_info(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_run(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_model(int argc, char **argv);
int command_check(int argc, char **argv);
int command_sample(int argc, char **argv);
int command_solve(int argc, char **argv);
int command_plan(int argc, char **argv);

int model_show(int argc, char **argv);
int model_pack(int argc, char **argv);
int model_unpack(int argc, char **argv);

#endif
