#include <stdarg.h>
#include <stdio.h>

#include "fail.h"

int source_fail(char error[SOURCE_ERROR_MAX], enum failure reason, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(error, SOURCE_ERROR_MAX, format, ap);
	va_end(ap);
	for (char *c = error; *c != '\0'; c++) {
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	}
	return (int)reason;
}
