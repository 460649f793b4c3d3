#include "endpoints.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "subject.h"

#define DRAINS_MAX 16
#define DRAIN_TIMEOUT_MS 5000
/* How often it is looked whether a drain has ended: a library thread ends it. */
#define LOOK_MS 10
/* After a connect so many are subscribed at each look. */
#define SUBSCRIBE_PER_LOOK 512

struct endpoint {
	struct endpoint *next;
	struct endpoint **link;
	const struct instance *instance;	/* NULL once it is leaving */
	bool draining;
	natsSubscription *range;
	natsSubscription *latest;
};

struct endpoints {
	struct loop *loop;
	struct bus *bus;
	struct endpoints_options options;
	struct endpoint *present;	/* subscribed */
	struct endpoint *waiting;	/* for a connection, or for their turn after it came */
	struct endpoint *leaving;
	size_t draining;
	struct event *look;
	uint64_t received;	/* bus_received() when all were looked through last */
};

static void look(struct endpoints *e);

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct endpoints *e = arg;

	(void)fd, (void)what;
	loop_enter(e->loop);
	look(e);
	bus_wake(e->bus);	/* answers what was taken */
}

int endpoints_new(struct endpoints **out, struct loop *loop, struct bus *bus,
		  const struct endpoints_options *options)
{
	struct endpoints *e = calloc(1, sizeof *e);

	if (!e)
		return -ENOMEM;
	e->loop = loop;
	e->bus = bus;
	e->options = *options;
	e->look = evtimer_new(loop->base, on_look, e);
	if (!e->look) {
		free(e);
		return -ENOMEM;
	}
	*out = e;
	return 0;
}

static void list_add(struct endpoint **list, struct endpoint *p)
{
	p->next = *list;
	p->link = list;
	if (p->next)
		p->next->link = &p->next;
	*list = p;
}

static void list_remove(struct endpoint *p)
{
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
}

static void drop(struct endpoints *e, struct endpoint *p)
{
	bus_unsubscribe(e->bus, p->range);
	bus_unsubscribe(e->bus, p->latest);
	p->range = p->latest = NULL;
}

static void endpoint_free(struct endpoints *e, struct endpoint *p)
{
	e->draining -= p->draining;
	list_remove(p);
	drop(e, p);
	free(p);
}

void endpoints_free(struct endpoints *e)
{
	if (!e)
		return;
	while (e->present)
		endpoint_free(e, e->present);
	while (e->waiting)
		endpoint_free(e, e->waiting);
	while (e->leaving)
		endpoint_free(e, e->leaving);
	event_free(e->look);
	free(e);
}

static natsSubscription *subscribe(struct endpoints *e, const char *verb, const char *id)
{
	char subject[SUBJECT_MAX];

	snprintf(subject, sizeof subject, "%s.%s.%s", e->options.subject_prefix, verb, id);
	return bus_subscribe(e->bus, subject, e->options.queue);
}

/* One that is waiting. */
static void endpoint_subscribe(struct endpoints *e, struct endpoint *p)
{
	p->range = subscribe(e, "range", p->instance->id);
	p->latest = subscribe(e, "latest", p->instance->id);
	list_remove(p);
	list_add(&e->present, p);
}

void endpoints_add(struct endpoints *e, struct instance *i)
{
	struct endpoint *p = calloc(1, sizeof *p);

	if (!p) {
		log_error("%s: out of memory: it is sampled, but cannot be asked for", i->id);
		return;
	}
	p->instance = i;
	i->endpoints = p;
	list_add(&e->waiting, p);
	if (bus_is_up(e->bus))
		endpoint_subscribe(e, p);
}

void endpoints_on_up(struct endpoints *e)
{
	look(e);
}

void endpoints_drop(struct endpoints *e)
{
	struct endpoint *p;

	while ((p = e->present)) {
		drop(e, p);
		list_remove(p);
		list_add(&e->waiting, p);
	}
	while (e->leaving)
		endpoint_free(e, e->leaving);
	e->received = 0;
}

static bool take(struct endpoints *e, struct endpoint *list)
{
	bool all = true;

	for (struct endpoint *p = list; p && all; p = p->next)
		all = e->options.take(e->options.ctx, p->range, QUERY_RANGE) &&
		      e->options.take(e->options.ctx, p->latest, QUERY_LATEST);
	return all;
}

bool endpoints_take(struct endpoints *e)
{
	uint64_t received;

	if (!e->present && !e->leaving)
		return true;
	received = bus_received(e->bus);
	if (received == e->received)
		return true;
	if (!take(e, e->present) || !take(e, e->leaving))
		return false;
	e->received = received;
	return true;
}

/* Lets go of those whose drain has ended, and begins as many as there is room for. */
static void look_at_leaving(struct endpoints *e)
{
	struct endpoint *next;

	for (struct endpoint *p = e->leaving; p; p = next) {
		next = p->next;
		if (p->draining && bus_drained(e->bus, p->range) &&
		    bus_drained(e->bus, p->latest))
			endpoint_free(e, p);
	}
	for (struct endpoint *p = e->leaving; p && e->draining < DRAINS_MAX; p = p->next) {
		if (p->draining)
			continue;
		bus_drain(e->bus, p->range, DRAIN_TIMEOUT_MS);
		bus_drain(e->bus, p->latest, DRAIN_TIMEOUT_MS);
		p->draining = true;
		e->draining++;
	}
}

/* What can be done now; looks again later when something is left. */
static void look(struct endpoints *e)
{
	const struct timeval wait = { 0, LOOK_MS * 1000 };
	bool up = bus_is_up(e->bus);

	for (size_t n = 0; up && e->waiting && n < SUBSCRIBE_PER_LOOK; n++)
		endpoint_subscribe(e, e->waiting);
	look_at_leaving(e);
	if ((e->leaving || (up && e->waiting)) && !evtimer_pending(e->look, NULL))
		event_add(e->look, &wait);
}

void endpoints_leave(struct endpoints *e, struct instance *i)
{
	struct endpoint *p = i->endpoints;

	if (!p)
		return;
	i->endpoints = NULL;
	p->instance = NULL;
	if (!p->range && !p->latest) {	/* it never was subscribed */
		endpoint_free(e, p);
		return;
	}
	list_remove(p);
	list_add(&e->leaving, p);
	if (e->draining < DRAINS_MAX)
		look(e);
}
