/*
 * http - a small HTTP client on the loop: GET, bounded in time and bytes, over TCP or a unix socket.
 *
 * Nothing here waits, names are looked up on a thread of libcurl's. Each request has a connection of its
 * own, which is closed with it, so that no request ever suffers from what became of the one before.
 * Redirects, proxies, cookies and stored passwords are not for us. Loop thread only.
 */
#ifndef METER_HTTP_H
#define METER_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "loop.h"

/* Under way at once: as many connections, and no more. */
#define HTTP_REQUESTS_MAX 64
/* Bytes of all headers of an answer, also of those that say that it is still to come. */
#define HTTP_HEADERS_MAX (64 * 1024)
#define HTTP_WHY_MAX 96

struct http_result {
	int status;		/* as answered, 200 or another; 0 = there was no whole answer */
	const char *why;	/* with status 0: printable; never a user or password of the URL */
};

struct http_request {
	const char *url;		/* copied, as the next one */
	const char *unix_socket;	/* of what listens there; NULL = the host in the URL */
	int64_t timeout_ms;		/* for all of it */
	size_t max_bytes;		/* of the body, as it is told */
	/* The body as it comes in, whatever the status is. */
	void (*on_chunk)(void *ctx, const void *data, size_t len);
	/* The end, once; the request is gone when it is called. */
	void (*on_done)(void *ctx, const struct http_result *result);
	void *ctx;
};

struct http;
struct http_op;		/* one request under way */

/* The loop is borrowed. SIGPIPE has to be ignored by the program. -ENOMEM. */
int http_new(struct http **out, struct loop *loop);
/* What is under way is dropped without a word. Not from a callback. NULL is fine. */
void http_free(struct http *h);

/*
 * 0 and the request is under way: *out may be given to http_cancel() until on_done is called. Calls
 * neither of the two before it returns. -EAGAIN: HTTP_REQUESTS_MAX are; -ENOMEM.
 */
int http_get(struct http *h, const struct http_request *request, struct http_op **out);
/* Nothing more is told of it. From everywhere, callbacks included. NULL is fine. */
void http_cancel(struct http_op *op);

#endif
