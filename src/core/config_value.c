/*
 * config_value - what the value of a setting may be, by its type.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_internal.h"
#include "family.h"
#include "ident.h"
#include "networks.h"
#include "servers.h"
#include "sockets.h"
#include "subject.h"
#include "timefmt.h"
#include "url_template.h"

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

static bool parse_choice(const struct config_setting *set, const char *s, int64_t *out)
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

static bool file_valid(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, R_OK) == 0;
}

/* Some of these can tell why not: 0, or > 0 with *p. */
static int check_explained(enum config_setting_type type, const char *value, struct problem *p)
{
	struct networks networks;

	if (type == SETTING_NETWORKS)
		return networks_parse(&networks, value, p);
	if (type == SETTING_URL_TEMPLATE && *value)
		return url_template_check(value, p);
	return 0;
}

static bool text_valid(const struct config_setting *set, const char *value)
{
	struct sockets sockets;
	struct problem p;

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
	case SETTING_FAMILY:
		return *value == '\0' || family_name_valid(value, strlen(value));
	case SETTING_FILE:
		return *value == '\0' || file_valid(value);
	case SETTING_NETWORKS:
	case SETTING_URL_TEMPLATE:
		return check_explained(set->type, value, &p) == 0;
	default:
		return *value || !*set->standard;
	}
}

bool config_take_value(struct config *c, const struct config_setting *set, const char *value)
{
	void *at = (char *)c + set->offset;
	int64_t number = 0;
	bool good = false;

	switch (set->type) {
	case SETTING_SWITCH:
		return parse_switch(value, at);
	case SETTING_QUANTILE:
		return family_quantile_parse(value, at);
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
	default:
		if (!text_valid(set, value))
			return false;
		*(const char **)at = value;
		return true;
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

/* What is the same for all settings of a type. */
static const char *const rules[] = {
	[SETTING_TEXT] = "any text but nothing",
	[SETTING_SERVERS] = SERVERS_RULE,
	[SETTING_SOCKETS] = SOCKETS_RULE,
	[SETTING_ROOT] = "the absolute path of a folder with a proc/ in it",
	[SETTING_PREFIX] = "tokens of A-Z a-z 0-9 _ - joined by dots",
	[SETTING_LIFECYCLE] = "tokens of A-Z a-z 0-9 _ - joined by dots, then .>",
	[SETTING_IDENT] = IDENT_RULE,
	[SETTING_SWITCH] = "yes or no",
	[SETTING_QUANTILE] = FAMILY_QUANTILE_RULE,
	[SETTING_FAMILY] = FAMILY_NAME_RULE,
	[SETTING_NETWORKS] = NETWORKS_RULE,
	[SETTING_URL_TEMPLATE] = URL_TEMPLATE_RULE,
	[SETTING_FILE] = "a file that can be read",
};

void config_describe_value(const struct config_setting *set, const char *value,
			   char out[CONFIG_MAY_BE_MAX])
{
	const size_t size = CONFIG_MAY_BE_MAX;
	char min[32], max[32];
	struct problem p;
	size_t len;

	switch (set->type) {
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
	default:
		if (value && check_explained(set->type, value, &p) != 0)
			snprintf(out, size, "%s; %s", rules[set->type], p.text);
		else
			snprintf(out, size, "%s", rules[set->type]);
		break;
	}
}
