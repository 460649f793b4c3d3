/*
 * meterctl range ID - samples of a window of time, in buckets or as they were stored.
 */
#include "client.h"
#include "command.h"
#include "range_fetch.h"
#include "range_options.h"
#include "range_print.h"

static const char help[] =
	"  meterctl range web-1\n"
	"  meterctl range web-1 --range 7d --resolution 1h --aggregate mean,max --align epoch\n"
	"  meterctl range web-1 --since 2026-11-21T07:00:00Z --until 2026-11-21T08:00:00Z -o json\n"
	"  meterctl range web-1 --range 24h --raw -o csv > web-1.csv\n"
	"\n"
	"Buckets of [since, until), each with the aggregate of its samples and how many they are\n"
	"(COUNT); empty ones are left out. Without options: the last hour in 120 buckets. A\n"
	"window that is too large for one reply is asked for in pieces. An unknown instance is\n"
	"an error (exit status 1).\n"
	"\n"
	RANGE_OPTIONS_HELP
	"\n"
	RANGE_PRINT_HELP;

static const struct option options[] = { RANGE_OPTIONS };

static int take(void *own, int val, const char *arg, char *error, size_t error_size)
{
	return range_options_take(own, val, arg, error, error_size);
}

static int run(struct client *c, const struct invocation *call)
{
	struct range_reply r = { 0 };
	int status = STATUS_OK;

	if (range_fetch(c, call->id, call->own, &r) != 0)
		return STATUS_FAILED;
	/* A program may want the JSON of an unknown one too. */
	if ((r.tracked || call->format == FORMAT_JSON) && range_print(&r, call->format) < 0)
		status = STATUS_FAILED;
	if (!r.tracked) {
		output_error("%s is not tracked", call->id);
		status = STATUS_FAILED;
	}
	range_result_clear(&r.result);
	return status;
}

const struct command command_range = {
	.name = "range",
	.usage = "ID [options]",
	.summary = "samples of a window of time",
	.help = help,
	.operand = OPERAND_ID,
	.options = options,
	.n_options = sizeof options / sizeof *options,
	.own_size = sizeof(struct range_request),
	.take = take,
	.run = run,
};
