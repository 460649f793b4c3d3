#include "names.h"

#include <string.h>

#define MS_IN_SECOND 1e3

/* README, "Requests and latency", has the stacks they are from. */
static const struct family request_counters[] = {
	{ .name = "http_requests_total" },
	{ .name = "http_server_request_duration_seconds_count" },
	{ .name = "http_server_duration_milliseconds_count" },
	{ .name = "http_server_requests_seconds_count" },
	{ .name = "django_http_requests_before_middlewares_total" },
	{ .name = "flask_http_request_total" },
	{ .name = "http_requests_received_total" },
	{ .name = "envoy_http_downstream_rq_total" },
	{ .name = "istio_requests_total", .rule = RULE_ISTIO },
	{ .name = "traefik_entrypoint_requests_total" },
	{ .name = "nginx_ingress_controller_requests" },
	{ .name = "nginx_http_requests_total" },
	{ .name = "caddy_http_requests_total", .rule = RULE_CADDY },
	{ .name = "haproxy_frontend_http_requests_total", .rule = RULE_HAPROXY },
	{ .name = "prometheus_http_requests_total" },
	{ .name = "grpc_server_handled_total" },
};

static const struct family latency_histograms[] = {
	{ .name = "http_request_duration_highr_seconds", .to_ms = MS_IN_SECOND },
	{ .name = "http_request_duration_seconds", .to_ms = MS_IN_SECOND },
	{ .name = "http_server_request_duration_seconds", .to_ms = MS_IN_SECOND },
	{ .name = "http_server_duration_milliseconds", .to_ms = 1 },
	{ .name = "http_server_requests_seconds", .to_ms = MS_IN_SECOND, .has_quantiles = true },
	{ .name = "django_http_requests_latency_including_middlewares_seconds",
	  .to_ms = MS_IN_SECOND },
	{ .name = "flask_http_request_duration_seconds", .to_ms = MS_IN_SECOND },
	{ .name = "envoy_http_downstream_rq_time", .to_ms = 1 },
	{ .name = "istio_request_duration_milliseconds", .to_ms = 1, .rule = RULE_ISTIO },
	{ .name = "traefik_entrypoint_request_duration_seconds", .to_ms = MS_IN_SECOND },
	{ .name = "nginx_ingress_controller_request_duration_seconds", .to_ms = MS_IN_SECOND },
	{ .name = "caddy_http_request_duration_seconds", .to_ms = MS_IN_SECOND,
	  .rule = RULE_CADDY },
	{ .name = "prometheus_http_request_duration_seconds", .to_ms = MS_IN_SECOND },
	{ .name = "grpc_server_handling_seconds", .to_ms = MS_IN_SECOND },
};

/* A name that says nothing is in seconds, the base unit. */
static const struct unit {
	const char *suffix;
	double to_ms;
} units[] = {
	{ "_milliseconds", 1 },	     { "_ms", 1 },     { "_microseconds", 1e-3 }, { "_us", 1e-3 },
	{ "_nanoseconds", 1e-6 }, { "_ns", 1e-6 }, { "_minutes", 60e3 },
};

static const struct type {
	const char *word;
	unsigned roles;		/* bits of enum name_role that may have it */
} types[] = {
	{ "counter", 1 << NAME_COUNTER },
	{ "histogram", 1 << NAME_BUCKET | 1 << NAME_QUANTILE },
	{ "summary", 1 << NAME_QUANTILE },
	{ "untyped", 1 << NAME_COUNTER | 1 << NAME_BUCKET | 1 << NAME_QUANTILE },
	{ "unknown", 1 << NAME_COUNTER | 1 << NAME_BUCKET | 1 << NAME_QUANTILE },
	{ "gauge", 0 },
	{ "gaugehistogram", 0 },
	{ "info", 0 },
	{ "stateset", 0 },
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static bool ends_in(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n > s && memcmp(name + n - s, suffix, s) == 0;
}

static uint8_t chain_of(const char *four_bytes)
{
	uint32_t word;

	memcpy(&word, four_bytes, sizeof word);
	return (uint8_t)(word * 2654435761u >> 24);
}

bool names_has_byte(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9') ||
	       (c >= 'A' && c <= 'Z') || c == ':';
}

static bool is_plain(const char *name)
{
	for (const char *c = name; *c != '\0'; c++) {
		if (!names_has_byte(*c))
			return false;
	}
	return *name < '0' || *name > '9';
}

static void add(struct names *n, const struct family *f, size_t order, enum family_kind kind,
		enum name_role role, const char *suffix)
{
	struct name *name = &n->name[n->n++];
	size_t base_len = strlen(f->name);

	name->family = f;
	name->suffix = suffix;
	name->first = 0;
	memcpy(&name->first, f->name, base_len < 8 ? base_len : 8);
	name->mask = 0;
	memset(&name->mask, 0xff, base_len < 8 ? base_len : 8);
	name->base_len = (uint16_t)base_len;
	name->len = (uint16_t)(base_len + strlen(suffix));
	name->order = (uint8_t)order;
	name->barred = false;
	name->plain = !f->given || is_plain(f->name);
	name->kind = kind;
	name->role = role;
	name->next = 0;
	if (base_len < 4) {
		n->any_short = true;
		return;
	}
	name->next = n->chain[chain_of(f->name)];
	n->chain[chain_of(f->name)] = n->n;
}

static void add_counter(struct names *n, const struct family *f, size_t order, bool openmetrics)
{
	add(n, f, order, FAMILY_REQUESTS, NAME_COUNTER, "");
	if (openmetrics && !ends_in(f->name, "_total") && !ends_in(f->name, "_count"))
		add(n, f, order, FAMILY_REQUESTS, NAME_COUNTER, "_total");
}

static void add_histogram(struct names *n, const struct family *f, size_t order)
{
	add(n, f, order, FAMILY_LATENCY, NAME_BUCKET, "_bucket");
	if (f->has_quantiles)
		add(n, f, order, FAMILY_LATENCY, NAME_QUANTILE, "");
}

static const struct family *given(struct names *n, enum family_kind kind, const char *name)
{
	struct family *f = &n->given[kind];

	*f = (struct family){ .name = name, .to_ms = MS_IN_SECOND, .given = true,
			      .has_quantiles = true };
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (ends_in(name, units[i].suffix))
			f->to_ms = units[i].to_ms;
	}
	/* A known one that is named keeps what is known of it. */
	for (size_t i = 0; i < COUNT_OF(request_counters); i++) {
		if (strcmp(name, request_counters[i].name) == 0)
			f->rule = request_counters[i].rule;
	}
	for (size_t i = 0; i < COUNT_OF(latency_histograms); i++) {
		if (strcmp(name, latency_histograms[i].name) != 0)
			continue;
		f->rule = latency_histograms[i].rule;
		f->to_ms = latency_histograms[i].to_ms;
	}
	return f;
}

static void set_starts(struct names *n)
{
	memset(n->start, LINE_BAD, sizeof n->start);
	for (int c = 'a'; c <= 'z'; c++)
		n->start[c] = n->start[c - 'a' + 'A'] = LINE_NAME;
	n->start['_'] = n->start[':'] = LINE_NAME;
	n->start['#'] = LINE_COMMENT;
	n->start['{'] = LINE_BRACE;
	n->start[' '] = n->start['\t'] = LINE_BLANK;
}

void names_init(struct names *n, const char *request_counter, const char *latency_histogram,
		bool openmetrics)
{
	n->n = 0;
	n->any_short = false;
	memset(n->chain, 0, sizeof n->chain);
	set_starts(n);
	if (request_counter)
		add_counter(n, given(n, FAMILY_REQUESTS, request_counter), 0, openmetrics);
	for (size_t i = 0; !request_counter && i < COUNT_OF(request_counters); i++)
		add_counter(n, &request_counters[i], i, openmetrics);
	if (latency_histogram)
		add_histogram(n, given(n, FAMILY_LATENCY, latency_histogram), 0);
	for (size_t i = 0; !latency_histogram && i < COUNT_OF(latency_histograms); i++)
		add_histogram(n, &latency_histograms[i], i);
}

bool names_may_begin(const struct names *n, const char *four_bytes)
{
	return n->chain[chain_of(four_bytes)] != 0 || n->any_short;
}

static bool is_name(const struct name *name, const char *text, size_t len)
{
	return len == name->len && memcmp(text, name->family->name, name->base_len) == 0 &&
	       memcmp(text + name->base_len, name->suffix, len - name->base_len) == 0;
}

/* first: of the line. */
static bool begins_line(const struct name *name, uint64_t first, const char *line, const char *end)
{
	return (first & name->mask) == name->first && end - line >= name->len &&
	       is_name(name, line, name->len) && name->plain &&
	       (end == line + name->len || !names_has_byte(line[name->len]));
}

const struct name *names_find(const struct names *n, const char *line, const char *end)
{
	uint64_t first = 0;
	unsigned i;

	memcpy(&first, line, end - line < 8 ? (size_t)(end - line) : 8);
	if (n->any_short) {
		for (i = n->n; i > 0 && !begins_line(&n->name[i - 1], first, line, end);)
			i--;
	} else {
		if (end - line < 4)
			return NULL;
		for (i = n->chain[chain_of(line)];
		     i > 0 && !begins_line(&n->name[i - 1], first, line, end);)
			i = n->name[i - 1].next;
	}
	return i > 0 && !n->name[i - 1].barred ? &n->name[i - 1] : NULL;
}

const struct name *names_find_quoted(const struct names *n, const char *name, size_t len)
{
	for (unsigned i = 0; i < n->n; i++) {
		if (is_name(&n->name[i], name, len))
			return n->name[i].barred ? NULL : &n->name[i];
	}
	return NULL;
}

/* Of a counter the TYPE line has the whole name, of a histogram that without _bucket. */
static bool is_typed(const struct name *name, const char *text, size_t len)
{
	if (name->role == NAME_COUNTER)
		return is_name(name, text, len);
	return len == name->base_len && memcmp(text, name->family->name, len) == 0;
}

static const struct type *find_type(const char *word, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (len == strlen(types[i].word) && memcmp(word, types[i].word, len) == 0)
			return &types[i];
	}
	return NULL;
}

bool names_note_type(struct names *n, const char *name, size_t len, const char *type,
		     size_t type_len)
{
	const struct type *t;
	bool matters = false;

	if (!n->any_short && (len < 4 || !names_may_begin(n, name)))
		return true;
	t = find_type(type, type_len);
	for (unsigned i = 0; i < n->n; i++) {
		struct name *e = &n->name[i];

		if (!is_typed(e, name, len))
			continue;
		matters = true;
		if (t && !e->family->given)
			e->barred = !(t->roles >> e->role & 1);
	}
	return t || !matters;
}
