#include "family.h"

#include <stdint.h>
#include <string.h>

#include "utf8.h"

/* So many digits are less than 2^53, and 10 to that power is a double, too: exact ÷ exact. */
#define PLACES_MAX 15

bool family_name_valid(const char *s, size_t len)
{
	if (len == 0 || len > FAMILY_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] <= ' ' || strchr("\x7f{}\"\\", s[i]))
			return false;
	return utf8_valid(s, len);
}

bool family_quantile_valid(double q)
{
	return q > 0 && q < 1;
}

bool family_quantile_parse(const char *s, double *out)
{
	uint64_t digits = 0;
	double scale = 1, q;
	size_t places;

	s += strspn(s, "0");
	if (*s != '.')
		return false;
	s++;
	places = strspn(s, "0123456789");
	if (places > PLACES_MAX || s[places] != '\0')
		return false;
	for (; *s; s++) {
		digits = digits * 10 + (uint64_t)(*s - '0');
		scale *= 10;
	}
	q = (double)digits / scale;
	if (!family_quantile_valid(q))
		return false;
	*out = q;
	return true;
}
