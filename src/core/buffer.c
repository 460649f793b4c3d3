#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER_CAP_MIN 256

uint8_t *buffer_reserve(struct buffer *b, size_t n)
{
	size_t need, cap;
	uint8_t *data;

	/* No object is larger than PTRDIFF_MAX; below it doubling cannot overflow either. */
	if (b->failed || n > (size_t)PTRDIFF_MAX - b->len) {
		b->failed = true;
		return NULL;
	}
	need = b->len + n;
	if (b->data && need <= b->cap)
		return b->data + b->len;
	cap = b->cap < BUFFER_CAP_MIN / 2 ? BUFFER_CAP_MIN : b->cap * 2;
	if (cap < need)
		cap = need;
	data = realloc(b->data, cap);
	if (!data) {
		b->failed = true;
		return NULL;
	}
	b->data = data;
	b->cap = cap;
	return data + b->len;
}

void buffer_add(struct buffer *b, const void *data, size_t n)
{
	uint8_t *to = buffer_reserve(b, n);

	if (!to || n == 0)
		return;
	memcpy(to, data, n);
	b->len += n;
}

void buffer_add_text(struct buffer *b, const char *text)
{
	buffer_add(b, text, strlen(text));
}

void buffer_clear(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){ 0 };
}
