/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saving a model: into a new file beside the target, to the disk, then in place of the target in
 * one step. Whoever has the old file open or mapped keeps the old one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "model.h"

#define ATTEMPTS 64

static const char *save_hint(int code)
{
	switch (code) {
	case -ENOSPC:
	case -EDQUOT:
		return "free space on the disk; the old file, if any, is unchanged";
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return "choose a folder that you may write to";
	case -ENOENT:
	case -ENOTDIR:
		return "make the folder first";
	default:
		return "the old file, if any, is unchanged";
	}
}

static int fail_errno(const struct pbit__origin *origin, const char *step, int code)
{
	const char *text = strerrordesc_np(-code);

	return pbit_fail(code, PBIT_ERR_FILE, origin->what, origin->source, save_hint(code),
			 "%s: %s", step, text ? text : "unknown error");
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/*
 * A name of its own in the same folder, for rename() works within a file system only. Made by
 * open() and not by mkstemp(), so that the umask of the process holds.
 */
static int open_beside(const char *path, char **temporary)
{
	static atomic_uint count;
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;
	size_t size = (size_t)folder + 64;

	*temporary = malloc(size);
	if (!*temporary)
		return -ENOMEM;
	for (int i = 0; i < ATTEMPTS; i++) {
		int fd;

		snprintf(*temporary, size, "%.*s.pbit-%ld-%u.tmp", folder, path, (long)getpid(),
			 atomic_fetch_add(&count, 1));
		fd = open(*temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			break;
	}
	return -errno;
}

/* So that the new name outlives a power failure. Not every file system knows how: no error. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(folder);
}

static int write_file(const struct pbit__origin *origin, int fd, const void *data, size_t size)
{
	int err = write_all(fd, data, size);

	if (!err && fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	return err ? fail_errno(origin, "cannot write", err) : 0;
}

static int replace(const struct pbit__origin *origin, const char *path, const void *data,
		   size_t size)
{
	char *temporary = NULL;
	int fd = open_beside(path, &temporary);
	int err;

	if (fd == -ENOMEM && !temporary)
		return pbit__model_no_memory(origin, strlen(path) + 64);
	if (fd < 0) {
		err = fail_errno(origin, "cannot make a file in its folder", fd);
		goto out;
	}
	err = write_file(origin, fd, data, size);
	if (!err && rename(temporary, path))
		err = fail_errno(origin, "cannot put the new file in place", -errno);
	if (err)
		unlink(temporary);
	else
		sync_folder(path);
out:
	free(temporary);
	return err;
}

static int check_target(const struct pbit__origin *origin, const char *path)
{
	struct stat status;

	if (!*path)
		return fail_errno(origin, "empty path", -ENOENT);
	/* rename() would put a file in place of a device node or a FIFO. */
	if (!stat(path, &status) && !S_ISREG(status.st_mode))
		return pbit_fail(S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL, PBIT_ERR_FILE,
				 origin->what, path, "name a file",
				 "there is something that is not a regular file");
	return 0;
}

int pbit_model_save(const struct pbit_model *model, const char *path)
{
	struct pbit__origin origin = {"cannot save model", path, NULL, PBIT_ERR_FILE};
	void *blob = NULL;
	size_t size;
	int err;

	if (!model || !path)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, origin.what, path,
				 "pass a model and a path", "NULL argument");
	err = check_target(&origin, path);
	if (err)
		return err;
	if (model->aligned)
		return replace(&origin, path, model->blob, model->size);
	err = pbit__model_rewrite(&origin, model, &blob, &size);
	if (err)
		return err;
	err = replace(&origin, path, blob, size);
	free(blob);
	return err;
}
