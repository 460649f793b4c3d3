#include "url_template.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Where a value stands decides how it is written. */
enum place { PLACE_HOST, PLACE_BEHIND };

#define CONTAINER_IP "container_ip"

static const struct variable {
	const char *name;
	size_t offset;		/* of its value */
} variables[] = {
	{ "id", offsetof(struct url_values, id) },
	{ "node", offsetof(struct url_values, node) },
	{ "workload_id", offsetof(struct url_values, workload_id) },
	{ "container_name", offsetof(struct url_values, container_name) },
	{ CONTAINER_IP, offsetof(struct url_values, container_ip) },
};

/* One URL being made. */
struct making {
	char *url;		/* METRICS_URL_MAX + 1 */
	size_t len;
	enum place place;
	bool too_long;
	bool no_host;		/* a value that cannot be one stands there */
};

static void put(struct making *m, char c)
{
	if (m->len == METRICS_URL_MAX)
		m->too_long = true;
	else
		m->url[m->len++] = c;
}

/* Letters, digits and "-._~" are plain by RFC 3986. */
static void put_encoded(struct making *m, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (metrics_url_host_char(*s) || c == '~') {
			put(m, *s);
			continue;
		}
		put(m, '%');
		put(m, hex[c >> 4]);
		put(m, hex[c & 15]);
	}
}

static void put_host(struct making *m, const char *s)
{
	for (; *s; s++) {
		m->no_host = m->no_host || !metrics_url_host_char(*s);
		put(m, *s);
	}
}

static void put_ip(struct making *m, const char *s)
{
	char address[16];

	if (inet_pton(AF_INET, s, address) == 1) {
		put_encoded(m, s);
	} else if (inet_pton(AF_INET6, s, address) != 1) {
		m->no_host = true;
	} else if (m->place == PLACE_BEHIND) {
		put_encoded(m, s);
	} else {
		put(m, '[');
		for (; *s; s++)
			put(m, *s);
		put(m, ']');
	}
}

static void put_value(struct making *m, const struct variable *variable, const char *value)
{
	if (strcmp(variable->name, CONTAINER_IP) == 0)
		put_ip(m, value);
	else if (m->place == PLACE_HOST)
		put_host(m, value);
	else
		put_encoded(m, value);
}

/* s is behind the brace. NULL: there is none of this name, or no end of it. */
static const struct variable *variable_at(const char *s)
{
	size_t len = strcspn(s, "{}");

	for (size_t i = 0; s[len] == '}' && i < sizeof variables / sizeof *variables; i++)
		if (strlen(variables[i].name) == len && memcmp(variables[i].name, s, len) == 0)
			return &variables[i];
	return NULL;
}

static const char *value_of(const struct variable *variable, const struct url_values *v)
{
	return *(const char *const *)(const void *)((const char *)v + variable->offset);
}

/* "." and ".." are taken out of a path by who fetches it, and with ".." what is before it. */
static bool has_dots(const char *url)
{
	const char *s = strstr(url, "://");

	for (s = s ? s + 3 : url; *s && *s != '?'; s++) {
		size_t dots;

		if (*s != '/')
			continue;
		dots = strspn(s + 1, ".");
		if ((dots == 1 || dots == 2) && (s[1 + dots] == '\0' || strchr("/?", s[1 + dots])))
			return true;
	}
	return false;
}

/* false: a variable has no value. The rest is in *m. */
static bool make(struct making *m, const char *text, const struct url_values *v)
{
	const char *host = strstr(text, "://");

	host = host ? host + 3 : text;
	for (const char *s = text; *s; s++) {
		const struct variable *variable = *s == '{' ? variable_at(s + 1) : NULL;
		const char *value = variable ? value_of(variable, v) : NULL;

		if (s >= host && strchr("/?", *s))
			m->place = PLACE_BEHIND;
		if (!variable) {
			put(m, *s);
			continue;
		}
		if (!value || !*value)
			return false;
		put_value(m, variable, value);
		s += strlen(variable->name) + 1;
	}
	m->url[m->len] = '\0';
	return true;
}

static int check_made(const struct making *m, struct problem *p)
{
	if (m->too_long)
		return problem_set(p, PROBLEM_MALFORMED, "the URL made of the template is longer "
				   "than %d bytes", METRICS_URL_MAX);
	if (m->no_host)
		return problem_set(p, PROBLEM_MALFORMED, "a value in the template has a character "
				   "that no host has");
	if (has_dots(m->url))
		return problem_set(p, PROBLEM_MALFORMED, "the path of the URL must not have . or "
				   ".. as a part");
	return metrics_url_check(m->url, p);
}

enum url_result url_template_expand(const char *text, const struct url_values *v,
				    char url[METRICS_URL_MAX + 1], struct problem *p)
{
	char made[METRICS_URL_MAX + 1];
	struct making m = { .url = made };

	if (!make(&m, text, v))
		return URL_NO_VALUE;
	if (check_made(&m, p) != 0)
		return URL_UNUSABLE;
	memcpy(url, made, m.len + 1);
	return URL_MADE;
}

static int check_braces(const char *text, struct problem *p)
{
	for (const char *s = text; *s; s++) {
		size_t len = strcspn(s + 1, "{}");

		if (*s == '}')
			return problem_set(p, PROBLEM_MALFORMED,
					   "the template has a } without its {");
		if (*s != '{')
			continue;
		if (s[1 + len] != '}')
			return problem_set(p, PROBLEM_MALFORMED,
					   "the template has a { without its }");
		if (!variable_at(s + 1))
			return problem_set(p, PROBLEM_MALFORMED,
					   "the template has the unknown variable {%.*s}",
					   len > 40 ? 40 : (int)len, s + 1);
		s += 1 + len;
	}
	return 0;
}

int url_template_check(const char *text, struct problem *p)
{
	/* Values as plain as can be: what is wrong with them is wrong with the template. */
	const struct url_values plain[] = {
		{ "a", "a", "a", "a", "192.0.2.1" },
		{ "a", "a", "a", "a", "2001:db8::1" },
	};
	char url[METRICS_URL_MAX + 1];
	int r;

	r = check_braces(text, p);
	for (size_t i = 0; r == 0 && i < sizeof plain / sizeof *plain; i++)
		if (url_template_expand(text, &plain[i], url, p) != URL_MADE)
			r = p->code;
	return r;
}
