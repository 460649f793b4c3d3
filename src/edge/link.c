#include "link.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CLOSE_WAIT_S 2

struct link {
	struct loop *loop;
	natsOptions *options;
	struct event *sync;
	struct event *input;
	pthread_t thread;

	/*
	 * Set when a socket is attached, cleared before the library gives it up: whoever sees it
	 * set may call the library without waiting.
	 */
	atomic_bool up;

	pthread_mutex_t lock;	/* of all below; held for moments only */
	pthread_cond_t changed;
	natsConnection *nc;
	natsSock socket;	/* to be watched; -1 = none */
	bool want_write;
	bool lost;
	bool closed;		/* the library's last word on it */
	bool returned;		/* the thread is done */
	bool abandoned;
	struct event *read;
	struct event *write;
	char why[200];
	bool refused;
};

/* --- the loop's side of the socket --- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd, (void)what;
	loop_enter(l->loop);
	if (!atomic_load(&l->up))
		return;
	natsConnection_ProcessReadEvent(l->nc);
	event_active(l->input, 0, 0);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;

	(void)fd, (void)what;
	loop_enter(l->loop);
	if (atomic_load(&l->up))
		natsConnection_ProcessWriteEvent(l->nc);
}

static void watch(struct link *l)
{
	l->read = event_new(l->loop->base, l->socket, EV_READ | EV_PERSIST, on_readable, l);
	l->write = event_new(l->loop->base, l->socket, EV_WRITE | EV_PERSIST, on_writable, l);
	if (l->read)
		event_add(l->read, NULL);
	if (l->write && l->want_write)
		event_add(l->write, NULL);
}

/* --- the library's side --- */

static void tell(struct link *l)
{
	if (!l->abandoned)
		event_active(l->sync, 0, 0);
	pthread_cond_broadcast(&l->changed);
}

static natsStatus socket_attach(void **user, void *arg, natsConnection *nc, natsSock socket)
{
	struct link *l = arg;
	natsStatus s = NATS_OK;

	*user = l;
	pthread_mutex_lock(&l->lock);
	if (l->abandoned) {
		s = NATS_ERR;
	} else {
		l->nc = nc;
		l->socket = socket;
		atomic_store(&l->up, true);
		tell(l);
	}
	pthread_mutex_unlock(&l->lock);
	return s;
}

static natsStatus socket_read(void *user, bool add)
{
	struct link *l = user;

	if (add)	/* never asked for: attaching watches already */
		return NATS_OK;
	atomic_store(&l->up, false);
	pthread_mutex_lock(&l->lock);
	l->lost = true;
	l->socket = -1;
	/* Before the library closes the socket, whose number may be another file's a moment later. */
	if (l->read)
		event_del_noblock(l->read);
	if (l->write)
		event_del_noblock(l->write);
	tell(l);
	pthread_mutex_unlock(&l->lock);
	return NATS_OK;
}

static natsStatus socket_write(void *user, bool add)
{
	struct link *l = user;

	pthread_mutex_lock(&l->lock);
	l->want_write = add;
	if (l->write && l->socket != -1) {
		if (add)
			event_add(l->write, NULL);
		else
			event_del_noblock(l->write);
	}
	pthread_mutex_unlock(&l->lock);
	return NATS_OK;
}

static natsStatus socket_detach(void *user)
{
	(void)user;
	return NATS_OK;
}

static void on_closed(natsConnection *nc, void *arg)
{
	struct link *l = arg;
	const char *why = NULL;

	natsConnection_GetLastError(nc, &why);
	pthread_mutex_lock(&l->lock);
	snprintf(l->why, sizeof l->why, "%s", why && *why ? why : "the server closed it");
	l->closed = true;
	tell(l);
	pthread_mutex_unlock(&l->lock);	/* *l may be gone after this */
}

static void *connect_thread(void *arg)
{
	struct link *l = arg;
	natsConnection *nc = NULL;
	natsStatus s = natsConnection_Connect(&nc, l->options);
	bool abandoned;

	pthread_mutex_lock(&l->lock);
	abandoned = l->abandoned;
	if (s != NATS_OK) {
		atomic_store(&l->up, false);
		l->nc = NULL;
		l->refused = s != NATS_NO_SERVER && s != NATS_TIMEOUT && s != NATS_IO_ERROR;
		snprintf(l->why, sizeof l->why, "%s",
			 s == NATS_NO_SERVER ? "no server answers" : natsStatus_GetText(s));
	} else if (!l->nc) {
		l->nc = nc;
	}
	pthread_mutex_unlock(&l->lock);
	if (nc && abandoned)
		natsConnection_Close(nc);
	nats_ReleaseThreadMemory();
	pthread_mutex_lock(&l->lock);
	l->returned = true;
	tell(l);
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* --- from one end to the other --- */

struct link *link_new(struct loop *loop, natsOptions *options, struct event *sync,
		      struct event *input)
{
	struct link *l = calloc(1, sizeof *l);

	if (!l) {
		natsOptions_Destroy(options);
		return NULL;
	}
	l->loop = loop;
	l->options = options;
	l->sync = sync;
	l->input = input;
	l->socket = -1;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->changed, NULL);
	if (natsOptions_SetEventLoop(options, l, socket_attach, socket_read, socket_write,
				     socket_detach) != NATS_OK ||
	    natsOptions_SetClosedCB(options, on_closed, l) != NATS_OK ||
	    pthread_create(&l->thread, NULL, connect_thread, l) != 0) {
		natsOptions_Destroy(options);
		pthread_cond_destroy(&l->changed);
		pthread_mutex_destroy(&l->lock);
		free(l);
		return NULL;
	}
	return l;
}

enum link_state link_look(struct link *l)
{
	enum link_state state = LINK_CONNECTING;

	pthread_mutex_lock(&l->lock);
	if (l->socket != -1 && !l->read)
		watch(l);
	if (l->returned && (!l->nc || l->closed))
		state = LINK_ENDED;
	else if (l->lost)
		state = LINK_DOWN;
	else if (l->returned)	/* not before: the library may still hold its lock */
		state = LINK_UP;
	pthread_mutex_unlock(&l->lock);
	return state;
}

bool link_is_up(const struct link *l)
{
	return atomic_load(&l->up);
}

natsConnection *link_connection(struct link *l)
{
	return l->nc;
}

const char *link_why(const struct link *l)
{
	return l->why;
}

bool link_was_refused(const struct link *l)
{
	return l->refused;
}

bool link_close(struct link *l)
{
	struct timespec until;
	bool ended;

	pthread_mutex_lock(&l->lock);
	ended = l->returned;
	pthread_mutex_unlock(&l->lock);
	if (!ended)
		return false;
	if (!l->nc)
		return true;
	natsConnection_Close(l->nc);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_WAIT_S;
	pthread_mutex_lock(&l->lock);
	while (!l->closed)
		if (pthread_cond_timedwait(&l->changed, &l->lock, &until) != 0)
			break;
	ended = l->closed;
	pthread_mutex_unlock(&l->lock);
	return ended;
}

void link_abandon(struct link *l)
{
	atomic_store(&l->up, false);
	pthread_mutex_lock(&l->lock);
	l->abandoned = true;
	l->socket = -1;
	if (l->read)
		event_free(l->read);
	if (l->write)
		event_free(l->write);
	l->read = l->write = NULL;
	pthread_mutex_unlock(&l->lock);
}

void link_free(struct link *l)
{
	if (!l)
		return;
	pthread_join(l->thread, NULL);
	natsConnection_Destroy(l->nc);
	natsOptions_Destroy(l->options);
	if (l->read)
		event_free(l->read);
	if (l->write)
		event_free(l->write);
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
