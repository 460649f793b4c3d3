/*
 * command - what every command of meterctl says about itself to main.c, which runs it.
 */
#ifndef METERCTL_COMMAND_H
#define METERCTL_COMMAND_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "output.h"

struct client;

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

enum command_operand { OPERAND_NONE, OPERAND_MAY_ID, OPERAND_ID, OPERAND_FILE };

struct invocation {
	const struct config *config;
	enum format format;
	const char *id;		/* ident_valid(), or NULL when none was given */
	const char *file;	/* of OPERAND_FILE; "-" = standard input */
	void *own;		/* what take() filled */
};

struct command {
	const char *name;
	const char *usage;	/* what follows the name */
	const char *summary;
	const char *help;	/* examples, then what is worth knowing, then the options */
	enum command_operand operand;
	const struct option *options;	/* the command's own; val as in struct config_own */
	size_t n_options;
	size_t own_size;	/* of what take() fills; it is zeroed before */
	bool reconnects;	/* goes on when the connection is lost */
	enum config_program settings;	/* that it takes beside those of all commands, or 0 */
	/* 0, or -1 with one line in error; may be NULL where there are no options */
	int (*take)(void *own, int val, const char *arg, char *error, size_t error_size);
	/* What can be wrong before anybody is asked; returns as take(). May be NULL. */
	int (*check)(struct invocation *call, char *error, size_t error_size);
	/* STATUS_OK, or STATUS_FAILED and it is told. run is NULL for what needs no server. */
	int (*run)(struct client *c, const struct invocation *call);
	int (*run_local)(const struct invocation *call);
};

extern const struct command command_ls, command_latest, command_probe, command_range,
	command_replay, command_watch, command_track, command_untrack;

#endif
