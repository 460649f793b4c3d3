#include "http_op.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define ENCODINGS "gzip, deflate"

static bool is_cancelled(const struct http_op *op)
{
	return op->state == HTTP_OP_CANCELLED;
}

static void make_printable(char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

/* --- what libcurl tells while it works --- */

/* The header's value without the blanks around it, or NULL if the line is of another one. */
static const char *header_value(const char *line, size_t len, const char *name, size_t *n)
{
	size_t skip = strlen(name), end = len;

	if (len < skip || strncasecmp(line, name, skip) != 0)
		return NULL;
	while (skip < end && strchr(" \t", line[skip]))
		skip++;
	while (end > skip && strchr(" \t\r\n", line[end - 1]))
		end--;
	*n = end - skip;
	return line + skip;
}

static bool is_one_of(const char *value, size_t len, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == len && strncasecmp(value, *words, len) == 0)
			return true;
	return false;
}

/*
 * libcurl undoes every encoding that it knows, asked for or not, and one within the other: few bytes could
 * keep the loop busy for long before any of them is seen by on_body(). So one, and one that was asked for.
 */
static bool is_odd_encoding(struct http_op *op, const char *line, size_t len)
{
	static const char *const contents[] = { "gzip", "x-gzip", "deflate", "identity", NULL };
	static const char *const transfers[] = { "chunked", "identity", NULL };
	const char *value;
	size_t n;

	value = header_value(line, len, "Transfer-Encoding:", &n);
	if (value)
		return !is_one_of(value, n, transfers);
	value = header_value(line, len, "Content-Encoding:", &n);
	if (!value)
		return false;
	if (op->encoded)
		return true;
	op->encoded = true;
	return !is_one_of(value, n, contents);
}

/* Another answer than the last one was still to come, and what it said is over. */
static void take_content_type(struct http_op *op, const char *line, size_t len)
{
	const char *value;
	size_t n;

	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
		op->content_type[0] = '\0';
	value = header_value(line, len, "Content-Type:", &n);
	if (!value || op->content_type[0])
		return;
	n = n < HTTP_CONTENT_TYPE_MAX ? n : HTTP_CONTENT_TYPE_MAX - 1;
	memcpy(op->content_type, value, n);
	op->content_type[n] = '\0';
	make_printable(op->content_type);
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct http_op *op = ctx;
	size_t len = size * n;

	op->header_bytes += len;
	op->headers_too_long = op->header_bytes > HTTP_HEADERS_MAX;
	take_content_type(op, data, len);
	op->encoded_oddly = op->request.compressed && is_odd_encoding(op, data, len);
	return op->headers_too_long || op->encoded_oddly || is_cancelled(op) ? CURL_WRITEFUNC_ERROR : len;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct http_op *op = ctx;
	size_t len = size * n;

	if (is_cancelled(op))
		return CURL_WRITEFUNC_ERROR;
	if (len > op->request.max_bytes - op->body_bytes) {
		op->body_too_long = true;
		return CURL_WRITEFUNC_ERROR;
	}
	op->body_bytes += len;
	op->request.on_chunk(op->request.ctx, data, len);
	return is_cancelled(op) ? CURL_WRITEFUNC_ERROR : len;
}

static void refuse(struct http_op *op, const struct sockaddr *address)
{
	const void *bytes = address->sa_family == AF_INET6 ?
			    (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr :
			    (const void *)&((const struct sockaddr_in *)address)->sin_addr;

	if (!op->refused[0])
		inet_ntop(address->sa_family, bytes, op->refused, sizeof op->refused);
}

/* The name is looked up: once for each address that libcurl tries. */
static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct http_op *op = ctx;

	(void)purpose;
	http_op_looked_up(op);
	if (!http_op_may_connect(op, &to->addr)) {
		refuse(op, &to->addr);
		return CURL_SOCKET_BAD;
	}
	op->tried = true;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* A kept connection is taken, which needs no lookup. */
static int on_connected(void *ctx, char *to, char *from, int to_port, int from_port)
{
	(void)to, (void)from, (void)to_port, (void)from_port;
	http_op_looked_up(ctx);
	return CURL_PREREQFUNC_OK;
}

const char *http_content_type(const struct http_op *op)
{
	return op->content_type;
}

/* --- the end --- */

static void describe_timeout(const struct http_op *op, char why[HTTP_WHY_MAX])
{
	snprintf(why, HTTP_WHY_MAX, "%s within %" PRId64 " ms",
		 op->state == HTTP_OP_WAITS || op->looks_up ? "no lookup of its name" : "no whole answer",
		 op->request.timeout_ms);
}

enum http_trouble http_op_trouble(const struct http_op *op, CURLcode code)
{
	if (op->body_too_long || code == CURLE_FILESIZE_EXCEEDED)
		return HTTP_TOO_LARGE;
	if (code == CURLE_COULDNT_CONNECT && op->refused[0] && !op->tried)
		return HTTP_NOT_ALLOWED;
	return HTTP_UNANSWERED;
}

void http_op_describe(const struct http_op *op, CURLcode code, char why[HTTP_WHY_MAX])
{
	long system_error = 0;

	curl_easy_getinfo(op->easy, CURLINFO_OS_ERRNO, &system_error);
	if (op->headers_too_long)
		snprintf(why, HTTP_WHY_MAX, "its headers have more than %d bytes", HTTP_HEADERS_MAX);
	else if (op->encoded_oddly)
		snprintf(why, HTTP_WHY_MAX, "its answer is encoded otherwise than by one of " ENCODINGS);
	else if (op->body_too_long || code == CURLE_FILESIZE_EXCEEDED)
		snprintf(why, HTTP_WHY_MAX, "its answer has more than %zu bytes",
			 op->request.max_bytes);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		describe_timeout(op, why);
	else if (code == CURLE_COULDNT_CONNECT && op->refused[0] && !op->tried)
		snprintf(why, HTTP_WHY_MAX, "the address %s is not allowed", op->refused);
	else if (code == CURLE_COULDNT_CONNECT && system_error != 0)
		snprintf(why, HTTP_WHY_MAX, "%s", strerror((int)system_error));
	else if (code == CURLE_COULDNT_CONNECT && op->request.unix_socket)
		snprintf(why, HTTP_WHY_MAX, "it accepts no connection");	/* too many wait */
	else
		snprintf(why, HTTP_WHY_MAX, "%.*s", HTTP_WHY_MAX - 1,
			 op->error[0] ? op->error : curl_easy_strerror(code));
	make_printable(why);
}

/* --- its options --- */

/* As libcurl reads the URL. What is none at all, it refuses without a lookup. */
static bool has_name(const struct http_request *r)
{
	CURLU *url = r->unix_socket ? NULL : curl_url();
	unsigned char address[sizeof(struct in_addr)];
	char *host = NULL;
	bool named = false;

	if (url && curl_url_set(url, CURLUPART_URL, r->url, CURLU_GUESS_SCHEME) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		named = host[0] != '[' && inet_pton(AF_INET, host, address) != 1;
	curl_free(host);
	curl_url_cleanup(url);
	return named;
}

static int add_headers(struct http_op *op)
{
	const char *const *lines = op->request.headers;

	for (size_t i = 0; lines && lines[i]; i++) {
		struct curl_slist *list;

		if (i == HTTP_REQUEST_HEADERS_MAX || strpbrk(lines[i], "\r\n"))
			return -EINVAL;
		list = curl_slist_append(op->headers, lines[i]);
		if (!list)
			return -ENOMEM;
		op->headers = list;
	}
	return 0;
}

#define SET(option, value) (good = good && curl_easy_setopt(op->easy, option, value) == CURLE_OK)

/* Beyond what every request has. */
static bool set_wishes(struct http_op *op)
{
	const struct http_request *r = &op->request;
	bool good = true;

	SET(CURLOPT_FRESH_CONNECT, r->keep_alive ? 0L : 1L);
	SET(CURLOPT_FORBID_REUSE, r->keep_alive ? 0L : 1L);
	if (r->compressed)
		SET(CURLOPT_ACCEPT_ENCODING, ENCODINGS);
	if (op->headers)
		SET(CURLOPT_HTTPHEADER, op->headers);
	if (r->ca_file)
		SET(CURLOPT_CAINFO, r->ca_file);
	if (!r->unix_socket) {
		/* What is read of a file libcurl keeps, but not if there is a folder of them as well. */
		if (r->ca_file || curl_version_info(CURLVERSION_NOW)->cainfo)
			SET(CURLOPT_CAPATH, (char *)NULL);
		SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
		SET(CURLOPT_OPENSOCKETDATA, op);
		SET(CURLOPT_PREREQFUNCTION, on_connected);
		SET(CURLOPT_PREREQDATA, op);
	}
	return good;
}

static bool set_options(struct http_op *op)
{
	const struct http_request *r = &op->request;
	bool good = set_wishes(op);

	SET(CURLOPT_URL, r->url);
	if (r->unix_socket)
		SET(CURLOPT_UNIX_SOCKET_PATH, r->unix_socket);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_USERAGENT, "meterd/" METERD_VERSION);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);	/* a thread that looks a name up is not waited for */
	SET(CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)r->max_bytes);	/* when the length is told */
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, op);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, op);
	SET(CURLOPT_ERRORBUFFER, op->error);
	SET(CURLOPT_PRIVATE, op);
	return good;
}

#undef SET

int http_op_new(struct http_op **out, struct http *http, const struct http_request *request)
{
	struct http_op *op = calloc(1, sizeof *op);
	int r = -ENOMEM;

	if (!op)
		return r;
	op->http = http;
	op->request = *request;
	op->named = has_name(request);
	op->deadline_ns = loop_clock().mono_ns + request->timeout_ms * 1000000;
	op->easy = curl_easy_init();
	if (!op->easy)
		goto fail;
	r = add_headers(op);
	if (r < 0)
		goto fail;
	r = set_options(op) ? 0 : -ENOMEM;
	if (r < 0)
		goto fail;
	*out = op;
	return 0;
fail:
	http_op_free(op);
	return r;
}

void http_op_free(struct http_op *op)
{
	if (op->deadline)
		event_free(op->deadline);
	curl_easy_cleanup(op->easy);
	curl_slist_free_all(op->headers);
	free(op);
}
