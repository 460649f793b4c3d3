#include "number.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * No double and no point halfway between two needs more significant digits than this (767) to be
 * told from its neighbours; what comes behind only matters by being there.
 */
#define DIGITS_MAX 780
#define MANTISSA_DIGITS 19	/* always fit 64 bits */
#define EXPONENT_MAX 1000000	/* beyond it everything is 0 or too large */

/* The number is <digits> x base^exponent. */
struct digits {
	char text[DIGITS_MAX + 32];	/* room for "0x" before it and for the exponent */
	int n;				/* significant ones kept */
	int exponent;
	uint64_t mantissa;		/* of the first MANTISSA_DIGITS */
	bool any;			/* a digit was there, be it 0 */
	bool rest;			/* digits not kept, not all 0 */
};

static int digit_value(char c, bool hex)
{
	int lower = c | 0x20;

	if (c >= '0' && c <= '9')
		return c - '0';
	if (hex && lower >= 'a' && lower <= 'f')
		return lower - 'a' + 10;
	return -1;
}

/* Digits from p on; behind the point each moves the exponent. Returns where they end. */
static const char *take_digits(struct digits *d, const char *p, const char *end, bool hex,
			       bool fraction)
{
	int value;

	for (; p < end && (value = digit_value(*p, hex)) >= 0; p++) {
		d->any = true;
		if (d->n == 0 && value == 0) {
			d->exponent -= fraction;
			continue;
		}
		if (d->n == DIGITS_MAX) {
			d->rest = d->rest || value != 0;
			d->exponent += !fraction;
			continue;
		}
		if (d->n < MANTISSA_DIGITS)
			d->mantissa = d->mantissa * 10 + (uint64_t)value;
		d->text[2 + d->n++] = *p;
		d->exponent -= fraction;
	}
	return p;
}

/* "+12" behind e or p. False if it is none. */
static bool take_exponent(const char *p, const char *end, int *exponent)
{
	bool negative = false;
	int e = 0;

	if (p < end && (*p == '+' || *p == '-'))
		negative = *p++ == '-';
	if (p == end)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		if (e < EXPONENT_MAX)
			e = e * 10 + (*p - '0');
	}
	*exponent = negative ? -e : e;
	return true;
}

/*
 * With strtod() but without a point, which is another one in other locales. A digit at the end
 * stands for those that were not kept.
 */
static double convert(struct digits *d, bool hex, int exponent)
{
	char *first = d->text + 2;

	if (d->rest) {
		first[d->n++] = '1';
		exponent -= hex ? 4 : 1;
	}
	snprintf(first + d->n, sizeof d->text - 2 - (size_t)d->n, "%c%d", hex ? 'p' : 'e',
		 exponent);
	if (hex) {
		first -= 2;
		memcpy(first, "0x", 2);
	}
	return strtod(first, NULL);
}

/* Both factors are doubles, so that there is one rounding, the right one. */
static bool convert_quickly(const struct digits *d, int exponent, double *value)
{
	static const double powers[] = {
		1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
		1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
	};

	if (d->n > MANTISSA_DIGITS || d->mantissa > 1ull << 53 || exponent < -22 || exponent > 22)
		return false;
	if (exponent < 0)
		*value = (double)d->mantissa / powers[-exponent];
	else
		*value = (double)d->mantissa * powers[exponent];
	return true;
}

static bool read_finite(const char *p, const char *end, bool hex, double *value)
{
	struct digits d;
	int exponent = 0;

	d.n = d.exponent = 0;
	d.mantissa = 0;
	d.any = d.rest = false;
	p = take_digits(&d, p, end, hex, false);
	if (p < end && *p == '.')
		p = take_digits(&d, p + 1, end, hex, true);
	if (!d.any)
		return false;
	if (hex)
		d.exponent *= 4;
	if (p < end && (*p | 0x20) == (hex ? 'p' : 'e')) {
		if (!take_exponent(p + 1, end, &exponent))
			return false;
	} else if (p < end || hex) {
		return false;	/* a hexadecimal needs its p */
	}
	exponent += d.exponent;
	if (d.n == 0)
		*value = 0;
	else if (hex || !convert_quickly(&d, exponent, value))
		*value = convert(&d, hex, exponent);
	return isfinite(*value);
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

bool number_read(const char *text, size_t len, double *value)
{
	bool sign = len > 0 && (*text == '+' || *text == '-');
	const char *p = text + sign, *end = text + len;
	size_t left = len - sign;
	double v;

	if (left == 0)
		return false;
	if (*p > '9') {
		if (is_word(p, left, "inf") || is_word(p, left, "infinity"))
			v = (double)INFINITY;
		else if (!sign && is_word(p, left, "nan"))
			v = (double)NAN;
		else
			return false;
	} else if (left > 2 && p[0] == '0' && (p[1] | 0x20) == 'x') {
		if (!read_finite(p + 2, end, true, &v))
			return false;
	} else if (!read_finite(p, end, false, &v)) {
		return false;
	}
	*value = sign && *text == '-' ? -v : v;
	return true;
}
