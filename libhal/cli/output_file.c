/* SPDX-License-Identifier: Apache-2.0 */
/* A file written whole or not at all. */
#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <pbit/backend.h>

static int fail_path(const char *path)
{
	int code = errno ? -errno : -EIO;
	const char *hint = NULL;

	if (code == -ENOENT)
		hint = "make the folder first";
	else if (code == -EACCES || code == -EROFS || code == -EPERM)
		hint = "choose a place you may write to";
	else if (code == -ENOSPC || code == -EDQUOT)
		hint = "free some space";
	return pbit_fail(code, PBIT_ERR_FILE, "cannot write", path, hint, "%s", strerror(-code));
}

static int no_memory(const char *path)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, "cannot write", path, NULL, "out of memory");
}

int output_file_spares(const char *path, const char *input)
{
	struct stat out, in;

	if (!input || stat(path, &out) || stat(input, &in) || !S_ISREG(out.st_mode) ||
	    out.st_dev != in.st_dev || out.st_ino != in.st_ino)
		return 0;
	return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot write", path,
			 "choose another name for the output", "it is the input %s, which is kept",
			 input);
}

/* ".name.PID.tmp" beside the file. */
static char *temporary_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;
	char *name;

	if (asprintf(&name, "%.*s.%s.%ld.tmp", folder, path, path + folder, (long)getpid()) < 0)
		return NULL;
	return name;
}

static int open_temporary(struct output_file *file)
{
	struct stat st;

	file->temporary = temporary_name(file->path);
	if (!file->temporary)
		return no_memory(file->path);
	file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (file->fd < 0)
		return fail_path(file->path);
	/* A file that is replaced hands on its permissions; not being able to is no reason to fail. */
	if (!stat(file->path, &st) && fchmod(file->fd, st.st_mode & 0777))
		errno = 0;
	return 0;
}

static int open_in_place(struct output_file *file, const char *path)
{
	struct stat st;

	if (!*path) {
		errno = ENOENT;
		return fail_path(path);
	}
	/* Replacing the file that a link points to, not the link. */
	file->path = realpath(path, NULL);
	if (!file->path)
		file->path = strdup(path);
	if (!file->path)
		return no_memory(path);
	if (stat(file->path, &st))
		return open_temporary(file);
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return fail_path(path);
	}
	if (S_ISREG(st.st_mode)) {
		if (access(file->path, W_OK))
			return fail_path(path);
		return open_temporary(file);
	}
	file->fd = open(path, O_WRONLY | O_CLOEXEC);
	return file->fd < 0 ? fail_path(path) : 0;
}

int output_file_open(struct output_file *file, const char *path)
{
	int err;

	*file = (struct output_file){.fd = -1};
	err = open_in_place(file, path);
	if (err) {
		free(file->temporary);
		free(file->path);
	}
	return err;
}

int output_file_write(struct output_file *file, const void *data, size_t n)
{
	const char *at = data;

	while (n > 0) {
		ssize_t done = write(file->fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return fail_path(file->path);
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

static void release(struct output_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	free(file->temporary);
	free(file->path);
	*file = (struct output_file){.fd = -1};
}

int output_file_commit(struct output_file *file)
{
	int fd = file->fd;
	int err = 0;

	if (file->temporary) {
		file->fd = -1;
		if (fsync(fd)) {
			err = fail_path(file->path);
			close(fd);
		} else if (close(fd)) {
			err = fail_path(file->path);
		} else if (rename(file->temporary, file->path)) {
			err = fail_path(file->path);
		}
	}
	if (err)
		output_file_abandon(file);
	else
		release(file);
	return err;
}

void output_file_abandon(struct output_file *file)
{
	if (file->temporary)
		unlink(file->temporary);
	release(file);
}
