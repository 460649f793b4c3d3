/*
 * meterctl probe - how one instance of this machine is found and read, without a server.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "ident.h"
#include "probe.h"
#include "timefmt.h"

static const char help[] =
	"  meterctl probe --pid $(pidof -s nginx)\n"
	"  meterctl probe --container web\n"
	"  meterctl probe --cgroup /system.slice/postgresql.service -o json\n"
	"  meterctl probe --metrics-url http://127.0.0.1:9100/metrics\n"
	"  meterctl probe inst_01h455vb4pex5vsknk084sn02q\n"
	"\n"
	"Finds and reads one instance as a meterd on this machine would, and tells how: each way\n"
	"that was tried and why it did not fit, each file that was read and what was taken from\n"
	"it, and the sample. No server is needed, and none is told. Run it as the user that\n"
	"meterd runs as, with the same settings: what may be read depends on it.\n"
	"Exit status 1: nothing was found, or it could not be read.\n"
	"\n"
	"      --pid PID                one process\n"
	"      --cgroup PATH            a cgroup, as an absolute path\n"
	"      --container ID|NAME      a container: what is 12 to 64 of 0-9 and a-f is an id,\n"
	"                               all else a name; a bare ID of an instance is the container\n"
	"                               cp-<ID>\n"
	"      --metrics-url URL        its page of metrics: the families that were found, or why\n"
	"                               not, and what they say\n"
	"      --span DURATION          between two readings, for rates; default 1s, at most 1h;\n"
	"                               0: one reading, and no rates\n"
	"\n"
	"-o json: {\"ways\":[{\"way\",\"result\"}],\"source\",\"bound\",\"files\":[{\"path\",\"found\"}],\n"
	"\"sample\":{...},\"error\"}; what is absent is left out. -o csv: what,name,value, a row for\n"
	"each of these.\n"
	"\n"
	"Settings it has in common with meterd:\n";

#define SPAN_DEFAULT_MS 1000
#define SPAN_MAX_MS (3600 * 1000)

enum { OPTION_PID = 1, OPTION_CGROUP, OPTION_CONTAINER, OPTION_URL, OPTION_SPAN };

static const struct option options[] = {
	{ "pid", required_argument, NULL, OPTION_PID },
	{ "cgroup", required_argument, NULL, OPTION_CGROUP },
	{ "container", required_argument, NULL, OPTION_CONTAINER },
	{ "metrics-url", required_argument, NULL, OPTION_URL },
	{ "span", required_argument, NULL, OPTION_SPAN },
};

struct own {
	struct probe probe;
	const char *container;
	bool has_span;
};

static int take_pid(int64_t *pid, const char *arg, char *error, size_t error_size)
{
	char *end;

	errno = 0;
	*pid = strtoll(arg, &end, 10);
	if (*arg < '1' || *arg > '9' || *end || errno || *pid > INT32_MAX)
		return config_wrong("--pid", arg, "1 to 2147483647", error, error_size);
	return 0;
}

static int take(void *own, int val, const char *arg, char *error, size_t error_size)
{
	struct own *o = own;

	switch (val) {
	case OPTION_PID:
		return take_pid(&o->probe.target.pid, arg, error, error_size);
	case OPTION_CGROUP:
		o->probe.target.cgroup_path = (char *)arg;
		return 0;
	case OPTION_CONTAINER:
		o->container = arg;
		return 0;
	case OPTION_URL:
		o->probe.metrics_url = arg;
		return 0;
	default:
		o->has_span = true;
		if (timefmt_parse_duration(arg, strlen(arg), &o->probe.span_ms) &&
		    o->probe.span_ms >= 0 && o->probe.span_ms <= SPAN_MAX_MS)
			return 0;
		return config_wrong("--span", arg, "0 to 1h", error, error_size);
	}
}

/* An engine would take such a name for an id, too. */
static bool looks_like_id(const char *container)
{
	size_t len = strspn(container, "0123456789abcdef");

	return strstr(container, "://") || (len >= 12 && container[len] == '\0');
}

static int check(struct invocation *call, char *error, size_t error_size)
{
	struct own *o = call->own;
	struct target *t = &o->probe.target;

	if (!o->has_span)
		o->probe.span_ms = SPAN_DEFAULT_MS;
	o->probe.id = call->id;
	if (o->container && looks_like_id(o->container))
		t->container_id = (char *)o->container;
	else
		t->container_name = (char *)o->container;
	if (t->pid || t->cgroup_path || o->container || o->probe.metrics_url || call->id)
		return 0;
	snprintf(error, error_size,
		 "probe: nothing to look for: --pid, --cgroup, --container, --metrics-url or the ID of "
		 "an instance");
	return -1;
}

static int run(const struct invocation *call)
{
	struct own *o = call->own;
	struct probe *p = &o->probe;
	int r;

	r = probe_run(p, call->config);
	if (r < 0)
		output_error("%s", strerror(-r));
	else
		r = probe_print(p, call->format);
	if (r == 0 && p->error[0] != '\0') {
		output_error("%s", p->error);
		r = -1;
	}
	probe_notes_clear(&p->ways);
	probe_notes_clear(&p->files);
	return r < 0 ? STATUS_FAILED : STATUS_OK;
}

const struct command command_probe = {
	.name = "probe",
	.usage = "[ID] [options]",
	.summary = "how an instance here is found and read",
	.help = help,
	.operand = OPERAND_MAY_ID,
	.settings = CONFIG_PROBE,
	.options = options,
	.n_options = sizeof options / sizeof *options,
	.own_size = sizeof(struct own),
	.take = take,
	.check = check,
	.run_local = run,
};
