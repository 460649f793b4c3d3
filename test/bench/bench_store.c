/*
 * The store measured: bytes a sample, appends, and the three windows of a dashboard, on the traces
 * of test/data/traces repeated until a ring is full, each beside a plain array of 80-byte structs
 * in the same run. How to read it is in README, "Benchmark".
 *
 *   bench_store [--quick] [NAME...]	only these traces; entropy and constant are names too
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed.h"
#include "generator.h"
#include "measure.h"
#include "plain.h"
#include "ring.h"
#include "trace_file.h"

#define CAPACITY 60480	/* a week at 10 s */
#define CYCLE 2048	/* samples from one group of blocks to the next */
#define INSTANCES_MOST 6
#define SUBJECTS_MOST (TRACE_COUNT + 2)
#define BUCKETS 120
#define UNALIGNED_MS 600000	/* windows end somewhere in the newest ten minutes */
#define EXTREME_MOST 4		/* times the mean of the traces, that a query of anything may take */

enum window { HOUR, DAY, WEEK, WINDOWS };

static const int64_t window_ms[WINDOWS] = { 3600000, 86400000, 604800000 };

struct instance {
	struct ring *ring;
	struct plain plain;
	int64_t newest_ms;
};

/* A figure of the ring, and of the array beside it. */
struct pair {
	double ring;
	double plain;
};

struct subject {
	struct feed feed;
	struct trace trace;	/* no rows: one of the extremes */
	struct instance instances[INSTANCES_MOST];
	struct pair bytes;
	double absent_bytes;	/* with 30 % of each field absent; NAN of the extremes */
	struct pair append;
	struct pair append_999;
	struct pair append_longest;
	struct pair query[WINDOWS];	/* of the table that is being measured */
	struct times times[WINDOWS][2];
};

static struct {
	int instances;
	int cycles;	/* of appending */
	int repeats;	/* of each query */
	uint64_t seed;
	struct subject subjects[SUBJECTS_MOST];
	size_t n;
} bench = { .instances = INSTANCES_MOST, .cycles = 15, .repeats = 15 };

static void check(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-result));
	exit(1);
}

static struct ring *ring_made(void)
{
	struct ring *r;

	check(ring_new(&r, CAPACITY, TRACE_INTERVAL_MS), "ring_new");
	return r;
}

/* Each instance stops at another place of the cycle, so that what is measured is its mean. */
static void instance_fill(struct instance *in, struct feed feed, int number)
{
	int samples = CAPACITY + CYCLE + CYCLE * number / bench.instances;

	in->ring = ring_made();
	plain_init(&in->plain, CAPACITY);
	feed.i += (uint64_t)number * 1000;
	for (int i = 0; i < samples; i++) {
		struct sample s = feed_next(&feed);

		check(ring_append(in->ring, &s), "ring_append");
		plain_append(&in->plain, &s);
		in->newest_ms = s.at_ms;
	}
}

static void subjects_fill(void)
{
	for (size_t i = 0; i < bench.n; i++)
		for (int k = 0; k < bench.instances; k++)
			instance_fill(&bench.subjects[i].instances[k], bench.subjects[i].feed, k);
}

/* What is measured is the same work: a day of both has the same buckets with as many samples. */
static void subjects_compare(void)
{
	for (size_t i = 0; i < bench.n; i++) {
		const struct instance *in = &bench.subjects[i].instances[0];
		struct range_query q = { in->newest_ms - window_ms[DAY] + 1, in->newest_ms + 1,
					 700001, AGGREGATE_ALL };
		struct range_result a, b;
		size_t row = 0;

		check(ring_range(in->ring, &q, &a), "ring_range");
		check(plain_range(&in->plain, &q, &b), "plain_range");
		while (row < a.n && row < b.n && a.at_ms[row] == b.at_ms[row] &&
		       a.count[row] == b.count[row])
			row++;
		if (row != a.n || row != b.n) {
			fprintf(stderr, "%s: ring and array do not agree\n",
				bench.subjects[i].feed.name);
			exit(1);
		}
		range_result_clear(&a);
		range_result_clear(&b);
	}
}

static void subjects_clear(void)
{
	for (size_t i = 0; i < bench.n; i++) {
		struct subject *s = &bench.subjects[i];

		for (int k = 0; k < bench.instances; k++) {
			ring_free(s->instances[k].ring);
			plain_clear(&s->instances[k].plain);
		}
		trace_clear(&s->trace);
	}
}

/* Mean over one cycle of a full ring. */
static double bytes_of(struct feed feed)
{
	struct ring *r = ring_made();
	double bytes = 0;

	for (int i = 0; i < CAPACITY + 3 * CYCLE; i++) {
		struct sample s = feed_next(&feed);

		check(ring_append(r, &s), "ring_append");
		if (i >= CAPACITY + 2 * CYCLE)
			bytes += (double)ring_bytes(r) / (double)ring_count(r) / CYCLE;
	}
	ring_free(r);
	return bytes;
}

static void measure_bytes(struct subject *s)
{
	struct feed absent = s->feed;

	absent.absent = 0.3;
	s->bytes = (struct pair){ bytes_of(s->feed), sizeof(struct plain_sample) };
	s->absent_bytes = s->trace.n ? bytes_of(absent) : (double)NAN;
}

static int64_t appended_ns(struct instance *in, bool plain, const struct sample *samples, int n)
{
	int64_t start = measure_now_ns();

	for (int i = 0; i < n; i++) {
		if (plain)
			plain_append(&in->plain, &samples[i]);
		else
			check(ring_append(in->ring, &samples[i]), "ring_append");
	}
	return measure_now_ns() - start;
}

/* Of each cycle once as a whole, and once sample by sample. */
static void measure_append(struct subject *s)
{
	struct times whole[2] = { 0 }, single[2] = { 0 }, longest[2] = { 0 };
	struct feed feed = s->feed;
	struct instance in;

	instance_fill(&in, feed, 0);
	feed.i += CAPACITY + CYCLE;
	for (int cycle = 0; cycle < 2 * bench.cycles; cycle++) {
		struct sample samples[CYCLE];

		for (int i = 0; i < CYCLE; i++)
			samples[i] = feed_next(&feed);
		for (int plain = 0; plain < 2; plain++) {
			double most = 0;

			if (cycle % 2 == 0)
				times_add(&whole[plain],
					  (double)appended_ns(&in, plain, samples, CYCLE) / CYCLE);
			for (int i = 0; cycle % 2 && i < CYCLE; i++) {
				double ns = (double)appended_ns(&in, plain, &samples[i], 1);

				times_add(&single[plain], ns);
				most = ns > most ? ns : most;
			}
			if (cycle % 2)
				times_add(&longest[plain], most);
		}
	}
	s->append = (struct pair){ times_quantile(&whole[0], 0.5), times_quantile(&whole[1], 0.5) };
	s->append_999 = (struct pair){ times_quantile(&single[0], 0.999),
				       times_quantile(&single[1], 0.999) };
	s->append_longest =
		(struct pair){ times_quantile(&longest[0], 0.5), times_quantile(&longest[1], 0.5) };
	for (int plain = 0; plain < 2; plain++) {
		times_clear(&whole[plain]);
		times_clear(&single[plain]);
		times_clear(&longest[plain]);
	}
	ring_free(in.ring);
	plain_clear(&in.plain);
}

static void measure_query(struct subject *s, int number, enum window w, bool plain,
			  unsigned aggregates, bool counts)
{
	struct instance *in = &s->instances[number];
	struct range_query q = { .aggregates = aggregates, .resolution_ms = window_ms[w] / BUCKETS };
	struct range_result got;
	int64_t start;

	q.until_ms = in->newest_ms - (int64_t)generator_below(&bench.seed, UNALIGNED_MS);
	q.since_ms = q.until_ms - window_ms[w];
	start = measure_now_ns();
	check(plain ? plain_range(&in->plain, &q, &got) : ring_range(in->ring, &q, &got), "range");
	if (counts)
		times_add(&s->times[w][plain], (double)(measure_now_ns() - start));
	range_result_clear(&got);
}

/* The same instance again and again. */
static void measure_warm(enum window w, bool plain, unsigned aggregates)
{
	for (size_t i = 0; i < bench.n; i++)
		for (int k = 0; k < bench.instances; k++)
			for (int repeat = -1; repeat < bench.repeats; repeat++)
				measure_query(&bench.subjects[i], k, w, plain, aggregates,
					      repeat >= 0);
}

/* One instance after the other, and nothing of them in any cache. */
static void measure_cold(enum window w, bool plain, unsigned aggregates)
{
	for (int repeat = 0; repeat < bench.repeats; repeat++) {
		measure_sweep_caches();
		for (int k = 0; k < bench.instances; k++)
			for (size_t i = 0; i < bench.n; i++)
				measure_query(&bench.subjects[i], k, w, plain, aggregates, true);
	}
}

static void measure_queries(bool cold, unsigned aggregates)
{
	for (int w = 0; w < WINDOWS; w++) {
		for (int plain = 0; plain < 2; plain++) {
			if (cold)
				measure_cold((enum window)w, plain, aggregates);
			else
				measure_warm((enum window)w, plain, aggregates);
		}
		for (size_t i = 0; i < bench.n; i++) {
			struct times *t = bench.subjects[i].times[w];

			bench.subjects[i].query[w] = (struct pair){ times_quantile(&t[0], 0.5),
								    times_quantile(&t[1], 0.5) };
			times_clear(&t[0]);
			times_clear(&t[1]);
		}
	}
}

static struct pair *pair_at(struct subject *s, size_t offset)
{
	return (struct pair *)(void *)((char *)s + offset);
}

/* Over the traces, without the extremes; NAN when only those were asked for. */
static struct pair mean_of(size_t offset)
{
	struct pair mean = { 0, 0 };
	int n = 0;

	for (size_t i = 0; i < bench.n; i++) {
		if (bench.subjects[i].trace.n == 0)
			continue;
		mean.ring += pair_at(&bench.subjects[i], offset)->ring;
		mean.plain += pair_at(&bench.subjects[i], offset)->plain;
		n++;
	}
	return (struct pair){ mean.ring / n, mean.plain / n };
}

struct column {
	const char *title;
	size_t offset;		/* of a struct pair in a subject */
	double unit;		/* is divided by */
	int decimals;
};

static void cells_print(const struct column *c, struct pair p)
{
	printf("  %10.*f %10.*f %6.2f", c->decimals, p.ring / c->unit, c->decimals,
	       p.plain / c->unit, p.ring / p.plain);
}

static void line_print(struct subject *s, const struct column *columns, size_t n)
{
	printf("%-12s", s->feed.name);
	for (size_t c = 0; c < n; c++)
		cells_print(&columns[c], *pair_at(s, columns[c].offset));
	printf("\n");
}

/* The traces, their mean, and below it the extremes. */
static void table_print(const char *title, const struct column *columns, size_t n)
{
	printf("\n%s\n%-12s", title, "");
	for (size_t c = 0; c < n; c++)
		printf("  %28s", columns[c].title);
	printf("\n%-12s", "");
	for (size_t c = 0; c < n; c++)
		printf("  %10s %10s %6s", "ring", "array", "r/a");
	printf("\n");
	for (size_t i = 0; i < bench.n; i++)
		if (bench.subjects[i].trace.n)
			line_print(&bench.subjects[i], columns, n);
	printf("%-12s", "mean, traces");
	for (size_t c = 0; c < n; c++)
		cells_print(&columns[c], mean_of(columns[c].offset));
	printf("\n");
	for (size_t i = 0; i < bench.n; i++)
		if (bench.subjects[i].trace.n == 0)
			line_print(&bench.subjects[i], columns, n);
	fflush(stdout);
}

static void bytes_line(const char *name, struct pair bytes, double absent)
{
	printf("%-12s %8.2f %8.3f %16.1f", name, bytes.ring, bytes.ring / bytes.plain,
	       bytes.ring * CAPACITY / 1000);
	if (!isnan(absent))
		printf(" %14.2f", absent);
	printf("\n");
}

static void bytes_table(void)
{
	double absent = 0;
	struct pair mean;
	int traces = 0;

	for (size_t i = 0; i < bench.n; i++)
		measure_bytes(&bench.subjects[i]);
	printf("\nBytes a sample, all memory counted, mean over one cycle of groups (array: "
	       "%zu)\n%-12s %8s %8s "
	       "%16s %14s\n",
	       sizeof(struct plain_sample), "", "ring", "r/a", "full ring, KB", "30 % absent");
	for (size_t i = 0; i < bench.n; i++) {
		struct subject *s = &bench.subjects[i];

		bytes_line(s->feed.name, s->bytes, s->absent_bytes);
		if (s->trace.n == 0)
			continue;
		absent += s->absent_bytes;
		traces++;
	}
	mean = mean_of(offsetof(struct subject, bytes));
	if (traces)
		bytes_line("mean, traces", mean, absent / traces);
	fflush(stdout);
}

static void append_table(void)
{
	static const struct column columns[] = {
		{ "amortised", offsetof(struct subject, append), 1, 1 },
		{ "99.9 % are below", offsetof(struct subject, append_999), 1, 0 },
		{ "longest of a cycle, median", offsetof(struct subject, append_longest), 1, 0 },
	};

	for (size_t i = 0; i < bench.n; i++)
		measure_append(&bench.subjects[i]);
	table_print("Append to a full ring, ns", columns, sizeof columns / sizeof *columns);
}

/* However hard to pack, no instance may be much slower to ask than others. */
static void extremes_print(void)
{
	static const char *const names[WINDOWS] = { "1 h", "24 h", "7 d" };

	for (size_t i = 0; i < bench.n; i++) {
		struct subject *s = &bench.subjects[i];

		if (s->trace.n)
			continue;
		printf("%s against the mean:", s->feed.name);
		for (size_t w = 0; w < WINDOWS; w++) {
			struct pair mean =
				mean_of(offsetof(struct subject, query) + w * sizeof(struct pair));
			double times = s->query[w].ring / mean.ring;

			printf(" %s %.2f%s", names[w], times,
			       times > EXTREME_MOST ? " TOO SLOW" : "");
		}
		printf("   (at most %d)\n", EXTREME_MOST);
	}
}

static void query_table(bool cold, unsigned aggregates)
{
	static const struct column columns[WINDOWS] = {
		{ "1 h", offsetof(struct subject, query[HOUR]), 1000, 1 },
		{ "24 h", offsetof(struct subject, query[DAY]), 1000, 1 },
		{ "7 d", offsetof(struct subject, query[WEEK]), 1000, 1 },
	};
	char title[160];

	measure_queries(cold, aggregates);
	snprintf(title, sizeof title, "%s of 7 fields into %d unaligned buckets, %s, us",
		 aggregates == AGGREGATE_ALL ? "Mean, min, max and last" : "Mean", BUCKETS,
		 cold ? "nothing in a cache" : "the same instance again");
	table_print(title, columns, WINDOWS);
	extremes_print();
}

static void subject_add(struct feed feed)
{
	bench.subjects[bench.n++].feed = feed;
}

static bool is_wanted(const char *name, char **names)
{
	bool wanted = !*names;

	for (; *names; names++)
		wanted |= strcmp(name, *names) == 0;
	return wanted;
}

static void subjects_choose(char **names)
{
	for (size_t i = 0; i < TRACE_COUNT; i++) {
		struct subject *s = &bench.subjects[bench.n];

		if (!is_wanted(trace_names[i], names))
			continue;
		trace_read(&s->trace, TRACES, trace_names[i]);
		subject_add(feed_trace(&s->trace, 0));
	}
	if (is_wanted("entropy", names))
		subject_add(feed_entropy());
	if (is_wanted("constant", names))
		subject_add(feed_constant());
	if (bench.n > 0)
		return;
	fprintf(stderr, "no such trace; there are:");
	for (size_t i = 0; i < TRACE_COUNT; i++)
		fprintf(stderr, " %s", trace_names[i]);
	fprintf(stderr, " entropy constant\n");
	exit(2);
}

static void build_print(void)
{
	printf("Store of meterd %s, compiler %s, build type %s\n", METERD_VERSION, __VERSION__,
	       BUILD_TYPE);
	printf("%d samples a ring, %d instances a line, %d repeats; one look at the clock: %.0f "
	       "ns\n",
	       CAPACITY, bench.instances, bench.repeats, measure_clock_ns());
#ifndef __OPTIMIZE__
	printf("WARNING: compiled without optimisation: the times say nothing\n");
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
	printf("WARNING: compiled with a sanitizer: the times say nothing\n");
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer) || __has_feature(undefined_behavior_sanitizer)
	printf("WARNING: compiled with a sanitizer: the times say nothing\n");
#endif
#endif
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "quick", no_argument, NULL, 'q' }, { 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'q')
			return 2;
		bench.instances = 2;
		bench.cycles = 2;
		bench.repeats = 2;
	}
	subjects_choose(argv + optind);
	build_print();
	bytes_table();
	append_table();
	subjects_fill();
	subjects_compare();
	query_table(false, AGGREGATE_BIT(AGGREGATE_MEAN));
	query_table(true, AGGREGATE_BIT(AGGREGATE_MEAN));
	query_table(false, AGGREGATE_ALL);
	query_table(true, AGGREGATE_ALL);
	subjects_clear();
	return 0;
}
