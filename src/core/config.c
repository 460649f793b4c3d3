#include "config.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config_internal.h"
#include "metrics_url.h"
#include "servers.h"
#include "sockets.h"
#include "subject.h"

#define FLAG_FIRST 256	/* getopt_long() returns this for the first setting */

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

static int wrong(const struct config_setting *set, const char *where, const char *value,
		 char *error, size_t error_size)
{
	char may_be[CONFIG_MAY_BE_MAX], shown[METRICS_URL_SHOWN_MAX];

	config_describe_value(set, value, may_be);
	if (set->type == SETTING_URL_TEMPLATE)
		value = metrics_url_shown(value, shown);
	return config_wrong(where, value, may_be, error, error_size);
}

static bool belongs(const struct config_setting *set, enum config_program program)
{
	return (set->program & program) != 0;
}

int config_load_environment(struct config *c, enum config_program program, char *error,
			    size_t error_size)
{
	int result = 0;

	for (size_t i = 0; i < config_n_settings; i++) {
		const struct config_setting *set = &config_settings[i];
		const char *value;

		if (!belongs(set, program))
			continue;
		if (!config_take_value(c, set, set->standard))
			abort();	/* our own table is wrong */
		value = set->env ? getenv(set->env) : NULL;
		if (value && *value && !config_take_value(c, set, value) && result == 0)
			result = wrong(set, set->env, value, error, error_size);
	}
	return result;
}

/* What getopt_long() wants to know of all options, a program's own first. */
struct flags {
	struct option options[CONFIG_OWN_MAX + CONFIG_SETTINGS_MAX + 1];
	char letters[3 * (CONFIG_OWN_MAX + CONFIG_SETTINGS_MAX) + 3];
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
	for (size_t i = 0; i < config_n_settings; i++) {
		const struct config_setting *set = &config_settings[i];
		struct option o = { set->name, required_argument, NULL, FLAG_FIRST + (int)i };

		if (set->type == SETTING_SWITCH)
			o.has_arg = no_argument;
		if (belongs(set, program))
			add_flag(f, &o, set->letter);
	}
}

/* NULL: it is none of the settings. */
static const struct config_setting *setting_of(int option)
{
	for (size_t i = 0; i < config_n_settings; i++)
		if (option == FLAG_FIRST + (int)i ||
		    (option > 0 && option == config_settings[i].letter))
			return &config_settings[i];
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
		const struct config_setting *set = setting_of(found);
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
		if (!config_take_value(c, set, value))
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
	char environment[512];
	int first, bad;

	*c = (struct config){ 0 };
	bad = config_load_environment(c, program, environment, sizeof environment);
	first = config_take_flags(c, program, NULL, argc, argv, error, error_size);
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
	for (size_t i = 0; i < config_n_settings; i++) {
		const struct config_setting *set = &config_settings[i];
		char may_be[CONFIG_MAY_BE_MAX], flag[64];

		if (!belongs(set, program))
			continue;
		if (set->letter)
			snprintf(flag, sizeof flag, "-%c, --%s", set->letter, set->name);
		else
			snprintf(flag, sizeof flag, "    --%s", set->name);
		fprintf(out, "  %-28s %s\n", flag, set->help);
		if (!set->env)
			continue;
		config_describe_value(set, NULL, may_be);
		if (set->type == SETTING_SWITCH) {
			fprintf(out, "  %-28s takes no value; %s=%s\n", "", set->env, may_be);
			continue;
		}
		fprintf(out, "  %-28s %s%s; %s; %s\n", "",
			*set->standard ? "default " : "no default", set->standard, may_be,
			set->env);
	}
}
