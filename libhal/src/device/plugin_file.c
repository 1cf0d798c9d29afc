/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at a plugin's file before the loader maps it; see plugin.h. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"
#include "device/plugin.h"

#define MAX_SEGMENTS 256

static int refuse(char *reason, size_t size, int code, const char *text)
{
	pbit__text_copy(reason, size, text);
	return code;
}

static int whole_segments(int fd, const ElfW(Ehdr) * header, uint64_t file_size)
{
	unsigned i;

	if (header->e_phentsize != sizeof(ElfW(Phdr)) || header->e_phnum > MAX_SEGMENTS)
		return 0;
	for (i = 0; i < header->e_phnum; i++) {
		ElfW(Phdr) segment;
		uint64_t at = header->e_phoff + i * sizeof(segment);

		if (at > file_size ||
		    pread(fd, &segment, sizeof(segment), (off_t)at) != (ssize_t)sizeof(segment))
			return 0;
		if (segment.p_filesz > file_size || segment.p_offset > file_size - segment.p_filesz)
			return 0;
	}
	return 1;
}

static int check_open_file(int fd, char *reason, size_t size)
{
	ElfW(Ehdr) header;
	struct stat st;

	if (fstat(fd, &st))
		return refuse(reason, size, -errno, strerrordesc_np(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(reason, size, -ENOEXEC, "it is not a regular file");
	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG))
		return refuse(reason, size, -ENOEXEC, "it is not a shared object (no ELF file)");
	if (header.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
	    header.e_type != ET_DYN)
		return refuse(reason, size, -ENOEXEC,
			      "it is an ELF file but not a shared object for this machine");
	if (!whole_segments(fd, &header, (uint64_t)st.st_size))
		return refuse(reason, size, -ENOEXEC,
			      "the file is cut short or damaged; install it again");
	return 0;
}

int pbit__plugin_file_check(const char *path, char *reason, size_t reason_size)
{
	/* Without blocking: it may be a pipe. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int rc;

	if (fd < 0)
		return refuse(reason, reason_size, -errno, strerrordesc_np(errno));
	rc = check_open_file(fd, reason, reason_size);
	close(fd);
	return rc;
}
