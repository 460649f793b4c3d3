/*
 * utf8 - is it text that whoever reads it will understand?
 */
#ifndef METER_UTF8_H
#define METER_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Nothing overlong, no surrogate, nothing past U+10FFFF, nothing cut short; and no NUL in it. */
bool utf8_valid(const void *text, size_t len);

#endif
