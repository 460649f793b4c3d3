/*
 * timefmt - times and durations as people and JSON write them.
 */
#ifndef METER_TIMEFMT_H
#define METER_TIMEFMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIME_MS_MAX 253402300799999LL		/* 9999-12-31T23:59:59.999Z */
#define DURATION_MS_MAX 3155760000000LL		/* 100 years of 365.25 days */
#define TIMEFMT_SIZE 32				/* room for timefmt_rfc3339() with its NUL */

/*
 * "2026-11-21T07:07:00.000Z": UTC, milliseconds. A time before the year 0 or after 9999, which
 * RFC 3339 cannot write, becomes the nearest that it can.
 */
const char *timefmt_rfc3339(int64_t unix_ms, char buf[TIMEFMT_SIZE]);

/*
 * RFC 3339 with any offset (fractions are cut to ms; second 60 is the next one), or a string of
 * digits of Unix ms, which a '-' may lead. false = not a time. The result may be negative (before
 * 1970) or past TIME_MS_MAX; bounds are the caller's. Digits saturate at +-INT64_MAX.
 */
bool timefmt_parse_time(const char *s, size_t len, int64_t *unix_ms);

/*
 * A string of digits of whole seconds, or one number (decimals allowed) with ms, s, m, h or d. A
 * leading '-' is understood, so that the caller can say that negative is what is wrong. The result
 * is whole milliseconds: "0.5ms" is not a duration. Saturates at +-(DURATION_MS_MAX + 1).
 */
bool timefmt_parse_duration(const char *s, size_t len, int64_t *ms);

#endif
