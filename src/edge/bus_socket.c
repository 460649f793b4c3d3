/*
 * How the NATS library's socket is watched by our loop.
 *
 * The library calls the four functions below from whichever of its threads is connecting, often with the
 * connection's lock held. They only note what is wanted and take watchers away; watchers are made
 * on the loop. So no library thread ever waits for a callback of the loop, and no callback of the loop
 * touches a connection whose lock a library thread may hold for long: that would be a deadlock, or
 * a stall of seconds.
 */
#include "bus_internal.h"

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct bus *b = arg;

	(void)fd, (void)what;
	loop_enter(b->loop);
	if (!atomic_load(&b->up))
		return;
	natsConnection_ProcessReadEvent(b->nc);
	event_active(b->input, 0, 0);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct bus *b = arg;

	(void)fd, (void)what;
	loop_enter(b->loop);
	if (atomic_load(&b->up))
		natsConnection_ProcessWriteEvent(b->nc);
}

static natsStatus socket_attach(void **user, void *loop, natsConnection *nc, natsSock socket)
{
	struct bus *b = loop;

	*user = b;
	pthread_mutex_lock(&b->lock);
	b->nc = nc;
	b->socket = socket;
	b->attached++;
	b->want_write = false;
	pthread_mutex_unlock(&b->lock);
	atomic_store(&b->up, true);
	event_active(b->sync, 0, 0);
	return NATS_OK;
}

static natsStatus socket_read(void *user, bool add)
{
	struct bus *b = user;

	if (add)	/* never asked for: attaching watches already */
		return NATS_OK;
	atomic_store(&b->up, false);
	pthread_mutex_lock(&b->lock);
	b->socket = -1;
	/* Before the library closes the socket, whose number may be another file's a moment later. */
	if (b->read)
		event_del_noblock(b->read);
	if (b->write)
		event_del_noblock(b->write);
	pthread_mutex_unlock(&b->lock);
	event_active(b->sync, 0, 0);
	return NATS_OK;
}

static natsStatus socket_write(void *user, bool add)
{
	struct bus *b = user;

	pthread_mutex_lock(&b->lock);
	b->want_write = add;
	if (b->write && b->watched == b->attached && b->socket != -1) {
		if (add)
			event_add(b->write, NULL);
		else
			event_del_noblock(b->write);
	}
	pthread_mutex_unlock(&b->lock);
	return NATS_OK;
}

static natsStatus socket_detach(void *user)
{
	(void)user;
	return NATS_OK;
}

natsStatus bus_socket_install(struct bus *b)
{
	b->socket = -1;
	return natsOptions_SetEventLoop(b->nats_options, b, socket_attach, socket_read,
					socket_write, socket_detach);
}

void bus_socket_forget(struct bus *b)
{
	pthread_mutex_lock(&b->lock);
	if (b->read)
		event_free(b->read);
	if (b->write)
		event_free(b->write);
	b->read = b->write = NULL;
	pthread_mutex_unlock(&b->lock);
}

unsigned bus_socket_watch(struct bus *b)
{
	unsigned newly;

	pthread_mutex_lock(&b->lock);
	newly = b->attached - b->watched;
	if (newly && b->socket != -1) {
		if (b->read)
			event_free(b->read);
		if (b->write)
			event_free(b->write);
		b->read = event_new(b->loop->base, b->socket, EV_READ | EV_PERSIST, on_readable, b);
		b->write = event_new(b->loop->base, b->socket, EV_WRITE | EV_PERSIST, on_writable,
				     b);
		if (b->read)
			event_add(b->read, NULL);
		if (b->write && b->want_write)
			event_add(b->write, NULL);
		b->watched = b->attached;
	}
	pthread_mutex_unlock(&b->lock);
	return newly;
}
