/*
 * meterctl ls - what is tracked.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "listing.h"

static const char help[] =
	"  meterctl ls\n"
	"  meterctl ls -o json | jq -r '.instances[] | select(.last_error) | .instance_id'\n"
	"\n"
	"Lists every tracked instance with its last sample, of all meterds behind the subject\n"
	"prefix, in byte order of the id. AGE is the age of the last sample; ERROR is what was\n"
	"wrong with the last reading.\n"
	"\n"
	"-o json: the JSON form of the reply, {\"instances\":[...],\"total\"}, all pages and all\n"
	"meterds in one.\n"
	"-o csv: what it is, the columns of the last sample, and what else is known; an empty\n"
	"cell is absent.\n"
	"  instance_id,source,\n"
	CSV_SAMPLE_HELP
	"  tracked_since_unix_ms,samples,tenant_id,workload_id,last_error_unix_ms,last_error\n";

/* --- table --- */

static const struct column columns[] = {
	{ "ID", true }, { "SOURCE", true }, METRIC_COLUMNS, { "AGE", false }, { "ERROR", true },
};

#define N_COLUMNS (sizeof columns / sizeof *columns)

struct row {
	const char *cells[N_COLUMNS];
	char metrics[METRIC_COUNT][CELL_SIZE];
	char age[CELL_SIZE];
};

static void make_row(struct row *row, const struct list_entry *e, int64_t now_ms)
{
	static const double nothing[METRIC_COUNT] = { NAN, NAN, NAN, NAN, NAN, NAN, NAN };

	row->cells[0] = e->instance_id;
	row->cells[1] = e->source ? e->source : "-";
	metric_cells(e->has_latest ? e->latest.sample.value : nothing, row->metrics,
		     row->cells + 2);
	row->cells[9] = e->has_latest ? age_cell(now_ms - e->latest.sample.at_ms, row->age) : "-";
	row->cells[10] = e->last_error ? e->last_error : "-";
}

static void print_table(const struct listing *l)
{
	struct timespec now;
	int64_t now_ms;
	struct table t;
	struct row row;

	clock_gettime(CLOCK_REALTIME, &now);
	now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	table_begin(&t, columns, N_COLUMNS, 0);
	for (size_t i = 0; i < l->n; i++) {
		make_row(&row, &l->entries[i], now_ms);
		table_measure(&t, row.cells);
	}
	table_head(&t);
	for (size_t i = 0; i < l->n; i++) {
		make_row(&row, &l->entries[i], now_ms);
		table_row(&t, row.cells);
	}
}

/* --- CSV and JSON --- */

/* 0 is absent. */
static void csv_time(int64_t unix_ms)
{
	if (unix_ms != 0)
		printf("%" PRId64, unix_ms);
}

static void csv_entry(const struct list_entry *e)
{
	static const double nothing[METRIC_COUNT] = { NAN, NAN, NAN, NAN, NAN, NAN, NAN };

	csv_text(e->instance_id);
	putchar(',');
	csv_text(e->source);
	putchar(',');
	csv_time(e->has_latest ? e->latest.sample.at_ms : 0);
	csv_metrics(e->has_latest ? e->latest.sample.value : nothing);
	putchar(',');
	csv_time(e->tracked_since_ms);
	printf(",%" PRIu64 ",", e->samples);
	csv_text(e->tenant_id);
	putchar(',');
	csv_text(e->workload_id);
	putchar(',');
	csv_time(e->last_error_ms);
	putchar(',');
	csv_text(e->last_error);
	putchar('\n');
}

static void print_csv(const struct listing *l)
{
	printf("instance_id,source,unix_ms");
	csv_metric_names();
	printf(",tracked_since_unix_ms,samples,tenant_id,workload_id,last_error_unix_ms,"
	       "last_error\n");
	for (size_t i = 0; i < l->n; i++)
		csv_entry(&l->entries[i]);
}

/* As one meterd would say it that had them all. */
static int print_json(const struct listing *l)
{
	struct list_reply r = { .entries = l->entries, .n_entries = l->n, .total = (uint32_t)l->n };
	struct buffer text = { 0 };
	int result;

	if (l->answers == 1 && l->node[0])
		r.node = l->node;
	wire_encode_list_reply(ENCODING_JSON, &r, &text);
	result = output_json(&text);
	buffer_clear(&text);
	return result;
}

static int run(struct client *c, const struct invocation *call)
{
	struct listing l = { 0 };
	int result = 0;

	if (listing_gather(c, call->config, &l) != 0)
		return STATUS_FAILED;
	switch (call->format) {
	case FORMAT_TABLE:
		print_table(&l);
		break;
	case FORMAT_CSV:
		print_csv(&l);
		break;
	case FORMAT_JSON:
		result = print_json(&l);
		break;
	}
	listing_clear(&l);
	return result == 0 ? STATUS_OK : STATUS_FAILED;
}

const struct command command_ls = {
	.name = "ls",
	.usage = "[-o FORMAT]",
	.summary = "what is tracked, with its last sample",
	.help = help,
	.operand = OPERAND_NONE,
	.run = run,
};
