#include "utf8.h"

#include <stdint.h>

/* Length of the character at s; 0 if it is none (overlong, surrogate, cut short) or NUL. */
static size_t char_length(const uint8_t *s, size_t left)
{
	uint32_t code, least;
	size_t n;

	if (s[0] < 0x80)
		return s[0] ? 1 : 0;
	if (s[0] >= 0xf8 || s[0] < 0xc0)
		return 0;
	n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	least = n == 4 ? 0x10000 : n == 3 ? 0x800 : 0x80;
	if (n > left)
		return 0;
	code = s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return n;
}

bool utf8_valid(const void *text, size_t len)
{
	const uint8_t *s = text;
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = char_length(s + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}
