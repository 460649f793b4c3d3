/*
 * output - what is printed: tables for people, CSV and JSON for programs, errors.
 */
#ifndef METERCTL_OUTPUT_H
#define METERCTL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "sample.h"

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV };
#define FORMAT_RULE "table, json, csv"

/* The columns of a sample in CSV, for --help. */
#define CSV_SAMPLE_HELP                                                                            \
	"  unix_ms,cpu_percent,memory_used_bytes,memory_limit_bytes,net_in_bytes_per_sec,\n"       \
	"  net_out_bytes_per_sec,requests_per_sec,latency_p95_ms\n"

bool format_parse(const char *name, enum format *out);

/* "meterctl: <line>" on standard error; control characters in it become '?'. */
void output_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Has whoever read standard output gone away? */
bool output_gone(void);
/* Everything is written, or nobody reads it any more: 0. Else -1, and it is told. */
int output_flush(void);

/* --- JSON and CSV --- */

/* One line. 0, or -1 when the memory was not enough for it, and that is told. */
int output_json(const struct buffer *text);

/* ",cpu_percent,memory_used_bytes,..." */
void csv_metric_names(void);
/* ",1.5,1048576,...": absent is empty, memory is whole bytes, all else reads back exactly. */
void csv_metrics(const double value[METRIC_COUNT]);
/* Quoted where it must be; NULL is an empty cell. */
void csv_text(const char *s);

/* --- tables --- */

#define CELL_SIZE 32
#define TABLE_COLUMNS_MAX 12

struct column {
	const char *title;
	bool left;
};

/* CPU% to P95. */
#define METRIC_COLUMNS                                                                             \
	{ "CPU%", false }, { "MEM", false }, { "LIMIT", false }, { "NET-IN", false },              \
	{ "NET-OUT", false }, { "REQ/S", false }, { "P95", false }

struct table {
	const struct column *columns;
	size_t n;
	int width[TABLE_COLUMNS_MAX];
};

/* No column is narrower than its title and least. */
void table_begin(struct table *t, const struct column *columns, size_t n, int least);
/* Makes room for these cells; text has no control characters. */
void table_measure(struct table *t, const char *const cells[]);
void table_head(const struct table *t);
void table_row(const struct table *t, const char *const cells[]);

/* For people: "1.5GiB", "12.0KiB/s", "250.0ms"; "-" for absent. The cells point into space. */
void metric_cells(const double value[METRIC_COUNT], char space[METRIC_COUNT][CELL_SIZE],
		  const char *cells[METRIC_COUNT]);
/* "5s", "3m", "2h", "4d"; what lies ahead is "0s" */
const char *age_cell(int64_t ms, char cell[CELL_SIZE]);

#endif
