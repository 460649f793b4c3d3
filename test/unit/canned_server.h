/*
 * canned_server - answers requests on a socket with prepared bytes, on the loop of the test itself.
 *
 * A stand-in, because no real server behaves as badly as this one does on demand.
 */
#ifndef METER_TEST_CANNED_SERVER_H
#define METER_TEST_CANNED_SERVER_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop.h"

#define CANNED_CLIENTS_MAX 1024

enum canned_end { CANNED_CLOSE, CANNED_KEEP };

struct canned {
	const char *answer;	/* NULL: the connection is closed without one */
	size_t len;
	enum canned_end end;
	size_t requests;
	size_t drops;		/* the request with this number is not answered: the connection ends */
	char last[2048];	/* the request that came last */
	int port;		/* over TCP */
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
	struct evconnlistener *listener;
	struct bufferevent *clients[CANNED_CLIENTS_MAX];
	size_t n_clients;	/* as many connections as there ever were */
};

static void canned_on_written(struct bufferevent *client, void *ctx)
{
	struct canned *c = ctx;

	if (c->end == CANNED_CLOSE)
		shutdown(bufferevent_getfd(client), SHUT_RDWR);
}

static void canned_on_read(struct bufferevent *client, void *ctx)
{
	struct canned *c = ctx;
	struct evbuffer *in = bufferevent_get_input(client);
	ssize_t n;

	if (evbuffer_search(in, "\r\n\r\n", 4, NULL).pos < 0)
		return;
	n = evbuffer_copyout(in, c->last, sizeof c->last - 1);
	c->last[n > 0 ? n : 0] = '\0';
	evbuffer_drain(in, (size_t)-1);
	c->requests++;
	if (c->requests == c->drops)
		shutdown(bufferevent_getfd(client), SHUT_RDWR);
	else if (c->answer && c->len > 0)
		bufferevent_write(client, c->answer, c->len);
	else
		canned_on_written(client, c);
}

static void canned_on_client(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *from,
			     int len, void *ctx)
{
	struct canned *c = ctx;
	struct bufferevent *client = bufferevent_socket_new(evconnlistener_get_base(l), fd,
							    BEV_OPT_CLOSE_ON_FREE);

	(void)from, (void)len;
	assert_non_null(client);
	assert_true(c->n_clients < CANNED_CLIENTS_MAX);
	c->clients[c->n_clients++] = client;
	bufferevent_setcb(client, canned_on_read, canned_on_written, NULL, c);
	bufferevent_enable(client, EV_READ);
}

static inline void canned_new(struct canned *c, struct loop *loop)
{
	static unsigned number;
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	*c = (struct canned){ 0 };
	snprintf(c->path, sizeof c->path, "/tmp/meterd-canned-%d-%u.sock", getpid(), number++);
	strcpy(at.sun_path, c->path);
	unlink(c->path);
	c->listener = evconnlistener_new_bind(loop->base, canned_on_client, c, LEV_OPT_CLOSE_ON_FREE,
					      -1, (struct sockaddr *)&at, sizeof at);
	assert_non_null(c->listener);
}

/* On a free port of that address. False: this machine has no such address. */
static inline bool canned_new_tcp(struct canned *c, struct loop *loop, const char *address)
{
	struct sockaddr_storage at = { 0 };
	int len = sizeof at;
	socklen_t bound = sizeof at;

	*c = (struct canned){ 0 };
	assert_int_equal(evutil_parse_sockaddr_port(address, (struct sockaddr *)&at, &len), 0);
	c->listener = evconnlistener_new_bind(loop->base, canned_on_client, c, LEV_OPT_CLOSE_ON_FREE,
					      -1, (struct sockaddr *)&at, len);
	if (!c->listener)
		return false;
	assert_int_equal(getsockname(evconnlistener_get_fd(c->listener), (struct sockaddr *)&at, &bound), 0);
	c->port = ntohs(((struct sockaddr_in *)&at)->sin_port);	/* in both families at the same place */
	return true;
}

static inline void canned_answers_bytes(struct canned *c, const void *answer, size_t len, enum canned_end end)
{
	c->answer = answer;
	c->len = len;
	c->end = end;
}

static void canned_answers(struct canned *c, const char *answer, enum canned_end end)
{
	canned_answers_bytes(c, answer, answer ? strlen(answer) : 0, end);
}

static void canned_free(struct canned *c)
{
	for (size_t i = 0; i < c->n_clients; i++)
		bufferevent_free(c->clients[i]);
	if (c->listener)
		evconnlistener_free(c->listener);
	if (c->path[0])
		unlink(c->path);
}

#endif
