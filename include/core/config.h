/*
 * config - the settings, in one table: flags, environment, bounds and help all come from it.
 *
 * A flag wins over the environment, which wins over the default. A wrong value is one line that names the
 * setting, the value and what it may be.
 */
#ifndef METER_CONFIG_H
#define METER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum config_program { CONFIG_METERD = 1, CONFIG_METERCTL = 2, CONFIG_BOTH = 3 };
enum config_source { CONFIG_SOURCE_AUTO, CONFIG_SOURCE_CGROUP, CONFIG_SOURCE_PROCESS,
		     CONFIG_SOURCE_BUS };
enum config_log_level { CONFIG_LOG_ERROR, CONFIG_LOG_WARNING, CONFIG_LOG_INFO, CONFIG_LOG_DEBUG };

/* Strings point into the defaults, the environment or argv. */
struct config {
	const char *server;		/* one or more NATS URLs, comma-separated */
	const char *subject_prefix;	/* "metrics" */
	const char *control_prefix;	/* "controlplane" */
	const char *lifecycle_subject;	/* "instance.>" */
	const char *node;		/* "" = one meterd serves the whole prefix */
	int64_t source;			/* enum config_source */
	const char *host_root;		/* "" = / */
	bool process_children;
	int64_t interval_ms;
	int64_t capacity;
	int64_t log_level;		/* enum config_log_level */
	/* Bounds; each has a counter of refusals in stats.h */
	int64_t max_instances;
	int64_t max_pending_requests;
	int64_t max_body_bytes;
	int64_t max_tombstones;
	int64_t tombstone_ttl_ms;
	int64_t max_output_bytes;
	int64_t max_reply_points;
	/* meterctl only */
	int64_t timeout_ms;
	bool help;
	bool version;
};

/*
 * Fills *c from defaults, environment (getenv) and the flags that stand before the first operand, in
 * that order, and checks each against its bounds and all against each other. Returns the index
 * of the first argument that is no flag, or -1 with one line (no newline) in error. With --help or
 * --version nothing else is checked.
 */
int config_load(struct config *c, enum config_program program, int argc, char **argv,
		char *error, size_t error_size);

/* The table as --help shows it. */
void config_print_settings(FILE *out, enum config_program program);

#endif
