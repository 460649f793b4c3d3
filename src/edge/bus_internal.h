/* What bus.c and bus_socket.c share. */
#ifndef METER_BUS_INTERNAL_H
#define METER_BUS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "bus.h"

/* Connections that the server refused for good are made anew after this, doubling. */
#define BUS_RETRY_MIN_MS 1000
#define BUS_RETRY_MAX_MS 30000

struct bus {
	struct loop *loop;
	struct bus_options options;
	natsOptions *nats_options;
	struct event *input;	/* messages may wait */
	struct event *sync;	/* a library thread changed what is under the lock */
	struct event *retry;
	int64_t retry_ms;
	bool told_up;		/* what on_up and on_down were told last */

	natsSubscription **retired;	/* to be destroyed once the connection can be touched */
	size_t n_retired;
	size_t cap_retired;

	pthread_t connector;	/* makes the connection: the first attempt can take seconds */
	bool connecting;

	/*
	 * Written by library threads in the socket callbacks: cleared before the library takes its
	 * lock for a reconnect, set when a socket is attached.
	 */
	atomic_bool up;

	/* Library threads say what to watch, the loop watches it. Held for moments only. */
	pthread_mutex_t lock;
	natsConnection *nc;
	natsSock socket;		/* the one to watch; -1 = none */
	unsigned attached;		/* counts sockets */
	unsigned watched;		/* the one that read and write are for */
	bool want_write;
	bool closed;			/* for good */
	char closed_why[160];
	pthread_cond_t told_closed;
	struct event *read;
	struct event *write;
};

/* Gives the library our socket callbacks. */
natsStatus bus_socket_install(struct bus *b);
/* On the loop: watches the socket that was attached last. Returns how many were since the last call. */
unsigned bus_socket_watch(struct bus *b);
void bus_socket_forget(struct bus *b);

#endif
