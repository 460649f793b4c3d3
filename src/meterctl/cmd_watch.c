/*
 * meterctl watch [ID] - samples as they are published.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "command.h"
#include "json_out.h"
#include "timefmt.h"
#include "wire.h"

static const char help[] =
	"  meterctl watch\n"
	"  meterctl watch web-1 -o csv > web-1.csv\n"
	"  meterctl watch web-1 -n 1 -o json\n"
	"\n"
	"Prints a line per sample, of one instance or of all, until SIGINT. With an ID it ends\n"
	"after the last sample, which comes when the instance is untracked. A lost connection is\n"
	"told on standard error; samples of that time are missing, which \"sequence\" shows.\n"
	"\n"
	"  -n, --count N                end after N samples\n"
	"\n"
	"-o json: one object per line, {\"instance_id\",\"sequence\",\"at\",...}, with \"final\":true\n"
	"in the last one of an instance.\n"
	"-o csv: a row per sample; an empty cell is absent. It does not say which instance: for\n"
	"more than one use -o json.\n" CSV_SAMPLE_HELP;

/* So often is looked whether it is to end: on a signal, or because nobody reads any more. */
#define TICK_MS 100
#define ID_LIKELY "12345678901234567890"
#define COLUMN_LEAST 9	/* "12.3KiB/s": columns of what is yet to come; wider ones grow */

struct watch {
	int64_t count;		/* samples to print; 0 = no end */
};

/* A watcher under way. */
struct watching {
	const struct invocation *call;
	struct table table;
	int64_t left;
	bool done;
};

static const struct option options[] = {
	{ "count", required_argument, NULL, 'n' },
};

static volatile sig_atomic_t interrupted;

static int take(void *own, int val, const char *arg, char *error, size_t error_size)
{
	struct watch *w = own;
	char *end;

	(void)val;
	errno = 0;
	w->count = strtoll(arg, &end, 10);
	if (*arg < '1' || *arg > '9' || *end || errno)
		return config_wrong("--count", arg, "a whole number above 0", error, error_size);
	return 0;
}

/* --- a sample --- */

static void print_json(const struct wire_sample *s)
{
	struct buffer text = { 0 };
	struct json_out j = { .b = &text };

	json_open(&j, NULL, '{');
	json_text(&j, "instance_id", s->instance_id);
	json_uint(&j, "sequence", s->sequence);
	json_time(&j, "at", s->sample.at_ms);
	wire_metrics_json(&j, s->sample.value);
	if (s->final)
		json_bool(&j, "final", true);
	json_close(&j, '}');
	output_json(&text);
	buffer_clear(&text);
}

static void print_csv(const struct wire_sample *s)
{
	printf("%" PRId64, s->sample.at_ms);
	csv_metrics(s->sample.value);
	putchar('\n');
}

/* "07:07:00Z": a line of what is live now needs no date. */
static const char *time_of_day(int64_t at_ms, char buf[TIMEFMT_SIZE])
{
	timefmt_rfc3339(at_ms, buf);
	buf[19] = 'Z';
	buf[20] = '\0';
	return buf + 11;
}

static void print_row(struct table *t, const struct wire_sample *s)
{
	char space[METRIC_COUNT][CELL_SIZE], at[TIMEFMT_SIZE];
	const char *cells[METRIC_COUNT + 2] = { time_of_day(s->sample.at_ms, at), s->instance_id };

	metric_cells(s->sample.value, space, cells + 2);
	if (s->final)
		cells[2] = "untracked";
	table_measure(t, cells);
	table_row(t, cells);
}

static void print_head(struct watching *w)
{
	static const struct column columns[] = { { "TIME", true }, { "ID", true }, METRIC_COLUMNS };

	if (w->call->format == FORMAT_CSV) {
		printf("unix_ms");
		csv_metric_names();
		putchar('\n');
	}
	if (w->call->format == FORMAT_TABLE) {
		const char *const widest[] = { "07:07:00Z", w->call->id ? w->call->id : ID_LIKELY,
					       "", "", "", "", "", "", "" };

		table_begin(&w->table, columns, METRIC_COUNT + 2, COLUMN_LEAST);
		table_measure(&w->table, widest);
		table_head(&w->table);
	}
}

static void print_sample(struct watching *w, natsMsg *m)
{
	struct wire_sample s;
	struct problem p = { 0 };

	if (wire_decode_sample(natsMsg_GetData(m), (size_t)natsMsg_GetDataLength(m), &s, &p) != 0) {
		output_error("not a sample on %s, passed over: %s", natsMsg_GetSubject(m), p.text);
		return;
	}
	if (w->call->format == FORMAT_JSON)
		print_json(&s);
	else if (w->call->format == FORMAT_CSV)
		print_csv(&s);
	else
		print_row(&w->table, &s);
	w->done = --w->left == 0 || (w->call->id && s.final);
}

/* --- the command --- */

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int watch(struct client *c, struct watching *w, natsSubscription *sub)
{
	unsigned told = 0;

	while (!w->done && !interrupted) {
		natsMsg *m = NULL;
		natsStatus s;

		/* Nobody reads them: not even the next sample is waited for. */
		if (output_flush() < 0)
			return STATUS_FAILED;
		if (output_gone())
			return STATUS_OK;
		client_tell_losses(c, &told);
		s = natsSubscription_NextMsg(&m, sub, TICK_MS);
		if (s == NATS_SLOW_CONSUMER) {
			output_error("too slow: samples were dropped");
		} else if (s == NATS_OK) {
			print_sample(w, m);
			natsMsg_Destroy(m);
		} else if (s != NATS_TIMEOUT) {
			output_error("cannot go on: %s", natsStatus_GetText(s));
			return STATUS_FAILED;
		}
	}
	return STATUS_OK;
}

static int run(struct client *c, const struct invocation *call)
{
	struct watching w = { .call = call, .left = ((struct watch *)call->own)->count };
	char subject[CLIENT_SUBJECT_SIZE];
	natsSubscription *sub = NULL;
	int status;

	client_subject(c, "instance", call->id ? call->id : "*", subject);
	if (client_subscribe(c, subject, &sub) != 0)
		return STATUS_FAILED;
	catch_signals();
	print_head(&w);
	status = watch(c, &w, sub);
	natsSubscription_Destroy(sub);
	return status;
}

const struct command command_watch = {
	.name = "watch",
	.usage = "[ID] [-n COUNT] [-o FORMAT]",
	.summary = "samples as they are taken",
	.help = help,
	.operand = OPERAND_MAY_ID,
	.options = options,
	.n_options = 1,
	.own_size = sizeof(struct watch),
	.reconnects = true,
	.take = take,
	.run = run,
};
