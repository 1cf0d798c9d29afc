/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a machine file as numbers, and what is said of those that are none. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "boltzmann/bm.h"
#include "core/text.h"
#include "import/reader.h"

static const char what_fails[] = "cannot load machine";

static uint32_t class_of(int code)
{
	return code == -E2BIG ? PBIT_ERR_LIMIT : PBIT_ERR_FILE;
}

int pbit__reader_fail(const struct pbit__reader *reader, int code, const char *hint,
		      const char *why, ...)
{
	char where[512], text[512];
	va_list args;

	va_start(args, why);
	pbit__text_format(text, sizeof(text), why, args);
	va_end(args);
	snprintf(where, sizeof(where), "%.400s:%llu:%llu", reader->path,
		 (unsigned long long)reader->word_line, (unsigned long long)reader->word_column);
	return pbit_fail(code, class_of(code), what_fails, where, hint, "%s", text);
}

int pbit__reader_fail_whole(const struct pbit__reader *reader, int code, const char *hint,
			    const char *why, ...)
{
	char text[512];
	va_list args;

	va_start(args, why);
	pbit__text_format(text, sizeof(text), why, args);
	va_end(args);
	return pbit_fail(code, class_of(code), what_fails, reader->path, hint, "%s", text);
}

int pbit__reader_fail_memory(const struct pbit__reader *reader)
{
	return pbit_fail(-ENOMEM, PBIT_ERR_RESOURCE, what_fails, reader->path, NULL,
			 "out of memory");
}

struct pbit__shown pbit__show(const char *text)
{
	struct pbit__shown shown;
	size_t n = 0;

	while (text[n] && n < 40) {
		shown.text[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
		n++;
	}
	strcpy(shown.text + n, text[n] ? "..." : "");
	return shown;
}

int pbit__reader_whole(const struct pbit__reader *reader, const char *what, uint64_t max,
		       uint64_t *value)
{
	uint64_t n = 0;

	for (const char *c = reader->word; *c; c++) {
		if (*c < '0' || *c > '9')
			return pbit__reader_fail(reader, -EINVAL, NULL,
						 "%s is \"%s\", expected a whole number", what,
						 PBIT__SHOW(reader->word));
		if (__builtin_mul_overflow(n, UINT64_C(10), &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*c - '0'), &n))
			n = UINT64_MAX;
		if (n == UINT64_MAX)
			break;
	}
	if (n > max)
		return pbit__reader_fail(reader, -EINVAL, NULL,
					 "%s is %s, at most %llu is possible", what,
					 PBIT__SHOW(reader->word), (unsigned long long)max);
	*value = n;
	return 0;
}

int pbit__reader_real(const struct pbit__reader *reader, const char *what, double *value)
{
	const char *word = reader->word;
	char *end;
	double x;

	/* strtod() would also take hexadecimal, "inf" and "nan". */
	if (strspn(word, "0123456789.eE+-") != reader->length)
		return pbit__reader_fail(reader, -EINVAL, NULL,
					 "%s is \"%s\", expected a finite decimal number", what,
					 PBIT__SHOW(word));
	x = strtod_l(word, &end, reader->plain);
	if (*end || end == word)
		return pbit__reader_fail(reader, -EINVAL, NULL,
					 "%s is \"%s\", expected a decimal number", what,
					 PBIT__SHOW(word));
	if (!(fabs(x) <= PBIT__BM_LARGEST))
		return pbit__reader_fail(reader, -EINVAL, "scale the energy",
					 "%s is %s, it must be between -%g and %g", what,
					 PBIT__SHOW(word), PBIT__BM_LARGEST, PBIT__BM_LARGEST);
	*value = x;
	return 0;
}

static int need_word(struct pbit__reader *reader, const char *what)
{
	int token = pbit__reader_next(reader);

	if (token < 0)
		return token;
	if (token == PBIT__WORD)
		return 0;
	return pbit__reader_fail(
		reader, -EINVAL, token == PBIT__END ? "the file may be truncated" : NULL,
		"the %s ends where %s is expected", token == PBIT__END ? "file" : "line", what);
}

int pbit__reader_next_whole(struct pbit__reader *reader, const char *what, uint64_t max,
			    uint64_t *value)
{
	int err = need_word(reader, what);

	return err ? err : pbit__reader_whole(reader, what, max, value);
}

int pbit__reader_next_real(struct pbit__reader *reader, const char *what, double *value)
{
	int err = need_word(reader, what);

	return err ? err : pbit__reader_real(reader, what, value);
}

int pbit__reader_end_line(struct pbit__reader *reader)
{
	int token = pbit__reader_next(reader);

	if (token == PBIT__WORD)
		return pbit__reader_fail(reader, -EINVAL, NULL, "\"%s\" where the line should end",
					 PBIT__SHOW(reader->word));
	return token < 0 ? token : 0;
}

/* Bytes of the character at text, 0 where it is not UTF-8 (RFC 3629) or a control character. */
static size_t character(const unsigned char *text)
{
	static const uint32_t least[] = {0, 0x20, 0x80, 0x800, 0x10000};
	uint32_t value = text[0];
	size_t n = value < 0x80	  ? 1
		   : value < 0xc2 ? 0
		   : value < 0xe0 ? 2
		   : value < 0xf0 ? 3
		   : value < 0xf5 ? 4
				  : 0;

	if (n > 1)
		value &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (text[i] & 0x3fu);
	}
	if (n && (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff) ||
		  (value >= 0x7f && value < 0xa0)))
		return 0;
	return n;
}

bool pbit__is_utf8_text(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		size_t n = character(at);

		if (!n)
			return false;
		at += n;
	}
	return true;
}
