#include "loop.h"

#include <errno.h>
#include <event2/thread.h>
#include <time.h>

int loop_init(struct loop *l, struct stats *stats)
{
	*l = (struct loop){ .stats = stats };
	if (evthread_use_pthreads() < 0)
		return -ENOMEM;
	l->base = event_base_new();
	l->now = loop_clock();
	return l->base ? 0 : -ENOMEM;
}

void loop_deinit(struct loop *l)
{
	if (l->base)
		event_base_free(l->base);
	l->base = NULL;
}

struct moment loop_clock(void)
{
	struct timespec mono, wall;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct moment){ mono.tv_sec * 1000000000LL + mono.tv_nsec,
				wall.tv_sec * 1000LL + wall.tv_nsec / 1000000 };
}

const struct moment *loop_enter(struct loop *l)
{
	if (!l->in_pass) {
		l->in_pass = true;
		l->now = loop_clock();
	}
	return &l->now;
}

static void pass_over(struct loop *l)
{
	uint64_t held_us;

	l->stats->loop_passes++;
	if (!l->in_pass)
		return;
	l->in_pass = false;
	held_us = (uint64_t)(loop_clock().mono_ns - l->now.mono_ns) / 1000;
	if (held_us > l->stats->loop_held_max_us)
		l->stats->loop_held_max_us = held_us;
}

void loop_run(struct loop *l, void (*after_pass)(void *ctx), void *ctx)
{
	while (!l->stopping) {
		event_base_loop(l->base, EVLOOP_ONCE);
		pass_over(l);
		if (after_pass)
			after_pass(ctx);
	}
}

void loop_stop(struct loop *l)
{
	l->stopping = true;
	event_base_loopbreak(l->base);
}
