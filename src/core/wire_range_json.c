#include <string.h>

#include "json_in.h"
#include "json_out.h"
#include "wire_internal.h"

#define TIME_RULE "an RFC 3339 time or Unix milliseconds"
#define DURATION_RULE "whole seconds, or a string with ms, s, m, h or d such as \"6h\""

/* --- request --- */

typedef bool (*take_number)(const struct json_t *v, int64_t *out);

/* Absent is the default, as 0 is. */
static int take_optional(const struct json_t *top, const char *key, take_number take,
			 const char *rule, int64_t *out, struct problem *p)
{
	const struct json_t *v = json_in_get(top, key);

	if (!v || take(v, out))
		return 0;
	return problem_set(p, PROBLEM_MALFORMED, "%s must be %s", key, rule);
}

static int take_aggregates(const struct json_t *v, struct range_request *out, struct problem *p)
{
	unsigned seen = 0;
	size_t n;

	if (!v)
		return 0;
	if (!json_in_array(v, &n))
		return problem_set(p, PROBLEM_MALFORMED,
				   "aggregates must be an array of mean, min, max, last");
	/* Ends at the latest with the fifth, which is one that was there before. */
	for (size_t i = 0; i < n; i++) {
		const char *name;
		size_t len;
		enum aggregate a;

		if (!json_in_string(json_in_item(v, i), &name, &len) ||
		    !aggregate_parse(name, len, &a))
			return problem_set(p, PROBLEM_MALFORMED,
					   "aggregates must be an array of mean, min, max, last");
		if (seen & AGGREGATE_BIT(a))
			return problem_set(p, PROBLEM_MALFORMED,
					   "aggregates has %s twice: each may be there once",
					   aggregate_name(a));
		seen |= AGGREGATE_BIT(a);
		out->aggregates[out->n_aggregates++] = a;
	}
	return 0;
}

static int take_align(const struct json_t *v, enum align *out, struct problem *p)
{
	const char *name;
	size_t len;

	if (!v)
		return 0;
	if (json_in_string(v, &name, &len)) {
		if (len == 5 && !memcmp(name, "since", 5)) {
			*out = ALIGN_SINCE;
			return 0;
		}
		if (len == 5 && !memcmp(name, "epoch", 5)) {
			*out = ALIGN_EPOCH;
			return 0;
		}
	}
	return problem_set(p, PROBLEM_MALFORMED, "align must be \"since\" or \"epoch\"");
}

int wire_range_request_from_json(const void *body, size_t len, struct range_request *out,
				 struct problem *p)
{
	const struct json_t *raw;
	struct json_t *top;
	int r;

	r = json_in_load(body, len, &top, p);
	if (r != 0)
		return r;
	r = take_optional(top, "since", json_in_time, TIME_RULE, &out->since_ms, p);
	if (r == 0)
		r = take_optional(top, "until", json_in_time, TIME_RULE, &out->until_ms, p);
	if (r == 0)
		r = take_optional(top, "range", json_in_duration, DURATION_RULE, &out->range_ms, p);
	if (r == 0)
		r = take_optional(top, "resolution", json_in_duration, DURATION_RULE,
				  &out->resolution_ms, p);
	if (r == 0)
		r = take_aggregates(json_in_get(top, "aggregates"), out, p);
	if (r == 0)
		r = take_align(json_in_get(top, "align"), &out->align, p);
	raw = json_in_get(top, "raw");
	if (r == 0 && raw && !json_in_bool(raw, &out->raw))
		r = problem_set(p, PROBLEM_MALFORMED, "raw must be true or false");
	json_in_free(top);
	return r;
}

/* --- reply --- */

static void series_json(struct json_out *j, const char *key, const struct range_result *rows,
			enum aggregate a)
{
	json_open(j, key, '[');
	for (size_t i = 0; i < rows->n && !j->b->failed; i++) {
		double value[METRIC_COUNT];

		for (int m = 0; m < METRIC_COUNT; m++)
			value[m] = rows->column[a][m] ? rows->column[a][m][i] : NAN;
		json_open(j, NULL, '{');
		json_time(j, "at", rows->at_ms[i]);
		wire_metrics_json(j, value);
		json_uint(j, "count", rows->count[i]);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void wire_range_reply_json(const struct range_reply *r, struct buffer *out)
{
	/* Nothing tracked, or one aggregate: the rows alone. */
	static const struct range_result nothing;
	struct json_out j = { .b = out };

	json_open(&j, NULL, '{');
	json_text(&j, "instance_id", r->instance_id);
	json_bool(&j, "tracked", r->tracked);
	json_time(&j, "since", r->since_ms);
	json_time(&j, "until", r->until_ms);
	if (!r->raw)
		json_int(&j, "resolution_ms", r->resolution_ms);
	if (r->raw) {
		series_json(&j, "series", &r->result, AGGREGATE_MEAN);
	} else if (r->n_aggregates == 0) {
		series_json(&j, "series", &nothing, AGGREGATE_MEAN);
	} else if (r->n_aggregates == 1) {
		series_json(&j, "series", &r->result, r->aggregates[0]);
	} else {
		json_open(&j, "series", '{');
		for (size_t i = 0; i < r->n_aggregates; i++)
			series_json(&j, aggregate_name(r->aggregates[i]), &r->result,
				    r->aggregates[i]);
		json_close(&j, '}');
	}
	if (r->raw && r->next_since_ms != 0)
		json_time(&j, "next_since", r->next_since_ms);
	json_close(&j, '}');
}
