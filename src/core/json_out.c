#include "json_out.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timefmt.h"

#define MANTISSA_BITS 52
#define DOUBLE_INTEGER_MAX 9007199254740992.0	/* 2^53: up to here every integer is a double */
#define UINT64_DIGITS 20

/* The value digits x 10^exponent */
struct decimal {
	uint64_t digits;
	int exponent;
};

/* The digits of v end at end; returns where they begin. */
static char *digits_before(char *end, uint64_t v)
{
	do {
		*--end = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return end;
}

#ifdef __SIZEOF_INT128__
/*
 * The usual magnitudes in integers: printf() and strtod() cost a microsecond, and a reply holds
 * tens of thousands of numbers. v = c x 2^-s reads back from every decimal that is nearer to it
 * than half a unit, 2^-(s+1); all of it times 2^(s+1) x 10^places fits 118 bits. Two questions do
 * not arise here: a decimal just half a unit away has 19 digits or more, and the smaller gap below
 * a power of two changes nothing for the 59 powers between these bounds (the test tries them).
 */
#define EXACT_MIN 1e-3
#define EXACT_MAX 1e15

static const uint64_t ten[] = {
	1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u,
	10000000000u, 100000000000u, 1000000000000u, 10000000000000u, 100000000000000u,
	1000000000000000u, 10000000000000000u, 100000000000000000u, 1000000000000000000u,
	10000000000000000000u,
};

/* How many decimal places make 15 significant digits of v. */
static unsigned places_of_15(double v)
{
	unsigned places = 14;

	if (v < 1)
		return v >= 0.1 ? 15 : v >= 0.01 ? 16 : 17;
	while (v >= (double)ten[15 - places])
		places--;
	return places;
}

/* EXACT_MIN <= v < EXACT_MAX */
static struct decimal shortest_exact(double v)
{
	unsigned places = places_of_15(v);
	unsigned __int128 one;
	uint64_t bits, c;
	unsigned shift;

	memcpy(&bits, &v, sizeof bits);
	c = (bits & ((UINT64_C(1) << MANTISSA_BITS) - 1)) | UINT64_C(1) << MANTISSA_BITS;
	shift = 1023 + MANTISSA_BITS + 1 - (unsigned)(bits >> MANTISSA_BITS);
	one = (unsigned __int128)1 << shift;

	/* Fewer than 15 digits show as zeros at the end of the 15; 17 are always enough. */
	for (;; places++) {
		unsigned __int128 scaled = (unsigned __int128)ten[places] * (2 * c);
		uint64_t digits = (uint64_t)(scaled >> shift);
		unsigned __int128 away = scaled & (one - 1);

		/* To the nearest, and half to even as printf() does. */
		if (away > one / 2 || (away == one / 2 && digits % 2 == 1)) {
			digits++;
			away = one - away;
		}
		if (away < ten[places])
			return (struct decimal){ digits, -(int)places };
	}
}
#else
#define EXACT_MIN INFINITY
#define EXACT_MAX INFINITY

static struct decimal shortest_exact(double v)
{
	return (struct decimal){ (uint64_t)v, 0 };	/* never called */
}
#endif

static bool reads_back(struct decimal d, double v)
{
	char text[JSON_NUMBER_SIZE];

	/* Without a decimal point: that is the locale's. */
	snprintf(text, sizeof text, "%" PRIu64 "e%d", d.digits, d.exponent);
	return strtod(text, NULL) == v;
}

/* v > 0 of any magnitude, by trial. */
static struct decimal shortest_tried(double v)
{
	/* 15 digits tell decimals apart, so fewer need no try; but subnormals have fewer bits. */
	int precision = v < 0x1p-1022 ? 1 : 15;
	struct decimal d;

	for (;; precision++) {
		char text[JSON_NUMBER_SIZE];
		const char *p;

		snprintf(text, sizeof text, "%.*e", precision - 1, v);
		d.digits = 0;
		for (p = text; *p != 'e'; p++)
			if (*p >= '0' && *p <= '9')
				d.digits = d.digits * 10 + (uint64_t)(*p - '0');
		d.exponent = (int)strtol(p + 1, NULL, 10) - (precision - 1);
		if (precision >= 17 || reads_back(d, v))
			return d;
		/* Below a power of two the bound is nearer: the next one above may do. */
		d.digits++;
		if (reads_back(d, v))
			return d;
	}
}

/* The digits as %.17g sets them out: an exponent below 10^-4 and from 10^17. */
static size_t lay_out(struct decimal d, char *out)
{
	char digits[UINT64_DIGITS];
	char *end = digits + sizeof digits;
	char *first;
	char *p = out;
	int n, point;

	while (d.digits % 10 == 0) {
		d.digits /= 10;
		d.exponent++;
	}
	first = digits_before(end, d.digits);
	n = (int)(end - first);
	point = n + d.exponent;	/* digits before the decimal point */
	if (point < -3 || point > 17) {
		*p++ = *first++;
		if (n > 1)
			*p++ = '.';
		p = mempcpy(p, first, (size_t)(end - first));
		p += sprintf(p, "e%+d", point - 1);
	} else if (point <= 0) {
		p = mempcpy(p, "0.000", (size_t)(2 - point));
		p = mempcpy(p, first, (size_t)n);
	} else if (point >= n) {
		p = mempcpy(p, first, (size_t)n);
		memset(p, '0', (size_t)(point - n));
		p += point - n;
	} else {
		p = mempcpy(p, first, (size_t)point);
		*p++ = '.';
		p = mempcpy(p, first + point, (size_t)(n - point));
	}
	*p = '\0';
	return (size_t)(p - out);
}

size_t json_number(double v, char out[JSON_NUMBER_SIZE])
{
	double size = fabs(v);
	char *p = out;

	assert(isfinite(v));
	if (v < 0)
		*p++ = '-';
	if (size < DOUBLE_INTEGER_MAX && size == (double)(int64_t)size) {
		char digits[UINT64_DIGITS];
		char *end = digits + sizeof digits;
		char *first = digits_before(end, (uint64_t)size);

		p = mempcpy(p, first, (size_t)(end - first));
		*p = '\0';
		return (size_t)(p - out);
	}
	if (size >= EXACT_MIN && size < EXACT_MAX)
		p += lay_out(shortest_exact(size), p);
	else
		p += lay_out(shortest_tried(size), p);
	return (size_t)(p - out);
}

static void put_char(struct json_out *j, char c)
{
	buffer_add(j->b, &c, 1);
}

static void put_quoted(struct json_out *j, const char *s)
{
	static const char hex[] = "0123456789abcdef";
	const char *plain = s;	/* what was passed over and not yet written */

	put_char(j, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= ' ' && c != '"' && c != '\\')
			continue;
		buffer_add(j->b, plain, (size_t)(s - plain));
		plain = s + 1;
		if (c < ' ') {
			buffer_add_text(j->b, "\\u00");
			put_char(j, hex[c >> 4]);
			put_char(j, hex[c & 15]);
		} else {
			put_char(j, '\\');
			put_char(j, *s);
		}
	}
	buffer_add(j->b, plain, (size_t)(s - plain));
	put_char(j, '"');
}

/* What comes before each value. */
static void put_key(struct json_out *j, const char *key)
{
	if (j->comma)
		put_char(j, ',');
	j->comma = true;
	if (key) {
		put_quoted(j, key);
		put_char(j, ':');
	}
}

void json_open(struct json_out *j, const char *key, char bracket)
{
	put_key(j, key);
	put_char(j, bracket);
	j->comma = false;
}

void json_close(struct json_out *j, char bracket)
{
	put_char(j, bracket);
	j->comma = true;
}

void json_text(struct json_out *j, const char *key, const char *value)
{
	put_key(j, key);
	put_quoted(j, value);
}

void json_double(struct json_out *j, const char *key, double value)
{
	char text[JSON_NUMBER_SIZE];
	size_t n = json_number(value, text);

	put_key(j, key);
	buffer_add(j->b, text, n);
}

void json_int(struct json_out *j, const char *key, int64_t value)
{
	char digits[UINT64_DIGITS + 1];
	char *end = digits + sizeof digits;
	/* The negative of INT64_MIN is no int64_t. */
	char *first = digits_before(end, value < 0 ? -(uint64_t)value : (uint64_t)value);

	if (value < 0)
		*--first = '-';
	put_key(j, key);
	buffer_add(j->b, first, (size_t)(end - first));
}

void json_uint(struct json_out *j, const char *key, uint64_t value)
{
	char digits[UINT64_DIGITS];
	char *end = digits + sizeof digits;
	char *first = digits_before(end, value);

	put_key(j, key);
	buffer_add(j->b, first, (size_t)(end - first));
}

void json_bool(struct json_out *j, const char *key, bool value)
{
	put_key(j, key);
	buffer_add_text(j->b, value ? "true" : "false");
}

void json_time(struct json_out *j, const char *key, int64_t unix_ms)
{
	char text[TIMEFMT_SIZE];

	json_text(j, key, timefmt_rfc3339(unix_ms, text));
}
