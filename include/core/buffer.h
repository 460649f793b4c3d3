/*
 * buffer - bytes that grow. A failed allocation is remembered and told once, at the end.
 */
#ifndef METER_BUFFER_H
#define METER_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
	uint8_t *data;	/* owned; NULL while empty */
	size_t len;
	size_t cap;
	bool failed;	/* out of memory: what follows is dropped */
};

/*
 * Room for n more bytes, where the next one goes; NULL (and failed) without memory. len is as it
 * was: the caller adds what it wrote.
 */
uint8_t *buffer_reserve(struct buffer *b, size_t n);
void buffer_add(struct buffer *b, const void *data, size_t n);
void buffer_add_text(struct buffer *b, const char *text);
void buffer_clear(struct buffer *b);	/* frees; zeroed is fine */

#endif
