#include "json_in.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>

#include "timefmt.h"

/* NULs are let through so that one in a string that does not matter costs only that string. */
#define LOAD_FLAGS (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL)

int json_in_load(const void *body, size_t len, struct json_t **out, struct problem *p)
{
	json_error_t error = { 0 };
	json_t *top;

	*out = NULL;
	top = json_loadb(body, len, LOAD_FLAGS, &error);
	/* An integer past 64 bits is a matter of its key: let it be a number that is not whole. */
	if (!top && json_error_code(&error) == json_error_numeric_overflow)
		top = json_loadb(body, len, LOAD_FLAGS | JSON_DECODE_INT_AS_REAL, &error);
	if (!top) {
		if (json_error_code(&error) == json_error_out_of_memory)
			return -ENOMEM;
		return problem_set(p, PROBLEM_MALFORMED, "the body is not JSON: %s", error.text);
	}
	if (!json_is_object(top)) {
		json_decref(top);
		return problem_set(p, PROBLEM_MALFORMED, "the body must be a JSON object");
	}
	*out = top;
	return 0;
}

void json_in_free(struct json_t *top)
{
	json_decref(top);
}

const struct json_t *json_in_get(const struct json_t *object, const char *key)
{
	return json_object_get(object, key);
}

size_t json_in_keys(const struct json_t *object)
{
	return json_object_size(object);
}

bool json_in_string(const struct json_t *v, const char **s, size_t *len)
{
	if (!json_is_string(v))
		return false;
	*s = json_string_value(v);
	*len = json_string_length(v);
	return true;
}

bool json_in_bool(const struct json_t *v, bool *out)
{
	if (!json_is_boolean(v))
		return false;
	*out = json_is_true(v);
	return true;
}

bool json_in_double(const struct json_t *v, double *out)
{
	if (!json_is_number(v))
		return false;
	*out = json_number_value(v);
	return true;
}

bool json_in_whole(const struct json_t *v, int64_t *out)
{
	double real;

	if (json_is_integer(v)) {
		*out = json_integer_value(v);
		return true;
	}
	if (!json_is_real(v))
		return false;
	real = json_real_value(v);
	if (real != trunc(real) || real < -0x1p63 || real >= 0x1p63)
		return false;
	*out = (int64_t)real;
	return true;
}

bool json_in_time(const struct json_t *v, int64_t *unix_ms)
{
	const char *s;
	size_t len;

	if (json_in_string(v, &s, &len))
		return timefmt_parse_time(s, len, unix_ms);
	return json_in_whole(v, unix_ms);
}

bool json_in_duration(const struct json_t *v, int64_t *ms)
{
	const char *s;
	size_t len;
	int64_t seconds;

	if (json_in_string(v, &s, &len))
		return timefmt_parse_duration(s, len, ms);
	if (!json_in_whole(v, &seconds))
		return false;
	if (seconds > DURATION_MS_MAX / 1000)
		*ms = DURATION_MS_MAX + 1;
	else if (seconds < -DURATION_MS_MAX / 1000)
		*ms = -DURATION_MS_MAX - 1;
	else
		*ms = seconds * 1000;
	return true;
}

bool json_in_is_null(const struct json_t *v)
{
	return json_is_null(v);
}

bool json_in_is_object(const struct json_t *v)
{
	return json_is_object(v);
}

bool json_in_array(const struct json_t *v, size_t *n)
{
	if (!json_is_array(v))
		return false;
	*n = json_array_size(v);
	return true;
}

const struct json_t *json_in_item(const struct json_t *array, size_t i)
{
	return json_array_get(array, i);
}
