#include "http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http_op.h"

TAILQ_HEAD(http_ops, http_op);

/* One socket that libcurl waits for. */
struct watch {
	struct event *event;
	TAILQ_ENTRY(watch) entry;
};

struct http {
	struct loop *loop;
	struct http_options options;
	CURLM *multi;
	struct event *timer;	/* libcurl's one */
	struct event *wake;	/* requests are to be begun */
	bool in_curl;		/* libcurl is at work: it must not be called again */
	size_t n;
	size_t lookups;
	struct http_ops ops[HTTP_OP_STATES];	/* each by its state, oldest first */
	TAILQ_HEAD(, watch) watches;
};

/* --- what libcurl tells while it works --- */

void http_op_looked_up(struct http_op *op)
{
	if (op->looks_up)
		op->http->lookups--;
	op->looks_up = false;
}

bool http_op_may_connect(const struct http_op *op, const struct sockaddr *address)
{
	const struct http_options *o = &op->http->options;

	return !o->allow || o->allow(o->allow_ctx, address);
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

/* --- the course of a request --- */

static void move(struct http_op *op, enum http_op_state state)
{
	TAILQ_REMOVE(&op->http->ops[op->state], op, entry);
	op->state = state;
	TAILQ_INSERT_TAIL(&op->http->ops[state], op, entry);
}

static void op_free(struct http_op *op)
{
	struct http *h = op->http;

	if (op->begun)
		curl_multi_remove_handle(h->multi, op->easy);
	http_op_looked_up(op);
	TAILQ_REMOVE(&h->ops[op->state], op, entry);
	h->n--;
	http_op_free(op);
}

static void finish(struct http_op *op, CURLcode code)
{
	struct http_request request = op->request;
	bool cancelled = op->state == HTTP_OP_CANCELLED;
	char why[HTTP_WHY_MAX] = "", type[HTTP_CONTENT_TYPE_MAX] = "";
	struct http_result result = { .content_type = type, .why = why };
	long status = 0;

	if (code == CURLE_OK)
		curl_easy_getinfo(op->easy, CURLINFO_RESPONSE_CODE, &status);
	result.status = (int)status;
	if (status == 0) {
		result.trouble = http_op_trouble(op, code);
		http_op_describe(op, code, why);
	} else {
		strcpy(type, op->content_type);
	}
	op_free(op);
	if (!cancelled)
		request.on_done(request.ctx, &result);
}

static void begin(struct http_op *op)
{
	move(op, HTTP_OP_BEGUN);
	op->begun = curl_multi_add_handle(op->http->multi, op->easy) == CURLM_OK;
	if (!op->begun)
		finish(op, CURLE_OUT_OF_MEMORY);
}

static int64_t left_ms(const struct http_op *op)
{
	return (op->deadline_ns - loop_clock().mono_ns + 999999) / 1000000;
}

static void begin_lookup(struct http_op *op)
{
	int64_t left = left_ms(op);

	if (left <= 0) {
		finish(op, CURLE_OPERATION_TIMEDOUT);
		return;
	}
	event_free(op->deadline);
	op->deadline = NULL;
	curl_easy_setopt(op->easy, CURLOPT_TIMEOUT_MS, (long)left);
	op->looks_up = true;
	op->http->lookups++;
	begin(op);
}

static void settle(struct http *h);

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
	struct http_op *op = ctx;
	struct http *h = op->http;

	(void)fd, (void)what;
	loop_enter(h->loop);
	finish(op, CURLE_OPERATION_TIMEDOUT);
	settle(h);
}

/* Behind those that wait already. */
static void queue_lookup(struct http_op *op)
{
	int64_t left = left_ms(op);
	struct timeval wait = { left / 1000, left % 1000 * 1000 };

	if (left <= 0)
		wait = (struct timeval){ 0 };
	move(op, HTTP_OP_WAITS);
	op->deadline = evtimer_new(op->http->loop->base, on_deadline, op);
	if (!op->deadline || event_add(op->deadline, &wait) < 0)
		finish(op, CURLE_OUT_OF_MEMORY);
}

/* Outside of libcurl: what could not be done while it was at work, and what it has done. */
static void settle(struct http *h)
{
	struct http_op *op;
	struct CURLMsg *message;
	int left;

	while ((op = TAILQ_FIRST(&h->ops[HTTP_OP_CANCELLED])))
		op_free(op);
	while ((message = curl_multi_info_read(h->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &op);
		finish(op, message->data.result);
	}
	while ((op = TAILQ_FIRST(&h->ops[HTTP_OP_NEW]))) {
		if (op->named)
			queue_lookup(op);
		else
			begin(op);
	}
	while (h->lookups < HTTP_LOOKUPS_MAX && (op = TAILQ_FIRST(&h->ops[HTTP_OP_WAITS])))
		begin_lookup(op);
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

int http_get(struct http *h, const struct http_request *request, struct http_op **out)
{
	struct http_op *op;
	int r;

	if (h->n == h->options.requests_max)
		return -EAGAIN;
	r = http_op_new(&op, h, request);
	if (r < 0)
		return r;
	TAILQ_INSERT_TAIL(&h->ops[HTTP_OP_NEW], op, entry);
	h->n++;
	event_active(h->wake, EV_TIMEOUT, 0);
	*out = op;
	return 0;
}

void http_cancel(struct http_op *op)
{
	struct http *h = op ? op->http : NULL;

	if (!op)
		return;
	if (h->in_curl) {
		move(op, HTTP_OP_CANCELLED);
		return;
	}
	op_free(op);
	if (h->lookups < HTTP_LOOKUPS_MAX && !TAILQ_EMPTY(&h->ops[HTTP_OP_WAITS]))
		event_active(h->wake, EV_TIMEOUT, 0);
}

static bool set_up(CURLM *multi, struct http *h)
{
	return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_watch) == CURLM_OK &&
	       curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, h) == CURLM_OK &&
	       curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted) == CURLM_OK &&
	       curl_multi_setopt(multi, CURLMOPT_TIMERDATA, h) == CURLM_OK &&
	       curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
				 (long)h->options.connections_kept_max) == CURLM_OK;
}

int http_new(struct http **out, struct loop *loop, const struct http_options *options)
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
	if (options)
		h->options = *options;
	if (h->options.requests_max == 0)
		h->options.requests_max = HTTP_REQUESTS_MAX;
	if (h->options.connections_kept_max == 0)
		h->options.connections_kept_max = HTTP_CONNECTIONS_KEPT_MAX;
	for (int state = 0; state < HTTP_OP_STATES; state++)
		TAILQ_INIT(&h->ops[state]);
	TAILQ_INIT(&h->watches);
	h->timer = evtimer_new(loop->base, on_timer, h);
	h->wake = event_new(loop->base, -1, 0, on_wake, h);
	h->multi = curl_multi_init();
	if (!h->timer || !h->wake || !h->multi || !set_up(h->multi, h)) {
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
	for (int state = 0; state < HTTP_OP_STATES; state++)
		while ((op = TAILQ_FIRST(&h->ops[state])))
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
