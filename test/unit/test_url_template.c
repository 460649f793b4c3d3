/* One template, many instances: what it may be, and what values from outside can do to it. */
#include "unit.h"

#include "url_template.h"

static const struct check_case {
	const char *text;
	const char *says;	/* NULL: it may be */
} check_cases[] = {
	{ "http://{container_ip}:9100/metrics", NULL },
	{ "https://{container_ip}/metrics", NULL },
	{ "http://{container_name}.internal:8080/{id}?w={workload_id}&n={node}", NULL },
	{ "http://127.0.0.1:9100/metrics", NULL },
	{ "http://{node}{id}", NULL },
	{ "http://proxy/{container_ip}/metrics", NULL },
	{ "http://[::1]:9100/{id}", NULL },

	{ "", "must begin with http://" },
	{ "{id}", "must begin with http://" },
	{ "{container_ip}:9100", "must begin with http://" },
	{ "{node}://host/", "must begin with http://" },
	{ "ftp://{container_ip}/", "must begin with http://" },
	{ "http://{ip}/", "the unknown variable {ip}" },
	{ "http://{}/", "the unknown variable {}" },
	{ "http://{ID}/", "the unknown variable {ID}" },
	{ "http://{id }/", "the unknown variable {id }" },
	{ "http://{idx}/", "the unknown variable {idx}" },
	{ "http://{i}/", "the unknown variable {i}" },
	{ "http://{\n}/", "the unknown variable {?}" },
	{ "http://{id", "a { without its }" },
	{ "http://{", "a { without its }" },
	{ "http://{{id}}/", "a { without its }" },
	{ "http://{id{node}}/", "a { without its }" },
	{ "http://id}/", "a } without its {" },
	{ "http://{id}}/", "a } without its {" },
	{ "http://me:secret@{container_ip}/", "must not have a user or a password" },
	{ "http://{id}@host/", "must not have a user or a password" },
	{ "http://host/#{id}", "fragment" },
	{ "http://host/{id} ", "percent-encoded" },
	{ "http://host/\x01", "percent-encoded" },
	{ "http:///{id}", "has no host" },
	{ "http://host:{id}/", "the port of the URL" },
	{ "http://host:80{id}/", "the port of the URL" },
	{ "http://[{container_ip}]:9100/", "the host of the URL" },
	{ "http://x{container_ip}/", "has a character that no host has" },
	{ "http://{container_ip}.local/", "has a character that no host has" },
	{ "http://host/../{id}", "must not have . or .." },
};

static void test_check(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(check_cases); i++) {
		const struct check_case *c = &check_cases[i];
		struct problem p = { 0 };

		printf("# row %zu\n", i);
		assert_int_equal(url_template_check(c->text, &p), c->says ? PROBLEM_MALFORMED : 0);
		if (c->says && !strstr(p.text, c->says))
			fail_msg("\"%s\" does not say \"%s\"", p.text, c->says);
		assert_null(strstr(p.text, "secret"));
	}
}

#define IP "http://{container_ip}:9100/metrics"
#define NAME "http://{container_name}:9100/"
#define PATH "http://proxy/{container_name}/m?w={workload_id}"

static const struct expand_case {
	const char *name;
	const char *text;
	struct url_values values;
	enum url_result want;
	const char *is;		/* the URL, or a part of the sentence */
} expand_cases[] = {
	{ "a v4 address", IP, { .container_ip = "10.0.0.7" }, URL_MADE,
	  "http://10.0.0.7:9100/metrics" },
	{ "a v6 address gets brackets", IP, { .container_ip = "fd00::7" }, URL_MADE,
	  "http://[fd00::7]:9100/metrics" },
	{ "but not in a path", "http://p/{container_ip}/m", { .container_ip = "fd00::7" }, URL_MADE,
	  "http://p/fd00%3A%3A7/m" },
	{ "nor in a query", "http://p?ip={container_ip}", { .container_ip = "fd00::7" }, URL_MADE,
	  "http://p?ip=fd00%3A%3A7" },
	{ "no address", IP, { .id = "a" }, URL_NO_VALUE, NULL },
	{ "an empty one", IP, { .container_ip = "" }, URL_NO_VALUE, NULL },
	{ "what is no address", IP, { .container_ip = "evil" }, URL_UNUSABLE, "no host has" },
	{ "nor is that", IP, { .container_ip = "fe80::1%eth0" }, URL_UNUSABLE, "no host has" },
	{ "nor in a path", "http://p/{container_ip}", { .container_ip = "x" }, URL_UNUSABLE,
	  "no host has" },
	{ "no variable at all", "http://a/m", { 0 }, URL_MADE, "http://a/m" },
	{ "all of them", "http://{node}/{id}/{workload_id}/{container_name}/{container_ip}",
	  { "i", "n", "w", "c", "10.0.0.1" }, URL_MADE, "http://n/i/w/c/10.0.0.1" },
	{ "one of two has no value", PATH, { .container_name = "c" }, URL_NO_VALUE, NULL },
	{ "twice the same", "http://{id}.{id}/", { .id = "a" }, URL_MADE, "http://a.a/" },

	{ "a name as the host", NAME, { .container_name = "cp-web_1.x" }, URL_MADE,
	  "http://cp-web_1.x:9100/" },
	{ "a name that brings a user", NAME, { .container_name = "me@evil" }, URL_UNUSABLE,
	  "no host has" },
	{ "a port", NAME, { .container_name = "evil:80" }, URL_UNUSABLE, "no host has" },
	{ "a path", NAME, { .container_name = "evil/" }, URL_UNUSABLE, "no host has" },
	{ "a query", NAME, { .container_name = "evil?" }, URL_UNUSABLE, "no host has" },
	{ "a fragment", NAME, { .container_name = "evil#" }, URL_UNUSABLE, "no host has" },
	{ "a percent sign", NAME, { .container_name = "a%2fb" }, URL_UNUSABLE, "no host has" },
	{ "brackets", NAME, { .container_name = "[::1]" }, URL_UNUSABLE, "no host has" },
	{ "a backslash", NAME, { .container_name = "a\\b" }, URL_UNUSABLE, "no host has" },
	{ "a blank", NAME, { .container_name = "a b" }, URL_UNUSABLE, "no host has" },
	{ "UTF-8", NAME, { .container_name = "b\xc3\xbc" }, URL_UNUSABLE, "no host has" },
	{ "only dots", NAME, { .container_name = ".." }, URL_UNUSABLE, "the host of the URL" },

	{ "plain", PATH, { .container_name = "aZ09-._~", .workload_id = "w" }, URL_MADE,
	  "http://proxy/aZ09-._~/m?w=w" },
	{ "percent-encoded", PATH,
	  { .container_name = "a/b?c#d", .workload_id = "x&y=z%\r\n\xc3\xa4" }, URL_MADE,
	  "http://proxy/a%2Fb%3Fc%23d/m?w=x%26y%3Dz%25%0D%0A%C3%A4" },
	{ "a variable in a value is none", PATH, { .container_name = "{id}", .workload_id = "{" },
	  URL_MADE, "http://proxy/%7Bid%7D/m?w=%7B" },
	{ "a scheme in a value", PATH, { .container_name = "x://y/..", .workload_id = "w" },
	  URL_MADE, "http://proxy/x%3A%2F%2Fy%2F../m?w=w" },
	{ "up in the path", PATH, { .container_name = "..", .workload_id = "w" }, URL_UNUSABLE,
	  "must not have . or .." },
	{ "on the spot", PATH, { .container_name = ".", .workload_id = "w" }, URL_UNUSABLE,
	  "must not have . or .." },
	{ "three dots are a name", PATH, { .container_name = "...", .workload_id = "w" }, URL_MADE,
	  "http://proxy/.../m?w=w" },
	{ "dots out of two", "http://p/{id}{node}", { .id = ".", .node = "." }, URL_UNUSABLE,
	  "must not have . or .." },
	{ "dots before a query", "http://p/{node}?x", { .node = ".." }, URL_UNUSABLE,
	  "must not have . or .." },
	{ "dots in a query are no path", PATH, { .container_name = "c", .workload_id = ".." },
	  URL_MADE, "http://proxy/c/m?w=.." },
	{ "encoded dots stay encoded", PATH, { .container_name = "%2e%2e", .workload_id = "w" },
	  URL_MADE, "http://proxy/%252e%252e/m?w=w" },
};

static void test_expand(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(expand_cases); i++) {
		const struct expand_case *c = &expand_cases[i];
		char url[METRICS_URL_MAX + 1] = "as it was";
		struct problem p = { 0 };

		printf("# %s\n", c->name);
		assert_int_equal(url_template_check(c->text, &p), 0);
		assert_int_equal(url_template_expand(c->text, &c->values, url, &p), c->want);
		assert_string_equal(url, c->want == URL_MADE ? c->is : "as it was");
		if (c->want == URL_UNUSABLE && !strstr(p.text, c->is))
			fail_msg("\"%s\" does not say \"%s\"", p.text, c->is);
	}
}

static void test_lengths(void **state)
{
	char value[METRICS_URL_MAX], url[METRICS_URL_MAX + 1];
	struct url_values v = { .workload_id = value };
	struct problem p;

	(void)state;
	memset(value, 'x', sizeof value);
	value[METRICS_URL_MAX - strlen("http://p/")] = '\0';
	assert_int_equal(url_template_expand("http://p/{workload_id}", &v, url, &p), URL_MADE);
	assert_int_equal(strlen(url), METRICS_URL_MAX);
	strcat(value, "x");
	assert_int_equal(url_template_expand("http://p/{workload_id}", &v, url, &p), URL_UNUSABLE);
	assert_string_equal(p.text, "the URL made of the template is longer than 2048 bytes");
	/* Cut in the middle of an encoded character it would be another URL. */
	memset(value, '/', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	assert_int_equal(url_template_expand("http://p/{workload_id}", &v, url, &p), URL_UNUSABLE);
}

/* Whatever the values: a URL that is made goes to the host of the template and passes the check. */
static void test_random(void **state)
{
	static const char alphabet[] = "a.:/?#[]@%{}\\ \r\xc3-_";
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		char name[12] = "", workload[12] = "", url[METRICS_URL_MAX + 1];
		struct url_values v = { .container_name = name, .workload_id = workload };
		struct problem p;

		for (unsigned i = 0, n = unit_random(&seed) % 10; i < n; i++)
			name[i] = alphabet[unit_random(&seed) % (sizeof alphabet - 1)];
		for (unsigned i = 0, n = unit_random(&seed) % 10; i < n; i++)
			workload[i] = alphabet[unit_random(&seed) % (sizeof alphabet - 1)];
		if (url_template_expand(PATH, &v, url, &p) != URL_MADE)
			continue;
		assert_int_equal(strncmp(url, "http://proxy/", 13), 0);
		assert_int_equal(metrics_url_check(url, &p), 0);
		assert_ptr_equal(strchr(url + 13, '/'), strstr(url, "/m?w="));
		assert_null(strpbrk(strstr(url, "/m?w=") + 5, "/?#@&{}\\ \r"));
		assert_null(strstr(url, "/../"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
