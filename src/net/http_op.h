/*
 * http_op - one request as libcurl sees it: its options, what it lets in, how its end is told. For http.c.
 */
#ifndef METER_HTTP_OP_H
#define METER_HTTP_OP_H

#include <arpa/inet.h>
#include <curl/curl.h>
#include <sys/queue.h>

#include "http.h"

enum http_op_state {
	HTTP_OP_NEW,
	HTTP_OP_WAITS,		/* for other lookups to end */
	HTTP_OP_BEGUN,
	HTTP_OP_CANCELLED,	/* while libcurl was at work: gone as soon as it returns */
	HTTP_OP_STATES
};

struct http_op {
	struct http *http;
	enum http_op_state state;
	CURL *easy;
	struct curl_slist *headers;
	struct http_request request;	/* its strings are libcurl's */
	int64_t deadline_ns;		/* monotonic */
	struct event *deadline;		/* while it waits */
	bool begun;			/* libcurl has it */
	bool named;			/* its host is a name, not an address */
	bool looks_up;			/* and counts among the lookups under way */
	bool tried;			/* an address that is allowed */
	char refused[INET6_ADDRSTRLEN];	/* the first address that is not */
	size_t header_bytes;
	size_t body_bytes;
	bool headers_too_long;
	bool body_too_long;
	bool encoded;			/* in a way that was asked for */
	bool encoded_oddly;
	char content_type[HTTP_CONTENT_TYPE_MAX];	/* of the last answer so far */
	char error[CURL_ERROR_SIZE];
	TAILQ_ENTRY(http_op) entry;
};

/* It needs no lookup any more: it connects, has a connection, or is over. By http.c. */
void http_op_looked_up(struct http_op *op);
/* Asks the client's rule; by http.c. */
bool http_op_may_connect(const struct http_op *op, const struct sockaddr *address);

/* Not in any list yet. -EINVAL, -ENOMEM. */
int http_op_new(struct http_op **out, struct http *http, const struct http_request *request);
/* libcurl's multi handle must not have it any more. */
void http_op_free(struct http_op *op);

/* Why there is no whole answer. */
enum http_trouble http_op_trouble(const struct http_op *op, CURLcode code);
void http_op_describe(const struct http_op *op, CURLcode code, char why[HTTP_WHY_MAX]);
#endif
