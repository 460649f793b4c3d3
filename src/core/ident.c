#include "ident.h"

/* By hand and not isalnum(): what may be a token does not depend on a locale. */
static bool ident_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

bool ident_valid(const char *s, size_t len)
{
	if (len == 0 || len > IDENT_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!ident_char(s[i]))
			return false;
	return true;
}

uint64_t ident_hash(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * 0x100000001b3;
	return h;
}
