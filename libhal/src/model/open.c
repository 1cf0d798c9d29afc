/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where models come from and go: a mapped file, bytes in memory, the count of owners. A file is
 * mapped privately and read only. Should someone shorten it while it is mapped, touching the lost
 * pages raises SIGBUS, as for every mapped file; pbit/model.h asks to replace files, and
 * pbit_model_save() does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "model.h"

static const char content_hint[] =
	"pack the model again; `dtc -I dtb -O dts FILE` shows what is in it, MODEL.md what is "
	"expected";

static const char *open_hint(int code)
{
	switch (code) {
	case -ENOENT:
		return "check the path";
	case -EACCES:
	case -EPERM:
		return "ask for permission to read the file";
	case -EMFILE:
	case -ENFILE:
		return "close files or raise the limit (ulimit -n)";
	default:
		return NULL;
	}
}

static int fail_errno(const struct pbit__origin *origin, int code)
{
	uint32_t error_class = code == -ENOMEM || code == -EMFILE || code == -ENFILE
				       ? PBIT_ERR_RESOURCE
				       : PBIT_ERR_FILE;

	return pbit_fail(code, error_class, origin->what, origin->source, open_hint(code), "%s",
			 strerrordesc_np(-code) ? strerrordesc_np(-code) : "unknown error");
}

static int check_file(const struct pbit__origin *origin, int fd, size_t *size)
{
	struct stat status;

	if (fstat(fd, &status))
		return fail_errno(origin, -errno);
	if (!S_ISREG(status.st_mode))
		return pbit__model_fail(origin, -EINVAL, NULL, NULL, "not a regular file");
	if (status.st_size < 1 || status.st_size > PBIT__MAX_SIZE)
		return pbit__model_fail(origin, -EINVAL, NULL, NULL,
					"%lld bytes, expected 1 ... %d", (long long)status.st_size,
					PBIT__MAX_SIZE);
	*size = (size_t)status.st_size;
	return 0;
}

static int map_file(const struct pbit__origin *origin, const char *path, void **map, size_t *size)
{
	/* Not blocking: a FIFO without a writer would wait for ever. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err;

	if (fd < 0)
		return fail_errno(origin, -errno);
	err = check_file(origin, fd, size);
	if (!err) {
		*map = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (*map == MAP_FAILED)
			err = fail_errno(origin, -errno);
	}
	close(fd);
	return err;
}

int pbit_model_open(const char *path, struct pbit_model **model)
{
	struct pbit__origin origin = {"cannot open model", path, content_hint, PBIT_ERR_FILE};
	size_t size = 0;
	void *map = NULL;
	int err;

	if (!path || !model)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, "cannot open model", path,
				 "pass a path and a place for the model", "NULL argument");
	err = map_file(&origin, path, &map, &size);
	if (err)
		return err;
	err = pbit__model_load(&origin, map, size, size, path, model);
	if (err)
		munmap(map, size);
	return err;
}

int pbit_model_from_memory(const void *data, size_t size, struct pbit_model **model)
{
	static const struct pbit__origin origin = {"cannot load model", "memory", content_hint,
						   PBIT_ERR_FILE};
	void *copy;
	int err;

	if (!data || !model)
		return pbit_fail(-EINVAL, PBIT_ERR_ARGUMENT, origin.what, origin.source,
				 "pass the bytes and a place for the model", "NULL argument");
	if (size < 1 || size > PBIT__MAX_SIZE)
		return pbit__model_fail(&origin, -EINVAL, NULL, NULL,
					"%zu bytes, expected 1 ... %d", size, PBIT__MAX_SIZE);
	copy = pbit__aligned(size);
	if (!copy)
		return pbit__model_no_memory(&origin, size);
	memcpy(copy, data, size);
	err = pbit__model_load(&origin, copy, size, 0, "", model);
	if (err)
		free(copy);
	return err;
}

struct pbit_model *pbit_model_get(struct pbit_model *model)
{
	if (model)
		atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
	return model;
}

void pbit_model_put(struct pbit_model *model)
{
	if (model && atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) == 1)
		pbit__model_free(model);
}
