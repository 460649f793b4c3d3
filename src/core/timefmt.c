#include "timefmt.h"

#define MS_PER_SECOND 1000LL
#define MS_PER_MINUTE (60 * MS_PER_SECOND)
#define MS_PER_HOUR (60 * MS_PER_MINUTE)
#define MS_PER_DAY (24 * MS_PER_HOUR)

#define YEAR_0_MS (-62167219200000LL)	/* 0000-01-01T00:00:00Z */

/*
 * Civil dates by eras of 400 years (146,097 days), the year beginning on 1 March so that the leap
 * day is its last; 719,468 days lie between 0000-03-01 and 1970-01-01.
 */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = yoe + era * 400 + (*month <= 2 ? 1 : 0);
}

static int64_t days_in_month(int64_t year, int64_t month)
{
	static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* n digits and the character that follows them. printf() would cost more than the rest of a row. */
static char *put_digits(char *out, int64_t value, int n, char after)
{
	for (int i = n - 1; i >= 0; i--) {
		out[i] = (char)('0' + value % 10);
		value /= 10;
	}
	out[n] = after;
	return out + n + 1;
}

const char *timefmt_rfc3339(int64_t unix_ms, char buf[TIMEFMT_SIZE])
{
	int64_t days, ms, year, month, day;
	char *p = buf;

	if (unix_ms < YEAR_0_MS)
		unix_ms = YEAR_0_MS;
	if (unix_ms > TIME_MS_MAX)
		unix_ms = TIME_MS_MAX;
	days = unix_ms / MS_PER_DAY;
	ms = unix_ms % MS_PER_DAY;
	if (ms < 0) {
		ms += MS_PER_DAY;
		days--;
	}
	civil_from_days(days, &year, &month, &day);
	p = put_digits(p, year, 4, '-');
	p = put_digits(p, month, 2, '-');
	p = put_digits(p, day, 2, 'T');
	p = put_digits(p, ms / MS_PER_HOUR, 2, ':');
	p = put_digits(p, ms / MS_PER_MINUTE % 60, 2, ':');
	p = put_digits(p, ms / MS_PER_SECOND % 60, 2, '.');
	p = put_digits(p, ms % MS_PER_SECOND, 3, 'Z');
	*p = '\0';
	return buf;
}

/* What is still to be read; the text need not end in NUL. */
struct cursor {
	const char *at;
	const char *end;
};

static bool take_char(struct cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static bool take_digit(struct cursor *c, int *digit)
{
	if (c->at == c->end || *c->at < '0' || *c->at > '9')
		return false;
	*digit = *c->at++ - '0';
	return true;
}

/* Exactly n digits, of a value from min to max. */
static bool take_fixed(struct cursor *c, int n, int64_t min, int64_t max, int64_t *value)
{
	int digit;

	*value = 0;
	for (int i = 0; i < n; i++) {
		if (!take_digit(c, &digit))
			return false;
		*value = *value * 10 + digit;
	}
	return *value >= min && *value <= max;
}

/* One digit or more; saturates at INT64_MAX. */
static bool take_number(struct cursor *c, int64_t *value)
{
	const char *start = c->at;
	int64_t v = 0;
	int digit;

	while (take_digit(c, &digit))
		v = v > (INT64_MAX - digit) / 10 ? INT64_MAX : v * 10 + digit;
	*value = v;
	return c->at != start;
}

/* "Z" or "+hh:mm" or "-hh:mm": what is to be subtracted. */
static bool take_offset(struct cursor *c, int64_t *offset_ms)
{
	int64_t sign, hours, minutes;

	*offset_ms = 0;
	if (take_char(c, 'Z') || take_char(c, 'z'))
		return true;
	if (take_char(c, '+'))
		sign = 1;
	else if (take_char(c, '-'))
		sign = -1;
	else
		return false;
	if (!take_fixed(c, 2, 0, 23, &hours) || !take_char(c, ':') ||
	    !take_fixed(c, 2, 0, 59, &minutes))
		return false;
	*offset_ms = sign * (hours * MS_PER_HOUR + minutes * MS_PER_MINUTE);
	return true;
}

/* Any number of digits, of which three count. */
static bool take_fraction(struct cursor *c, int64_t *ms)
{
	int64_t weight = MS_PER_SECOND / 10;
	int digit;

	*ms = 0;
	if (!take_digit(c, &digit))
		return false;
	do {
		*ms += digit * weight;
		weight /= 10;
	} while (take_digit(c, &digit));
	return true;
}

static bool parse_rfc3339(struct cursor c, int64_t *unix_ms)
{
	int64_t year, month, day, hour, minute, second, offset_ms;
	int64_t ms = 0;

	if (!take_fixed(&c, 4, 0, 9999, &year) || !take_char(&c, '-') ||
	    !take_fixed(&c, 2, 1, 12, &month) || !take_char(&c, '-') ||
	    !take_fixed(&c, 2, 1, days_in_month(year, month), &day))
		return false;
	if (!take_char(&c, 'T') && !take_char(&c, 't'))
		return false;
	/* A leap second is 60; Unix time has none and calls it the next one. */
	if (!take_fixed(&c, 2, 0, 23, &hour) || !take_char(&c, ':') ||
	    !take_fixed(&c, 2, 0, 59, &minute) || !take_char(&c, ':') ||
	    !take_fixed(&c, 2, 0, 60, &second))
		return false;
	if (take_char(&c, '.') && !take_fraction(&c, &ms))
		return false;
	if (!take_offset(&c, &offset_ms) || c.at != c.end)
		return false;
	*unix_ms = days_from_civil(year, month, day) * MS_PER_DAY + hour * MS_PER_HOUR +
		   minute * MS_PER_MINUTE + second * MS_PER_SECOND + ms - offset_ms;
	return true;
}

bool timefmt_parse_time(const char *s, size_t len, int64_t *unix_ms)
{
	struct cursor c = { s, s + len };
	bool negative = take_char(&c, '-');
	int64_t value;

	if (take_number(&c, &value) && c.at == c.end) {
		*unix_ms = negative ? -value : value;
		return true;
	}
	return parse_rfc3339((struct cursor){ s, s + len }, unix_ms);
}

static bool take_unit(struct cursor *c, int64_t *unit_ms)
{
	if (take_char(c, 'm'))
		*unit_ms = take_char(c, 's') ? 1 : MS_PER_MINUTE;
	else if (take_char(c, 's'))
		*unit_ms = MS_PER_SECOND;
	else if (take_char(c, 'h'))
		*unit_ms = MS_PER_HOUR;
	else if (take_char(c, 'd'))
		*unit_ms = MS_PER_DAY;
	else
		return false;
	return true;
}

/*
 * A day is 2^10 x 3^3 x 5^5 ms and each other unit divides it: a fraction whose last digit is not 0
 * and which is whole milliseconds has at most 10 digits. So longer ones need no arithmetic.
 */
#define FRACTION_DIGITS_MAX 10

/* *digits / *scale is the fraction. False when it cannot be whole milliseconds of any unit. */
static bool take_decimals(struct cursor *c, int64_t *digits, int64_t *scale)
{
	struct cursor f = *c;
	int digit;

	while (take_digit(c, &digit))
		;
	if (c->at == f.at)
		return false;
	f.end = c->at;
	while (f.end > f.at && f.end[-1] == '0')
		f.end--;
	if (f.end - f.at > FRACTION_DIGITS_MAX)
		return false;
	*digits = 0;
	*scale = 1;
	while (take_digit(&f, &digit)) {
		*digits = *digits * 10 + digit;
		*scale *= 10;
	}
	return true;
}

bool timefmt_parse_duration(const char *s, size_t len, int64_t *ms)
{
	struct cursor c = { s, s + len };
	bool negative = take_char(&c, '-');
	int64_t whole, v;
	int64_t fraction = 0;
	int64_t scale = 1;
	int64_t unit_ms = MS_PER_SECOND;
	bool has_fraction;

	if (!take_number(&c, &whole))
		return false;
	has_fraction = take_char(&c, '.');
	if (has_fraction && !take_decimals(&c, &fraction, &scale))
		return false;
	/* Without a unit it is whole seconds. */
	if (!take_unit(&c, &unit_ms) && has_fraction)
		return false;
	if (c.at != c.end || fraction * unit_ms % scale != 0)
		return false;
	v = DURATION_MS_MAX + 1;
	if (whole <= DURATION_MS_MAX / unit_ms)
		v = whole * unit_ms + fraction * unit_ms / scale;
	if (v > DURATION_MS_MAX)
		v = DURATION_MS_MAX + 1;
	*ms = negative ? -v : v;
	return true;
}
