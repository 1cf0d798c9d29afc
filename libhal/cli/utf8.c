/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and counts UTF-8 characters (RFC 3629: no surrogates, no overlong forms). */
#include "utf8.h"

static int is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4 || !is_continuation(s[1]))
		return 0;
	if (s[0] < 0xe0)
		return 2;
	if (!is_continuation(s[2]))
		return 0;
	if (s[0] < 0xf0) {
		if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
			return 0;
		return 3;
	}
	if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return is_continuation(s[3]) ? 4 : 0;
}

size_t utf8_width(const char *text)
{
	size_t width = 0;

	while (*text) {
		size_t n = utf8_length(text);

		text += n ? n : 1;
		width++;
	}
	return width;
}
