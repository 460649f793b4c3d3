/*
 * http - a small HTTP client on the loop: GET, bounded in time and bytes, over TCP or a unix socket.
 *
 * Nothing here waits, names are looked up on threads of libcurl's. As a rule each request has a connection
 * of its own, which is closed with it, so that no request ever suffers from what became of the one before.
 * Redirects, proxies, cookies and stored passwords are not for us. Loop thread only.
 */
#ifndef METER_HTTP_H
#define METER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"

/* Under way at once, unless the client is told another bound: as many connections, and no more. */
#define HTTP_REQUESTS_MAX 64
/* Open connections, used and kept, above which the one unused longest is closed. */
#define HTTP_CONNECTIONS_KEPT_MAX 1024
/*
 * Names looked up at once, each on a thread; more wait their turn. A resolver that is silent longer than
 * the request's timeout keeps its thread for as long as it likes (resolv.conf: timeout, attempts).
 */
#define HTTP_LOOKUPS_MAX 16
#define HTTP_REQUEST_HEADERS_MAX 8
/* Bytes of all headers of an answer, also of those that say that it is still to come. */
#define HTTP_HEADERS_MAX (64 * 1024)
#define HTTP_CONTENT_TYPE_MAX 128
#define HTTP_WHY_MAX 96

struct sockaddr;

enum http_trouble {
	HTTP_NO_TROUBLE,
	HTTP_UNANSWERED,	/* not reached, too slow, cut short, not to be understood */
	HTTP_TOO_LARGE,		/* the body has more than max_bytes */
	HTTP_NOT_ALLOWED,	/* no address of the host may be connected to */
};

struct http_result {
	int status;			/* as answered, 200 or another; 0 = there was no whole answer */
	const char *content_type;	/* printable, cut to HTTP_CONTENT_TYPE_MAX - 1; "" = none was told */
	enum http_trouble trouble;	/* with status 0 */
	const char *why;		/* with status 0: printable; never a user or password of the URL */
};

struct http_request {
	const char *url;		/* copied, as all strings here */
	const char *unix_socket;	/* of what listens there; NULL = the host in the URL */
	int64_t timeout_ms;		/* for all of it, the wait for a lookup included */
	size_t max_bytes;		/* of the body, as it is told */
	/* The body as it comes in, whatever the status is. */
	void (*on_chunk)(void *ctx, const void *data, size_t len);
	/* The end, once; the request is gone when it is called. */
	void (*on_done)(void *ctx, const struct http_result *result);
	void *ctx;
	bool keep_alive;		/* over a kept connection if there is one; and kept afterwards */
	bool compressed;		/* gzip or deflate may come; it is told, and counted, decoded */
	const char *const *headers;	/* "Name: value", NULL behind the last; NULL = none */
	const char *ca_file;		/* PEM, read once a day; trusted alone. NULL = the system's */
};

struct http_options {
	size_t requests_max;		/* 0 = HTTP_REQUESTS_MAX */
	size_t connections_kept_max;	/* 0 = HTTP_CONNECTIONS_KEPT_MAX */
	/*
	 * May this address, IPv4 or IPv6, be connected to? Asked about each that a host of a URL stands for,
	 * not about unix_socket. It is the client's, not the request's: a kept connection was allowed by the
	 * same rule as a new one would be. IPv4 may come as ::ffff:a.b.c.d. NULL = all may.
	 */
	bool (*allow)(void *ctx, const struct sockaddr *address);
	void *allow_ctx;
};

struct http;
struct http_op;		/* one request under way */

/* The loop is borrowed; options are copied, NULL = all 0. SIGPIPE has to be ignored. -ENOMEM. */
int http_new(struct http **out, struct loop *loop, const struct http_options *options);
/* What is under way is dropped without a word. Not from a callback. NULL is fine. */
void http_free(struct http *h);

/*
 * 0 and the request is under way: *out may be given to http_cancel() until on_done is called. Calls
 * neither of the two before it returns. -EAGAIN: as many as may be are under way; -EINVAL: more headers
 * than HTTP_REQUEST_HEADERS_MAX, or one that is not a line; -ENOMEM.
 */
int http_get(struct http *h, const struct http_request *request, struct http_op **out);
/* Nothing more is told of it. From everywhere, callbacks included. NULL is fine. */
void http_cancel(struct http_op *op);

/* Of the answer whose body comes in, as in struct http_result; from on_chunk only. */
const char *http_content_type(const struct http_op *op);

#endif
