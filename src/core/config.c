#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ident.h"
#include "ring.h"
#include "subject.h"
#include "timefmt.h"

enum setting_type {
	SETTING_TEXT,
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
	{ "server", 's', "NATS_URL", CONFIG_BOTH, SETTING_TEXT, AT(server),
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
	{ "host-root", 0, "METERD_HOST_ROOT", CONFIG_METERD, SETTING_TEXT, AT(host_root), "", 0, 0,
	  { 0 }, "where the root of the host is mounted, inside a container" },
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
	static const char *const yes[] = { "yes", "true", "1" }, *const no[] = { "no", "false", "0" };

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

/* Takes the value over into *c when it may be. */
static bool take(struct config *c, const struct setting *set, const char *value)
{
	void *at = (char *)c + set->offset;
	const char **text = at;
	int64_t number = 0;
	bool good = false;

	switch (set->type) {
	case SETTING_TEXT:
		*text = value;
		return *value || !*set->standard;
	case SETTING_PREFIX:
		*text = value;
		return subject_prefix_valid(value);
	case SETTING_LIFECYCLE:
		*text = value;
		return lifecycle_valid(value);
	case SETTING_IDENT:
		*text = value;
		return *value == '\0' || ident_valid(value, strlen(value));
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
		{ "d", 24 * HOUR }, { "h", HOUR }, { "m", 60 * SECOND }, { "s", SECOND }, { "ms", 1 },
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

static int wrong(const struct setting *set, const char *where, const char *value, char *error,
		 size_t error_size)
{
	char may_be[160];

	describe(set, may_be, sizeof may_be);
	snprintf(error, error_size, "%s: '%.100s' is not what it may be: %s", where, value, may_be);
	return -1;
}

static bool belongs(const struct setting *set, enum config_program program)
{
	return (set->program & program) != 0;
}

static int load_environment(struct config *c, enum config_program program, char *error,
			    size_t error_size)
{
	for (size_t i = 0; i < N_SETTINGS; i++) {
		const struct setting *set = &settings[i];
		const char *value;

		if (!belongs(set, program))
			continue;
		if (!take(c, set, set->standard))
			abort();	/* our own table is wrong */
		value = set->env ? getenv(set->env) : NULL;
		if (value && *value && !take(c, set, value))
			return wrong(set, set->env, value, error, error_size);
	}
	return 0;
}

static int load_flags(struct config *c, enum config_program program, int argc, char **argv,
		      char *error, size_t error_size)
{
	struct option options[N_SETTINGS + 1] = { 0 };
	char letters[2 * N_SETTINGS + 3] = "+:";
	size_t n_letters = 2;
	int found, index;

	for (size_t i = 0, n = 0; i < N_SETTINGS; i++) {
		const struct setting *set = &settings[i];
		bool bare = set->type == SETTING_SWITCH;

		if (!belongs(set, program))
			continue;
		options[n++] = (struct option){ set->name, bare ? no_argument : required_argument,
						NULL, 256 + (int)i };
		if (set->letter)
			letters[n_letters++] = set->letter;
		if (set->letter && !bare)
			letters[n_letters++] = ':';
	}
	letters[n_letters] = '\0';
	opterr = 0;
	optind = 0;	/* start over: the tests call this more than once */
	while ((found = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		const struct setting *set = NULL;
		char where[64];

		if (found == '?' || found == ':') {
			snprintf(error, error_size, "%.100s: %s (--help lists the settings)",
				 argv[optind - 1],
				 found == ':' ? "needs a value" : "no such setting");
			return -1;
		}
		for (index = 0; index < (int)N_SETTINGS; index++)
			if (found == 256 + index || found == settings[index].letter)
				set = &settings[index];
		if (!set)
			abort();
		snprintf(where, sizeof where, "--%s", set->name);
		if (!take(c, set, set->type == SETTING_SWITCH ? "yes" : optarg))
			return wrong(set, where, optarg, error, error_size);
	}
	return 0;
}

/* What is right one by one and wrong together. */
static int check_together(const struct config *c, char *error, size_t error_size)
{
	char mine[SUBJECT_MAX];
	const char *const prefixes[] = { c->subject_prefix, c->control_prefix };

	for (size_t i = 0; i < 2; i++) {
		if (!prefixes[i])
			continue;
		snprintf(mine, sizeof mine, "%s.>", prefixes[i]);
		if (subject_patterns_overlap(c->lifecycle_subject, mine)) {
			snprintf(error, error_size,
				 "--lifecycle-subject: '%.100s' is not what it may be: a subject "
				 "that does not overlap with %.150s, or meterd would hear itself",
				 c->lifecycle_subject, mine);
			return -1;
		}
	}
	return 0;
}

int config_load(struct config *c, enum config_program program, int argc, char **argv, char *error,
		size_t error_size)
{
	*c = (struct config){ 0 };
	if (load_environment(c, program, error, error_size) < 0 ||
	    load_flags(c, program, argc, argv, error, error_size) < 0)
		return -1;
	if (!c->help && !c->version && check_together(c, error, error_size) < 0)
		return -1;
	return optind;
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
		fprintf(out, "  %-28s %s%s%s; %s; %s\n", "", *set->standard ? "default " : "no default",
			set->standard, "", may_be, set->env);
	}
}
