/* SPDX-License-Identifier: Apache-2.0 */
/* Text into buffers of fixed size; see text.h. */
#include <stdio.h>
#include <string.h>

#include "core/text.h"

static const char ellipsis[] = "\xe2\x80\xa6";

/* buf is full to its last byte: make room for the ellipsis behind a whole character. */
static void mark_cut(char *buf, size_t size)
{
	size_t end;

	if (size < sizeof(ellipsis))
		return;
	end = size - sizeof(ellipsis);
	while (end > 0 && ((unsigned char)buf[end] & 0xc0) == 0x80)
		end--;
	memcpy(buf + end, ellipsis, sizeof(ellipsis));
}

void pbit__text_copy(char *buf, size_t size, const char *text)
{
	size_t length = text ? strnlen(text, size) : 0;

	if (!size)
		return;
	if (length < size) {
		memcpy(buf, text ? text : "", length);
		buf[length] = '\0';
		return;
	}
	memcpy(buf, text, size - 1);
	buf[size - 1] = '\0';
	mark_cut(buf, size);
}

void pbit__text_format(char *buf, size_t size, const char *fmt, va_list args)
{
	int length;

	if (!size)
		return;
	length = vsnprintf(buf, size, fmt, args);
	if (length < 0)
		pbit__text_copy(buf, size, fmt);
	else if ((size_t)length >= size)
		mark_cut(buf, size);
}

void pbit__text_append(char *buf, size_t size, const char *fmt, ...)
{
	size_t used = strnlen(buf, size);
	va_list args;

	if (used + 1 >= size)
		return;
	va_start(args, fmt);
	pbit__text_format(buf + used, size - used, fmt, args);
	va_end(args);
}
