#include "container_answer.h"

#include <string.h>

#include "fail.h"
#include "json_in.h"
#include "procfs.h"

static int malformed(char error[SOURCE_ERROR_MAX], const char *what)
{
	source_fail(error, FAILURE_UNREADABLE, "not an engine's answer: %s", what);
	return CONTAINER_MALFORMED;
}

static bool is_id(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr("0123456789abcdef", s[i]) || s[i] == '\0')
			return false;
	return len == CONTAINER_ID_LEN;
}

/* "/name"; podman has said "name". Without one there is nothing to hold against it. */
static bool is_of(const struct json_t *top, const char *id, const char *name)
{
	const char *said;
	size_t len, want = strlen(name);

	if (!json_in_string(json_in_get(top, "Name"), &said, &len))
		return true;
	if (len > 0 && said[0] == '/') {
		said++;
		len--;
	}
	return (len == want && memcmp(said, name, len) == 0) || strcmp(id, name) == 0;
}

static int read_state(const struct json_t *state, int64_t *pid, char error[SOURCE_ERROR_MAX])
{
	bool running;

	if (!json_in_is_object(state))
		return malformed(error, "State is no object");
	if (!json_in_bool(json_in_get(state, "Running"), &running))
		return malformed(error, "State.Running is neither true nor false");
	if (!json_in_whole(json_in_get(state, "Pid"), pid) || *pid < 0 || *pid > PROCFS_PID_MAX)
		return malformed(error, "State.Pid is no process id");
	if (!running || *pid == 0) {
		source_fail(error, FAILURE_ABSENT, "the container is not running");
		return CONTAINER_IDLE;
	}
	return CONTAINER_RUNS;
}

int container_answer_read(const void *body, size_t len, const char *name, struct container *out,
			  char error[SOURCE_ERROR_MAX])
{
	struct container found = { .pid = 0 };
	struct json_t *top = NULL;
	struct problem p;
	const char *id;
	int r;

	r = json_in_load(body, len, &top, &p);
	if (r < 0)
		return r;
	if (r > 0)
		return malformed(error, p.text);
	r = CONTAINER_OTHER;
	if (!json_in_string(json_in_get(top, "Id"), &id, &len) || !is_id(id, len)) {
		r = malformed(error, "Id is not 64 of 0-9 and a-f");
		goto out;
	}
	memcpy(found.id, id, CONTAINER_ID_LEN);
	if (!is_of(top, found.id, name)) {
		source_fail(error, FAILURE_ABSENT, "it has one whose id begins so, but none of that "
			    "name");
		goto out;
	}
	r = read_state(json_in_get(top, "State"), &found.pid, error);
	if (r == CONTAINER_RUNS)
		*out = found;
out:
	json_in_free(top);
	return r;
}
