#include "remote.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "config.h"
#include "subject.h"
#include "usage.h"

/* One question under way. An instance has at most one. */
struct question {
	uint64_t number;	/* last token of its inbox */
	uint64_t no_responders;	/* the counter when it was asked */
	struct instance *instance;
	UT_hash_handle by_number;
	UT_hash_handle by_instance;
};

struct remote {
	struct bus *bus;
	struct remote_options options;
	struct stats *stats;
	char inbox[64];		/* CONFIG_INBOX.<random>: nobody else's answers come in on it */
	natsSubscription *answers;
	uint64_t asked;
	struct question *numbers;
	struct question *instances;
};

int remote_new(struct remote **out, struct bus *bus, const struct remote_options *options,
	       struct stats *stats)
{
	struct remote *r = calloc(1, sizeof *r);
	uint64_t random[2];

	if (!r)
		return -ENOMEM;
	if (getrandom(random, sizeof random, 0) != sizeof random) {
		free(r);
		return -EIO;
	}
	r->bus = bus;
	r->options = *options;
	r->stats = stats;
	snprintf(r->inbox, sizeof r->inbox, CONFIG_INBOX ".%016" PRIx64 "%016" PRIx64, random[0],
		 random[1]);
	*out = r;
	return 0;
}

static void question_end(struct remote *r, struct question *q)
{
	HASH_DELETE(by_number, r->numbers, q);
	HASH_DELETE(by_instance, r->instances, q);
	free(q);
}

void remote_free(struct remote *r)
{
	struct question *q, *next;

	if (!r)
		return;
	HASH_ITER(by_number, r->numbers, q, next)
		question_end(r, q);
	bus_unsubscribe(r->bus, r->answers);
	free(r);
}

void remote_on_up(struct remote *r)
{
	char subject[sizeof r->inbox + 4];

	snprintf(subject, sizeof subject, "%s.*", r->inbox);
	if (!r->answers)
		r->answers = bus_subscribe(r->bus, subject, NULL);
}

void remote_on_lost(struct remote *r)
{
	bus_unsubscribe(r->bus, r->answers);
	r->answers = NULL;
}

const char *remote_forget(struct remote *r, struct instance *i)
{
	struct question *q;
	bool nobody;

	HASH_FIND(by_instance, r->instances, &i, sizeof i, q);
	if (!q)
		return NULL;
	/* The library does not say which question it was, but nobody listens for one of them only. */
	nobody = r->stats->no_responders > q->no_responders;
	question_end(r, q);
	return nobody ? "no control plane listens for this question" : NULL;
}

static enum bus_result send_question(struct remote *r, const struct question *q)
{
	char subject[SUBJECT_MAX], inbox[sizeof r->inbox + 24];

	snprintf(subject, sizeof subject, "%s.instances.resources.%s", r->options.control_prefix,
		 q->instance->id);
	snprintf(inbox, sizeof inbox, "%s.%" PRIu64, r->inbox, q->number);
	return bus_publish(r->bus, subject, inbox, "", 0);
}

static void fail(const struct remote *r, struct instance *i, enum failure reason, const char *error)
{
	r->options.on_failure(r->options.ctx, i, reason, error);
}

void remote_ask(struct remote *r, struct instance *i)
{
	struct question *q = r->answers ? calloc(1, sizeof *q) : NULL;
	enum bus_result result;

	if (!q) {
		fail(r, i, r->answers ? FAILURE_SHORT : FAILURE_UNSENT,
		     r->answers ? "out of memory" : "not connected to NATS");
		return;
	}
	q->number = ++r->asked;
	q->no_responders = r->stats->no_responders;
	q->instance = i;
	HASH_ADD(by_number, r->numbers, number, sizeof q->number, q);
	HASH_ADD(by_instance, r->instances, instance, sizeof q->instance, q);
	result = send_question(r, q);
	if (result == BUS_SENT)
		return;
	question_end(r, q);
	fail(r, i, FAILURE_UNSENT, result == BUS_FULL ? "the NATS output buffer is full"
						      : "not connected to NATS");
}

static struct question *question_of(struct remote *r, const char *subject)
{
	size_t prefix = strlen(r->inbox);
	struct question *q = NULL;
	uint64_t number;
	char *end;

	if (strncmp(subject, r->inbox, prefix) != 0 || subject[prefix] != '.')
		return NULL;
	number = strtoull(subject + prefix + 1, &end, 10);
	if (*end == '\0')
		HASH_FIND(by_number, r->numbers, &number, sizeof number, q);
	return q;
}

/* 0 and the reading, an enum failure and *p, or -ENOMEM. */
static int read_answer(struct remote *r, const struct bus_message *m, const struct moment *now,
		       struct reading *out, struct problem *p)
{
	const char *code = bus_header(m, "Nats-Service-Error-Code");
	const char *why = bus_header(m, "Nats-Service-Error");
	size_t len = (size_t)natsMsg_GetDataLength(m->msg);
	const void *body = natsMsg_GetData(m->msg);
	struct resource_usage usage;
	int result;

	if (bus_headers_too_long(m)) {
		problem_set(p, PROBLEM_MALFORMED,
			    "the answer's headers have %zu bytes: they may have %d",
			    m->header_bytes, BUS_HEADERS_MAX);
		return FAILURE_UNREADABLE;
	}
	if (code || why) {
		problem_set(p, PROBLEM_MALFORMED, "the control plane answers: %.40s %.120s",
			    code ? code : "", why ? why : "");
		return FAILURE_REFUSED;
	}
	if (len > r->options.max_body) {
		problem_set(p, PROBLEM_TOO_LARGE, "the answer has %zu bytes: it may have %zu", len,
			    r->options.max_body);
		return FAILURE_UNREADABLE;
	}
	result = wire_decode_usage(wire_encoding(bus_header(m, "Content-Type"), NULL, body, len),
				   body, len, &usage, p);
	if (result != 0)
		return result > 0 ? FAILURE_UNREADABLE : result;
	if (!usage_reading(&usage, now->mono_ns, out)) {
		problem_set(p, PROBLEM_MALFORMED, "the control plane does not know it");
		return FAILURE_REFUSED;
	}
	return 0;
}

static void on_answer(struct remote *r, const struct bus_message *m, const struct moment *now)
{
	struct question *q = question_of(r, natsMsg_GetSubject(m->msg));
	struct reading reading;
	struct problem p;
	struct instance *i;
	int result;

	if (!q) {
		r->stats->answers_late++;
		return;
	}
	i = q->instance;
	question_end(r, q);
	result = read_answer(r, m, now, &reading, &p);
	if (result == 0) {
		stats_reading(r->stats, SOURCE_BUS,
			      now->mono_ns - i->reading_since_ms * 1000000);
		r->options.on_reading(r->options.ctx, i, &reading);
	} else if (result > 0) {
		fail(r, i, (enum failure)result, p.text);
	} else {
		fail(r, i, FAILURE_SHORT, "out of memory");
	}
}

bool remote_drain(struct remote *r, const struct moment *now, size_t max)
{
	struct bus_message m;

	for (size_t n = 0; n < max; n++) {
		switch (bus_next(r->bus, r->answers, &m)) {
		case BUS_NOTHING:
			return false;
		case BUS_NO_RESPONDERS:
			/* Not said for which question: its deadline ends it. */
			r->stats->no_responders++;
			break;
		case BUS_MESSAGE:
			on_answer(r, &m, now);
			natsMsg_Destroy(m.msg);
			break;
		}
	}
	return true;
}
