#include "range_options.h"

#include <string.h>

#include "config.h"
#include "timefmt.h"

static int take_time(const char *where, const char *arg, int64_t *out, char *error,
		     size_t error_size)
{
	if (timefmt_parse_time(arg, strlen(arg), out))
		return 0;
	return config_wrong(where, arg, "an RFC 3339 time or Unix milliseconds", error, error_size);
}

static int take_duration(const char *where, const char *arg, int64_t *out, char *error,
			 size_t error_size)
{
	if (timefmt_parse_duration(arg, strlen(arg), out))
		return 0;
	return config_wrong(where, arg, "a number with ms, s, m, h or d, or whole seconds", error,
			    error_size);
}

static int take_aggregates(struct range_request *r, const char *arg, char *error,
			   size_t error_size)
{
	const char *at = arg;

	for (;;) {
		size_t len = strcspn(at, ",");
		enum aggregate a;

		if (!aggregate_parse(at, len, &a))
			return config_wrong("--aggregate", arg,
					    "mean, min, max, last, separated by commas", error,
					    error_size);
		for (size_t i = 0; i < r->n_aggregates; i++)
			if (r->aggregates[i] == a)
				return config_wrong("--aggregate", arg, "each of them once", error,
						    error_size);
		r->aggregates[r->n_aggregates++] = a;
		if (!at[len])
			return 0;
		at += len + 1;
	}
}

static int take_align(struct range_request *r, const char *arg, char *error, size_t error_size)
{
	if (strcmp(arg, "since") != 0 && strcmp(arg, "epoch") != 0)
		return config_wrong("--align", arg, "since, epoch", error, error_size);
	r->align = strcmp(arg, "epoch") == 0 ? ALIGN_EPOCH : ALIGN_SINCE;
	return 0;
}

int range_options_take(struct range_request *r, int val, const char *arg, char *error,
		       size_t error_size)
{
	switch (val) {
	case RANGE_OPTION_SINCE:
		return take_time("--since", arg, &r->since_ms, error, error_size);
	case RANGE_OPTION_UNTIL:
		return take_time("--until", arg, &r->until_ms, error, error_size);
	case RANGE_OPTION_RANGE:
		return take_duration("--range", arg, &r->range_ms, error, error_size);
	case RANGE_OPTION_RESOLUTION:
		return take_duration("--resolution", arg, &r->resolution_ms, error, error_size);
	case RANGE_OPTION_AGGREGATE:
		return take_aggregates(r, arg, error, error_size);
	case RANGE_OPTION_ALIGN:
		return take_align(r, arg, error, error_size);
	default:
		r->raw = true;
		return 0;
	}
}
