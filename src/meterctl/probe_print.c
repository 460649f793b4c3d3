#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "json_out.h"
#include "probe.h"
#include "trace.h"
#include "wire.h"

/* strdup() may have failed. */
static const char *shown(const char *text)
{
	return text ? text : "";
}

/* --- table --- */

static void table_notes(const struct column columns[2], const struct probe_notes *notes)
{
	struct table t;

	table_begin(&t, columns, 2, 0);
	for (size_t i = 0; i < notes->n; i++) {
		const char *cells[] = { shown(notes->list[i].what), shown(notes->list[i].found) };

		table_measure(&t, cells);
	}
	table_head(&t);
	for (size_t i = 0; i < notes->n; i++) {
		const char *cells[] = { shown(notes->list[i].what), shown(notes->list[i].found) };

		table_row(&t, cells);
	}
}

static void print_table(const struct probe *p)
{
	static const struct column ways[] = { { "WAY", true }, { "RESULT", true } };
	static const struct column files[] = { { "FILE", true }, { "FOUND", true } };
	static const struct column metrics[] = { METRIC_COLUMNS };
	char space[METRIC_COUNT][CELL_SIZE];
	const char *cells[METRIC_COUNT];
	struct table t;

	if (p->ways.n > 0)
		table_notes(ways, &p->ways);
	if (p->files.n > 0) {
		putchar('\n');
		table_notes(files, &p->files);
	}
	if (!p->has_reading)
		return;
	putchar('\n');
	metric_cells(p->sample.value, space, cells);
	table_begin(&t, metrics, METRIC_COUNT, 0);
	table_measure(&t, cells);
	table_head(&t);
	table_row(&t, cells);
}

/* --- CSV --- */

static void csv_row(const char *what, const char *name, const char *value)
{
	csv_text(what);
	putchar(',');
	csv_text(name);
	putchar(',');
	csv_text(value);
	putchar('\n');
}

static void csv_sample(const struct sample *s)
{
	for (int m = 0; m < METRIC_COUNT; m++) {
		char number[JSON_NUMBER_SIZE];

		if (!isfinite(s->value[m]))
			continue;
		json_number(s->value[m], number);
		csv_row("sample", trace_column((enum metric)m), number);
	}
}

static void print_csv(const struct probe *p)
{
	puts("what,name,value");
	for (size_t i = 0; i < p->ways.n; i++)
		csv_row("way", p->ways.list[i].what, p->ways.list[i].found);
	if (p->kind != SOURCE_NONE)
		csv_row("source", source_kind_name(p->kind), p->bound);
	for (size_t i = 0; i < p->files.n; i++)
		csv_row("file", p->files.list[i].what, p->files.list[i].found);
	if (p->has_reading)
		csv_sample(&p->sample);
	if (p->error[0] != '\0')
		csv_row("error", "", p->error);
}

/* --- JSON --- */

static void json_notes(struct json_out *j, const char *key, const char *what, const char *found,
		       const struct probe_notes *notes)
{
	json_open(j, key, '[');
	for (size_t i = 0; i < notes->n; i++) {
		json_open(j, NULL, '{');
		json_text(j, what, shown(notes->list[i].what));
		json_text(j, found, shown(notes->list[i].found));
		json_close(j, '}');
	}
	json_close(j, ']');
}

static int print_json(const struct probe *p)
{
	struct buffer text = { 0 };
	struct json_out j = { .b = &text };
	int r;

	json_open(&j, NULL, '{');
	json_notes(&j, "ways", "way", "result", &p->ways);
	if (p->kind != SOURCE_NONE) {
		json_text(&j, "source", source_kind_name(p->kind));
		json_text(&j, "bound", p->bound);
	}
	json_notes(&j, "files", "path", "found", &p->files);
	if (p->has_reading) {
		json_open(&j, "sample", '{');
		json_time(&j, "at", p->sample.at_ms);
		wire_metrics_json(&j, p->sample.value);
		json_close(&j, '}');
	}
	if (p->error[0] != '\0')
		json_text(&j, "error", p->error);
	json_close(&j, '}');
	r = output_json(&text);
	buffer_clear(&text);
	return r;
}

int probe_print(const struct probe *p, enum format format)
{
	switch (format) {
	case FORMAT_JSON:
		return print_json(p);
	case FORMAT_CSV:
		print_csv(p);
		return 0;
	default:
		print_table(p);
		return 0;
	}
}
