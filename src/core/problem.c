#include "problem.h"

#include <stdarg.h>
#include <stdio.h>

int problem_set(struct problem *p, enum problem_code code, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(p->text, sizeof p->text, format, ap);
	va_end(ap);
	if (n < 0)
		p->text[0] = '\0';
	/* The text becomes a NATS header: a line end in it would begin another one. */
	for (char *c = p->text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	p->code = (int)code;
	return (int)code;
}
