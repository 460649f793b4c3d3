/*
 * json_out - writes JSON text into a buffer, commas by itself.
 *
 * The parser is a library (jansson); this is our own because that library cannot print a double in
 * the shortest form that reads back exactly.
 */
#ifndef METER_JSON_OUT_H
#define METER_JSON_OUT_H

#include "buffer.h"

#define JSON_NUMBER_SIZE 40

/*
 * The shortest decimal that strtod() reads back as exactly v, as JSON has it, NUL-terminated. v is
 * finite. Returns its length. Does not depend on the locale.
 */
size_t json_number(double v, char out[JSON_NUMBER_SIZE]);

struct json_out {
	struct buffer *b;
	bool comma;	/* a value stands before: a comma is due */
};

/* key is NULL inside an array and at the top. */
void json_open(struct json_out *j, const char *key, char bracket);	/* '{' or '[' */
void json_close(struct json_out *j, char bracket);			/* '}' or ']' */
/* value is valid UTF-8; what JSON wants escaped is. */
void json_text(struct json_out *j, const char *key, const char *value);
void json_double(struct json_out *j, const char *key, double value);	/* finite */
void json_int(struct json_out *j, const char *key, int64_t value);
void json_uint(struct json_out *j, const char *key, uint64_t value);
void json_bool(struct json_out *j, const char *key, bool value);
void json_time(struct json_out *j, const char *key, int64_t unix_ms);	/* RFC 3339 */

#endif
