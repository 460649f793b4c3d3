#include "measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * What a machine says of its third cache may be that of the whole host: this is more than one
 * socket has.
 */
#define SWEEP_BYTES (256u << 20)

void times_add(struct times *t, double ns)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 256;
		t->ns = reallocarray(t->ns, t->cap, sizeof *t->ns);
		if (!t->ns)
			abort();
	}
	t->ns[t->n++] = ns;
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

double times_quantile(struct times *t, double part)
{
	if (t->n == 0)
		return (double)NAN;
	qsort(t->ns, t->n, sizeof *t->ns, compare);
	return t->ns[(size_t)(part * (double)(t->n - 1))];
}

void times_clear(struct times *t)
{
	free(t->ns);
	*t = (struct times){ 0 };
}

double measure_clock_ns(void)
{
	struct times t = { 0 };
	double median;

	for (int i = 0; i < 10001; i++) {
		int64_t start = measure_now_ns();

		times_add(&t, (double)(measure_now_ns() - start));
	}
	median = times_quantile(&t, 0.5);
	times_clear(&t);
	return median;
}

void measure_sweep_caches(void)
{
	static unsigned char *memory;
	static int round;

	if (!memory)
		memory = malloc(SWEEP_BYTES);
	if (!memory)
		abort();
	memset(memory, ++round, SWEEP_BYTES);
	/* So that the compiler cannot know that nobody reads it. */
	__asm__ volatile("" : : "r"(memory) : "memory");
}
