/*
 * meterctl - the command line of meterd: parse, run, exit status.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "ident.h"

static const struct command *const commands[] = {
	&command_ls,	&command_latest, &command_range,   &command_watch,
	&command_track, &command_untrack, &command_probe,  &command_replay,
};

#define N_COMMANDS (sizeof commands / sizeof *commands)

/* Of every command. */
static const struct option output_option = { "output", required_argument, NULL, 'o' };

/* What the arguments say. */
struct parsed {
	const struct command *command;	/* NULL until it is known */
	struct config config;
	struct invocation call;
};

/* --- help --- */

static void print_options(void)
{
	printf("\nOptions, before the command or after it; a flag wins over the environment, and\n"
	       "that over the default:\n"
	       "  -o, --output                 form of the output\n"
	       "                               default table; " FORMAT_RULE "\n");
	config_print_settings(stdout, CONFIG_METERCTL);
}

static void print_help(const struct command *command)
{
	if (command) {
		printf("usage: meterctl %s %s\n\n%s", command->name, command->usage,
		       command->help);
		config_print_settings(stdout, command->settings);
		printf("\nOptions of every command (server, output, ...): meterctl --help\n");
		return;
	}
	printf("usage: meterctl [options] COMMAND ...\n"
	       "\n"
	       "  meterctl track web-1 --pid 4711\n"
	       "  meterctl ls\n"
	       "  meterctl range web-1 --range 6h --resolution 1m -o csv\n"
	       "\n"
	       "Asks meterd, over NATS, what instances use.\n"
	       "\n"
	       "Commands (meterctl COMMAND --help tells more):\n");
	for (size_t i = 0; i < N_COMMANDS; i++) {
		char line[64];

		snprintf(line, sizeof line, "%s %s", commands[i]->name, commands[i]->usage);
		printf("  %-36s %s\n", line, commands[i]->summary);
	}
	print_options();
	printf("\nExit status: 0 done; 1 failed, standard error says why; 2 wrong usage.\n");
}

/* --- arguments --- */

static int take_option(void *ctx, int val, const char *arg, char *error, size_t error_size)
{
	struct parsed *p = ctx;

	if (val != output_option.val)
		return p->command->take(p->call.own, val, arg, error, error_size);
	if (!format_parse(arg, &p->call.format))
		return config_wrong("--output", arg, FORMAT_RULE, error, error_size);
	return 0;
}

static enum config_program program_of(const struct command *command)
{
	return command ? CONFIG_METERCTL | command->settings : CONFIG_METERCTL;
}

/* Those in argv from [1] on. Before the command is known its own are unknown too. */
static int parse_options(struct parsed *p, int argc, char **argv, char *error, size_t error_size)
{
	struct option options[CONFIG_OWN_MAX] = { output_option };
	struct config_own own = {
		.options = options,
		.n = 1,
		.anywhere = p->command != NULL,
		.take = take_option,
		.ctx = p,
	};

	for (size_t i = 0; p->command && i < p->command->n_options; i++)
		options[own.n++] = p->command->options[i];
	return config_take_flags(&p->config, program_of(p->command), &own, argc, argv, error,
				 error_size);
}

static int parse_operands(struct parsed *p, int argc, char **argv, char *error, size_t error_size)
{
	const struct command *command = p->command;
	int most = command->operand == OPERAND_NONE ? 0 : 1;
	bool needed = command->operand == OPERAND_ID || command->operand == OPERAND_FILE;

	if (argc > most) {
		snprintf(error, error_size, "%s: '%.100s' is one argument too many", command->name,
			 argv[most]);
		return -1;
	}
	if (argc == 0 && needed) {
		snprintf(error, error_size, "%s: %s is missing", command->name,
			 command->operand == OPERAND_FILE ? "the FILE" : "the ID of an instance");
		return -1;
	}
	if (argc == 0)
		return 0;
	if (command->operand == OPERAND_FILE) {
		p->call.file = argv[0];
		return 0;
	}
	if (!ident_valid(argv[0], strlen(argv[0])))
		return config_wrong("ID", argv[0], IDENT_RULE, error, error_size);
	p->call.id = argv[0];
	return 0;
}

static int find_command(struct parsed *p, int argc, char **argv, char *error, size_t error_size)
{
	if (argc == 0) {
		snprintf(error, error_size, "no command (--help lists them)");
		return -1;
	}
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(argv[0], commands[i]->name) == 0)
			p->command = commands[i];
	if (!p->command) {
		snprintf(error, error_size, "%.100s: no such command (--help lists them)", argv[0]);
		return -1;
	}
	p->call.own = calloc(1, p->command->own_size + 1);
	if (p->call.own)
		return 0;
	snprintf(error, error_size, "out of memory");
	return -1;
}

static bool wants_help(const struct parsed *p)
{
	return p->config.help || p->config.version;
}

/* 0, or -1 with one line in error. After --help or --version nothing else is checked. */
static int parse(struct parsed *p, int argc, char **argv, char *error, size_t error_size)
{
	char environment[512];
	int first, bad;

	bad = config_load_environment(&p->config, CONFIG_METERCTL, environment, sizeof environment);
	first = parse_options(p, argc, argv, error, error_size);
	if (first < 0 || wants_help(p))
		return first < 0 ? -1 : 0;
	argc -= first;
	argv += first;
	if (find_command(p, argc, argv, error, error_size) < 0)
		return -1;
	if (bad == 0)
		bad = config_load_environment(&p->config, p->command->settings, environment,
					      sizeof environment);
	first = parse_options(p, argc, argv, error, error_size);
	if (first < 0 || wants_help(p))
		return first < 0 ? -1 : 0;
	if (bad) {
		snprintf(error, error_size, "%s", environment);
		return -1;
	}
	if (parse_operands(p, argc - first, argv + first, error, error_size) < 0)
		return -1;
	if (p->command->check && p->command->check(&p->call, error, error_size) < 0)
		return -1;
	return config_check(&p->config, error, error_size);
}

/* --- running --- */

static int run(const struct parsed *p)
{
	struct client *c = NULL;
	int status = STATUS_FAILED;

	if (p->config.help) {
		print_help(p->command);
		return STATUS_OK;
	}
	if (p->config.version) {
		puts("meterctl " METERD_VERSION);
		return STATUS_OK;
	}
	if (p->command->run_local)
		return p->command->run_local(&p->call);
	if (client_connect(&c, &p->config, p->command->reconnects) == 0)
		status = p->command->run(c, &p->call);
	client_free(c);
	return status;
}

int main(int argc, char **argv)
{
	struct parsed p = { .call.config = &p.config };
	int status = STATUS_USAGE;
	char error[512];

	signal(SIGPIPE, SIG_IGN);	/* a write tells it too */
	if (parse(&p, argc, argv, error, sizeof error) < 0)
		output_error("%s", error);
	else
		status = run(&p);
	if (output_flush() < 0 && status == STATUS_OK)
		status = STATUS_FAILED;
	free(p.call.own);
	return status;
}
