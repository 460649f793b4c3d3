#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "metrics_url.h"
#include "probe_engine.h"
#include "probe_page.h"

/* A longer name is none, and told so by its beginning. */
#define PROBE_NAME_MAX 1024

/* One probe under way. */
struct attempt {
	struct probe *probe;
	const struct config *config;
	struct source_set *set;
	struct source *source;		/* NULL until it is found */
	struct probe_page *page;	/* NULL: it has none */
	bool out_of_memory;
};

void probe_notes_add(struct probe_notes *notes, const char *what, const char *found)
{
	struct probe_note *note = &notes->list[notes->n];

	if (notes->n == PROBE_NOTES_MAX)
		return;
	note->what = strdup(what);
	note->found = strdup(found);
	notes->n++;
}

void probe_notes_clear(struct probe_notes *notes)
{
	for (size_t i = 0; i < notes->n; i++) {
		free(notes->list[i].what);
		free(notes->list[i].found);
	}
	notes->n = 0;
}

static void note_file(void *ctx, const char *path, const char *found)
{
	probe_notes_add(ctx, path, found);
}

/* --- finding it --- */

/* r is what binding it came to. */
static void note_way(struct attempt *a, const char *way, enum source_kind kind, int r,
		     const char *why)
{
	struct probe *p = a->probe;

	if (r == 0) {
		p->kind = kind;
		source_describe(a->source, p->bound, sizeof p->bound);
		probe_notes_add(&p->ways, way, p->bound);
		return;
	}
	a->out_of_memory = a->out_of_memory || r < 0;
	probe_notes_add(&p->ways, way, r < 0 ? strerror(-r) : why);
	if (r > 0)
		snprintf(p->error, sizeof p->error, "%s", why);
}

static void bind(struct attempt *a, const char *way, enum source_kind kind,
		 const struct target *target)
{
	char why[SOURCE_ERROR_MAX];
	int r;

	r = source_bind(a->set, kind, target, &a->source, why);
	note_way(a, way, kind, r, why);
}

static void try_path(struct attempt *a)
{
	const struct target only = { .cgroup_path = a->probe->target.cgroup_path };

	if (only.cgroup_path)
		bind(a, "cgroup_path", SOURCE_CGROUP, &only);
	else
		probe_notes_add(&a->probe->ways, "cgroup_path", "not given");
}

/* Why a process is not read by its cgroup. */
static void note_shared(struct attempt *a, const struct target *only)
{
	char why[SOURCE_ERROR_MAX], bound[TARGET_STRING_MAX + 128];
	struct source *shared = NULL;
	size_t len;

	if (source_bind(a->set, SOURCE_CGROUP, only, &shared, why) != 0) {
		probe_notes_add(&a->probe->ways, "pid", why);
		return;
	}
	source_describe(shared, bound, sizeof bound);
	len = strlen(bound);
	snprintf(bound + len, sizeof bound - len, " is not its own: its parent is in it, too, or "
		 "its CPU cannot be read");
	probe_notes_add(&a->probe->ways, "pid", bound);
	source_free(shared);
}

/* A cgroup when it is the process's own, else the process, unless the settings say which. */
static void try_pid(struct attempt *a)
{
	const struct target only = { .pid = a->probe->target.pid };

	if (!only.pid) {
		probe_notes_add(&a->probe->ways, "pid", "not given");
	} else if (a->config->source == CONFIG_SOURCE_CGROUP ||
		   source_choose(a->set, &only) == SOURCE_CGROUP) {
		bind(a, "pid", SOURCE_CGROUP, &only);
	} else {
		note_shared(a, &only);
		bind(a, "process", SOURCE_PROCESS, &only);
	}
}

static void try_id(struct attempt *a)
{
	const struct target only = { .container_id = a->probe->target.container_id };

	if (only.container_id)
		bind(a, "container_id", SOURCE_CGROUP, &only);
	else
		probe_notes_add(&a->probe->ways, "container_id", "not given");
}

/* meterd asks for cp-<instance id> when nothing else was said. */
static void try_name(struct attempt *a)
{
	struct probe *p = a->probe;
	bool standard = p->id && (!p->target.pid || a->config->source == CONFIG_SOURCE_CGROUP);
	char name[PROBE_NAME_MAX], why[SOURCE_ERROR_MAX];
	struct container found;
	int r;

	if (!p->target.container_name && !standard) {
		probe_notes_add(&p->ways, "container_name", "not given");
		return;
	}
	if (p->target.container_name)
		snprintf(name, sizeof name, "%s", p->target.container_name);
	else
		snprintf(name, sizeof name, "cp-%s", p->id);
	r = probe_engine_ask(a->config, name, &found, why);
	if (r == 0)
		r = source_bind_container(a->set, &found, &a->source, why);
	note_way(a, "container_name", SOURCE_CGROUP, r, why);
}

static void find(struct attempt *a)
{
	const struct target only = { .pid = a->probe->target.pid };
	static void (*const ways[])(struct attempt *) = { try_pid, try_id, try_name };

	if (a->config->source == CONFIG_SOURCE_BUS)
		return;
	if (a->config->source == CONFIG_SOURCE_PROCESS) {
		bind(a, "process", SOURCE_PROCESS, &only);
		return;
	}
	try_path(a);
	/* Who says the cgroup itself means that one. */
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		if (!a->source && !a->probe->target.cgroup_path)
			ways[i](a);
}

/* --- reading it --- */

/* Only one that could be read: what failed before is no sentence to end with. */
static int read_once(struct attempt *a, struct reading *out)
{
	struct probe *p = a->probe;
	char shown[METRICS_URL_SHOWN_MAX], found[PROBE_FOUND_MAX];
	bool good;
	int r;

	probe_notes_clear(&p->files);
	p->error[0] = '\0';
	*out = (struct reading){ 0 };
	if (a->source) {
		r = source_read(a->set, a->source, out, p->error);
		a->out_of_memory = a->out_of_memory || r < 0;
		if (r != 0)
			return r;
	}
	if (a->page) {
		metrics_url_shown(p->metrics_url, shown);
		good = probe_page_read(a->page, out, found);
		probe_notes_add(&p->files, shown, found);
		/* Beside a source that can be read a page that cannot is no failure. */
		if (!good && !a->source) {
			snprintf(p->error, sizeof p->error, "%.*s", (int)sizeof p->error - 1,
				 found);
			return FAILURE_UNREADABLE;
		}
	}
	return 0;
}

static void wait_ms(int64_t ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void read_twice(struct attempt *a)
{
	struct probe *p = a->probe;
	struct reading first;

	if (read_once(a, &first) != 0)
		return;
	p->reading = first;
	if (p->span_ms > 0) {
		wait_ms(p->span_ms);
		if (read_once(a, &p->reading) != 0)
			return;
	}
	p->has_reading = true;
	rate_sample(p->span_ms > 0 ? &first : NULL, &p->reading, wall_ms(), &p->sample);
}

static bool has_place(const struct probe *p)
{
	return p->id || p->target.pid || p->target.cgroup_path || p->target.container_id ||
	       p->target.container_name;
}

static void find_page(struct attempt *a)
{
	struct probe *p = a->probe;
	char why[SOURCE_ERROR_MAX];
	int r;

	r = probe_page_new(&a->page, a->config, p->metrics_url, why);
	a->out_of_memory = a->out_of_memory || r < 0;
	if (r > 0)
		probe_notes_add(&p->ways, "metrics_url", why);
	if (r > 0 && p->error[0] == '\0')
		snprintf(p->error, sizeof p->error, "metrics_url: %.*s", (int)sizeof p->error - 16, why);
}

int probe_run(struct probe *p, const struct config *config)
{
	const struct source_observer observer = { note_file, &p->files };
	const struct source_options options = {
		.host_root = config->host_root,
		.process_children = config->process_children,
		.max_open_files = PROBE_NOTES_MAX,
		.observer = &observer,
	};
	struct attempt a = { .probe = p, .config = config };
	int r;

	r = source_set_new(&a.set, &options);
	if (r < 0)
		return r;
	if (has_place(p))
		find(&a);
	if (p->metrics_url)
		find_page(&a);
	if (a.source || (a.page && !has_place(p)))
		read_twice(&a);
	else if (p->error[0] == '\0')
		snprintf(p->error, sizeof p->error, "with --source bus meterd asks the control "
			 "plane, and reads nothing here");
	probe_page_free(a.page);
	source_free(a.source);
	source_set_free(a.set);
	return a.out_of_memory ? -ENOMEM : 0;
}
