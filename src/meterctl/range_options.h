/*
 * range_options - the options that say which window, buckets and aggregates are asked for.
 */
#ifndef METERCTL_RANGE_OPTIONS_H
#define METERCTL_RANGE_OPTIONS_H

#include <stddef.h>

#include "wire.h"

enum { RANGE_OPTION_SINCE = 1, RANGE_OPTION_UNTIL, RANGE_OPTION_RANGE, RANGE_OPTION_RESOLUTION,
       RANGE_OPTION_AGGREGATE, RANGE_OPTION_ALIGN, RANGE_OPTION_RAW,
       RANGE_OPTION_END /* a command's own begin here */ };

/* Rows of a struct option[]. */
#define RANGE_OPTIONS                                                                              \
	{ "since", required_argument, NULL, RANGE_OPTION_SINCE },                                  \
	{ "until", required_argument, NULL, RANGE_OPTION_UNTIL },                                  \
	{ "range", required_argument, NULL, RANGE_OPTION_RANGE },                                  \
	{ "resolution", required_argument, NULL, RANGE_OPTION_RESOLUTION },                        \
	{ "aggregate", required_argument, NULL, RANGE_OPTION_AGGREGATE },                          \
	{ "align", required_argument, NULL, RANGE_OPTION_ALIGN },                                  \
	{ "raw", no_argument, NULL, RANGE_OPTION_RAW }

#define RANGE_OPTIONS_HELP                                                                         \
	"      --since TIME             RFC 3339 or Unix milliseconds; default 1h before --until\n" \
	"      --until TIME             default now\n"                                             \
	"      --range DURATION         instead of --since: so long before --until\n"              \
	"      --resolution DURATION    length of a bucket: 250ms, 10s, 5m, 1h, 7d, or seconds\n"  \
	"      --aggregate LIST         of mean, min, max, last; with commas or given again\n"     \
	"      --align since|epoch      buckets begin at since, or at multiples of the resolution\n" \
	"      --raw                    the stored samples, one row each\n"

/* val is one of the above. Returns as take() of struct command. */
int range_options_take(struct range_request *r, int val, const char *arg, char *error,
		       size_t error_size);

#endif
