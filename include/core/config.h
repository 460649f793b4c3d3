/*
 * config - the settings, in one table: flags, environment, bounds and help all come from it.
 *
 * A flag wins over the environment, which wins over the default. A wrong value is one line that
 * names the setting, the value and what it may be.
 */
#ifndef METER_CONFIG_H
#define METER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct option;

/* CONFIG_PROBE is what meterctl probe has in common with meterd, beside meterctl's own. */
enum config_program { CONFIG_METERD = 1, CONFIG_METERCTL = 2, CONFIG_BOTH = 3, CONFIG_PROBE = 4,
		      CONFIG_SAMPLING = CONFIG_METERD | CONFIG_PROBE };
enum config_source { CONFIG_SOURCE_AUTO, CONFIG_SOURCE_CGROUP, CONFIG_SOURCE_PROCESS,
		     CONFIG_SOURCE_BUS };
enum config_log_level { CONFIG_LOG_ERROR, CONFIG_LOG_WARNING, CONFIG_LOG_INFO, CONFIG_LOG_DEBUG };

/* First token of the subjects on which meterd is answered; no setting. */
#define CONFIG_INBOX "_INBOX_meterd"

/* Strings point into the defaults, the environment or argv. */
struct config {
	const char *server;		/* one or more NATS URLs, comma-separated */
	const char *subject_prefix;	/* "metrics" */
	const char *control_prefix;	/* "controlplane" */
	const char *lifecycle_subject;	/* "instance.>" */
	const char *node;		/* "" = one meterd serves the whole prefix */
	int64_t source;			/* enum config_source */
	const char *host_root;		/* "" = / */
	const char *engine_sockets;	/* of container engines: see sockets.h; "" = none */
	bool process_children;
	int64_t interval_ms;
	int64_t capacity;
	int64_t log_level;		/* enum config_log_level */
	/* Pages of metrics. An instance's Target may override the last three */
	const char *metrics_url_template;	/* "" = none; see url_template.h */
	const char *metrics_networks;	/* see networks.h */
	int64_t metrics_timeout_ms;
	const char *metrics_ca;		/* a file; "" = the certificates of the system */
	const char *request_counter;	/* "" = found by what families there are */
	const char *latency_histogram;	/* likewise */
	double latency_quantile;
	/* Bounds; each has a counter of refusals in stats.h */
	int64_t max_instances;
	int64_t max_pending_requests;
	int64_t max_body_bytes;
	int64_t max_tombstones;
	int64_t tombstone_ttl_ms;
	int64_t max_output_bytes;
	int64_t max_reply_points;
	int64_t max_open_files;		/* 0 = 3/4 of the limit of the process */
	int64_t max_scrape_bytes;
	int64_t max_scrape_series;
	/* meterctl only */
	int64_t timeout_ms;
	bool help;
	bool version;
};

/*
 * Fills *c from defaults, environment (getenv) and the flags that stand before the first operand,
 * in that order, and checks each against its bounds and all against each other. Returns the index
 * of the first argument that is no flag, or -1 with one line (no newline) in error. What follows
 * --help or --version is not read, and nothing else is checked.
 */
int config_load(struct config *c, enum config_program program, int argc, char **argv,
		char *error, size_t error_size);

/* --- the parts of it, for a program that has options of its own beside the settings --- */

/*
 * Defaults and environment of these programs' settings; the rest of *c stays as it is. 0, or -1 with
 * a line on the first wrong value; such are passed over.
 */
int config_load_environment(struct config *c, enum config_program program, char *error,
			    size_t error_size);

#define CONFIG_OWN_MAX 16

struct config_own {
	/* No getopt_long() end mark. val: a letter, then it is the short form too, or below ' '. */
	const struct option *options;
	size_t n;		/* at most CONFIG_OWN_MAX */
	bool anywhere;		/* options may follow operands, which go to the end of argv */
	int (*take)(void *ctx, int val, const char *arg, char *error, size_t error_size);
	void *ctx;
};

/* own may be NULL: no options but the settings. Returns as config_load() does. */
int config_take_flags(struct config *c, enum config_program program, const struct config_own *own,
		      int argc, char **argv, char *error, size_t error_size);

/* What is right one by one and may be wrong together: 0 or -1. */
int config_check(const struct config *c, char *error, size_t error_size);

/* The one form of a line about a wrong value; returns -1. */
int config_wrong(const char *where, const char *value, const char *may_be, char *error,
		 size_t error_size);

/* The table as --help shows it. */
void config_print_settings(FILE *out, enum config_program program);

#endif
