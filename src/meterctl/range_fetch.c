#include "range_fetch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "output.h"
#include "request.h"
#include "timefmt.h"

#define REPLY_POINTS 11000	/* what a meterd answers at once, unless it is set otherwise */
/* Rows x aggregates that are put together. */
#define POINTS_MAX 10000000

/* Answers on the way to become one. */
struct pieces {
	struct range_result *results;
	size_t n;
	size_t cap;
	size_t rows;
};

static int no_memory(void)
{
	output_error("out of memory");
	return -1;
}

/* > 0: meterd refused, *p says why; < 0: failed, and it is told. */
static int ask(struct client *c, const char *id, const struct range_request *request,
	       struct range_reply *out, struct problem *p)
{
	char subject[CLIENT_SUBJECT_SIZE];
	struct buffer body = { 0 };
	natsMsg *m = NULL;
	int r;

	client_subject(c, "range", id, subject);
	wire_encode_range_request(request, &body);
	r = client_ask(c, subject, &body, &m, p);
	buffer_clear(&body);
	if (r != 0)
		return r;
	r = wire_decode_range_reply(natsMsg_GetData(m), (size_t)natsMsg_GetDataLength(m), out, p);
	natsMsg_Destroy(m);
	if (r < 0)
		return no_memory();
	if (r > 0 || out->raw != request->raw) {
		output_error("the answer on %s makes no sense: %s", subject,
			     r > 0 ? p->text : "it is for another request");
		range_result_clear(&out->result);
		return -1;
	}
	return 0;
}

/* As ask(), with a refusal told too. */
static int ask_well(struct client *c, const char *id, const struct range_request *request,
		    struct range_reply *out)
{
	struct problem p;
	int r = ask(c, id, request, out, &p);

	if (r > 0)
		output_error("%s", p.text);
	return r == 0 ? 0 : -1;
}

/* --- pieces --- */

static void pieces_clear(struct pieces *pieces)
{
	for (size_t i = 0; i < pieces->n; i++)
		range_result_clear(&pieces->results[i]);
	free(pieces->results);
	*pieces = (struct pieces){ 0 };
}

/* Takes over the rows of *from, also on failure. */
static int pieces_add(struct pieces *pieces, struct range_result *from)
{
	struct range_result *results = pieces->results;

	if (from->n == 0)
		return 0;
	if (pieces->n == pieces->cap) {
		size_t cap = pieces->cap ? pieces->cap * 2 : 16;

		results = realloc(results, cap * sizeof *results);
		if (!results) {
			range_result_clear(from);
			return no_memory();
		}
		pieces->results = results;
		pieces->cap = cap;
	}
	results[pieces->n++] = *from;
	pieces->rows += from->n;
	*from = (struct range_result){ 0 };
	return 0;
}

static void copy_rows(struct range_result *to, size_t at, const struct range_result *from)
{
	memcpy(to->at_ms + at, from->at_ms, from->n * sizeof *from->at_ms);
	memcpy(to->count + at, from->count, from->n * sizeof *from->count);
	for (int a = 0; a < AGGREGATE_COUNT; a++) {
		for (int m = 0; m < METRIC_COUNT; m++) {
			if (to->column[a][m] && from->column[a][m])
				memcpy(to->column[a][m] + at, from->column[a][m],
				       from->n * sizeof *from->column[a][m]);
		}
	}
}

static int pieces_join(const struct pieces *pieces, unsigned aggregates, struct range_result *out)
{
	size_t at = 0;

	if (range_result_init(out, pieces->rows, aggregates) != 0)
		return no_memory();
	for (size_t i = 0; i < pieces->n; i++) {
		copy_rows(out, at, &pieces->results[i]);
		at += pieces->results[i].n;
	}
	range_result_drop_empty(out);
	return 0;
}

/* It was untracked, maybe while it was read: the answer is the one that a request gets now. */
static void become_untracked(struct range_reply *reply)
{
	range_result_clear(&reply->result);
	reply->tracked = false;
	reply->n_aggregates = 0;
}

/* --- raw --- */

/* reply is the first page; adds the others. */
static int follow_raw(struct client *c, const char *id, struct range_reply *reply)
{
	struct range_request request = { .until_ms = reply->until_ms, .raw = true };
	struct pieces pieces = { 0 };
	int64_t since = reply->since_ms;
	int r = pieces_add(&pieces, &reply->result);

	while (r == 0 && reply->next_since_ms != 0) {
		struct range_reply page;

		r = -1;
		if (reply->next_since_ms <= since) {
			output_error("next_since_unix_ms %" PRId64 " does not go on",
				     reply->next_since_ms);
			break;
		}
		if (pieces.rows > POINTS_MAX) {
			output_error("more than %d samples: ask for a smaller window", POINTS_MAX);
			break;
		}
		request.since_ms = since = reply->next_since_ms;
		r = ask_well(c, id, &request, &page);
		if (r != 0)
			break;
		reply->next_since_ms = page.next_since_ms;
		r = pieces_add(&pieces, &page.result);
		if (!page.tracked) {
			become_untracked(reply);
			goto out;
		}
	}
	if (r == 0)
		r = pieces_join(&pieces, AGGREGATE_BIT(AGGREGATE_MEAN), &reply->result);
out:
	pieces_clear(&pieces);
	return r;
}

/* --- buckets --- */

/*
 * Asks for a window of one millisecond, which is never too large: it tells what this meterd's
 * defaults come from, its time and its poll interval, and whether it has the instance.
 */
static int probe(struct client *c, const char *id, struct range_reply *out)
{
	const struct range_request request = { .range_ms = 1 };
	int r = ask_well(c, id, &request, out);

	range_result_clear(&out->result);
	return r;
}

/* Buckets from at to end, as the whole window has them there. */
static struct range_request piece_request(const struct range_reply *whole, int64_t at, int64_t end)
{
	struct range_request r = {
		.since_ms = at > 0 ? at : 0,
		.range_ms = at > 0 ? 0 : end - at,	/* a since before 1970 cannot be said */
		.until_ms = end < TIME_MS_MAX ? end : TIME_MS_MAX,
		.resolution_ms = whole->resolution_ms,
		.n_aggregates = whole->n_aggregates,
	};

	memcpy(r.aggregates, whole->aggregates, sizeof r.aggregates);
	return r;
}

static bool fits(const struct range_reply *piece, const struct range_reply *whole)
{
	return piece->resolution_ms == whole->resolution_ms &&
	       piece->n_aggregates == whole->n_aggregates &&
	       !memcmp(piece->aggregates, whole->aggregates,
		       whole->n_aggregates * sizeof *whole->aggregates);
}

/* whole says what is asked for, and becomes the answer. */
static int fetch_pieces(struct client *c, const char *id, struct range_reply *whole,
			struct pieces *pieces)
{
	int64_t buckets = REPLY_POINTS / (int64_t)whole->n_aggregates;
	int64_t at = whole->since_ms;
	struct range_reply piece;
	struct problem p;

	while (at < whole->until_ms) {
		int64_t end = whole->until_ms - at > buckets * whole->resolution_ms
				      ? at + buckets * whole->resolution_ms : whole->until_ms;
		struct range_request request = piece_request(whole, at, end);
		int r = 0;

		/* Nothing was stored before 1970. */
		if (end > 0)
			r = ask(c, id, &request, &piece, &p);
		if (r == PROBLEM_TOO_LARGE && buckets > 1) {
			buckets = (buckets + 1) / 2;
			continue;
		}
		if (r > 0)
			output_error("%s", p.text);
		if (r != 0)
			return -1;
		at = end;
		if (end <= 0)
			continue;
		if (!piece.tracked) {
			range_result_clear(&piece.result);
			become_untracked(whole);
			return 0;
		}
		if (!fits(&piece, whole)) {
			range_result_clear(&piece.result);
			output_error("the answers do not fit together");
			return -1;
		}
		if (pieces_add(pieces, &piece.result) < 0)
			return -1;
	}
	return 0;
}

static int split_buckets(struct client *c, const char *id, const struct range_request *request,
			 struct range_reply *out)
{
	struct request_limits limits = { .points_max = POINTS_MAX };
	struct pieces pieces = { 0 };
	struct range_query query;
	struct range_reply now;
	struct problem p;
	int r;

	if (probe(c, id, &now) != 0)
		return -1;
	limits.interval_ms = now.resolution_ms;
	*out = (struct range_reply){ .tracked = now.tracked };
	memcpy(out->instance_id, id, strlen(id) + 1);
	if (request_resolve(request, &limits, now.until_ms, &query, out->aggregates,
			    &out->n_aggregates, &p) != 0) {
		output_error("%s", p.text);
		return -1;
	}
	out->since_ms = query.since_ms;
	out->until_ms = query.until_ms;
	out->resolution_ms = query.resolution_ms;
	if (!out->tracked) {
		out->n_aggregates = 0;
		return 0;
	}
	r = fetch_pieces(c, id, out, &pieces);
	if (r == 0 && out->tracked)
		r = pieces_join(&pieces, query.aggregates, &out->result);
	pieces_clear(&pieces);
	return r;
}

int range_fetch(struct client *c, const char *id, const struct range_request *request,
		struct range_reply *out)
{
	struct problem p;
	int r = ask(c, id, request, out, &p);

	if (r == PROBLEM_TOO_LARGE && !request->raw)
		return split_buckets(c, id, request, out);
	if (r > 0)
		output_error("%s", p.text);
	if (r != 0)
		return -1;
	if (request->raw && out->next_since_ms != 0)
		return follow_raw(c, id, out);
	return 0;
}
