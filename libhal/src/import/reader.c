/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a machine file in bounded pieces, cut into words and lines with their places. */
#include "import/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 65536u

static const char what[] = "cannot load machine";

static int open_locale(struct pbit__reader *reader)
{
	reader->line = reader->column = 1;
	reader->word_line = reader->word_column = 1;
	reader->plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	return reader->plain ? 0 : pbit__reader_fail_memory(reader);
}

int pbit__reader_open(struct pbit__reader *reader, const char *path)
{
	*reader = (struct pbit__reader){.path = path, .fd = -1};
	if (open_locale(reader))
		return -ENOMEM;
	reader->piece = malloc(PIECE);
	if (!reader->piece)
		return pbit__reader_fail_memory(reader);
	reader->data = reader->piece;
	reader->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (reader->fd < 0)
		return pbit_fail(-errno, PBIT_ERR_FILE, what, path, NULL, "%s", strerror(errno));
	return 0;
}

int pbit__reader_memory(struct pbit__reader *reader, const void *data, size_t size)
{
	*reader = (struct pbit__reader){.path = "memory", .fd = -1, .data = data, .end = size};
	return open_locale(reader);
}

void pbit__reader_close(struct pbit__reader *reader)
{
	if (reader->fd >= 0)
		close(reader->fd);
	if (reader->plain)
		freelocale(reader->plain);
	free(reader->piece);
	*reader = (struct pbit__reader){.fd = -1};
}

/* More bytes where all are taken. 0, or a negative errno with a record. */
static int fill(struct pbit__reader *reader)
{
	ssize_t n;

	if (reader->at < reader->end || reader->is_over)
		return 0;
	if (reader->fd < 0) {
		reader->is_over = true;
		return 0;
	}
	do {
		n = read(reader->fd, reader->piece, PIECE);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return pbit_fail(-errno, PBIT_ERR_FILE, what, reader->path, NULL, "%s",
				 strerror(errno));
	reader->at = 0;
	reader->end = (size_t)n;
	reader->is_over = n == 0;
	return 0;
}

int pbit__reader_peek(struct pbit__reader *reader)
{
	if (reader->at == reader->end) {
		int err = fill(reader);

		/* -1 stands for the end. EPERM is not an error of read(). */
		if (err)
			return err == -1 ? -EIO : err;
		if (reader->is_over)
			return -1;
	}
	return reader->data[reader->at];
}

static void take(struct pbit__reader *reader)
{
	if (reader->data[reader->at] == '\n') {
		reader->line++;
		reader->column = 1;
	} else {
		reader->column++;
	}
	reader->at++;
	reader->bytes++;
}

size_t pbit__reader_take(struct pbit__reader *reader, void *buf, size_t size)
{
	int next = pbit__reader_peek(reader);
	size_t n = reader->end - reader->at;

	if (next < 0)
		return next == -1 ? 0 : PBIT__READ_ERROR;
	if (n > size)
		n = size;
	memcpy(buf, reader->data + reader->at, n);
	reader->at += n;
	reader->bytes += n;
	return n;
}

static bool is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static int skip_mark(struct pbit__reader *reader)
{
	static const uint8_t mark[] = {0xef, 0xbb, 0xbf};

	for (size_t i = 0; i < sizeof(mark); i++) {
		int c = pbit__reader_peek(reader);

		if (c < -1)
			return c;
		if (c != mark[i]) {
			if (!i)
				return 0;
			reader->word[0] = '\0';
			return pbit__reader_fail(reader, -EINVAL, NULL,
						 "the file begins with half a byte-order mark");
		}
		take(reader);
	}
	reader->column = 1;
	return 0;
}

int pbit__reader_skip_spaces(struct pbit__reader *reader)
{
	int err = reader->bytes ? 0 : skip_mark(reader);

	while (!err) {
		int c = pbit__reader_peek(reader);

		if (c < -1)
			return c;
		if (!is_space(c) && c != '\n')
			return 0;
		take(reader);
	}
	return err;
}

int pbit__reader_skip_line(struct pbit__reader *reader)
{
	for (;;) {
		int c = pbit__reader_peek(reader);

		if (c < -1)
			return c;
		if (c == -1 || c == '\n')
			return 0;
		take(reader);
	}
}

static int take_word(struct pbit__reader *reader, int c)
{
	reader->length = 0;
	while (c >= 0 && !is_space(c) && c != '\n' && !(reader->comment && c == reader->comment)) {
		if (!c)
			return pbit__reader_fail(reader, -EINVAL, NULL,
						 "a byte 0: this is not a text file");
		if (reader->length == PBIT__WORD_SIZE - 1)
			return pbit__reader_fail(reader, -EINVAL, NULL,
						 "a word of more than %u bytes",
						 PBIT__WORD_SIZE - 1);
		reader->word[reader->length++] = (char)c;
		reader->word[reader->length] = '\0';
		take(reader);
		c = pbit__reader_peek(reader);
	}
	return c < -1 ? c : PBIT__WORD;
}

int pbit__reader_next(struct pbit__reader *reader)
{
	int c;

	while (is_space(c = pbit__reader_peek(reader)))
		take(reader);
	if (reader->comment && c == reader->comment) {
		int err = pbit__reader_skip_line(reader);

		if (err)
			return err;
		c = pbit__reader_peek(reader);
	}
	if (c < -1)
		return c;
	reader->word_line = reader->line;
	reader->word_column = reader->column;
	reader->word[0] = '\0';
	if (c == -1)
		return PBIT__END;
	if (c != '\n')
		return take_word(reader, c);
	take(reader);
	return PBIT__LINE_END;
}
