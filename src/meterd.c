/*
 * meterd - parse, run, exit status.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "config.h"
#include "daemon.h"
#include "log.h"
#include "stats.h"

static const char usage[] =
	"usage: meterd [settings]\n"
	"\n"
	"Watches the instances that lifecycle events on NATS tell of: samples each at an interval,\n"
	"publishes every sample, keeps the newest and answers queries about them.\n"
	"SIGTERM stops it; SIGUSR1 writes its counters to the log.\n"
	"\n"
	"Settings; a flag wins over the environment, which wins over the default:\n";

static void print_stats(void)
{
	size_t n;
	const struct stats_item *items = stats_items(&n);

	puts("\nCounters and gauges, since the start:");
	for (size_t i = 0; i < n; i++)
		printf("  %-28s %s\n", items[i].name, items[i].help);
}

/* Else what we open gets the numbers of those that are closed, and the log would be written to it. */
static void open_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd < 2);
	if (fd > 2)
		close(fd);
}

int main(int argc, char **argv)
{
	struct config config;
	char error[512];
	int first;

	open_standard_files();
	first = config_load(&config, CONFIG_METERD, argc, argv, error, sizeof error);
	if (first >= 0 && !config.help && !config.version && first < argc) {
		snprintf(error, sizeof error, "%.100s: no such argument", argv[first]);
		first = -1;
	}
	if (first < 0) {
		fprintf(stderr, "meterd: %s\n", error);
		return 2;
	}
	if (config.help) {
		fputs(usage, stdout);
		config_print_settings(stdout, CONFIG_METERD);
		print_stats();
		return 0;
	}
	if (config.version) {
		puts("meterd " METERD_VERSION);
		return 0;
	}
	log_set_level((enum config_log_level)config.log_level);
	return daemon_run(&config);
}
