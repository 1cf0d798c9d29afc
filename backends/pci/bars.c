/* SPDX-License-Identifier: Apache-2.0 */
/* The card's registers and memory, mapped through sysfs; telling apart what can be wrong with that. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bare.h"

static const char what[] = "cannot open device";

static int failed(const char *where, const char *path, int code)
{
	if (code == -EACCES || code == -EPERM)
		return pbit_fail(
			-EACCES, PBIT_ERR_PERMISSION, what, where,
			"run as root (a kernel in lockdown forbids it even then), or load the "
			"driver and use fpga:",
			"no permission for %s", path);
	if (code == -ENOENT || code == -ENODEV)
		return pbit_fail(-ENODEV, PBIT_ERR_NO_DEVICE, what, where,
				 "see pbit list; lspci -d 1d6b:7062 shows the cards",
				 "there is no %s", path);
	return pbit_fail(code, PBIT_ERR_DEVICE, what, where, NULL, "%s: %s", path, strerror(-code));
}

/* Does the card answer to reads of its memory? Switched on where it does not. */
static int enable(struct bare_bars *bars, const char *where)
{
	char path[512], on = '0';
	int fd, rc = 0;

	bare_path(bars->name, "enable", path, sizeof(path));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return failed(where, path, -errno);
	if (pread(fd, &on, 1, 0) != 1)
		rc = -EIO;
	else if (on == '0' && pwrite(fd, "1", 1, 0) != 1)
		rc = errno ? -errno : -EIO;
	close(fd);
	if (rc)
		return failed(where, path, rc);
	bars->enabled = on == '0';
	return 0;
}

static void disable(const struct bare_bars *bars)
{
	char path[512];
	int fd;

	bare_path(bars->name, "enable", path, sizeof(path));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (pwrite(fd, "0", 1, 0) != 1)
		pbit_log(PBIT_LOG_WARN, "pci:%s: cannot be switched off: %s", bars->name,
			 strerror(errno));
	close(fd);
}

/* Opens and maps one resource; the caller closes *fd. */
static int map(const char *name, const char *where, const char *file, int *fd, void **at,
	       size_t *size)
{
	char path[512];
	struct stat st;
	int rc;

	*at = NULL;
	bare_path(name, file, path, sizeof(path));
	*fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
	if (*fd < 0)
		return failed(where, path, -errno);
	if (fstat(*fd, &st) || st.st_size <= 0) {
		rc = failed(where, path, errno ? -errno : -EIO);
		goto close;
	}
	*size = (size_t)st.st_size;
	*at = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (*at != MAP_FAILED)
		return 0;
	*at = NULL;
	rc = failed(where, path, -errno);
close:
	close(*fd);
	*fd = -1;
	return rc;
}

static int lock(const struct bare_bars *bars, const char *where)
{
	if (!flock(bars->fd, LOCK_EX | LOCK_NB))
		return 0;
	if (errno != EWOULDBLOCK)
		return failed(where, "its registers' lock", -errno);
	return pbit_fail(-EBUSY, PBIT_ERR_RESOURCE, what, where, "end that program, or wait for it",
			 "another program has the card");
}

int bare_bars_map(const char *name, const char *where, struct bare_bars *bars)
{
	void *at;
	int fd, rc;

	*bars = (struct bare_bars){.fd = -1};
	snprintf(bars->name, sizeof(bars->name), "%s", name);
	errno = 0;
	rc = map(name, where, "resource0", &bars->fd, &at, &bars->registers_size);
	if (rc)
		return rc;
	bars->registers = at;
	rc = lock(bars, where);
	if (!rc)
		rc = enable(bars, where);
	if (!rc)
		rc = map(name, where, "resource2", &fd, &at, &bars->memory_size);
	if (!rc) {
		bars->memory = at;
		close(fd);
		return 0;
	}
	bare_bars_unmap(bars);
	return rc;
}

void bare_bars_unmap(struct bare_bars *bars)
{
	if (bars->memory)
		munmap((void *)(uintptr_t)bars->memory, bars->memory_size);
	if (bars->registers)
		munmap((void *)(uintptr_t)bars->registers, bars->registers_size);
	if (bars->enabled)
		disable(bars);
	if (bars->fd >= 0)
		close(bars->fd);
	*bars = (struct bare_bars){.fd = -1};
}
