#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct http_op {
	struct http *http;
	CURL *easy;
	struct http_request request;	/* its strings are libcurl's */
	size_t header_bytes;
	size_t body_bytes;
	bool headers_too_long;
	bool body_too_long;
	bool begun;			/* libcurl has it */
	bool cancelled;			/* while libcurl was at work: gone as soon as it returns */
	char error[CURL_ERROR_SIZE];
	TAILQ_ENTRY(http_op) entry;
};

/* One socket that libcurl waits for. */
struct watch {
	struct event *event;
	TAILQ_ENTRY(watch) entry;
};

struct http {
	struct loop *loop;
	CURLM *multi;
	struct event *timer;	/* libcurl's one */
	struct event *wake;	/* requests are to be begun */
	bool in_curl;		/* libcurl is at work: it must not be called again */
	size_t n;
	TAILQ_HEAD(, http_op) ops;
	TAILQ_HEAD(, watch) watches;
};

/* --- what libcurl tells while it works --- */

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct http_op *op = ctx;

	(void)data;
	op->header_bytes += size * n;
	op->headers_too_long = op->header_bytes > HTTP_HEADERS_MAX;
	return op->headers_too_long || op->cancelled ? CURL_WRITEFUNC_ERROR : size * n;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct http_op *op = ctx;
	size_t len = size * n;

	if (op->cancelled)
		return CURL_WRITEFUNC_ERROR;
	if (len > op->request.max_bytes - op->body_bytes) {
		op->body_too_long = true;
		return CURL_WRITEFUNC_ERROR;
	}
	op->body_bytes += len;
	op->request.on_chunk(op->request.ctx, data, len);
	return op->cancelled ? CURL_WRITEFUNC_ERROR : len;
}

static void turn(struct http *h, curl_socket_t fd, int what);

static void on_socket(evutil_socket_t fd, short what, void *ctx)
{
	struct http *h = ctx;
	int flags = 0;

	loop_enter(h->loop);
	if (what & EV_READ)
		flags |= CURL_CSELECT_IN;
	if (what & EV_WRITE)
		flags |= CURL_CSELECT_OUT;
	turn(h, fd, flags);
}

static void watch_free(struct http *h, struct watch *w)
{
	TAILQ_REMOVE(&h->watches, w, entry);
	if (w->event)
		event_free(w->event);
	free(w);
}

/* Without memory nothing is watched, and the request runs into its deadline. */
static int on_watch(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct http *h = ctx;
	struct watch *w = known;
	short flags = EV_PERSIST;

	(void)easy;
	if (w)
		watch_free(h, w);
	w = what == CURL_POLL_REMOVE ? NULL : calloc(1, sizeof *w);
	curl_multi_assign(h->multi, fd, w);
	if (!w)
		return 0;
	TAILQ_INSERT_TAIL(&h->watches, w, entry);
	if (what & CURL_POLL_IN)
		flags |= EV_READ;
	if (what & CURL_POLL_OUT)
		flags |= EV_WRITE;
	w->event = event_new(h->loop->base, fd, flags, on_socket, h);
	if (w->event)
		event_add(w->event, NULL);
	return 0;
}

static int on_timer_wanted(CURLM *multi, long timeout_ms, void *ctx)
{
	struct http *h = ctx;
	struct timeval wait = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };

	(void)multi;
	if (timeout_ms < 0)
		event_del(h->timer);
	else
		event_add(h->timer, &wait);
	return 0;
}

/* --- the end of a request --- */

static void op_free(struct http_op *op)
{
	struct http *h = op->http;

	if (op->begun)
		curl_multi_remove_handle(h->multi, op->easy);
	curl_easy_cleanup(op->easy);
	TAILQ_REMOVE(&h->ops, op, entry);
	h->n--;
	free(op);
}

static void describe(const struct http_op *op, CURLcode code, char why[HTTP_WHY_MAX])
{
	long system_error = 0;

	curl_easy_getinfo(op->easy, CURLINFO_OS_ERRNO, &system_error);
	if (op->headers_too_long)
		snprintf(why, HTTP_WHY_MAX, "its headers have more than %d bytes", HTTP_HEADERS_MAX);
	else if (op->body_too_long || code == CURLE_FILESIZE_EXCEEDED)
		snprintf(why, HTTP_WHY_MAX, "its answer has more than %zu bytes",
			 op->request.max_bytes);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		snprintf(why, HTTP_WHY_MAX, "no whole answer within %" PRId64 " ms",
			 op->request.timeout_ms);
	else if (code == CURLE_COULDNT_CONNECT && system_error != 0)
		snprintf(why, HTTP_WHY_MAX, "%s", strerror((int)system_error));
	else if (code == CURLE_COULDNT_CONNECT && op->request.unix_socket)
		snprintf(why, HTTP_WHY_MAX, "it accepts no connection");	/* too many wait */
	else
		snprintf(why, HTTP_WHY_MAX, "%.*s", HTTP_WHY_MAX - 1,
			 op->error[0] ? op->error : curl_easy_strerror(code));
	for (char *c = why; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static void finish(struct http_op *op, CURLcode code)
{
	struct http_request request = op->request;
	bool cancelled = op->cancelled;
	char why[HTTP_WHY_MAX] = "";
	struct http_result result = { .why = why };
	long status = 0;

	if (code == CURLE_OK)
		curl_easy_getinfo(op->easy, CURLINFO_RESPONSE_CODE, &status);
	result.status = (int)status;
	if (status == 0)
		describe(op, code, why);
	op_free(op);
	if (!cancelled)
		request.on_done(request.ctx, &result);
}

/* Outside of libcurl: what could not be done while it was at work, and what it has done. */
static void settle(struct http *h)
{
	struct http_op *op, *next;
	struct CURLMsg *message;
	int left;

	for (op = TAILQ_FIRST(&h->ops); op; op = next) {
		next = TAILQ_NEXT(op, entry);
		if (op->cancelled) {
			op_free(op);
		} else if (!op->begun) {
			op->begun = curl_multi_add_handle(h->multi, op->easy) == CURLM_OK;
			if (op->begun)
				continue;
			finish(op, CURLE_OUT_OF_MEMORY);
			next = TAILQ_FIRST(&h->ops);	/* who was told may have cancelled any */
		}
	}
	while ((message = curl_multi_info_read(h->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &op);
		finish(op, message->data.result);
	}
}

static void turn(struct http *h, curl_socket_t fd, int what)
{
	int running;

	h->in_curl = true;
	curl_multi_socket_action(h->multi, fd, what, &running);
	h->in_curl = false;
	settle(h);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct http *h = ctx;

	(void)fd, (void)what;
	loop_enter(h->loop);
	turn(h, CURL_SOCKET_TIMEOUT, 0);
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
	struct http *h = ctx;

	(void)fd, (void)what;
	loop_enter(h->loop);
	settle(h);
}

/* --- requests --- */

static bool set_options(struct http_op *op)
{
	const struct http_request *r = &op->request;
	CURL *e = op->easy;
	bool good = true;

#define SET(option, value) (good = good && curl_easy_setopt(e, option, value) == CURLE_OK)
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
	SET(CURLOPT_FRESH_CONNECT, 1L);
	SET(CURLOPT_FORBID_REUSE, 1L);
	SET(CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)r->max_bytes);	/* when the length is told */
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, op);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, op);
	SET(CURLOPT_ERRORBUFFER, op->error);
	SET(CURLOPT_PRIVATE, op);
#undef SET
	return good;
}

int http_get(struct http *h, const struct http_request *request, struct http_op **out)
{
	struct http_op *op;

	if (h->n == HTTP_REQUESTS_MAX)
		return -EAGAIN;
	op = calloc(1, sizeof *op);
	if (!op)
		return -ENOMEM;
	op->http = h;
	op->request = *request;
	op->easy = curl_easy_init();
	if (!op->easy || !set_options(op)) {
		curl_easy_cleanup(op->easy);
		free(op);
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&h->ops, op, entry);
	h->n++;
	event_active(h->wake, EV_TIMEOUT, 0);
	*out = op;
	return 0;
}

void http_cancel(struct http_op *op)
{
	if (!op)
		return;
	if (op->http->in_curl)
		op->cancelled = true;
	else
		op_free(op);
}

int http_new(struct http **out, struct loop *loop)
{
	struct http *h;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	h = calloc(1, sizeof *h);
	if (!h) {
		curl_global_cleanup();
		return -ENOMEM;
	}
	h->loop = loop;
	TAILQ_INIT(&h->ops);
	TAILQ_INIT(&h->watches);
	h->timer = evtimer_new(loop->base, on_timer, h);
	h->wake = event_new(loop->base, -1, 0, on_wake, h);
	h->multi = curl_multi_init();
	if (!h->timer || !h->wake || !h->multi ||
	    curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_watch) != CURLM_OK ||
	    curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) != CURLM_OK ||
	    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted) != CURLM_OK ||
	    curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) != CURLM_OK) {
		http_free(h);
		return -ENOMEM;
	}
	*out = h;
	return 0;
}

void http_free(struct http *h)
{
	struct http_op *op;
	struct watch *w;

	if (!h)
		return;
	while ((op = TAILQ_FIRST(&h->ops)))
		op_free(op);
	if (h->multi)
		curl_multi_cleanup(h->multi);
	while ((w = TAILQ_FIRST(&h->watches)))
		watch_free(h, w);
	if (h->timer)
		event_free(h->timer);
	if (h->wake)
		event_free(h->wake);
	free(h);
	curl_global_cleanup();
}
