/*
 * meterctl track ID, untrack ID - the lifecycle events "created" and "deleted".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "client.h"
#include "command.h"
#include "family.h"
#include "metrics_url.h"
#include "subject.h"
#include "wire.h"

static const char help_track[] =
	"  meterctl track web-1 --pid $(pidof -s nginx)\n"
	"  meterctl track db-1 --cgroup /sys/fs/cgroup/system.slice/postgresql.service\n"
	"  meterctl track inst_01h455vb4pex5vsknk084sn02q --tenant acme --workload db\n"
	"\n"
	"Sends the lifecycle event instance.created. Exit status 0 means that the NATS server has\n"
	"it; whether a meterd took it up is seen with `meterctl ls`. Tracking what is tracked\n"
	"already adds to its target and keeps its samples.\n"
	"\n"
	"      --pid PID                one process\n"
	"      --cgroup PATH            a cgroup, as an absolute path\n"
	"      --container-id ID        a container, by its id or the first 12 digits of it\n"
	"      --container-name NAME    a container, by its name, cp-<instance id> if none is given; when\n"
	"                               none of the above is, and no engine knows that name, the control\n"
	"                               plane is asked, on controlplane.instances.resources.<id>\n"
	"      --node NAME              the meterd that has this --node, and no other\n"
	"      --metrics-url URL        its page of metrics, http:// or https://\n"
	"      --request-counter NAME   the family on that page that counts requests\n"
	"      --latency-histogram NAME the family on that page that tells latency\n"
	"      --latency-quantile Q     which quantile of it is told, such as 0.95\n"
	"      --workload ID            what it is a replica of\n"
	"      --tenant ID              whose it is\n";

static const char help_untrack[] =
	"  meterctl untrack web-1\n"
	"\n"
	"Sends the lifecycle event instance.deleted: meterd forgets the instance and its samples,\n"
	"and whoever watches it is told by a last sample. Exit status 0 means that the NATS\n"
	"server has the event.\n";

enum { OPTION_PID = 1, OPTION_QUANTILE, OPTION_TEXT };

#define EVENT(field) offsetof(struct lifecycle_event, field)

static const struct {
	const char *name;
	size_t offset;	/* of the string in struct lifecycle_event */
} texts[] = {
	{ "cgroup", EVENT(target.cgroup_path) },
	{ "container-id", EVENT(target.container_id) },
	{ "container-name", EVENT(target.container_name) },
	{ "node", EVENT(target.node) },
	{ "metrics-url", EVENT(target.metrics_url) },
	{ "workload", EVENT(target.workload_id) },
	{ "tenant", EVENT(tenant_id) },
	{ "request-counter", EVENT(target.request_counter) },
	{ "latency-histogram", EVENT(target.latency_histogram) },
};

#define N_TEXTS (sizeof texts / sizeof *texts)

/* In the order of texts[]. */
static const struct option options[] = {
	{ "pid", required_argument, NULL, OPTION_PID },
	{ "latency-quantile", required_argument, NULL, OPTION_QUANTILE },
	{ "cgroup", required_argument, NULL, OPTION_TEXT },
	{ "container-id", required_argument, NULL, OPTION_TEXT + 1 },
	{ "container-name", required_argument, NULL, OPTION_TEXT + 2 },
	{ "node", required_argument, NULL, OPTION_TEXT + 3 },
	{ "metrics-url", required_argument, NULL, OPTION_TEXT + 4 },
	{ "workload", required_argument, NULL, OPTION_TEXT + 5 },
	{ "tenant", required_argument, NULL, OPTION_TEXT + 6 },
	{ "request-counter", required_argument, NULL, OPTION_TEXT + 7 },
	{ "latency-histogram", required_argument, NULL, OPTION_TEXT + 8 },
};

/* The strings are those of argv and never freed. */
static char **text_of(struct lifecycle_event *ev, size_t i)
{
	return (char **)(void *)((char *)ev + texts[i].offset);
}

static int take(void *own, int val, const char *arg, char *error, size_t error_size)
{
	struct lifecycle_event *ev = own;
	char *end;

	if (val >= OPTION_TEXT) {
		*text_of(ev, (size_t)(val - OPTION_TEXT)) = (char *)arg;
		return 0;
	}
	if (val == OPTION_QUANTILE) {
		if (family_quantile_parse(arg, &ev->target.latency_quantile))
			return 0;
		return config_wrong("--latency-quantile", arg, FAMILY_QUANTILE_RULE, error,
				    error_size);
	}
	errno = 0;
	ev->target.pid = strtoll(arg, &end, 10);
	if (*arg < '1' || *arg > '9' || *end || errno || ev->target.pid > INT32_MAX)
		return config_wrong("--pid", arg, "1 to 2147483647", error, error_size);
	return 0;
}

/* Would meterd read from the bytes what was meant? Texts that it ignores are wrong here. */
static int check_bytes(struct lifecycle_event *ev, const struct buffer *body, char *error,
		       size_t error_size)
{
	struct lifecycle_event back;
	struct problem p;
	int r = wire_decode_event(ENCODING_PROTOBUF, body->data, body->len, &back, &p);

	if (r > 0)
		snprintf(error, error_size, "meterd would not understand it: %s", p.text);
	if (r != 0)
		return r > 0 ? -1 : 0;	/* no memory: sending it will say so */
	for (size_t i = 0; i < N_TEXTS && r == 0; i++) {
		char where[64];

		snprintf(where, sizeof where, "--%s", texts[i].name);
		if (*text_of(ev, i) && !*text_of(&back, i))
			r = config_wrong(where, *text_of(ev, i),
					 "up to 4095 bytes of UTF-8 without control characters, "
					 "and not nothing", error, error_size);
	}
	lifecycle_event_clear(&back);
	return r;
}

/* s may be NULL: not given. */
static int check_family(const char *where, const char *s, char *error, size_t error_size)
{
	if (!s || family_name_valid(s, strlen(s)))
		return 0;
	return config_wrong(where, s, FAMILY_NAME_RULE, error, error_size);
}

static int check_url(const char *url, char *error, size_t error_size)
{
	char shown[METRICS_URL_SHOWN_MAX], may_be[sizeof METRICS_URL_RULE + 2 + PROBLEM_TEXT_MAX];
	struct problem p;

	if (!url || metrics_url_check(url, &p) == 0)
		return 0;
	snprintf(may_be, sizeof may_be, METRICS_URL_RULE "; %s", p.text);
	return config_wrong("--metrics-url", metrics_url_shown(url, shown), may_be, error,
			    error_size);
}

static int check(struct invocation *call, char *error, size_t error_size)
{
	struct lifecycle_event *ev = call->own;
	const struct target *t = &ev->target;
	struct buffer body = { 0 };
	int r = 0;

	if (t->cgroup_path && t->cgroup_path[0] != '/')
		return config_wrong("--cgroup", t->cgroup_path, "an absolute path", error,
				    error_size);
	if (t->node && !ident_valid(t->node, strlen(t->node)))
		return config_wrong("--node", t->node, IDENT_RULE, error, error_size);
	if (check_url(t->metrics_url, error, error_size) < 0 ||
	    check_family("--request-counter", t->request_counter, error, error_size) < 0 ||
	    check_family("--latency-histogram", t->latency_histogram, error, error_size) < 0)
		return -1;
	memcpy(ev->instance_id, call->id, strlen(call->id) + 1);
	ev->type = EVENT_CREATED;
	if (wire_encode_event(ev, NULL, NULL, &body) == 0)
		r = check_bytes(ev, &body, error, error_size);
	buffer_clear(&body);
	return r;
}

/* Nothing depends on it but whoever looks for it in a log. */
static void make_event_id(char out[40])
{
	uint64_t random[2] = { 0 };

	if (getrandom(random, sizeof random, GRND_NONBLOCK) < 0)
		random[0] = (uint64_t)time(NULL);
	snprintf(out, 40, "evt_%016" PRIx64 "%016" PRIx64, random[0], random[1]);
}

static int send_event(struct client *c, const struct invocation *call, struct lifecycle_event *ev)
{
	const char *pattern = call->config->lifecycle_subject;
	char subject[SUBJECT_MAX + IDENT_MAX + 16], event_id[40];
	struct buffer body = { 0 };
	struct timespec now;
	int r;

	clock_gettime(CLOCK_REALTIME, &now);
	ev->at_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	make_event_id(event_id);
	/* The pattern ends in '>'. */
	snprintf(subject, sizeof subject, "%.*s%s.%s", (int)strlen(pattern) - 1, pattern,
		 event_type_name(ev->type), ev->instance_id);
	wire_encode_event(ev, event_id, "meterctl", &body);
	r = client_publish(c, subject, &body);
	buffer_clear(&body);
	return r == 0 ? STATUS_OK : STATUS_FAILED;
}

static int run_track(struct client *c, const struct invocation *call)
{
	return send_event(c, call, call->own);
}

static int run_untrack(struct client *c, const struct invocation *call)
{
	struct lifecycle_event ev = { .type = EVENT_DELETED };

	memcpy(ev.instance_id, call->id, strlen(call->id) + 1);
	return send_event(c, call, &ev);
}

const struct command command_track = {
	.name = "track",
	.usage = "ID [options]",
	.summary = "have an instance watched",
	.help = help_track,
	.operand = OPERAND_ID,
	.options = options,
	.n_options = sizeof options / sizeof *options,
	.own_size = sizeof(struct lifecycle_event),
	.take = take,
	.check = check,
	.run = run_track,
};

const struct command command_untrack = {
	.name = "untrack",
	.usage = "ID",
	.summary = "have it forgotten, with its samples",
	.help = help_untrack,
	.operand = OPERAND_ID,
	.run = run_untrack,
};
