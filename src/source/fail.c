#include <stdarg.h>
#include <stdio.h>

#include "fail.h"

void source_make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
}

int source_fail(char error[SOURCE_ERROR_MAX], enum failure reason, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(error, SOURCE_ERROR_MAX, format, ap);
	va_end(ap);
	source_make_printable(error);
	return (int)reason;
}
