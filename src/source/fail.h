/*
 * fail - the one sentence a source leaves for the operator.
 */
#ifndef METER_SOURCE_FAIL_H
#define METER_SOURCE_FAIL_H

#include "source.h"

/*
 * Writes the sentence, cut to SOURCE_ERROR_MAX; what is not printable ASCII in it (names of cgroups
 * come from outside) becomes '?'. Returns the reason, so that a reader can `return
 * source_fail(...)`.
 */
int source_fail(char error[SOURCE_ERROR_MAX], enum failure reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same of any text that is shown: what is not printable ASCII becomes '?'. */
void source_make_printable(char *text);

#endif
