#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ident.h"
#include "ring.h"
#include "servers.h"
#include "sockets.h"
#include "subject.h"
#include "timefmt.h"

enum setting_type {
	SETTING_TEXT,
	SETTING_SERVERS,
	SETTING_SOCKETS,
	SETTING_ROOT,		/* empty, or a folder that has a proc/ */
	SETTING_PREFIX,		/* tokens of a subject */
	SETTING_LIFECYCLE,	/* a prefix and ".>" */
	SETTING_IDENT,		/* empty, or one token of a subject */
	SETTING_CHOICE,
	SETTING_COUNT,
	SETTING_BYTES,
	SETTING_DURATION,
	SETTING_SWITCH,
};

#define CHOICES_MAX 5

struct setting {
	const char *name;	/* of the flag */
	char letter;		/* short flag or 0 */
	const char *env;
	enum config_program program;
	enum setting_type type;
	size_t offset;		/* in struct config */
	const char *standard;	/* the default, written as a user would */
	int64_t min;		/* COUNT, BYTES; DURATION in ms */
	int64_t max;
	const char *choices[CHOICES_MAX];	/* their index is the value; the rest NULL */
	const char *help;
};

#define AT(field) offsetof(struct config, field)
#define KIB 1024LL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define SECOND 1000LL
#define HOUR (3600 * SECOND)

static const struct setting settings[] = {
	{ "server", 's', "NATS_URL", CONFIG_BOTH, SETTING_SERVERS, AT(server),
	  "nats://127.0.0.1:4222", 0, 0, { 0 }, "NATS server, or several separated by commas" },
	{ "subject-prefix", 0, "METERD_SUBJECT_PREFIX", CONFIG_BOTH, SETTING_PREFIX,
	  AT(subject_prefix), "metrics", 0, 0, { 0 },
	  "first part of the subjects of samples and queries" },
	{ "control-prefix", 0, "METERD_CONTROL_PREFIX", CONFIG_METERD, SETTING_PREFIX,
	  AT(control_prefix), "controlplane", 0, 0, { 0 },
	  "first part of the subjects on which the control plane is asked" },
	{ "lifecycle-subject", 0, "METERD_LIFECYCLE_SUBJECT", CONFIG_BOTH, SETTING_LIFECYCLE,
	  AT(lifecycle_subject), "instance.>", 0, 0, { 0 }, "where lifecycle events come in" },
	{ "node", 0, "METERD_NODE", CONFIG_METERD, SETTING_IDENT, AT(node), "", 0, 0, { 0 },
	  "serve only instances whose target names this node" },
	{ "source", 0, "METERD_SOURCE", CONFIG_METERD, SETTING_CHOICE, AT(source), "auto", 0, 0,
	  { "auto", "cgroup", "process", "bus" },
	  "how instances are read; auto chooses by what their target says" },
	{ "host-root", 0, "METERD_HOST_ROOT", CONFIG_METERD, SETTING_ROOT, AT(host_root), "", 0, 0,
	  { 0 }, "where the root of the host is mounted, inside a container" },
	{ "engine-sockets", 0, "METERD_ENGINE_SOCKETS", CONFIG_METERD, SETTING_SOCKETS,
	  AT(engine_sockets), "/run/docker.sock,/run/podman/podman.sock", 0, 0, { 0 },
	  "container engines that are asked where a container is" },
	{ "process-children", 0, "METERD_PROCESS_CHILDREN", CONFIG_METERD, SETTING_SWITCH,
	  AT(process_children), "no", 0, 0, { 0 },
	  "read a process together with its descendants" },
	{ "interval", 0, "METERD_INTERVAL", CONFIG_METERD, SETTING_DURATION, AT(interval_ms), "10s",
	  100, 24 * HOUR, { 0 }, "time between two samples of an instance" },
	{ "capacity", 0, "METERD_CAPACITY", CONFIG_METERD, SETTING_COUNT, AT(capacity), "60480", 1,
	  RING_CAPACITY_MAX, { 0 }, "samples kept of each instance (60480 at 10s: 7 days)" },
	{ "max-instances", 0, "METERD_MAX_INSTANCES", CONFIG_METERD, SETTING_COUNT,
	  AT(max_instances), "100000", 1, 10000000, { 0 }, "instances tracked at once" },
	{ "max-pending-requests", 0, "METERD_MAX_PENDING_REQUESTS", CONFIG_METERD, SETTING_COUNT,
	  AT(max_pending_requests), "1024", 1, 1000000, { 0 },
	  "requests that wait for an answer; more are answered with 429" },
	{ "max-body-bytes", 0, "METERD_MAX_BODY_BYTES", CONFIG_METERD, SETTING_BYTES,
	  AT(max_body_bytes), "64KiB", 256, 16 * MIB, { 0 },
	  "body of one lifecycle event, or of one reading from the bus" },
	{ "max-tombstones", 0, "METERD_MAX_TOMBSTONES", CONFIG_METERD, SETTING_COUNT,
	  AT(max_tombstones), "65536", 0, 10000000, { 0 },
	  "deleted ids remembered, so that a late event does not bring them back" },
	{ "tombstone-ttl", 0, "METERD_TOMBSTONE_TTL", CONFIG_METERD, SETTING_DURATION,
	  AT(tombstone_ttl_ms), "1h", SECOND, 365 * 24 * HOUR, { 0 },
	  "how long they are remembered" },
	{ "max-output-bytes", 0, "METERD_MAX_OUTPUT_BYTES", CONFIG_METERD, SETTING_BYTES,
	  AT(max_output_bytes), "8MiB", 64 * KIB, GIB, { 0 },
	  "NATS output buffer; samples and replies beyond it are dropped and counted" },
	{ "max-reply-points", 0, "METERD_MAX_REPLY_POINTS", CONFIG_METERD, SETTING_COUNT,
	  AT(max_reply_points), "11000", 8, RANGE_BUCKETS_MAX, { 0 },
	  "points (buckets x aggregates) of one range reply" },
	{ "max-open-files", 0, "METERD_MAX_OPEN_FILES", CONFIG_METERD, SETTING_COUNT,
	  AT(max_open_files), "0", 0, 10000000, { 0 },
	  "files kept open between readings; 0: 3/4 of the process's limit, the most there is" },
	{ "log-level", 0, "METERD_LOG_LEVEL", CONFIG_METERD, SETTING_CHOICE, AT(log_level), "info",
	  0, 0, { "error", "warning", "info", "debug" }, "what is written to standard error" },
	{ "timeout", 0, "METERCTL_TIMEOUT", CONFIG_METERCTL, SETTING_DURATION, AT(timeout_ms), "5s",
	  10, HOUR, { 0 }, "how long to wait for an answer" },
	{ "help", 'h', NULL, CONFIG_BOTH, SETTING_SWITCH, AT(help), "no", 0, 0, { 0 },
	  "this text" },
	{ "version", 'V', NULL, CONFIG_BOTH, SETTING_SWITCH, AT(version), "no", 0, 0, { 0 },
	  "the version" },
};

#define N_SETTINGS (sizeof settings / sizeof *settings)
#define FLAG_FIRST 256	/* getopt_long() returns this for the first setting */

/* --- what a value may be --- */

static bool parse_bytes(const char *s, int64_t *out)
{
	static const struct { const char *suffix; int64_t factor; } units[] = {
		{ "", 1 }, { "B", 1 }, { "KiB", KIB }, { "MiB", MIB }, { "GiB", GIB },
	};
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*out = strtoll(s, &end, 10);
	for (size_t i = 0; errno == 0 && i < sizeof units / sizeof *units; i++)
		if (strcmp(end, units[i].suffix) == 0)
			return !__builtin_mul_overflow(*out, units[i].factor, out);
	return false;
}

static bool parse_count(const char *s, int64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*out = strtoll(s, &end, 10);
	return errno == 0 && *end == '\0';
}

static bool parse_choice(const struct setting *set, const char *s, int64_t *out)
{
	for (int i = 0; i < CHOICES_MAX && set->choices[i]; i++) {
		if (strcmp(s, set->choices[i]) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

static bool parse_switch(const char *s, bool *out)
{
	static const char *const yes[] = { "yes", "true", "1" };
	static const char *const no[] = { "no", "false", "0" };

	for (int i = 0; i < 3; i++) {
		if (strcmp(s, yes[i]) == 0 || strcmp(s, no[i]) == 0) {
			*out = strcmp(s, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

static bool lifecycle_valid(const char *s)
{
	char base[SUBJECT_MAX];
	size_t len = strlen(s);

	if (len < 3 || len >= sizeof base || strcmp(s + len - 2, ".>") != 0)
		return false;
	memcpy(base, s, len - 2);
	base[len - 2] = '\0';
	return subject_prefix_valid(base);
}

static bool root_valid(const char *path)
{
	char proc[4096];
	int n = snprintf(proc, sizeof proc, "%s/proc", path);

	return *path == '/' && n < (int)sizeof proc && access(proc, X_OK) == 0;
}

static bool text_valid(const struct setting *set, const char *value)
{
	struct sockets sockets;

	switch (set->type) {
	case SETTING_SERVERS:
		return servers_valid(value);
	case SETTING_SOCKETS:
		return sockets_parse(value, "", &sockets);
	case SETTING_ROOT:
		return *value == '\0' || root_valid(value);
	case SETTING_PREFIX:
		return subject_prefix_valid(value);
	case SETTING_LIFECYCLE:
		return lifecycle_valid(value);
	case SETTING_IDENT:
		return *value == '\0' || ident_valid(value, strlen(value));
	default:
		return *value || !*set->standard;
	}
}

/* Takes the value over into *c when it may be; else *c is as it was. */
static bool take(struct config *c, const struct setting *set, const char *value)
{
	void *at = (char *)c + set->offset;
	int64_t number = 0;
	bool good = false;

	switch (set->type) {
	case SETTING_TEXT:
	case SETTING_SERVERS:
	case SETTING_SOCKETS:
	case SETTING_ROOT:
	case SETTING_PREFIX:
	case SETTING_LIFECYCLE:
	case SETTING_IDENT:
		if (!text_valid(set, value))
			return false;
		*(const char **)at = value;
		return true;
	case SETTING_SWITCH:
		return parse_switch(value, at);
	case SETTING_CHOICE:
		good = parse_choice(set, value, &number);
		break;
	case SETTING_COUNT:
		good = parse_count(value, &number);
		break;
	case SETTING_BYTES:
		good = parse_bytes(value, &number);
		break;
	case SETTING_DURATION:
		good = timefmt_parse_duration(value, strlen(value), &number);
		break;
	}
	if (!good || (set->max && (number < set->min || number > set->max)))
		return false;
	*(int64_t *)at = number;
	return true;
}

/* "250ms", "10s", "1h": the largest unit that is whole. */
static void print_duration(char *out, size_t size, int64_t ms)
{
	static const struct { const char *unit; int64_t ms; } units[] = {
		{ "d", 24 * HOUR }, { "h", HOUR }, { "m", 60 * SECOND }, { "s", SECOND },
		{ "ms", 1 },
	};
	size_t i = 0;

	while (ms % units[i].ms != 0)
		i++;
	snprintf(out, size, "%" PRId64 "%s", ms / units[i].ms, units[i].unit);
}

static void describe(const struct setting *set, char *out, size_t size)
{
	char min[32], max[32];
	size_t len;

	switch (set->type) {
	case SETTING_TEXT:
		snprintf(out, size, "any text but nothing");
		break;
	case SETTING_SERVERS:
		snprintf(out, size, SERVERS_RULE);
		break;
	case SETTING_SOCKETS:
		snprintf(out, size, SOCKETS_RULE);
		break;
	case SETTING_ROOT:
		snprintf(out, size, "the absolute path of a folder with a proc/ in it");
		break;
	case SETTING_PREFIX:
		snprintf(out, size, "tokens of A-Z a-z 0-9 _ - joined by dots");
		break;
	case SETTING_LIFECYCLE:
		snprintf(out, size, "tokens of A-Z a-z 0-9 _ - joined by dots, then .>");
		break;
	case SETTING_IDENT:
		snprintf(out, size, IDENT_RULE);
		break;
	case SETTING_SWITCH:
		snprintf(out, size, "yes or no");
		break;
	case SETTING_CHOICE:
		len = (size_t)snprintf(out, size, "%s", set->choices[0]);
		for (int i = 1; i < CHOICES_MAX && set->choices[i] && len < size; i++)
			len += (size_t)snprintf(out + len, size - len, ", %s", set->choices[i]);
		break;
	case SETTING_DURATION:
		print_duration(min, sizeof min, set->min);
		print_duration(max, sizeof max, set->max);
		snprintf(out, size, "%s to %s", min, max);
		break;
	case SETTING_COUNT:
	case SETTING_BYTES:
		snprintf(out, size, "%" PRId64 " to %" PRId64, set->min, set->max);
		break;
	}
}

/* --- where values come from --- */

int config_wrong(const char *where, const char *value, const char *may_be, char *error,
		 size_t error_size)
{
	char *shown = servers_masked(value);	/* it may be a URL with a password in it */

	snprintf(error, error_size, "%s: '%.100s' is not what it may be: %s", where,
		 shown ? shown : "", may_be);
	free(shown);
	for (char *c = error; *c; c++)	/* one line, whatever the value */
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return -1;
}

static int wrong(const struct setting *set, const char *where, const char *value, char *error,
		 size_t error_size)
{
	char may_be[160];

	describe(set, may_be, sizeof may_be);
	return config_wrong(where, value, may_be, error, error_size);
}

static bool belongs(const struct setting *set, enum config_program program)
{
	return (set->program & program) != 0;
}

int config_load_environment(struct config *c, enum config_program program, char *error,
			    size_t error_size)
{
	int result = 0;

	*c = (struct config){ 0 };
	for (size_t i = 0; i < N_SETTINGS; i++) {
		const struct setting *set = &settings[i];
		const char *value;

		if (!belongs(set, program))
			continue;
		if (!take(c, set, set->standard))
			abort();	/* our own table is wrong */
		value = set->env ? getenv(set->env) : NULL;
		if (value && *value && !take(c, set, value) && result == 0)
			result = wrong(set, set->env, value, error, error_size);
	}
	return result;
}

/* What getopt_long() wants to know of all options, a program's own first. */
struct flags {
	struct option options[CONFIG_OWN_MAX + N_SETTINGS + 1];
	char letters[3 * (CONFIG_OWN_MAX + N_SETTINGS) + 3];
	size_t n;
	size_t n_letters;
};

static void add_flag(struct flags *f, const struct option *o, int letter)
{
	f->options[f->n++] = *o;
	if (letter <= ' ' || letter > CHAR_MAX)
		return;
	f->letters[f->n_letters++] = (char)letter;
	if (o->has_arg == required_argument)
		f->letters[f->n_letters++] = ':';
}

static void make_flags(struct flags *f, enum config_program program, const struct config_own *own)
{
	/* ':' tells a missing value from an unknown option; '+' stops at the first operand. */
	*f = (struct flags){ .letters = "+:", .n_letters = 2 };
	if (own && own->anywhere)
		*f = (struct flags){ .letters = ":", .n_letters = 1 };
	for (size_t i = 0; own && i < own->n; i++)
		add_flag(f, &own->options[i], own->options[i].val);
	for (size_t i = 0; i < N_SETTINGS; i++) {
		const struct setting *set = &settings[i];
		struct option o = { set->name, required_argument, NULL, FLAG_FIRST + (int)i };

		if (set->type == SETTING_SWITCH)
			o.has_arg = no_argument;
		if (belongs(set, program))
			add_flag(f, &o, set->letter);
	}
}

/* NULL: it is none of the settings. */
static const struct setting *setting_of(int option)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (option == FLAG_FIRST + (int)i || (option > 0 && option == settings[i].letter))
			return &settings[i];
	return NULL;
}

/* getopt_long() returned found, '?' or ':'. In a cluster such as -xh word is the one before. */
static int refuse_flag(int found, const char *word, char *error, size_t error_size)
{
	const char letter[] = { '-', (char)optopt, '\0' };
	bool is_long = strncmp(word, "--", 2) == 0;
	const char *why = "no such option";

	if (found == ':')
		why = "needs a value";
	else if (is_long && optopt != 0)
		why = "takes no value";
	snprintf(error, error_size, "%.100s: %s (--help lists the options)",
		 is_long ? word : letter, why);
	return -1;
}

int config_take_flags(struct config *c, enum config_program program, const struct config_own *own,
		      int argc, char **argv, char *error, size_t error_size)
{
	struct flags f;
	int found;

	make_flags(&f, program, own);
	opterr = 0;
	optind = 0;	/* start over: it may be called more than once */
	while (!c->help && !c->version &&
	       (found = getopt_long(argc, argv, f.letters, f.options, NULL)) != -1) {
		const struct setting *set = setting_of(found);
		const char *value = optarg;
		char where[64];

		if (found == '?' || found == ':')
			return refuse_flag(found, argv[optind - 1], error, error_size);
		if (!set && own->take(own->ctx, found, optarg, error, error_size) < 0)
			return -1;
		if (!set)
			continue;
		if (set->type == SETTING_SWITCH)
			value = "yes";
		snprintf(where, sizeof where, "--%s", set->name);
		if (!take(c, set, value))
			return wrong(set, where, value, error, error_size);
	}
	return optind;
}

int config_check(const struct config *c, char *error, size_t error_size)
{
	struct sockets sockets;
	char mine[SUBJECT_MAX];
	const struct {
		const char *setting;
		const char *prefix;
	} prefixes[] = { { "--subject-prefix", c->subject_prefix },
			 { "--control-prefix", c->control_prefix },
			 { "its own inbox", CONFIG_INBOX } };

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		if (!prefixes[i].prefix)
			continue;
		snprintf(mine, sizeof mine, "%s.>", prefixes[i].prefix);
		if (subject_patterns_overlap(c->lifecycle_subject, mine)) {
			snprintf(error, error_size,
				 "--lifecycle-subject: '%.100s' is not what it may be: a subject "
				 "that does not overlap with %.150s (%s), or meterd would hear "
				 "itself", c->lifecycle_subject, mine, prefixes[i].setting);
			return -1;
		}
	}
	if (c->engine_sockets && !sockets_parse(c->engine_sockets, c->host_root, &sockets)) {
		snprintf(error, error_size, "--engine-sockets: '%.100s' is not what it may be: paths "
			 "of at most %d bytes below --host-root %.80s", c->engine_sockets,
			 SOCKETS_PATH_MAX - 1, c->host_root);
		return -1;
	}
	return 0;
}

int config_load(struct config *c, enum config_program program, int argc, char **argv, char *error,
		size_t error_size)
{
	char environment[256];
	int bad = config_load_environment(c, program, environment, sizeof environment);
	int first = config_take_flags(c, program, NULL, argc, argv, error, error_size);

	if (first < 0 || c->help || c->version)
		return first;
	if (bad) {
		snprintf(error, error_size, "%s", environment);
		return -1;
	}
	return config_check(c, error, error_size) < 0 ? -1 : first;
}

void config_print_settings(FILE *out, enum config_program program)
{
	for (size_t i = 0; i < N_SETTINGS; i++) {
		const struct setting *set = &settings[i];
		char may_be[160], flag[64];

		if (!belongs(set, program))
			continue;
		if (set->letter)
			snprintf(flag, sizeof flag, "-%c, --%s", set->letter, set->name);
		else
			snprintf(flag, sizeof flag, "    --%s", set->name);
		fprintf(out, "  %-28s %s\n", flag, set->help);
		if (!set->env)
			continue;
		describe(set, may_be, sizeof may_be);
		if (set->type == SETTING_SWITCH) {
			fprintf(out, "  %-28s takes no value; %s=%s\n", "", set->env, may_be);
			continue;
		}
		fprintf(out, "  %-28s %s%s; %s; %s\n", "",
			*set->standard ? "default " : "no default", set->standard, may_be,
			set->env);
	}
}
