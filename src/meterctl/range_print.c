#include "range_print.h"

#include <inttypes.h>
#include <stdio.h>

#include "timefmt.h"

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

int range_print(const struct range_reply *r, enum format format)
{
	if (format == FORMAT_JSON)
		return print_json(r);
	print_rows(r, format);
	return 0;
}
