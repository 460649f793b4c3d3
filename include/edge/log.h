/*
 * log - one line per event on standard error. The library below returns, the edge logs: each failure
 * once, where it is handled.
 */
#ifndef METER_LOG_H
#define METER_LOG_H

#include "config.h"

/* The process has one log; set before anything is written. */
void log_set_level(enum config_log_level level);

/*
 * "2026-11-21T07:07:00.000Z warning text": control characters in the text are written as '?', so that
 * nothing from the bus can forge a line. Any thread.
 */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
