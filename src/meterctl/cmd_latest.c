/*
 * meterctl latest ID - the last sample of an instance.
 */
#include <stdio.h>

#include "client.h"
#include "command.h"
#include "timefmt.h"
#include "wire.h"

static const char help[] =
	"  meterctl latest inst_01h455vb4pex5vsknk084sn02q\n"
	"  meterctl latest web-1 -o json | jq .sample.cpu_percent\n"
	"\n"
	"An unknown instance is an error (exit status 1). One without a sample yet is none: the\n"
	"table is empty, and in JSON there is no \"sample\".\n"
	"\n"
	"-o json: the JSON form of the reply, {\"instance_id\",\"tracked\",\"sample\":{...}}.\n"
	"-o csv: one row; an empty cell is absent.\n" CSV_SAMPLE_HELP;

static void print_table(const struct latest_reply *r)
{
	static const struct column columns[] = { { "TIME", true }, METRIC_COLUMNS };
	char space[METRIC_COUNT][CELL_SIZE], at[TIMEFMT_SIZE];
	const char *cells[METRIC_COUNT + 1];
	struct table t;

	table_begin(&t, columns, METRIC_COUNT + 1, 0);
	if (r->has_sample) {
		cells[0] = timefmt_rfc3339(r->sample.sample.at_ms, at);
		metric_cells(r->sample.sample.value, space, cells + 1);
		table_measure(&t, cells);
	}
	table_head(&t);
	if (r->has_sample)
		table_row(&t, cells);
}

static void print_csv(const struct latest_reply *r)
{
	printf("unix_ms");
	csv_metric_names();
	putchar('\n');
	if (!r->has_sample)
		return;
	printf("%lld", (long long)r->sample.sample.at_ms);
	csv_metrics(r->sample.sample.value);
	putchar('\n');
}

static int print_json(const struct latest_reply *r)
{
	struct buffer text = { 0 };
	int result;

	wire_encode_latest_reply(ENCODING_JSON, r, &text);
	result = output_json(&text);
	buffer_clear(&text);
	return result;
}

static int ask(struct client *c, const char *id, struct latest_reply *out)
{
	const struct buffer nothing = { 0 };
	char subject[CLIENT_SUBJECT_SIZE];
	struct problem p;
	natsMsg *m = NULL;
	int r;

	client_subject(c, "latest", id, subject);
	r = client_ask(c, subject, &nothing, &m, &p);
	if (r > 0)
		output_error("%s", p.text);
	if (r != 0)
		return -1;
	r = wire_decode_latest_reply(natsMsg_GetData(m), (size_t)natsMsg_GetDataLength(m), out, &p);
	natsMsg_Destroy(m);
	if (r != 0)
		output_error("the answer on %s makes no sense: %s", subject,
			     r > 0 ? p.text : "out of memory");
	return r;
}

static int run(struct client *c, const struct invocation *call)
{
	struct latest_reply r;

	if (ask(c, call->id, &r) != 0)
		return STATUS_FAILED;
	if (call->format == FORMAT_JSON && print_json(&r) < 0)
		return STATUS_FAILED;
	if (!r.tracked) {
		output_error("%s is not tracked", call->id);
		return STATUS_FAILED;
	}
	if (call->format == FORMAT_TABLE)
		print_table(&r);
	if (call->format == FORMAT_CSV)
		print_csv(&r);
	return STATUS_OK;
}

const struct command command_latest = {
	.name = "latest",
	.usage = "ID [-o FORMAT]",
	.summary = "the last sample of an instance",
	.help = help,
	.operand = OPERAND_ID,
	.run = run,
};
