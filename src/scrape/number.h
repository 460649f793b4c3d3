/*
 * number - a floating point number as Go's strconv.ParseFloat reads it, correctly rounded, whatever
 * the locale: decimals, hexadecimals with p, inf, infinity and nan in any case. No underscores.
 */
#ifndef METER_SCRAPE_NUMBER_H
#define METER_SCRAPE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* All of text[0..len) is the number. False if it is none, or too large for a double. */
bool number_read(const char *text, size_t len, double *value);

#endif
