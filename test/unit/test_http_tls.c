/* Who is believed: certificates of an authority of one's own, and bad ones, at real TLS servers. */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http_gets.h"
#include "names.h"

/* Two authorities; a certificate of the first for good.test, and one that is over at once. */
static const char make_certificates[] =
	"set -e; exec 2>/dev/null; cd $FOLDER; key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'\n"
	"echo subjectAltName=DNS:good.test,IP:127.0.0.1 > names\n"
	"for ca in ca another; do openssl req -x509 $key -keyout $ca.key -out $ca.pem -subj /CN=$ca -days 2; done\n"
	"for is in 'good 2' 'over 0'; do set -- $is\n"
	"openssl req $key -keyout $1.key -out $1.csr -subj /CN=good.test\n"
	"openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days $2 -extfile names -out $1.pem\n"
	"done\n"
	"echo page > page";

static char folder[] = "/tmp/meterd-tls-XXXXXX";

struct tls_server {
	const char *certificate;
	pid_t pid;
	int port;
};

static struct tls_server good = { .certificate = "good" }, over = { .certificate = "over" };

/* openssl's own, on a free port, which it tells in its first words. */
static void begin(struct tls_server *s)
{
	char certificate[60], key[60], line[100] = "";
	int out[2];
	FILE *said;

	snprintf(certificate, sizeof certificate, "%s/%s.pem", folder, s->certificate);
	snprintf(key, sizeof key, "%s/%s.key", folder, s->certificate);
	assert_int_equal(pipe(out), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (chdir(folder) < 0)
			_exit(127);
		dup2(out[1], STDOUT_FILENO);
		assert_non_null(freopen("/dev/null", "w", stderr));	/* where refusals are told */
		close(out[0]);
		close(out[1]);
		execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-WWW", "-cert", certificate,
		       "-key", key, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	said = fdopen(out[0], "r");
	assert_non_null(said);
	while (sscanf(line, "ACCEPT 127.0.0.1:%d", &s->port) != 1)
		assert_non_null(fgets(line, sizeof line, said));
	fclose(said);
}

static void end(struct tls_server *s)
{
	if (s->pid <= 0)
		return;
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
}

static const struct tls_case {
	const char *name;
	struct tls_server *server;
	const char *host;
	const char *ca;		/* NULL = the system's */
	const char *why;	/* NULL: 200 */
} tls_cases[] = {
	{ "good", &good, "good.test", "ca", NULL },
	{ "good, by its address", &good, "127.0.0.1", "ca", NULL },
	{ "another name", &good, "other.test", "ca", "no alternative certificate subject name matches" },
	{ "another authority", &good, "good.test", "another", "unable to get local issuer certificate" },
	{ "the system's authorities", &good, "good.test", NULL, "certificate" },
	{ "over", &over, "good.test", "ca", "certificate has expired" },
	{ "no such file", &good, "good.test", "absent", "absent.pem" },
	{ "good, again", &good, "good.test", "ca", NULL },
};

static void test_certificates(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(tls_cases); i++) {
		const struct tls_case *c = &tls_cases[i];
		char url[100], ca[60];
		struct get g = { 0 };

		print_message("# %s\n", c->name);
		snprintf(url, sizeof url, "https://%s:%d/page", c->host, c->server->port);
		snprintf(ca, sizeof ca, "%s/%s.pem", folder, c->ca ? c->ca : "");
		assert_int_equal(get_with(&g, (struct http_request){ .url = url, .timeout_ms = 20000, .keep_alive = true,
								     .ca_file = c->ca ? ca : NULL }), 0);
		wait_for(&g);
		assert_int_equal(g.status, c->why ? 0 : 200);
		assert_string_equal(g.body, c->why ? "" : "page\n");
		if (c->why)
			has_words(g.why, c->why);
	}
}

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_non_null(mkdtemp(folder));
	setenv("FOLDER", folder, 1);
	assert_int_equal(system(make_certificates), 0);
	begin(&good);
	begin(&over);
	assert_int_equal(loop_init(&loop, &stats), 0);
	assert_int_equal(http_new(&http, &loop, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_free(http);
	loop_deinit(&loop);
	end(&good);
	end(&over);
	assert_int_equal(system("rm -r $FOLDER"), 0);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificates),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
