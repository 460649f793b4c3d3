/* URLs as events say them: what they may be, and that no log shows a password. */
#include "unit.h"

#include "metrics_url.h"

#define USER "user or a password"
#define CHARACTER "percent-encoded"
#define HOST "the host of the URL must be"
#define PORT "the port of the URL must be 1 to 65535"
#define SCHEME "must begin with http:// or https://"

static const struct url_case {
	const char *url;
	const char *says;	/* NULL: it may be */
	const char *shown;
} cases[] = {
	{ "http://127.0.0.1:9100/metrics", NULL, "http://127.0.0.1:9100/metrics" },
	{ "https://app.example.org/metrics", NULL, "https://app.example.org/metrics" },
	{ "HTTPS://APP/", NULL, "HTTPS://APP/" },
	{ "http://a", NULL, "http://a" },
	{ "http://a_b-c.d.", NULL, "http://a_b-c.d." },
	{ "http://xn--bcher-kva.example/", NULL, "http://xn--bcher-kva.example/" },
	{ "http://2130706433/", NULL, "http://2130706433/" },	/* networks.h looks through it */
	{ "http://[::1]:9100/metrics", NULL, "http://[::1]:9100/metrics" },
	{ "http://[::ffff:10.0.0.1]", NULL, "http://[::ffff:10.0.0.1]" },
	{ "http://a:1/", NULL, "http://a:1/" },
	{ "http://a:65535?x", NULL, "http://a:65535" },
	{ "http://a/m?token=secret", NULL, "http://a/m" },
	{ "http://a?token=secret", NULL, "http://a" },
	{ "http://a/%20/;x=1,2/[]{}|^`'\"<>~!$&*()", NULL,
	  "http://a/%20/;x=1,2/[]{}|^`'\"<>~!$&*()" },
	{ "http://a/../b/./c", NULL, "http://a/../b/./c" },
	/* An '@' ends a user for certain only before the path; else more is left out. */
	{ "http://a/x@y", NULL, "http://*" },
	{ "http://a/?mail=x@y", NULL, "http://*" },

	{ "", SCHEME, "" },
	{ "a", SCHEME, "a" },
	{ "//a/", SCHEME, "//a/" },
	{ "http:/a", SCHEME, "http:/a" },
	{ "http:a", SCHEME, "http:a" },
	{ "httpx://a", SCHEME, "httpx://a" },
	{ " http://a", CHARACTER, "?http://a" },
	{ "file:///etc/passwd", SCHEME, "file:///etc/passwd" },
	{ "ftp://a/", SCHEME, "ftp://a/" },
	{ "unix:///run/docker.sock", SCHEME, "unix:///run/docker.sock" },
	{ "h?u=http://b/?secret", SCHEME, "h" },
	{ "http://", "has no host", "http://" },
	{ "http:///", "has no host", "http:///" },
	{ "http://?x", "has no host", "http://" },
	{ "http://:80/", "has no host", "http://:80/" },
	{ "http://./", HOST, "http://./" },
	{ "http://..", HOST, "http://.." },
	{ "http://-/", HOST, "http://-/" },
	{ "http://a b/", CHARACTER, "http://a?b/" },
	{ "http://a%2eb/", "has a character that no host has", "http://a%2eb/" },
	{ "http://a,b/", "has a character that no host has", "http://a,b/" },
	{ "http://[::1/", HOST, "http://[::1/" },
	{ "http://[]/", HOST, "http://[]/" },
	{ "http://[127.0.0.1]/", HOST, "http://[127.0.0.1]/" },
	{ "http://[fe80::1%25eth0]/", HOST, "http://[fe80::1%25eth0]/" },
	{ "http://[::1]a/", "has a character that no host has", "http://[::1]a/" },
	{ "http://::1/", "has no host", "http://::1/" },
	{ "http://fd00::1/", PORT, "http://fd00::1/" },
	{ "http://a:/", PORT, "http://a:/" },
	{ "http://a:0/", PORT, "http://a:0/" },
	{ "http://a:65536/", PORT, "http://a:65536/" },
	{ "http://a:000080/", PORT, "http://a:000080/" },
	{ "http://a:+80/", PORT, "http://a:+80/" },
	{ "http://a:80:80/", PORT, "http://a:80:80/" },
	{ "http://a/#top", "fragment", "http://a/" },
	{ "http://a#@b/", "fragment", "http://*" },
	{ "http://me:secret@a/m?x", USER, "http://*@a/m" },
	{ "http://me@a/", USER, "http://*@a/" },
	{ "http://@a/", USER, "http://*@a/" },
	{ "http://me:s@cret@a/", USER, "http://*@a/" },
	{ "http://me:s/cret@a/", PORT, "http://*" },
	{ "http://me:s?cret@a/", PORT, "http://*" },
	{ "http://me:s\\cret@a/", CHARACTER, "http://*" },
	{ "http://a\\@b/", CHARACTER, "http://*" },
	{ "me:secret@a/m", SCHEME, "*@a/m" },
	{ "ftp://me:secret@a/m", SCHEME, "*" },
	{ "me:secret://x@a", SCHEME, "*" },
	{ "http://a/\r\nHost: b", CHARACTER, "http://a/??Host:?b" },
	{ "http://a/\x7f", CHARACTER, "http://a/?" },
	{ "http://b\xc3\xbc" "cher/", CHARACTER, "http://b??cher/" },
};

static void test_cases(void **state)
{
	char shown[METRICS_URL_SHOWN_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct url_case *c = &cases[i];
		struct problem p = { 0 };

		assert_ptr_equal(metrics_url_shown(c->url, shown), shown);
		printf("# row %zu: %s\n", i, shown);
		assert_string_equal(shown, c->shown);
		assert_int_equal(metrics_url_check(c->url, &p), c->says ? PROBLEM_MALFORMED : 0);
		if (c->says && !strstr(p.text, c->says))
			fail_msg("\"%s\" does not say \"%s\"", p.text, c->says);
		assert_null(strstr(p.text, "secret"));
	}
}

static void test_lengths(void **state)
{
	char url[METRICS_URL_MAX + 2] = "http://a/", host[300] = "http://";
	char shown[METRICS_URL_SHOWN_MAX];
	struct problem p;

	(void)state;
	memset(url + 9, 'x', METRICS_URL_MAX - 9);
	assert_int_equal(metrics_url_check(url, &p), 0);
	url[METRICS_URL_MAX] = 'x';
	assert_int_equal(metrics_url_check(url, &p), PROBLEM_MALFORMED);
	assert_string_equal(p.text, "the URL is longer than 2048 bytes");
	metrics_url_shown(url, shown);
	assert_int_equal(strlen(shown), METRICS_URL_SHOWN_MAX - 1);
	assert_string_equal(shown + METRICS_URL_SHOWN_MAX - 5, "x...");
	memset(host + 7, 'h', 253);
	assert_int_equal(metrics_url_check(host, &p), 0);
	host[7 + 253] = 'h';
	assert_int_equal(metrics_url_check(host, &p), PROBLEM_MALFORMED);
	memset(url, 'x', METRICS_URL_MAX);	/* all of it could be a scheme */
	metrics_url_shown(url, shown);
	assert_int_equal(strlen(shown), METRICS_URL_SHOWN_MAX - 1);
}

/* Made of what matters: what is let pass has no user, and nothing of a user is shown. */
static void test_random(void **state)
{
	static const char *const parts[] = { "http://", "https://", "://", "@", ":", "/", "?", "#",
					     "[", "]", "::1", "a", ".", "80", "%",
					     "\\", "\r", "secret" };
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 300000; round++) {
		char url[128], shown[METRICS_URL_SHOWN_MAX], *exact;
		struct problem p;

		strcpy(url, unit_random(&seed) % 4 ? "http://" : "");
		for (unsigned n = unit_random(&seed) % 10; n > 0; n--)
			strcat(url, parts[unit_random(&seed) % COUNT_OF(parts)]);
		exact = strdup(url);
		metrics_url_shown(exact, shown);
		if (metrics_url_check(exact, &p) == 0) {
			const char *host = strstr(url, "//") + 2;

			assert_int_equal(strncmp(url, "http", 4), 0);
			assert_true(strcspn(host, "/?") <= strcspn(host, "@"));
			assert_null(strpbrk(url, "\\\r#"));
		}
		/* What is before an '@' and behind a '?' is never seen. */
		if (strrchr(url, '@') && strstr(shown, "secret") &&
		    !strstr(strrchr(url, '@'), "secret"))
			fail_msg("%s is shown as %s", url, shown);
		assert_null(strpbrk(shown, "\r#"));
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
