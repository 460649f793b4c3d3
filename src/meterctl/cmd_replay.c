/*
 * meterctl replay FILE - a recorded trace in a store of its own, asked as a meterd is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "ident.h"
#include "json_out.h"
#include "range_options.h"
#include "range_print.h"
#include "replay_report.h"
#include "request.h"
#include "ring.h"
#include "timefmt.h"
#include "trace.h"

static const char help[] =
	"  meterctl range web-1 --range 1d --raw -o csv > web-1.csv\n"
	"  meterctl replay web-1.csv --range 6h --resolution 5m --aggregate mean,max\n"
	"  meterctl replay web-1.csv --report\n"
	"  zcat web-1.csv.gz | meterctl replay - --report --capacity 8640 -o json\n"
	"\n"
	"Puts the rows of FILE (- is standard input) into a store as a meterd does, and answers\n"
	"from that as `meterctl range` does. No server is needed. FILE is what\n"
	"`range --raw -o csv` prints, header line included. Now is 1 ms after its newest row, and\n"
	"the poll interval is 10s.\n"
	"\n"
	"      --capacity N             samples the store keeps, the last of FILE; default 60480,\n"
	"                               1 to 16777216\n"
	"      --report                 no samples, but the memory that an instance takes: FILE is\n"
	"                               repeated, its times moved on, until the store is full\n"
	RANGE_OPTIONS_HELP
	"\n"
	RANGE_PRINT_HELP
	"\n"
	"--report -o json: {\"samples\",\"capacity\",\"bytes_per_sample\",\"bytes_per_instance\",\n"
	"\"instances_per_gib\"}; -o csv: these as a header line and a row. Samples is what the\n"
	"store holds: where it forgets many at once that may be more than its capacity.\n";

#define CAPACITY_DEFAULT 60480	/* that of meterd, as is the interval */
#define INTERVAL_MS 10000
#define ERROR_SIZE 1024

_Static_assert(TRACE_TIME_MAX + 1 == TIME_MS_MAX, "the newest row + 1 ms is a time");
_Static_assert(RING_CAPACITY_MAX == 16777216, "as the help and the error say");

struct replay {
	struct range_request request;
	bool asked;		/* anything of the request was given */
	bool report;
	int64_t capacity;	/* 0 = not given */
};

enum { OPTION_CAPACITY = RANGE_OPTION_END, OPTION_REPORT };

static const struct option options[] = {
	RANGE_OPTIONS,
	{ "capacity", required_argument, NULL, OPTION_CAPACITY },
	{ "report", no_argument, NULL, OPTION_REPORT },
};

/* --- options --- */

static int take_capacity(struct replay *own, const char *arg, char *error, size_t error_size)
{
	char *end;

	errno = 0;
	own->capacity = strtoll(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end || errno || own->capacity < 1 ||
	    own->capacity > RING_CAPACITY_MAX)
		return config_wrong("--capacity", arg, "1 to 16777216", error, error_size);
	return 0;
}

static int take(void *own, int val, const char *arg, char *error, size_t error_size)
{
	struct replay *replay = own;

	switch (val) {
	case OPTION_CAPACITY:
		return take_capacity(replay, arg, error, error_size);
	case OPTION_REPORT:
		replay->report = true;
		return 0;
	default:
		replay->asked = true;
		return range_options_take(&replay->request, val, arg, error, error_size);
	}
}

static int check(struct invocation *call, char *error, size_t error_size)
{
	struct replay *own = call->own;

	if (own->capacity == 0)
		own->capacity = CAPACITY_DEFAULT;
	if (!own->report || !own->asked)
		return 0;
	snprintf(error, error_size,
		 "replay: --report is about the whole FILE: no window, buckets or --raw with it");
	return -1;
}

/* --- query --- */

static int tell(const char *why)
{
	output_error("%s", why);
	return -1;
}

/* Every row of the trace goes in. *newest_ms is the time of the newest, -1 when there is none. */
static int load(struct trace *t, struct ring *ring, int64_t *newest_ms)
{
	char error[ERROR_SIZE];
	struct sample s;
	int r;

	*newest_ms = -1;
	while ((r = trace_next(t, &s, error, sizeof error)) > 0) {
		r = ring_append(ring, &s);
		if (r < 0)
			return tell(strerror(-r));
		if (s.at_ms > *newest_ms)
			*newest_ms = s.at_ms;
	}
	return r < 0 ? tell(error) : 0;
}

/* web-1 of traces/web-1.csv */
static void name_instance(const char *path, char id[IDENT_MAX + 1])
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t len = strlen(base);

	if (len > 4 && strcmp(base + len - 4, ".csv") == 0)
		len -= 4;
	if (strcmp(path, "-") != 0 && ident_valid(base, len))
		snprintf(id, IDENT_MAX + 1, "%.*s", (int)len, base);
	else
		snprintf(id, IDENT_MAX + 1, "replay");
}

/* What a meterd with this ring would answer, in one piece. On 0 the caller clears r->result. */
static int answer(const struct ring *ring, const struct range_request *request, int64_t now_ms,
		  struct range_reply *r)
{
	int64_t aggregates = request->n_aggregates ? (int64_t)request->n_aggregates : 1;
	const struct request_limits limits = {
		.interval_ms = INTERVAL_MS,
		.points_max = aggregates * RANGE_BUCKETS_MAX,
	};
	struct range_query query;
	struct problem p;
	int result;

	if (request_resolve(request, &limits, now_ms, &query, r->aggregates, &r->n_aggregates,
			    &p) != 0)
		return tell(p.text);
	r->tracked = true;
	r->raw = request->raw;
	r->since_ms = query.since_ms;
	r->until_ms = query.until_ms;
	r->resolution_ms = query.resolution_ms;
	if (r->raw)
		result = ring_raw(ring, query.since_ms, query.until_ms, ring_count(ring) + 1,
				  &r->result, &r->next_since_ms);
	else
		result = ring_range(ring, &query, &r->result);
	return result < 0 ? tell(strerror(-result)) : 0;
}

static int query(struct trace *t, const struct invocation *call)
{
	const struct replay *own = call->own;
	struct range_reply reply = { 0 };
	struct ring *ring = NULL;
	int64_t newest_ms;
	int r;

	r = ring_new(&ring, (size_t)own->capacity, INTERVAL_MS);
	if (r < 0)
		return tell(strerror(-r));
	r = load(t, ring, &newest_ms);
	/* Without a row there is no clock: it is then any time that is not before what is asked. */
	if (r == 0 && newest_ms < 0 && own->request.since_ms > 0)
		newest_ms = own->request.since_ms - 1;
	name_instance(call->file, reply.instance_id);
	if (r == 0)
		r = answer(ring, &own->request, newest_ms + 1, &reply);
	if (r == 0)
		r = range_print(&reply, call->format);
	range_result_clear(&reply.result);
	ring_free(ring);
	return r;
}

/* --- report --- */

static int report_json(const struct replay_report *report)
{
	struct buffer text = { 0 };
	struct json_out j = { .b = &text };
	int r;

	json_open(&j, NULL, '{');
	json_uint(&j, "samples", report->samples);
	json_uint(&j, "capacity", report->capacity);
	json_double(&j, "bytes_per_sample", report->bytes_per_sample);
	json_uint(&j, "bytes_per_instance", report->bytes_per_instance);
	json_uint(&j, "instances_per_gib", report->instances_per_gib);
	json_close(&j, '}');
	r = output_json(&text);
	buffer_clear(&text);
	return r;
}

static void report_csv(const struct replay_report *report)
{
	char number[JSON_NUMBER_SIZE];

	json_number(report->bytes_per_sample, number);
	printf("samples,capacity,bytes_per_sample,bytes_per_instance,instances_per_gib\n"
	       "%zu,%zu,%s,%" PRIu64 ",%" PRIu64 "\n",
	       report->samples, report->capacity, number, report->bytes_per_instance,
	       report->instances_per_gib);
}

static void report_table(const struct replay_report *report)
{
	printf("samples             %zu\n"
	       "capacity            %zu\n"
	       "bytes per sample    %.2f\n"
	       "bytes per instance  %" PRIu64 "\n"
	       "instances per GiB   %" PRIu64 "\n",
	       report->samples, report->capacity, report->bytes_per_sample,
	       report->bytes_per_instance, report->instances_per_gib);
}

static int report(struct trace *t, const struct invocation *call)
{
	const struct replay *own = call->own;
	struct replay_report report;
	char error[ERROR_SIZE];

	if (replay_report(t, (size_t)own->capacity, INTERVAL_MS, &report, error, sizeof error) < 0)
		return tell(error);
	if (call->format == FORMAT_JSON)
		return report_json(&report);
	if (call->format == FORMAT_CSV)
		report_csv(&report);
	else
		report_table(&report);
	return 0;
}

static int run(const struct invocation *call)
{
	const struct replay *own = call->own;
	char error[ERROR_SIZE];
	struct trace *t = NULL;
	int r;

	if (trace_open(&t, call->file, error, sizeof error) < 0) {
		tell(error);
		return STATUS_FAILED;
	}
	r = own->report ? report(t, call) : query(t, call);
	trace_close(t);
	return r < 0 ? STATUS_FAILED : STATUS_OK;
}

const struct command command_replay = {
	.name = "replay",
	.usage = "FILE [options]",
	.summary = "a recorded trace, without a server",
	.help = help,
	.operand = OPERAND_FILE,
	.options = options,
	.n_options = sizeof options / sizeof *options,
	.own_size = sizeof(struct replay),
	.take = take,
	.check = check,
	.run_local = run,
};
