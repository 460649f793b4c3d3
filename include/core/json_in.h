/*
 * json_in - JSON text to values: jansson, with the rules of our messages.
 */
#ifndef METER_JSON_IN_H
#define METER_JSON_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "problem.h"

struct json_t;	/* jansson's */

/*
 * The top must be an object; trailing bytes and a key twice are malformed. On 0 *out is for
 * json_in_free(). > 0 with *p; -ENOMEM.
 */
int json_in_load(const void *body, size_t len, struct json_t **out, struct problem *p);
void json_in_free(struct json_t *top);	/* NULL is fine */

/* Borrowed; NULL when the key is absent or object is none. */
const struct json_t *json_in_get(const struct json_t *object, const char *key);
size_t json_in_keys(const struct json_t *object);	/* how many */

/*
 * All below: false, and nothing written, when v is NULL or of another type. Strings are valid UTF-8
 * and may hold NULs: only len tells their end.
 */
bool json_in_string(const struct json_t *v, const char **s, size_t *len);
bool json_in_bool(const struct json_t *v, bool *out);
bool json_in_double(const struct json_t *v, double *out);	/* finite */
bool json_in_whole(const struct json_t *v, int64_t *out);	/* 5 and 5.0, not 5.5 */
/* RFC 3339, or a number or digit string of Unix milliseconds. */
bool json_in_time(const struct json_t *v, int64_t *unix_ms);
/*
 * A number or digit string of whole seconds, or "6h", "250ms". Saturates just past DURATION_MS_MAX,
 * above and below.
 */
bool json_in_duration(const struct json_t *v, int64_t *ms);
bool json_in_is_null(const struct json_t *v);
bool json_in_is_object(const struct json_t *v);
bool json_in_array(const struct json_t *v, size_t *n);
const struct json_t *json_in_item(const struct json_t *array, size_t i);	/* borrowed */

#endif
