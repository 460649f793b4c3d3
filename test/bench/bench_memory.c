/*
 * The memory of a thousand instances together, as the kernel counts it, beside what their rings say
 * they hold (ring_bytes(), which `meterctl replay --report` prints): whether the allocator loses
 * some of it between so many blocks that come and go.
 *
 *   bench_memory [--quick]
 *
 * Rings are filled as a daemon fills them, a sample for each in turn, with the traces of
 * test/data/traces.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "feed.h"
#include "ring.h"
#include "trace_file.h"

#define INSTANCES 1000
#define CAPACITY 60480	/* a week at 10 s */
#define QUICK 10	/* times fewer of both */
#define APART 977	/* samples between the places in a trace where instances begin */

struct instance {
	struct ring *ring;
	struct feed feed;
};

static size_t resident_bytes(void)
{
	size_t pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%*s %zu", &pages) != 1) {
		perror("/proc/self/statm");
		exit(1);
	}
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void fill(struct instance *instances, int n, long samples)
{
	for (long i = 0; i < samples; i++) {
		for (int k = 0; k < n; k++) {
			struct sample s = feed_next(&instances[k].feed);

			if (ring_append(instances[k].ring, &s) < 0) {
				fprintf(stderr, "out of memory\n");
				exit(1);
			}
		}
	}
}

static void report(const struct instance *instances, int n, size_t before)
{
	size_t resident = resident_bytes() - before, said = 0, samples = 0;

	for (int k = 0; k < n; k++) {
		said += ring_bytes(instances[k].ring);
		samples += ring_count(instances[k].ring);
	}
	printf("%d instances with %zu samples: rings say %.1f MB (%.2f B a sample), "
	       "resident %.1f MB, %+.1f %%\n", n, samples, (double)said / 1e6,
	       (double)said / (double)samples, (double)resident / 1e6,
	       100 * ((double)resident / (double)said - 1));
}

int main(int argc, char **argv)
{
	int quick = argc > 1 && strcmp(argv[1], "--quick") == 0 ? QUICK : 1;
	int n = INSTANCES / quick;
	long capacity = CAPACITY / quick;
	struct instance *instances = calloc((size_t)n, sizeof *instances);
	struct trace traces[TRACE_COUNT];
	size_t before;

	for (int i = 0; i < TRACE_COUNT; i++)
		trace_read(&traces[i], TRACES, trace_names[i]);
	before = resident_bytes();
	for (int k = 0; instances && k < n; k++) {
		instances[k].feed = feed_trace(&traces[k % TRACE_COUNT], 0);
		instances[k].feed.i = (uint64_t)k * APART;
		if (ring_new(&instances[k].ring, (size_t)capacity, TRACE_INTERVAL_MS) < 0)
			return 1;
	}
	fill(instances, n, capacity);
	report(instances, n, before);
	/* Groups are freed and made now. */
	fill(instances, n, capacity / 4);
	report(instances, n, before);
	for (int k = 0; k < n; k++)
		ring_free(instances[k].ring);
	for (int i = 0; i < TRACE_COUNT; i++)
		trace_clear(&traces[i]);
	free(instances);
	return 0;
}
