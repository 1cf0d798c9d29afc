/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of a machine file in pieces of bounded size, as words and line ends with their place in
 * the file, so that every complaint can name it.
 */
#ifndef PBIT_SRC_IMPORT_READER_H
#define PBIT_SRC_IMPORT_READER_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pbit/backend.h>

#define PBIT__WORD_SIZE 256u

struct pbit__reader {
	const char *path;
	int fd;		     /* -1: memory */
	const uint8_t *data; /* what is there to be read */
	size_t at, end;
	uint8_t *piece;	       /* buffer for a file */
	uint64_t bytes;	       /* taken so far */
	uint64_t line, column; /* of the next byte, from 1 */
	bool is_over;
	char comment;	/* begins a comment up to the line's end; 0: none */
	locale_t plain; /* numbers with a decimal point, whatever the program's locale */
	char word[PBIT__WORD_SIZE];
	size_t length;
	uint64_t word_line, word_column;
};

enum pbit__token {
	PBIT__END = 0,	    /* of the file */
	PBIT__LINE_END = 1, /* at least one; empty lines give one each */
	PBIT__WORD = 2,	    /* in reader->word */
};

/* path is kept. 0 or a negative errno with a record; then pbit__reader_close() is called. */
int pbit__reader_open(struct pbit__reader *reader, const char *path);
int pbit__reader_memory(struct pbit__reader *reader, const void *data, size_t size);
void pbit__reader_close(struct pbit__reader *reader);

/* The next byte without taking it, -1 at the end, below that a negative errno with a record (< -1). */
int pbit__reader_peek(struct pbit__reader *reader);

/* Takes up to size bytes; 0 at the end, PBIT__READ_ERROR with a record. */
#define PBIT__READ_ERROR SIZE_MAX
size_t pbit__reader_take(struct pbit__reader *reader, void *buf, size_t size);

/* Byte-order mark, spaces and empty lines at the start. 0 or a negative errno. */
int pbit__reader_skip_spaces(struct pbit__reader *reader);

/* enum pbit__token or a negative errno with a record. */
int pbit__reader_next(struct pbit__reader *reader);

/* Takes the rest of the line, not its end. */
int pbit__reader_skip_line(struct pbit__reader *reader);

/* Records what is wrong with the word just read (or the line end, or the end). Returns code. */
int pbit__reader_fail(const struct pbit__reader *reader, int code, const char *hint,
		      const char *why, ...) PBIT_PRINTF(4, 5);

/* Without a place in the file. */
int pbit__reader_fail_whole(const struct pbit__reader *reader, int code, const char *hint,
			    const char *why, ...) PBIT_PRINTF(4, 5);
int pbit__reader_fail_memory(const struct pbit__reader *reader);

/* The word with all but printable ASCII shown as '?', at most 40 characters: for messages. */
struct pbit__shown {
	char text[48];
};
struct pbit__shown pbit__show(const char *text);
#define PBIT__SHOW(given) (pbit__show(given).text)

/* The word as a whole number up to max, or a number within +-1e300. `what` is its name in complaints. */
int pbit__reader_whole(const struct pbit__reader *reader, const char *what, uint64_t max,
		       uint64_t *value);
int pbit__reader_real(const struct pbit__reader *reader, const char *what, double *value);

/* The next word, which must be there on this line, as such a number. */
int pbit__reader_next_whole(struct pbit__reader *reader, const char *what, uint64_t max,
			    uint64_t *value);
int pbit__reader_next_real(struct pbit__reader *reader, const char *what, double *value);

/* The line (or file) ends here. */
int pbit__reader_end_line(struct pbit__reader *reader);

/* Valid UTF-8 without control characters? */
bool pbit__is_utf8_text(const char *text);

#endif
