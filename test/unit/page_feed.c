#include "page_feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef EXPOSITIONS
#define EXPOSITIONS "."
#endif

char *page_load(const char *name, size_t *len)
{
	char path[4096], *text;
	FILE *f;
	long size;

	snprintf(path, sizeof path, "%s/%s.txt", EXPOSITIONS, name);
	f = fopen(path, "r");
	if (!f || fseek(f, 0, SEEK_END) < 0 || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) < 0) {
		perror(path);
		exit(1);
	}
	text = malloc((size_t)size + 1);
	if (!text || fread(text, 1, (size_t)size, f) != (size_t)size)
		abort();
	text[size] = '\0';
	fclose(f);
	*len = (size_t)size;
	return text;
}

static size_t piece(struct page_pieces *how, size_t left)
{
	size_t n = how->most;

	if (n == 0)
		return left;
	if (how->seed != 0) {
		how->seed = how->seed * 6364136223846793005u + 1442695040888963407u;
		n = 1 + (size_t)(how->seed >> 33) % n;
	}
	return n < left ? n : left;
}

int page_feed_all(struct scrape *s, const char *text, size_t len, bool openmetrics,
		  struct page_pieces how, int64_t mono_ns, struct scrape_result *out)
{
	size_t n;
	int r;

	r = scrape_begin(s, openmetrics);
	if (r < 0)
		return r;
	for (size_t at = 0; at < len; at += n) {
		char *copy;

		n = piece(&how, len - at);
		/* Memory of its own, so that a byte too far is seen. */
		copy = malloc(n);
		if (!copy)
			abort();
		memcpy(copy, text + at, n);
		r = scrape_feed(s, copy, n);
		free(copy);
		if (r < 0)
			return r;
	}
	return scrape_end(s, mono_ns, out);
}

static bool same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof a) == 0;
}

bool page_results_equal(const struct scrape_result *a, const struct scrape_result *b)
{
	return same_bits(a->requests_per_sec, b->requests_per_sec) &&
	       same_bits(a->latency_p95_ms, b->latency_p95_ms) &&
	       a->requests_why == b->requests_why && a->latency_why == b->latency_why &&
	       (a->request_family == b->request_family ||
		(a->request_family && b->request_family &&
		 strcmp(a->request_family, b->request_family) == 0)) &&
	       (a->latency_family == b->latency_family ||
		(a->latency_family && b->latency_family &&
		 strcmp(a->latency_family, b->latency_family) == 0)) &&
	       a->bytes == b->bytes && a->lines == b->lines && a->series == b->series &&
	       a->duplicates == b->duplicates && strcmp(a->error, b->error) == 0;
}
