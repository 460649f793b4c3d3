#include "listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "output.h"

#define QUIET_MS 100	/* nobody answers any more */
#define NODES_MAX 65536
#define ENTRIES_MAX 10000000

/* The replies to one request. */
struct page {
	struct list_reply *replies;
	size_t n;
	size_t cap;
	const char *next;	/* least of their page tokens, or NULL: beyond it comes again */
};

static int no_memory(void)
{
	output_error("out of memory");
	return -1;
}

/* --- keeping entries --- */

/* All strings of an entry in one allocation, which begins with the id. */
static int copy_entry(const struct list_entry *from, struct list_entry *to)
{
	const char **strings[] = { &to->instance_id, &to->tenant_id,	  &to->workload_id,
				   &to->source,	     &to->last_error,	  &to->request_family,
				   &to->latency_family };
	size_t size = 0;
	char *at;

	*to = *from;
	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
		size += *strings[i] ? strlen(*strings[i]) + 1 : 0;
	at = malloc(size);
	if (!at)
		return no_memory();
	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
		const char *s = *strings[i];

		if (!s)
			continue;
		*strings[i] = at;
		at = stpcpy(at, s) + 1;
	}
	return 0;
}

static int keep_entry(struct listing *l, const struct list_entry *entry)
{
	if (l->n == ENTRIES_MAX) {
		output_error("more than %d instances", ENTRIES_MAX);
		return -1;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 256;
		struct list_entry *entries = realloc(l->entries, cap * sizeof *entries);

		if (!entries)
			return no_memory();
		l->entries = entries;
		l->cap = cap;
	}
	if (copy_entry(entry, &l->entries[l->n]) < 0)
		return -1;
	l->n++;
	return 0;
}

static int keep_page(struct listing *l, const struct page *page)
{
	for (size_t i = 0; i < page->n; i++) {
		const struct list_reply *r = &page->replies[i];

		for (size_t k = 0; k < r->n_entries; k++) {
			const struct list_entry *entry = &r->entries[k];

			/* What lies beyond comes again with the next page. */
			if (page->next && strcmp(entry->instance_id, page->next) > 0)
				continue;
			if (keep_entry(l, entry) < 0)
				return -1;
		}
	}
	return 0;
}

/* --- one page --- */

static void page_clear(struct page *page)
{
	for (size_t i = 0; i < page->n; i++)
		wire_list_reply_clear(&page->replies[i]);
	free(page->replies);
	*page = (struct page){ 0 };
}

static int take_reply(struct page *page, const char *subject, natsMsg *m)
{
	struct list_reply *r;
	struct problem p;
	int result;

	if (page->n == page->cap) {
		size_t cap = page->cap ? page->cap * 2 : 8;

		r = realloc(page->replies, cap * sizeof *r);
		if (!r)
			return no_memory();
		page->replies = r;
		page->cap = cap;
	}
	r = &page->replies[page->n];
	result = wire_decode_list_reply(natsMsg_GetData(m), (size_t)natsMsg_GetDataLength(m), r,
					&p);
	if (result < 0)
		return no_memory();
	if (result > 0) {
		output_error("an answer on %s makes no sense: %s", subject, p.text);
		return -1;
	}
	page->n++;
	if (r->next_page_token && (!page->next || strcmp(r->next_page_token, page->next) < 0))
		page->next = r->next_page_token;
	return 0;
}

/* Waits long for those that must answer, and then for a while for those that may. */
static int take_replies(struct client *c, const char *subject, natsSubscription *answers,
			int64_t timeout_ms, size_t expected, struct page *page)
{
	struct problem p;
	natsMsg *m;
	int r;

	do {
		int64_t wait_ms = page->n < expected ? timeout_ms : QUIET_MS;

		r = client_next(c, answers, subject, wait_ms, &m, &p);
		if (r > 0) {
			output_error("%s", p.text);
			return -1;
		}
		if (r == 0 && m)
			r = take_reply(page, subject, m);
		if (r < 0 || !m)
			break;
		natsMsg_Destroy(m);
		m = NULL;
	} while (page->n < NODES_MAX && page->replies[page->n - 1].node);
	natsMsg_Destroy(m);
	return r;
}

static int gather_page(struct client *c, const struct config *config, const char *token,
		       size_t expected, struct page *page)
{
	struct list_request request = { 0 };
	char subject[CLIENT_SUBJECT_SIZE];
	natsSubscription *answers = NULL;
	struct buffer body = { 0 };
	int r;

	snprintf(request.page_token, sizeof request.page_token, "%s", token);
	client_subject(c, "list", NULL, subject);
	wire_encode_list_request(&request, &body);
	r = client_send(c, subject, &body, &answers);
	if (r == 0)
		r = take_replies(c, subject, answers, config->timeout_ms, expected, page);
	if (r == 0 && page->n == 0)
		r = client_no_answer(c, subject, config->timeout_ms);
	natsSubscription_Destroy(answers);
	buffer_clear(&body);
	return r;
}

/* --- all of them --- */

static int by_id(const void *a, const void *b)
{
	const struct list_entry *one = a, *other = b;

	return strcmp(one->instance_id, other->instance_id);
}

/* Adds a page and sets token to where the next one begins, "" after the last. */
static int add_page(struct client *c, const struct config *config, struct listing *l, char *token)
{
	size_t expected = l->answers ? l->answers : 1;
	struct page page = { 0 };
	int r = gather_page(c, config, token, expected, &page);

	if (r != 0)
		goto out;
	r = -1;
	if (page.n < expected) {
		output_error("%zu meterds answered at first, and now only %zu: some instances "
			     "would be missing", expected, page.n);
		goto out;
	}
	if (page.next && strcmp(page.next, token) <= 0) {
		output_error("next_page_token '%s' does not go on", page.next);
		goto out;
	}
	r = keep_page(l, &page);
	if (!l->answers)
		l->answers = page.n;
	snprintf(l->node, sizeof l->node, "%s", page.replies[0].node ? page.replies[0].node : "");
	snprintf(token, IDENT_MAX + 1, "%s", page.next ? page.next : "");
out:
	page_clear(&page);
	return r;
}

int listing_gather(struct client *c, const struct config *config, struct listing *out)
{
	struct listing l = { 0 };
	char token[IDENT_MAX + 1] = "";
	int r;

	do {
		r = add_page(c, config, &l, token);
	} while (r == 0 && *token);
	if (r != 0) {
		listing_clear(&l);
		return r;
	}
	if (l.n > 0)
		qsort(l.entries, l.n, sizeof *l.entries, by_id);
	*out = l;
	return 0;
}

void listing_clear(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free((char *)l->entries[i].instance_id);	/* all of its strings */
	free(l->entries);
	*l = (struct listing){ 0 };
}
