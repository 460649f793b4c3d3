#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "timefmt.h"

#define LINE_MAX_BYTES 8192

static enum config_log_level log_level = CONFIG_LOG_INFO;

void log_set_level(enum config_log_level level)
{
	log_level = level;
}

static void write_line(enum config_log_level level, const char *name, const char *format,
		       va_list arguments) __attribute__((format(printf, 3, 0)));

static void write_line(enum config_log_level level, const char *name, const char *format,
		       va_list arguments)
{
	char line[LINE_MAX_BYTES], at[TIMEFMT_SIZE];
	struct timespec now;
	size_t len, text;

	if (level > log_level)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	timefmt_rfc3339(now.tv_sec * 1000 + now.tv_nsec / 1000000, at);
	text = (size_t)snprintf(line, sizeof line, "%s %s ", at, name);
	vsnprintf(line + text, sizeof line - text - 1, format, arguments);
	for (len = text; line[len]; len++)
		if ((unsigned char)line[len] < ' ' || line[len] == 0x7f)
			line[len] = '?';
	line[len++] = '\n';
	/* One write: lines of several threads do not mix. Nobody is left to tell if it fails. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

#define LOG_FUNCTION(name, level) \
	void log_##name(const char *format, ...) \
	{ \
		va_list arguments; \
		va_start(arguments, format); \
		write_line(level, #name, format, arguments); \
		va_end(arguments); \
	}

LOG_FUNCTION(error, CONFIG_LOG_ERROR)
LOG_FUNCTION(warning, CONFIG_LOG_WARNING)
LOG_FUNCTION(info, CONFIG_LOG_INFO)
LOG_FUNCTION(debug, CONFIG_LOG_DEBUG)
