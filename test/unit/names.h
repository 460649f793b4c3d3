/*
 * names - the resolver of a test: its getaddrinfo() goes before the C library's, also for libcurl.
 *
 * Names that begin with "silent" are not answered before they are released.
 */
#ifndef METER_TEST_NAMES_H
#define METER_TEST_NAMES_H

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define NAMES_CALLS_MAX 256

static const struct {
	const char *name;
	const char *addresses[3];
} names_known[] = {
	{ "good.test", { "127.0.0.1" } },
	{ "other.test", { "127.0.0.1" } },
	{ "second.test", { "127.0.0.2", "127.0.0.1" } },
	{ "mixed.test", { "::1", "127.0.0.1" } },
	{ "inner.test", { "169.254.169.254", "10.0.0.1" } },
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t calls;
	char called[NAMES_CALLS_MAX][32];	/* in the order of the calls */
	size_t silent;				/* under way and not answered */
	size_t released;			/* so many more may be answered */
} names = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void names_stay_silent(const char *name)
{
	pthread_mutex_lock(&names.lock);
	if (names.calls < NAMES_CALLS_MAX)
		snprintf(names.called[names.calls], sizeof names.called[0], "%s", name);
	names.calls++;
	if (strncmp(name, "silent", 6) == 0) {
		names.silent++;
		while (names.released == 0)
			pthread_cond_wait(&names.changed, &names.lock);
		names.released--;
		names.silent--;
		pthread_cond_broadcast(&names.changed);
	}
	pthread_mutex_unlock(&names.lock);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	struct addrinfo numeric = *hints;
	int r = EAI_NONAME;

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	numeric.ai_flags |= AI_NUMERICHOST;
	names_stay_silent(name);
	*out = NULL;
	for (size_t i = 0; i < sizeof names_known / sizeof *names_known; i++) {
		if (strcmp(names_known[i].name, name) != 0)
			continue;
		for (const char *const *a = names_known[i].addresses; *a; a++) {
			r = real(*a, service, &numeric, out);
			if (r != 0)
				return r;
			while (*out)
				out = &(*out)->ai_next;
		}
	}
	return r;
}

static inline size_t names_count(const size_t *what)
{
	size_t n;

	pthread_mutex_lock(&names.lock);
	n = *what;
	pthread_mutex_unlock(&names.lock);
	return n;
}

/* Answers so many silent ones and waits until they are. */
static inline void names_release(size_t n)
{
	pthread_mutex_lock(&names.lock);
	names.released += n;
	pthread_cond_broadcast(&names.changed);
	while (names.released > 0)
		pthread_cond_wait(&names.changed, &names.lock);
	pthread_mutex_unlock(&names.lock);
}

#endif
