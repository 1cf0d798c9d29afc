/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the device-tree compiler as a child process. */
#include "dtc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <pbit/backend.h>

#define WHAT "cannot run dtc"

extern char **environ;

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

char *dtc_find(void)
{
	const char *folder = getenv("PATH");

	while (folder && *folder) {
		size_t length = strcspn(folder, ":");
		char *path;

		if (asprintf(&path, "%.*s/dtc", (int)length, folder) < 0)
			return NULL;
		if (is_program(path))
			return path;
		free(path);
		folder += length + (folder[length] == ':');
	}
	return NULL;
}

static int fail_spawn(int error)
{
	if (error == ENOENT)
		return pbit_fail(-ENOENT, PBIT_ERR_FILE, WHAT, NULL,
				 "apt install device-tree-compiler", "it is not installed");
	return pbit_fail(-error, PBIT_ERR_RESOURCE, WHAT, NULL, NULL, "%s", strerror(error));
}

/* This process ignores SIGPIPE and notes SIGINT; the child is to have neither. */
static int prepare(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions, int out)
{
	sigset_t defaults;
	int error = posix_spawnattr_init(attributes);

	if (error)
		return error;
	error = posix_spawn_file_actions_init(actions);
	if (error)
		goto destroy_attributes;
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGTERM);
	error = posix_spawnattr_setsigdefault(attributes, &defaults);
	if (!error)
		error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF);
	if (!error)
		error = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
	if (!error)
		return 0;
	posix_spawn_file_actions_destroy(actions);
destroy_attributes:
	posix_spawnattr_destroy(attributes);
	return error;
}

static int start(char *const *arguments, int out, pid_t *child)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error = prepare(&attributes, &actions, out);

	if (error)
		return error;
	error = posix_spawnp(child, "dtc", &actions, &attributes, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return error;
}

static int judge(int status, const char *input)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGTERM))
		return pbit_fail(-EINTR, PBIT_ERR_CANCELLED, WHAT, input, NULL, "interrupted");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE)
		return pbit_fail(-EPIPE, PBIT_ERR_FILE, WHAT, input, NULL, "its reader has left");
	if (WIFSIGNALED(status))
		return pbit_fail(-EIO, PBIT_ERR_FILE, WHAT, input, NULL, "it ended by signal %d",
				 WTERMSIG(status));
	return pbit_fail(-EINVAL, PBIT_ERR_FILE, "cannot convert", input,
			 "correct what dtc complains about above", "dtc failed with status %d",
			 WEXITSTATUS(status));
}

static int spawn(const char *from, const char *to, const char *input, int out, pid_t *child)
{
	const char *const arguments[] = {"dtc", "-q", "-I", from,  "-O", to,
					 "-o",	"-",  "--", input, NULL};
	int error;

	fflush(stdout);
	/* posix_spawnp() takes, by history, pointers to what it does not change. */
	error = start((char *const *)(uintptr_t)arguments, out, child);
	return error ? fail_spawn(error) : 0;
}

static int finish(pid_t child, const char *input)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return fail_spawn(errno);
	return judge(status, input);
}

int dtc_run(const char *from, const char *to, const char *input, int out)
{
	pid_t child;
	int err = spawn(from, to, input, out, &child);

	return err ? err : finish(child, input);
}

static int drain(int fd, dtc_take_fn *take, void *arg)
{
	char block[65536];
	ssize_t n;
	int err = 0;

	while (!err && (n = read(fd, block, sizeof(block))) != 0) {
		if (n > 0)
			err = take(arg, block, (size_t)n);
		else if (errno != EINTR)
			err = fail_spawn(errno);
	}
	return err;
}

int dtc_read(const char *from, const char *to, const char *input, dtc_take_fn *take, void *arg)
{
	int ends[2], err, outcome;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return fail_spawn(errno);
	err = spawn(from, to, input, ends[1], &child);
	close(ends[1]);
	if (err) {
		close(ends[0]);
		return err;
	}
	err = drain(ends[0], take, arg);
	/* Ends the child too, where it has more to say. */
	close(ends[0]);
	if (!err)
		return finish(child, input);
	while ((outcome = waitpid(child, NULL, 0)) < 0 && errno == EINTR)
		;
	return outcome < 0 ? fail_spawn(errno) : err;
}
