/*
 * config_internal - what the config*.c share: a row of the table of settings. Nothing else includes
 * it.
 */
#ifndef METER_CONFIG_INTERNAL_H
#define METER_CONFIG_INTERNAL_H

#include "config.h"

#define KIB 1024LL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define SECOND 1000LL
#define HOUR (3600 * SECOND)

enum config_setting_type {
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
	SETTING_QUANTILE,	/* the value is a double */
	SETTING_FAMILY,		/* empty, or a family of metrics */
	SETTING_NETWORKS,
	SETTING_URL_TEMPLATE,	/* empty, or see url_template.h */
	SETTING_FILE,		/* empty, or one that can be read */
};

#define CHOICES_MAX 5

struct config_setting {
	const char *name;	/* of the flag */
	char letter;		/* short flag or 0 */
	const char *env;
	enum config_program program;
	enum config_setting_type type;
	size_t offset;		/* in struct config */
	const char *standard;	/* the default, written as a user would */
	int64_t min;		/* COUNT, BYTES; DURATION in ms */
	int64_t max;
	const char *choices[CHOICES_MAX];	/* their index is the value; the rest NULL */
	const char *help;
};

/* Room for this many, of both programs. */
#define CONFIG_SETTINGS_MAX 64

extern const struct config_setting config_settings[];
extern const size_t config_n_settings;

/* Room for what a value may be, in words. */
#define CONFIG_MAY_BE_MAX 512

/* Takes the value over into *c when it may be; else *c is as it was, and false. */
bool config_take_value(struct config *c, const struct config_setting *set, const char *value);
/* What it may be; and, when value is not NULL and can be told, why it is not. */
void config_describe_value(const struct config_setting *set, const char *value,
			   char out[CONFIG_MAY_BE_MAX]);

#endif
