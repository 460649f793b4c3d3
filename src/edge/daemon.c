#include "daemon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bus.h"
#include "intake.h"
#include "log.h"
#include "pipeline.h"
#include "remote.h"
#include "sampler.h"
#include "servers.h"
#include "subject.h"

/* Readings begun in one pass; then what came in has its turn. */
#define READINGS_PER_PASS 64
/* How long what is still unsent may take at the end. */
#define STOP_WAIT_MS 2000
/* How often it is looked whether that is over: a library thread ends it. */
#define STOP_LOOK_MS 10
#define LIBRARY_CLOSE_WAIT_MS 5000

struct daemon {
	const struct config *config;
	struct stats stats;
	struct loop loop;
	struct bus *bus;
	struct pipeline *pipeline;
	struct pipeline_io io;
	struct remote *remote;
	struct intake *intake;
	struct http *http;
	struct engines *engines;
	struct sampler *sampler;
	char lifecycle_base[SUBJECT_MAX];
	char *servers;		/* as they may be logged */
	struct event *tick;
	int64_t tick_ms;	/* when it is armed for; -1 = not at all */
	struct event *on_signal[3];
	int64_t stop_by_ms;	/* monotonic; 0 = running */
};

/* --- what the pipeline needs done --- */

static void io_publish(void *ctx, const struct instance *i, const uint8_t *body, size_t len)
{
	struct daemon *d = ctx;
	char subject[SUBJECT_MAX];

	snprintf(subject, sizeof subject, "%s.instance.%s", d->config->subject_prefix, i->id);
	switch (bus_publish(d->bus, subject, NULL, body, len)) {
	case BUS_SENT:
		d->stats.published++;
		break;
	case BUS_DOWN:
		d->stats.publish_dropped_down++;
		break;
	case BUS_FULL:
		d->stats.publish_dropped_full++;
		break;
	}
}

static void io_begin_reading(void *ctx, struct instance *i)
{
	struct daemon *d = ctx;

	sampler_begin(d->sampler, i);
}

static const char *io_give_up_reading(void *ctx, struct instance *i)
{
	struct daemon *d = ctx;

	return sampler_give_up(d->sampler, i);
}

static void io_tracked(void *ctx, struct instance *i)
{
	struct daemon *d = ctx;

	log_debug("%s: tracked", i->id);
	intake_tracked(d->intake, i);
}

static void io_changed(void *ctx, struct instance *i)
{
	struct daemon *d = ctx;

	sampler_unbind(d->sampler, i);
}

static void io_untracked(void *ctx, struct instance *i)
{
	struct daemon *d = ctx;

	log_debug("%s: untracked", i->id);
	intake_untracked(d->intake, i);
	sampler_unbind(d->sampler, i);
}

static void remote_on_reading(void *ctx, struct instance *i, const struct reading *reading)
{
	struct daemon *d = ctx;

	sampler_on_reading(d->sampler, i, reading);
}

static void remote_on_failure(void *ctx, struct instance *i, enum failure reason, const char *error)
{
	struct daemon *d = ctx;

	sampler_on_failure(d->sampler, i, reason, error);
}

/* --- what the bus tells --- */

static void bus_on_up(void *ctx)
{
	struct daemon *d = ctx;

	log_info("connected to NATS at %s", d->servers);
	remote_on_up(d->remote);
	intake_on_up(d->intake);
}

static void bus_on_down(void *ctx)
{
	struct daemon *d = ctx;

	log_warning("connection to NATS lost: sampling goes on, reconnecting");
	(void)d;
}

static void bus_on_lost(void *ctx)
{
	struct daemon *d = ctx;

	intake_on_lost(d->intake);
	remote_on_lost(d->remote);
}

static void bus_on_input(void *ctx)
{
	struct daemon *d = ctx;

	intake_drain(d->intake);
}

/* --- the loop --- */

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *d = ctx;
	const struct moment *now = loop_enter(&d->loop);

	(void)fd, (void)what;
	d->tick_ms = -1;
	if (!d->stop_by_ms)
		pipeline_tick(d->pipeline, now, READINGS_PER_PASS);
}

/* One timer for the next thing that is due. */
static void arm_tick(struct daemon *d)
{
	struct moment now = loop_clock();
	int64_t due_ms = pipeline_next_ms(d->pipeline), wait_ms;
	struct timeval wait;

	if (d->stop_by_ms)
		due_ms = moment_mono_ms(&now) + STOP_LOOK_MS;
	if (due_ms == d->tick_ms)
		return;
	d->tick_ms = due_ms;
	if (due_ms < 0) {
		event_del(d->tick);
		return;
	}
	wait_ms = due_ms - moment_mono_ms(&now);
	if (wait_ms < 0)
		wait_ms = 0;
	wait = (struct timeval){ wait_ms / 1000, wait_ms % 1000 * 1000 };
	event_add(d->tick, &wait);
}

static void after_pass(void *ctx)
{
	struct daemon *d = ctx;
	struct moment now;

	if (d->stop_by_ms) {
		now = loop_clock();
		if ((intake_is_done(d->intake) && bus_unsent(d->bus) == 0) ||
		    moment_mono_ms(&now) >= d->stop_by_ms)
			loop_stop(&d->loop);
	}
	arm_tick(d);
}

static void log_stats(const struct daemon *d)
{
	char line[8000];
	size_t n, len = 0;
	const struct stats_item *items = stats_items(&n);

	for (size_t i = 0; i < n && len < sizeof line; i++)
		len += (size_t)snprintf(line + len, sizeof line - len, " %s=%llu", items[i].name,
					(unsigned long long)stats_value(&d->stats, &items[i]));
	log_info("stats%s", line);
}

static void on_stop_signal(evutil_socket_t number, short what, void *ctx)
{
	struct daemon *d = ctx;
	const struct moment *now = loop_enter(&d->loop);

	(void)what;
	if (d->stop_by_ms) {
		loop_stop(&d->loop);
		return;
	}
	log_info("stopping on %s", strsignal((int)number));
	d->stop_by_ms = moment_mono_ms(now) + STOP_WAIT_MS;
	intake_stop(d->intake, STOP_WAIT_MS);
}

static void on_stats_signal(evutil_socket_t number, short what, void *ctx)
{
	struct daemon *d = ctx;

	(void)number, (void)what;
	loop_enter(&d->loop);
	log_stats(d);
}

static int watch_signals(struct daemon *d)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGUSR1 };

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < 3; i++) {
		d->on_signal[i] = evsignal_new(d->loop.base, signals[i],
					       signals[i] == SIGUSR1 ? on_stats_signal
								     : on_stop_signal, d);
		if (!d->on_signal[i] || event_add(d->on_signal[i], NULL) < 0)
			return -1;
	}
	return 0;
}

/* --- making and ending --- */

/*
 * How many descriptors there may be. We first take what the hard limit allows: the soft one is low
 * for the sake of programs that use select(), which neither we nor our libraries do.
 */
static size_t descriptors_max(void)
{
	struct rlimit limit, raised;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	raised = (struct rlimit){ limit.rlim_max, limit.rlim_max };
	if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
		limit = raised;
	return (size_t)limit.rlim_cur;
}

/* The rest is for connections, and for what is open for a moment only. */
static size_t max_open_files(const struct config *c, size_t descriptors)
{
	size_t most = descriptors / 4 * 3;

	return c->max_open_files > 0 && (size_t)c->max_open_files < most ? (size_t)c->max_open_files
									: most;
}

/* What reads the instances. */
static int start_sampler(struct daemon *d)
{
	const struct config *c = d->config;
	size_t descriptors = descriptors_max();
	struct sampler_options options = {
		.config = c,
		.sources = { .host_root = c->host_root, .process_children = c->process_children,
			     .max_open_files = max_open_files(c, descriptors),
			     .stats = &d->stats },
		.max_connections = descriptors / 8 + 1,
		.loop = &d->loop,
		.pipeline = d->pipeline,
		.remote = d->remote,
	};
	struct sockets sockets;

	/* That they can be had is checked with all settings. */
	if (!sockets_parse(c->engine_sockets, c->host_root, &sockets) ||
	    http_new(&d->http, &d->loop, NULL) < 0 ||
	    engines_new(&d->engines, &d->loop, d->http, &sockets, &d->stats) < 0)
		return -1;
	options.engines = d->engines;
	return sampler_new(&d->sampler, &options);
}

static int start_path(struct daemon *d)
{
	const struct config *c = d->config;
	struct remote_options remote = { c->control_prefix, (size_t)c->max_body_bytes,
					 remote_on_reading, remote_on_failure, d };
	struct pipeline_options pipeline = {
		.tracker = { c->node, (size_t)c->capacity, c->interval_ms,
			     (size_t)c->max_instances, (size_t)c->max_tombstones, c->tombstone_ttl_ms },
		.lifecycle_base = d->lifecycle_base,
		.interval_ms = c->interval_ms,
		.max_body = (size_t)c->max_body_bytes,
	};

	d->io = (struct pipeline_io){ io_publish, io_begin_reading, io_give_up_reading, io_tracked,
				      io_changed, io_untracked, d };
	memcpy(d->lifecycle_base, c->lifecycle_subject, strlen(c->lifecycle_subject) - 2);
	if (pipeline_new(&d->pipeline, &pipeline, &d->io, &d->stats, &d->loop.now) < 0 ||
	    remote_new(&d->remote, d->bus, &remote, &d->stats) < 0 ||
	    start_sampler(d) < 0 ||
	    intake_new(&d->intake, c, &d->loop, d->bus, d->pipeline, d->remote) < 0)
		return -1;
	return 0;
}

/* d->servers is made already. */
static int start(struct daemon *d)
{
	struct bus_options bus = {
		.servers = d->config->server,
		.where = d->servers,
		.name = "meterd",
		.max_output_bytes = (size_t)d->config->max_output_bytes,
		.on_up = bus_on_up,
		.on_down = bus_on_down,
		.on_lost = bus_on_lost,
		.on_input = bus_on_input,
		.ctx = d,
	};

	if (loop_init(&d->loop, &d->stats) < 0 || watch_signals(d) < 0)
		return -1;
	d->tick_ms = -1;
	d->tick = evtimer_new(d->loop.base, on_tick, d);
	if (!d->tick || bus_new(&d->bus, &d->loop, &bus) < 0)
		return -1;
	return start_path(d);
}

/* false = a thread is stuck inside of the NATS library, which then must not be waited for. */
static bool end(struct daemon *d)
{
	bool clean;

	pipeline_free(d->pipeline);
	intake_free(d->intake);
	sampler_free(d->sampler);
	engines_free(d->engines);
	http_free(d->http);
	remote_free(d->remote);
	clean = bus_free(d->bus);
	free(d->servers);
	if (!clean)
		return false;
	if (d->tick)
		event_free(d->tick);
	for (size_t i = 0; i < sizeof d->on_signal / sizeof *d->on_signal; i++)
		if (d->on_signal[i])
			event_free(d->on_signal[i]);
	loop_deinit(&d->loop);
	nats_CloseAndWait(LIBRARY_CLOSE_WAIT_MS);
	libevent_global_shutdown();
	return true;
}

int daemon_run(const struct config *config)
{
	struct daemon d = { .config = config, .servers = servers_masked(config->server) };
	int status = 1;

	if (!d.servers || start(&d) < 0) {
		log_error("cannot start: out of memory");
	} else {
		log_info("meterd " METERD_VERSION " started: a sample every %lld ms, %lld of each "
			 "instance; waiting for NATS at %s", (long long)config->interval_ms,
			 (long long)config->capacity, d.servers);
		loop_run(&d.loop, after_pass, &d);
		log_stats(&d);
		status = 0;
	}
	if (!end(&d))
		_exit(status);	/* exit() would clean up below that thread */
	return status;
}
