/*
 * meterctl range ID - samples of a window of time, in buckets or as they were stored.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "range_fetch.h"
#include "timefmt.h"

static const char help[] =
	"  meterctl range web-1\n"
	"  meterctl range web-1 --range 7d --resolution 1h --aggregate mean,max --align epoch\n"
	"  meterctl range web-1 --since 2026-11-21T07:00:00Z --until 2026-11-21T08:00:00Z -o json\n"
	"  meterctl range web-1 --range 24h --raw -o csv > web-1.csv\n"
	"\n"
	"Buckets of [since, until), each with the aggregate of its samples and how many they are\n"
	"(COUNT); empty ones are left out. Without options: the last hour in 120 buckets. A\n"
	"window that is too large for one reply is asked for in pieces. An unknown instance is\n"
	"an error (exit status 1).\n"
	"\n"
	"      --since TIME             RFC 3339 or Unix milliseconds; default 1h before --until\n"
	"      --until TIME             default now\n"
	"      --range DURATION         instead of --since: so long before --until\n"
	"      --resolution DURATION    length of a bucket: 250ms, 10s, 5m, 1h, 7d, or seconds\n"
	"      --aggregate LIST         of mean, min, max, last; with commas or given again\n"
	"      --align since|epoch      buckets begin at since, or at multiples of the resolution\n"
	"      --raw                    the stored samples, one row each\n"
	"\n"
	"-o json: the JSON form of the reply, {\"instance_id\",\"tracked\",\"since\",\"until\",\n"
	"\"resolution_ms\",\"series\":[...]}; with several aggregates series is {\"mean\":[...],...}.\n"
	"-o csv: a row per sample or bucket. An empty cell is absent; memory is whole bytes; all\n"
	"else reads back exactly. With --raw:\n"
	CSV_SAMPLE_HELP
	"Buckets have one column more at the end, count. With several aggregates each bucket has\n"
	"a row for each, and the second column is aggregate.\n";

enum { OPTION_SINCE = 1, OPTION_UNTIL, OPTION_RANGE, OPTION_RESOLUTION, OPTION_AGGREGATE,
       OPTION_ALIGN, OPTION_RAW };

static const struct option options[] = {
	{ "since", required_argument, NULL, OPTION_SINCE },
	{ "until", required_argument, NULL, OPTION_UNTIL },
	{ "range", required_argument, NULL, OPTION_RANGE },
	{ "resolution", required_argument, NULL, OPTION_RESOLUTION },
	{ "aggregate", required_argument, NULL, OPTION_AGGREGATE },
	{ "align", required_argument, NULL, OPTION_ALIGN },
	{ "raw", no_argument, NULL, OPTION_RAW },
};

/* --- options --- */

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

static int take(void *own, int val, const char *arg, char *error, size_t error_size)
{
	struct range_request *r = own;

	switch (val) {
	case OPTION_SINCE:
		return take_time("--since", arg, &r->since_ms, error, error_size);
	case OPTION_UNTIL:
		return take_time("--until", arg, &r->until_ms, error, error_size);
	case OPTION_RANGE:
		return take_duration("--range", arg, &r->range_ms, error, error_size);
	case OPTION_RESOLUTION:
		return take_duration("--resolution", arg, &r->resolution_ms, error, error_size);
	case OPTION_AGGREGATE:
		return take_aggregates(r, arg, error, error_size);
	case OPTION_ALIGN:
		return take_align(r, arg, error, error_size);
	default:
		r->raw = true;
		return 0;
	}
}

/* --- printing --- */

static void values_at(const struct range_result *rows, enum aggregate a, size_t i,
		      double value[METRIC_COUNT])
{
	for (int m = 0; m < METRIC_COUNT; m++)
		value[m] = rows->column[a][m] ? rows->column[a][m][i] : NAN;
}

static void csv_row(const struct range_reply *r, size_t i, enum aggregate a)
{
	double value[METRIC_COUNT];

	values_at(&r->result, a, i, value);
	printf("%" PRId64, r->result.at_ms[i]);
	if (!r->raw && r->n_aggregates > 1)
		printf(",%s", aggregate_name(a));
	csv_metrics(value);
	if (!r->raw)
		printf(",%" PRIu32, r->result.count[i]);
	putchar('\n');
}

static void csv_head(const struct range_reply *r)
{
	printf("unix_ms%s", !r->raw && r->n_aggregates > 1 ? ",aggregate" : "");
	csv_metric_names();
	puts(r->raw ? "" : ",count");
}

/* The columns of a table, which depend on what was asked. */
struct layout {
	struct column columns[METRIC_COUNT + 3];
	size_t n;
	bool aggregate;
	bool count;
};

static struct layout make_layout(const struct range_reply *r)
{
	static const struct column metrics[] = { METRIC_COLUMNS };
	struct layout l = { .aggregate = !r->raw && r->n_aggregates > 1, .count = !r->raw };

	l.columns[l.n++] = (struct column){ "TIME", true };
	if (l.aggregate)
		l.columns[l.n++] = (struct column){ "AGGREGATE", true };
	for (int m = 0; m < METRIC_COUNT; m++)
		l.columns[l.n++] = metrics[m];
	if (l.count)
		l.columns[l.n++] = (struct column){ "COUNT", false };
	return l;
}

struct row {
	const char *cells[METRIC_COUNT + 3];
	char at[TIMEFMT_SIZE];
	char metrics[METRIC_COUNT][CELL_SIZE];
	char count[CELL_SIZE];
};

static void make_row(struct row *row, const struct layout *l, const struct range_reply *r, size_t i,
		     enum aggregate a)
{
	double value[METRIC_COUNT];
	size_t n = 0;

	values_at(&r->result, a, i, value);
	row->cells[n++] = timefmt_rfc3339(r->result.at_ms[i], row->at);
	if (l->aggregate)
		row->cells[n++] = aggregate_name(a);
	metric_cells(value, row->metrics, row->cells + n);
	n += METRIC_COUNT;
	if (l->count) {
		snprintf(row->count, sizeof row->count, "%" PRIu32, r->result.count[i]);
		row->cells[n] = row->count;
	}
}

/* Row by row; the aggregates of a bucket stand together. */
static void print_rows(const struct range_reply *r, enum format format)
{
	static const enum aggregate mean = AGGREGATE_MEAN;
	const enum aggregate *aggregates = r->raw ? &mean : r->aggregates;
	size_t n = r->raw ? 1 : r->n_aggregates, total = r->result.n * n;
	struct layout l = make_layout(r);
	struct table t;
	struct row row;

	table_begin(&t, l.columns, l.n, 0);
	for (size_t i = 0; i < total && format == FORMAT_TABLE; i++) {
		make_row(&row, &l, r, i / n, aggregates[i % n]);
		table_measure(&t, row.cells);
	}
	if (format == FORMAT_TABLE)
		table_head(&t);
	else
		csv_head(r);
	for (size_t i = 0; i < total; i++) {
		if (format == FORMAT_CSV) {
			csv_row(r, i / n, aggregates[i % n]);
			continue;
		}
		make_row(&row, &l, r, i / n, aggregates[i % n]);
		table_row(&t, row.cells);
	}
}

static int print_json(const struct range_reply *r)
{
	struct buffer text = { 0 };
	int result;

	wire_encode_range_reply(ENCODING_JSON, r, &text);
	result = output_json(&text);
	buffer_clear(&text);
	return result;
}

static int run(struct client *c, const struct invocation *call)
{
	struct range_reply r = { 0 };
	int status = STATUS_OK;

	if (range_fetch(c, call->id, call->own, &r) != 0)
		return STATUS_FAILED;
	if (call->format == FORMAT_JSON && print_json(&r) < 0)
		status = STATUS_FAILED;
	if (!r.tracked) {
		output_error("%s is not tracked", call->id);
		status = STATUS_FAILED;
	} else if (call->format != FORMAT_JSON) {
		print_rows(&r, call->format);
	}
	range_result_clear(&r.result);
	return status;
}

const struct command command_range = {
	.name = "range",
	.usage = "ID [options]",
	.summary = "samples of a window of time",
	.help = help,
	.operand = OPERAND_ID,
	.options = options,
	.n_options = sizeof options / sizeof *options,
	.own_size = sizeof(struct range_request),
	.take = take,
	.run = run,
};
