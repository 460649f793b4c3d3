/*
 * trace - a recorded trace, read row by row: the CSV that `meterctl range --raw` writes.
 *
 * A header line, then a row per sample; an empty cell is an absent reading. Lines end with LF or
 * CRLF, the last one may lack it, and empty lines may follow it. Rows may go back in time. The file
 * is not trusted, and nothing of it is held but one line.
 */
#ifndef METERCTL_TRACE_H
#define METERCTL_TRACE_H

#include <stddef.h>

#include "sample.h"

/* "unix_ms" is the first column; these are those that follow it. */
const char *trace_column(enum metric m);

/* A row's time is at least 0 and at most this: what is 1 ms later can still be written. */
#define TRACE_TIME_MAX 253402300799998LL
#define TRACE_LINE_MAX 1000	/* bytes of a line; the longest that is written has about 200 */

struct trace;

/*
 * Reads the header line. path is kept; "-" is standard input. On 0 the caller owns *out; else -1,
 * and error has one line on what is wrong where, in printable ASCII but for the path.
 */
int trace_open(struct trace **out, const char *path, char *error, size_t error_size);
void trace_close(struct trace *t);	/* NULL is fine */

/* 1: *out is the next row. 0: that was the last. -1: as trace_open(), and nothing more is read. */
int trace_next(struct trace *t, struct sample *out, char *error, size_t error_size);

#endif
