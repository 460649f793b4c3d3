#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "family.h"
#include "networks.h"
#include "servers.h"
#include "sockets.h"
#include "url_template.h"

#define ARGS_MAX 8
#define KIB 1024LL
#define MIB (1024 * KIB)
#define SECOND 1000LL
#define HOUR (3600 * SECOND)

/* 95 bytes */
#define LONG_NAME "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiii.sock"

#define AT(field) offsetof(struct config, field)

/* Every setting that is a number: its default and its bounds, as written and as they are. */
static const struct number_case {
	const char *name;
	const char *env;
	enum config_program program;
	size_t offset;
	int64_t standard;
	const char *least;
	int64_t least_value;
	const char *most;
	int64_t most_value;
	const char *below;
	const char *above;
	const char *may_be;
} numbers[] = {
	{ "interval", "METERD_INTERVAL", CONFIG_METERD, AT(interval_ms), 10 * SECOND, "100ms", 100,
	  "24h", 24 * HOUR, "99ms", "86400001ms", "100ms to 1d" },
	{ "capacity", "METERD_CAPACITY", CONFIG_METERD, AT(capacity), 60480, "1", 1, "16777216",
	  16777216, "0", "16777217", "1 to 16777216" },
	{ "max-instances", "METERD_MAX_INSTANCES", CONFIG_METERD, AT(max_instances), 100000, "1", 1,
	  "10000000", 10000000, "0", "10000001", "1 to 10000000" },
	{ "max-pending-requests", "METERD_MAX_PENDING_REQUESTS", CONFIG_METERD,
	  AT(max_pending_requests), 1024, "1", 1, "1000000", 1000000, "0", "1000001",
	  "1 to 1000000" },
	{ "max-body-bytes", "METERD_MAX_BODY_BYTES", CONFIG_METERD, AT(max_body_bytes), 64 * KIB,
	  "256B", 256, "16MiB", 16 * MIB, "255", "16777217", "256 to 16777216" },
	{ "max-tombstones", "METERD_MAX_TOMBSTONES", CONFIG_METERD, AT(max_tombstones), 65536, "0",
	  0, "10000000", 10000000, "-1", "10000001", "0 to 10000000" },
	{ "tombstone-ttl", "METERD_TOMBSTONE_TTL", CONFIG_METERD, AT(tombstone_ttl_ms), HOUR, "1s",
	  SECOND, "365d", 365 * 24 * HOUR, "999ms", "366d", "1s to 365d" },
	{ "max-output-bytes", "METERD_MAX_OUTPUT_BYTES", CONFIG_METERD, AT(max_output_bytes),
	  8 * MIB, "64KiB", 64 * KIB, "1GiB", 1024 * MIB, "65535", "2GiB", "65536 to 1073741824" },
	{ "max-reply-points", "METERD_MAX_REPLY_POINTS", CONFIG_METERD, AT(max_reply_points), 11000,
	  "8", 8, "100000", 100000, "7", "100001", "8 to 100000" },
	{ "max-open-files", "METERD_MAX_OPEN_FILES", CONFIG_METERD, AT(max_open_files), 0, "0", 0,
	  "10000000", 10000000, "-1", "10000001", "0 to 10000000" },
	{ "metrics-timeout", "METERD_METRICS_TIMEOUT", CONFIG_METERD, AT(metrics_timeout_ms),
	  5 * SECOND, "10ms", 10, "1h", HOUR, "9ms", "3600001ms", "10ms to 1h" },
	{ "max-scrape-bytes", "METERD_MAX_SCRAPE_BYTES", CONFIG_METERD, AT(max_scrape_bytes),
	  4 * MIB, "1KiB", KIB, "64MiB", 64 * MIB, "1023", "67108865", "1024 to 67108864" },
	{ "max-scrape-series", "METERD_MAX_SCRAPE_SERIES", CONFIG_METERD, AT(max_scrape_series),
	  2000, "1", 1, "100000", 100000, "0", "100001", "1 to 100000" },
	{ "timeout", "METERCTL_TIMEOUT", CONFIG_METERCTL, AT(timeout_ms), 5 * SECOND, "10ms", 10,
	  "1h", HOUR, "9ms", "2h", "10ms to 1h" },
};

#define N_NUMBERS (sizeof numbers / sizeof *numbers)

/* Every setting that is a text. */
static const struct text_case {
	const char *name;
	const char *env;
	enum config_program program;
	size_t offset;
	const char *standard;
	const char *good;
	const char *bad;
	const char *may_be;
} texts[] = {
	{ "server", "NATS_URL", CONFIG_BOTH, AT(server), "nats://127.0.0.1:4222",
	  "nats://a:1,nats://b:2", "", SERVERS_RULE },
	{ "subject-prefix", "METERD_SUBJECT_PREFIX", CONFIG_BOTH, AT(subject_prefix), "metrics",
	  "acme.metrics-1_x", "a..b", "tokens of A-Z a-z 0-9 _ - joined by dots" },
	{ "control-prefix", "METERD_CONTROL_PREFIX", CONFIG_METERD, AT(control_prefix),
	  "controlplane", "cp", "c p", "tokens of A-Z a-z 0-9 _ - joined by dots" },
	{ "lifecycle-subject", "METERD_LIFECYCLE_SUBJECT", CONFIG_BOTH, AT(lifecycle_subject),
	  "instance.>", "acme.instance.>", "instance.*",
	  "tokens of A-Z a-z 0-9 _ - joined by dots, then .>" },
	{ "node", "METERD_NODE", CONFIG_METERD, AT(node), "", "node-1", "node.1",
	  "1 to 128 characters of A-Z a-z 0-9 _ -" },
	{ "host-root", "METERD_HOST_ROOT", CONFIG_METERD, AT(host_root), "", "/",
	  "/dev/null", "the absolute path of a folder with a proc/ in it" },
	{ "engine-sockets", "METERD_ENGINE_SOCKETS", CONFIG_METERD, AT(engine_sockets),
	  "/run/docker.sock,/run/podman/podman.sock", "unix:///run/docker.sock", "docker.sock",
	  SOCKETS_RULE },
	{ "metrics-url-template", "METERD_METRICS_URL_TEMPLATE", CONFIG_METERD,
	  AT(metrics_url_template), "", "http://{container_ip}:9100/metrics", "http://{ip}/",
	  URL_TEMPLATE_RULE "; the template has the unknown variable {ip}" },
	{ "metrics-networks", "METERD_METRICS_NETWORKS", CONFIG_METERD, AT(metrics_networks),
	  "127.0.0.0/8,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7", "10.1.0.0/16,::1",
	  "10.1.0.0/8", NETWORKS_RULE "; '10.1.0.0/8' has bits set behind the first 8" },
	{ "metrics-ca", "METERD_METRICS_CA", CONFIG_METERD, AT(metrics_ca), "", "/proc/self/exe",
	  "/dev/null", "a file that can be read" },
	{ "request-counter", "METERD_REQUEST_COUNTER", CONFIG_METERD, AT(request_counter), "",
	  "my.requests", "a{b=\"c\"}", FAMILY_NAME_RULE },
	{ "latency-histogram", "METERD_LATENCY_HISTOGRAM", CONFIG_METERD, AT(latency_histogram), "",
	  "my_seconds", "my seconds", FAMILY_NAME_RULE },
};

#define N_TEXTS (sizeof texts / sizeof *texts)

static const struct choice_case {
	const char *name;
	const char *env;
	size_t offset;
	int64_t standard;
	const char *choices[5];
	const char *may_be;
} choices[] = {
	{ "source", "METERD_SOURCE", AT(source), CONFIG_SOURCE_AUTO,
	  { "auto", "cgroup", "process", "bus" }, "auto, cgroup, process, bus" },
	{ "log-level", "METERD_LOG_LEVEL", AT(log_level), CONFIG_LOG_INFO,
	  { "error", "warning", "info", "debug" }, "error, warning, info, debug" },
};

#define N_CHOICES (sizeof choices / sizeof *choices)

/* --- helpers --- */

static struct config config;
static char error[512];

/* Arguments after the program's name, up to NULL. */
static int load(enum config_program program, const char *const args[])
{
	char *argv[ARGS_MAX + 2] = { (char *)"program" };
	int argc = 1;

	for (; args && argc <= ARGS_MAX && args[argc - 1]; argc++)
		argv[argc] = (char *)args[argc - 1];
	error[0] = '\0';
	return config_load(&config, program, argc, argv, error, sizeof error);
}

static int load_flag(enum config_program program, const char *name, const char *value)
{
	char flag[64];
	const char *const args[] = { flag, value, NULL };

	snprintf(flag, sizeof flag, "--%s", name);
	return load(program, args);
}

static enum config_program one_of(enum config_program program)
{
	return program == CONFIG_METERCTL ? CONFIG_METERCTL : CONFIG_METERD;
}

static int64_t number_at(size_t offset)
{
	return *(const int64_t *)(const void *)((const char *)&config + offset);
}

static const char *text_at(size_t offset)
{
	return *(const char *const *)(const void *)((const char *)&config + offset);
}

/*
 * The one line names the setting, the value and what it may be. Not inlined: gcc -O3 then believes that a
 * row of the tables has no value.
 */
static __attribute__((noinline)) void
assert_wrong(int result, const char *where, const char *value, const char *may_be)
{
	char want[512];

	assert_int_equal(result, -1);
	snprintf(want, sizeof want, "%s: '%s' is not what it may be: %s", where, value, may_be);
	assert_string_equal(error, want);
}

static int clear_environment(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_NUMBERS; i++)
		unsetenv(numbers[i].env);
	for (size_t i = 0; i < N_TEXTS; i++)
		unsetenv(texts[i].env);
	for (size_t i = 0; i < N_CHOICES; i++)
		unsetenv(choices[i].env);
	unsetenv("METERD_PROCESS_CHILDREN");
	unsetenv("METERD_LATENCY_QUANTILE");
	return 0;
}

/* --- each setting --- */

static void test_defaults(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_NUMBERS; i++) {
		assert_int_equal(load(one_of(numbers[i].program), NULL), 1);
		assert_int_equal(number_at(numbers[i].offset), numbers[i].standard);
	}
	assert_int_equal(load(CONFIG_METERD, NULL), 1);
	for (size_t i = 0; i < N_TEXTS; i++)
		assert_string_equal(text_at(texts[i].offset), texts[i].standard);
	for (size_t i = 0; i < N_CHOICES; i++)
		assert_int_equal(number_at(choices[i].offset), choices[i].standard);
	assert_false(config.process_children || config.help || config.version);
}

static void test_bounds(void **state)
{
	char where[64];

	(void)state;
	for (size_t i = 0; i < N_NUMBERS; i++) {
		const struct number_case *c = &numbers[i];
		enum config_program program = one_of(c->program);
		const char *const bad[] = { c->below, c->above, "", "x", "1x", "-5", "1.5.1", " 20",
					    "9223372036854775808" };

		printf("# %s\n", c->name);
		assert_int_equal(load_flag(program, c->name, c->least), 3);
		assert_int_equal(number_at(c->offset), c->least_value);
		assert_int_equal(load_flag(program, c->name, c->most), 3);
		assert_int_equal(number_at(c->offset), c->most_value);
		snprintf(where, sizeof where, "--%s", c->name);
		for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
			assert_wrong(load_flag(program, c->name, bad[k]), where, bad[k], c->may_be);
	}
}

static void test_environment(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_NUMBERS; i++) {
		const struct number_case *c = &numbers[i];
		enum config_program program = one_of(c->program);

		printf("# %s\n", c->env);
		setenv(c->env, c->least, 1);
		assert_int_equal(load(program, NULL), 1);
		assert_int_equal(number_at(c->offset), c->least_value);
		/* A flag wins. */
		assert_int_equal(load_flag(program, c->name, c->most), 3);
		assert_int_equal(number_at(c->offset), c->most_value);
		setenv(c->env, c->below, 1);
		assert_wrong(load(program, NULL), c->env, c->below, c->may_be);
		/* Empty is as not set. */
		setenv(c->env, "", 1);
		assert_int_equal(load(program, NULL), 1);
		assert_int_equal(number_at(c->offset), c->standard);
		unsetenv(c->env);
	}
}

static void test_texts(void **state)
{
	char where[64];

	(void)state;
	for (size_t i = 0; i < N_TEXTS; i++) {
		const struct text_case *c = &texts[i];
		enum config_program program = one_of(c->program);

		printf("# %s\n", c->name);
		assert_int_equal(load_flag(program, c->name, c->good), 3);
		assert_string_equal(text_at(c->offset), c->good);
		setenv(c->env, c->good, 1);
		assert_int_equal(load(program, NULL), 1);
		assert_string_equal(text_at(c->offset), c->good);
		unsetenv(c->env);
		if (!c->bad)
			continue;
		snprintf(where, sizeof where, "--%s", c->name);
		assert_wrong(load_flag(program, c->name, c->bad), where, c->bad, c->may_be);
	}
}

static void test_choices(void **state)
{
	char where[64];

	(void)state;
	for (size_t i = 0; i < N_CHOICES; i++) {
		const struct choice_case *c = &choices[i];

		printf("# %s\n", c->name);
		for (int k = 0; c->choices[k]; k++) {
			assert_int_equal(load_flag(CONFIG_METERD, c->name, c->choices[k]), 3);
			assert_int_equal(number_at(c->offset), k);
		}
		snprintf(where, sizeof where, "--%s", c->name);
		assert_wrong(load_flag(CONFIG_METERD, c->name, "Auto"), where, "Auto", c->may_be);
		setenv(c->env, "debugger", 1);
		assert_wrong(load(CONFIG_METERD, NULL), c->env, "debugger", c->may_be);
		unsetenv(c->env);
	}
}

static void test_switch(void **state)
{
	static const struct {
		const char *value;
		bool want;
	} cases[] = { { "yes", true }, { "true", true }, { "1", true },
		      { "no", false }, { "false", false }, { "0", false } };
	const char *const flag[] = { "--process-children", NULL };

	(void)state;
	assert_int_equal(load(CONFIG_METERD, flag), 2);
	assert_true(config.process_children);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		setenv("METERD_PROCESS_CHILDREN", cases[i].value, 1);
		assert_int_equal(load(CONFIG_METERD, NULL), 1);
		assert_int_equal(config.process_children, cases[i].want);
	}
	setenv("METERD_PROCESS_CHILDREN", "maybe", 1);
	assert_wrong(load(CONFIG_METERD, NULL), "METERD_PROCESS_CHILDREN", "maybe", "yes or no");
	unsetenv("METERD_PROCESS_CHILDREN");
}

static void test_quantile(void **state)
{
	static const char *const bad[] = { "", "0", "1", "1.0", "95", "0,95", "-0.5", "5e-1",
					   "nan" };
	const char *const name = "latency-quantile";

	(void)state;
	assert_int_equal(load(CONFIG_METERD, NULL), 1);
	assert_true(config.latency_quantile == 0.95);
	assert_int_equal(load_flag(CONFIG_METERD, name, "0.5"), 3);
	assert_true(config.latency_quantile == 0.5);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_wrong(load_flag(CONFIG_METERD, name, bad[i]), "--latency-quantile", bad[i],
			     FAMILY_QUANTILE_RULE);
	setenv("METERD_LATENCY_QUANTILE", "0.99", 1);
	assert_int_equal(load(CONFIG_METERD, NULL), 1);
	assert_true(config.latency_quantile == 0.99);
	assert_int_equal(load_flag(CONFIG_METERD, name, "0.9"), 3);
	assert_true(config.latency_quantile == 0.9);
	setenv("METERD_LATENCY_QUANTILE", "1", 1);
	assert_wrong(load(CONFIG_METERD, NULL), "METERD_LATENCY_QUANTILE", "1",
		     FAMILY_QUANTILE_RULE);
	unsetenv("METERD_LATENCY_QUANTILE");
}

/* --- values --- */

static const struct value_case {
	const char *name;
	const char *setting;
	const char *text;
	int64_t want;	/* -1: refused */
} values[] = {
	{ "bytes", "max-output-bytes", "8388608", 8 * MIB },
	{ "bytes with B", "max-output-bytes", "8388608B", 8 * MIB },
	{ "KiB", "max-output-bytes", "8192KiB", 8 * MIB },
	{ "MiB", "max-output-bytes", "8MiB", 8 * MIB },
	{ "GiB", "max-output-bytes", "1GiB", 1024 * MIB },
	{ "MB is not MiB", "max-output-bytes", "8MB", -1 },
	{ "a size has no fraction", "max-output-bytes", "1.5MiB", -1 },
	{ "a blank before the unit", "max-output-bytes", "8 MiB", -1 },
	{ "more than 64 bits once multiplied", "max-output-bytes", "9007199254740992GiB", -1 },
	{ "seconds without a unit", "interval", "30", 30 * SECOND },
	{ "milliseconds", "interval", "250ms", 250 },
	{ "a fraction of seconds", "interval", "1.5s", 1500 },
	{ "minutes", "interval", "2m", 120 * SECOND },
	{ "hours", "interval", "1h", HOUR },
	{ "days", "interval", "1d", 24 * HOUR },
	{ "two units", "interval", "1m30s", -1 },
	{ "an unknown unit", "interval", "1w", -1 },
	{ "a count has no unit", "capacity", "10KiB", -1 },
	{ "a count has no sign", "capacity", "+10", -1 },
};

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		const struct value_case *c = &values[i];
		int result = load_flag(CONFIG_METERD, c->setting, c->text);
		size_t offset = 0;

		printf("# %s\n", c->name);
		assert_int_equal(result, c->want < 0 ? -1 : 3);
		for (size_t k = 0; k < N_NUMBERS; k++)
			if (strcmp(numbers[k].name, c->setting) == 0)
				offset = numbers[k].offset;
		if (c->want >= 0)
			assert_int_equal(number_at(offset), c->want);
	}
}

/* --- arguments --- */

static const struct argument_case {
	const char *name;
	enum config_program program;
	const char *args[ARGS_MAX];
	int want;		/* index of the first operand, or -1 */
	const char *error;
} arguments[] = {
	{ "none", CONFIG_METERD, { NULL }, 1, "" },
	{ "short flag", CONFIG_METERD, { "-s", "nats://x" }, 3, "" },
	{ "value after an equals sign", CONFIG_METERD, { "--interval=1s" }, 2, "" },
	{ "ends at the first operand", CONFIG_METERCTL, { "--timeout", "1s", "ls", "--bogus" }, 3,
	  "" },
	{ "ends at --", CONFIG_METERCTL, { "--", "--bogus" }, 2, "" },
	{ "the last of two counts", CONFIG_METERD, { "--capacity=5", "--capacity", "6" }, 4, "" },
	{ "unknown flag", CONFIG_METERD, { "--bogus" }, -1,
	  "--bogus: no such option (--help lists the options)" },
	{ "unknown letter", CONFIG_METERD, { "-x" }, -1,
	  "-x: no such option (--help lists the options)" },
	{ "unknown letter in a cluster", CONFIG_METERD, { "-xV" }, -1,
	  "-x: no such option (--help lists the options)" },
	{ "missing value", CONFIG_METERD, { "--interval" }, -1,
	  "--interval: needs a value (--help lists the options)" },
	{ "missing value of a letter", CONFIG_METERD, { "-s" }, -1,
	  "-s: needs a value (--help lists the options)" },
	{ "a value that is none", CONFIG_METERD, { "--process-children=yes" }, -1,
	  "--process-children=yes: takes no value (--help lists the options)" },
	{ "setting of the other program", CONFIG_METERD, { "--timeout", "1s" }, -1,
	  "--timeout: no such option (--help lists the options)" },
	{ "and the other way round", CONFIG_METERCTL, { "--interval", "1s" }, -1,
	  "--interval: no such option (--help lists the options)" },
	{ "nothing is read after help", CONFIG_METERD, { "--help", "--bogus" }, 2, "" },
	{ "samples would come in as events", CONFIG_METERD,
	  { "--subject-prefix", "instance.metrics" }, -1,
	  "--lifecycle-subject: 'instance.>' is not what it may be: a subject that does not "
	  "overlap with instance.metrics.> (--subject-prefix), or meterd would hear itself" },
	{ "the other way round", CONFIG_METERCTL,
	  { "--subject-prefix", "a", "--lifecycle-subject", "a.b.>" }, -1,
	  "--lifecycle-subject: 'a.b.>' is not what it may be: a subject that does not overlap "
	  "with a.> (--subject-prefix), or meterd would hear itself" },
	{ "questions would come in as events", CONFIG_METERD, { "--control-prefix=instance" }, -1,
	  "--lifecycle-subject: 'instance.>' is not what it may be: a subject that does not "
	  "overlap with instance.> (--control-prefix), or meterd would hear itself" },
	{ "own answers would come in as events", CONFIG_METERD,
	  { "--lifecycle-subject", "_INBOX_meterd.>" }, -1,
	  "--lifecycle-subject: '_INBOX_meterd.>' is not what it may be: a subject that does not "
	  "overlap with _INBOX_meterd.> (its own inbox), or meterd would hear itself" },
	{ "some of its own answers would", CONFIG_METERD,
	  { "--lifecycle-subject", "_INBOX_meterd.a.>" }, -1,
	  "--lifecycle-subject: '_INBOX_meterd.a.>' is not what it may be: a subject that does not "
	  "overlap with _INBOX_meterd.> (its own inbox), or meterd would hear itself" },
	{ "somebody else's inbox", CONFIG_METERD, { "--lifecycle-subject", "_INBOX_other.>" }, 3,
	  "" },
	{ "a host root that is relative", CONFIG_METERD, { "--host-root=proc" }, -1,
	  "--host-root: 'proc' is not what it may be: the absolute path of a folder with a proc/ in it" },
	{ "a host root that is nowhere", CONFIG_METERD, { "--host-root=/nonexistent" }, -1,
	  "--host-root: '/nonexistent' is not what it may be: the absolute path of a folder with a "
	  "proc/ in it" },
	{ "no engine", CONFIG_METERD, { "--engine-sockets", "" }, 3, "" },
	{ "no engine, in a word", CONFIG_METERD, { "--engine-sockets=none" }, 2, "" },
	{ "an engine's socket that is too long below the host's root", CONFIG_METERD,
	  { "--host-root=/proc/self/root", "--engine-sockets", "/run/" LONG_NAME }, -1,
	  "--engine-sockets: '/run/" LONG_NAME "' is not what it may be: paths of at most 107 bytes "
	  "below --host-root /proc/self/root" },
};

static void test_arguments(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
		const struct argument_case *c = &arguments[i];

		printf("# %s\n", c->name);
		assert_int_equal(load(c->program, c->args), c->want);
		assert_string_equal(error, c->error);
	}
}

/* Who asks for help may have come because of just that variable. */
static void test_help_with_wrong_environment(void **state)
{
	const char *const help[] = { "-h", NULL }, *const version[] = { "--version", NULL };

	(void)state;
	setenv("METERD_INTERVAL", "never", 1);
	setenv("METERD_SUBJECT_PREFIX", "instance", 1);
	assert_int_equal(load(CONFIG_METERD, help), 2);
	assert_true(config.help);
	assert_int_equal(load(CONFIG_METERD, version), 2);
	assert_true(config.version);
	/* Another program does not even look at it. */
	unsetenv("METERD_SUBJECT_PREFIX");
	assert_int_equal(load(CONFIG_METERCTL, NULL), 1);
	assert_int_equal(load(CONFIG_METERD, NULL), -1);
	unsetenv("METERD_INTERVAL");
}

/* --- a program with options of its own --- */

struct own {
	int raw;
	const char *output;
};

static int take_own(void *ctx, int val, const char *arg, char *why, size_t why_size)
{
	struct own *own = ctx;

	if (val == 'o') {
		own->output = arg;
		if (strcmp(arg, "bad") == 0)
			return config_wrong("--output", arg, "good", why, why_size);
		return 0;
	}
	assert_int_equal(val, 1);
	own->raw++;
	return 0;
}

static const struct own_case {
	const char *name;
	const char *args[ARGS_MAX];
	bool anywhere;
	int want;
	int raw;
	const char *output;
	const char *server;
	const char *error;
} own_cases[] = {
	{ "beside settings", { "--raw", "-s", "x", "-o", "csv" }, false, 6, 1, "csv", "x", "" },
	{ "clustered with its value", { "-ocsv" }, false, 2, 0, "csv", "d", "" },
	{ "not after operands", { "--raw", "id", "-s", "x" }, false, 2, 1, NULL, "d", "" },
	{ "after operands", { "id", "--raw", "-s", "x" }, true, 4, 1, NULL, "x", "" },
	{ "an operand like a flag", { "--raw", "--", "-id" }, true, 3, 1, NULL, "d", "" },
	{ "wrong value", { "-o", "bad" }, true, -1, 0, "bad", "d",
	  "--output: 'bad' is not what it may be: good" },
	{ "wrong setting", { "id", "--timeout", "1y" }, true, -1, 0, NULL, "d",
	  "--timeout: '1y' is not what it may be: 10ms to 1h" },
	{ "unknown after an operand", { "id", "--bogus" }, true, -1, 0, NULL, "d",
	  "--bogus: no such option (--help lists the options)" },
	{ "missing value after an operand", { "id", "-o" }, true, -1, 0, NULL, "d",
	  "-o: needs a value (--help lists the options)" },
	{ "short form is only for letters", { "-\001" }, true, -1, 0, NULL, "d",
	  "-\001: no such option (--help lists the options)" },
};

static void test_own_options(void **state)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "raw", no_argument, NULL, 1 },
	};

	(void)state;
	setenv("NATS_URL", "d", 1);
	for (size_t i = 0; i < sizeof own_cases / sizeof *own_cases; i++) {
		const struct own_case *c = &own_cases[i];
		struct own got = { 0 };
		struct config_own own = { options, 2, c->anywhere, take_own, &got };
		char *argv[ARGS_MAX + 2] = { (char *)"program" };
		int argc = 1, result;

		printf("# %s\n", c->name);
		for (; c->args[argc - 1]; argc++)
			argv[argc] = (char *)c->args[argc - 1];
		error[0] = '\0';
		result = config_load_environment(&config, CONFIG_METERCTL, error, sizeof error);
		assert_int_equal(result, 0);
		result = config_take_flags(&config, CONFIG_METERCTL, &own, argc, argv, error,
					   sizeof error);
		assert_int_equal(result, c->want);
		assert_string_equal(error, c->error);
		assert_int_equal(got.raw, c->raw);
		assert_string_equal(got.output ? got.output : "-", c->output ? c->output : "-");
		assert_string_equal(config.server, c->server);
	}
	unsetenv("NATS_URL");
}

/* A wrong value leaves the default, and the first one is told. */
static void test_load_environment(void **state)
{
	(void)state;
	setenv("METERD_CAPACITY", "none", 1);
	setenv("METERD_INTERVAL", "never", 1);
	assert_wrong(config_load_environment(&config, CONFIG_METERD, error, sizeof error),
		     "METERD_INTERVAL", "never", "100ms to 1d");
	assert_int_equal(config.interval_ms, 10 * SECOND);
	assert_int_equal(config.capacity, 60480);
	unsetenv("METERD_CAPACITY");
	unsetenv("METERD_INTERVAL");
}

/* --- help --- */

static void test_print_settings(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	config_print_settings(out, CONFIG_METERD);
	fclose(out);
	for (size_t i = 0; i < N_NUMBERS; i++) {
		char flag[64];
		bool mine = numbers[i].program & CONFIG_METERD;

		snprintf(flag, sizeof flag, "--%s ", numbers[i].name);
		assert_int_equal(strstr(text, flag) != NULL, mine);
		assert_int_equal(strstr(text, numbers[i].env) != NULL, mine);
		assert_true(!mine || strstr(text, numbers[i].may_be));
	}
	for (size_t i = 0; i < N_TEXTS; i++)
		assert_non_null(strstr(text, texts[i].env));
	assert_non_null(strstr(text, "-s, --server"));
	assert_non_null(strstr(text, "default 10s; 100ms to 1d; METERD_INTERVAL"));
	free(text);
}

/* A wrong value is shown, but neither a password nor a line break in it. */
static void test_what_an_error_shows(void **state)
{
	(void)state;
	assert_true(load(CONFIG_METERD, (const char *const[]){ "--server=nats://me:secret@host:x", NULL }) < 0);
	assert_null(strstr(error, "secret"));
	assert_non_null(strstr(error, "nats://*@host:x"));
	assert_true(load(CONFIG_METERD, (const char *const[]){ "--subject-prefix=a\r\nb", NULL }) < 0);
	assert_non_null(strstr(error, "'a??b'"));
	assert_null(strpbrk(error, "\r\n"));
	/* In a password a comma is one, too, and in a query there may be a token. */
	assert_int_equal(load_flag(CONFIG_METERD, "metrics-url-template",
				   "http://me:my,secret@{node}/"), -1);
	assert_null(strstr(error, "my,secret"));
	assert_non_null(strstr(error, "'http://*@{node}/'"));
	assert_non_null(strstr(error, "must not have a user or a password"));
	assert_int_equal(load_flag(CONFIG_METERD, "metrics-url-template",
				   "http://{a}/?token=secret"), -1);
	assert_null(strstr(error, "secret"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_what_an_error_shows),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_switch),
		cmocka_unit_test(test_quantile),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_help_with_wrong_environment),
		cmocka_unit_test(test_own_options),
		cmocka_unit_test(test_load_environment),
		cmocka_unit_test(test_print_settings),
	};

	return cmocka_run_group_tests(tests, clear_environment, NULL);
}
