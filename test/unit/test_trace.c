/* Recorded traces: what is a row, and what is told, with file and line, of everything else. */
#include "unit.h"

#include <unistd.h>

#include "trace.h"

#define HEADER                                                                                     \
	"unix_ms,cpu_percent,memory_used_bytes,memory_limit_bytes,net_in_bytes_per_sec,"           \
	"net_out_bytes_per_sec,requests_per_sec,latency_p95_ms"
#define H HEADER "\n"
#define NONE NAN
#define HEADER_WRONG "1: the first line has to be the header " HEADER
#define TIME_RULE "is not a time in Unix milliseconds, from 1970 to the year 9999"
#define VALUE_RULE "is not a number that is 0 or more"

struct file {
	char path[64];
};

static void write_file(struct file *f, const void *text, size_t len)
{
	int fd;

	strcpy(f->path, "/tmp/test_trace.XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

/* Reads it to its end or to the first error. Returns how many rows it had, the last in *last. */
static size_t read_all(const char *path, struct sample *last, char *error, size_t error_size)
{
	struct trace *t = NULL;
	size_t n = 0;

	*error = '\0';
	if (trace_open(&t, path, error, error_size) < 0) {
		assert_null(t);
		return 0;
	}
	while (trace_next(t, last, error, error_size) > 0)
		n++;
	trace_close(t);
	return n;
}

static size_t read_text(const void *text, size_t len, struct sample *last, char *error,
			size_t error_size)
{
	char told[1024];
	struct file f;
	size_t n;

	write_file(&f, text, len);
	n = read_all(f.path, last, told, sizeof told);
	unlink(f.path);
	/* Every message about the contents begins with the file. */
	*error = '\0';
	if (*told) {
		assert_memory_equal(told, f.path, strlen(f.path));
		assert_int_equal(told[strlen(f.path)], ':');
		snprintf(error, error_size, "%s", told + strlen(f.path) + 1);
	}
	return n;
}

/* --- good ones --- */

static void test_good(void **state)
{
	static const struct {
		const char *text;
		size_t rows;
		int64_t at_ms;	/* of the last, as is value */
		double value[METRIC_COUNT];
	} cases[] = {
		{ HEADER, 0, 0, { 0 } },
		{ H, 0, 0, { 0 } },
		{ H "\n\r\n\n", 0, 0, { 0 } },
		{ H "5,1.5,2,3,4,5,6,7\n", 1, 5, { 1.5, 2, 3, 4, 5, 6, 7 } },
		{ H "5,1.5,2,3,4,5,6,7", 1, 5, { 1.5, 2, 3, 4, 5, 6, 7 } },
		{ HEADER "\r\n5,1,2,3,4,5,6,7\r\n", 1, 5, { 1, 2, 3, 4, 5, 6, 7 } },
		{ H "5,1,2,3,4,5,6,7\r", 1, 5, { 1, 2, 3, 4, 5, 6, 7 } },
		{ H "9,,,,,,,\n5,1,2,3,4,5,6,7\n\n\n", 2, 5, { 1, 2, 3, 4, 5, 6, 7 } },
		{ H "0,,,,,,,\n", 1, 0, { NONE, NONE, NONE, NONE, NONE, NONE, NONE } },
		{ H "0,,,,,,,0\n", 1, 0, { NONE, NONE, NONE, NONE, NONE, NONE, 0 } },
		{ H "253402300799998,0,,,,,,\n", 1, TRACE_TIME_MAX,
		  { 0, NONE, NONE, NONE, NONE, NONE, NONE } },
		{ H "007,.5,5.,1e3,1E-2,1.25e+2,1e-400,0.1\n", 1, 7,
		  { .5, 5, 1000, .01, 125, 0, .1 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sample last = { 0 };
		char error[256];
		size_t n = read_text(cases[i].text, strlen(cases[i].text), &last, error,
				     sizeof error);

		printf("# row %zu %s\n", i, error);
		assert_string_equal(error, "");
		assert_int_equal(n, cases[i].rows);
		assert_int_equal(last.at_ms, cases[i].at_ms);
		for (int m = 0; m < METRIC_COUNT; m++) {
			assert_int_equal(isnan(last.value[m]), isnan(cases[i].value[m]));
			assert_true(isnan(last.value[m]) || last.value[m] == cases[i].value[m]);
		}
	}
}

/* --- bad ones --- */

static void test_bad(void **state)
{
	static const struct {
		const char *text;
		size_t rows;	/* before it */
		const char *error;
	} cases[] = {
		{ "", 0, HEADER_WRONG },
		{ "\n" H, 0, HEADER_WRONG },
		{ "5,1,2,3,4,5,6,7\n", 0, HEADER_WRONG },
		{ "\xef\xbb\xbf" H, 0, HEADER_WRONG },
		{ " " H, 0, HEADER_WRONG },
		{ HEADER ",count\n", 0, HEADER_WRONG },
		{ H "\n5,,,,,,,\n", 0, "2: the line is empty, and rows follow it" },
		{ H "5,,,,,,,\n\n\n5,,,,,,,\n", 1, "3: the line is empty, and rows follow it" },
		{ H "5,,,,,,\n", 0, "2: the row has 7 cells: it has to have 8" },
		{ H "5,,,,,,,,\n", 0, "2: the row has 9 cells: it has to have 8" },
		{ H "x\n", 0, "2: the row has 1 cell: it has to have 8" },
		{ H "1,,,,,,,\n2,,,,,,,\n,,,,,,,\n", 2, "4: unix_ms: '' " TIME_RULE },
		{ H "-1,,,,,,,\n", 0, "2: unix_ms: '-1' " TIME_RULE },
		{ H "+1,,,,,,,\n", 0, "2: unix_ms: '+1' " TIME_RULE },
		{ H " 1,,,,,,,\n", 0, "2: unix_ms: ' 1' " TIME_RULE },
		{ H "1.0,,,,,,,\n", 0, "2: unix_ms: '1.0' " TIME_RULE },
		{ H "0x1,,,,,,,\n", 0, "2: unix_ms: '0x1' " TIME_RULE },
		{ H "253402300799999,,,,,,,\n", 0, "2: unix_ms: '253402300799999' " TIME_RULE },
		{ H "99999999999999999999,,,,,,,\n", 0,
		  "2: unix_ms: '99999999999999999999' " TIME_RULE },
		{ H "1,abc,,,,,,\n", 0, "2: cpu_percent: 'abc' " VALUE_RULE },
		{ H "1,,-1,,,,,\n", 0, "2: memory_used_bytes: '-1' " VALUE_RULE },
		{ H "1,,,-0,,,,\n", 0, "2: memory_limit_bytes: '-0' " VALUE_RULE },
		{ H "1,,,,nan,,,\n", 0, "2: net_in_bytes_per_sec: 'nan' " VALUE_RULE },
		{ H "1,,,,,inf,,\n", 0, "2: net_out_bytes_per_sec: 'inf' " VALUE_RULE },
		{ H "1,,,,,,1e999,\n", 0, "2: requests_per_sec: '1e999' " VALUE_RULE },
		{ H "1,,,,,,,0x10\n", 0, "2: latency_p95_ms: '0x10' " VALUE_RULE },
		{ H "1,1 ,,,,,,\n", 0, "2: cpu_percent: '1 ' " VALUE_RULE },
		{ H "1, 1,,,,,,\n", 0, "2: cpu_percent: ' 1' " VALUE_RULE },
		{ H "1,+1,,,,,,\n", 0, "2: cpu_percent: '+1' " VALUE_RULE },
		{ H "1,1e,,,,,,\n", 0, "2: cpu_percent: '1e' " VALUE_RULE },
		{ H "1,e1,,,,,,\n", 0, "2: cpu_percent: 'e1' " VALUE_RULE },
		{ H "1,.,,,,,,\n", 0, "2: cpu_percent: '.' " VALUE_RULE },
		{ H "1,1.2.3,,,,,,\n", 0, "2: cpu_percent: '1.2.3' " VALUE_RULE },
		{ H "1,\"1\",,,,,,\n", 0, "2: cpu_percent: '\"1\"' " VALUE_RULE },
		{ H "1,1\r,,,,,,\n", 0, "2: cpu_percent: '1?' " VALUE_RULE },
		{ H "1,\xff,,,,,,\n", 0, "2: cpu_percent: '?' " VALUE_RULE },
		{ H "1,aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeee,,,,,,\n", 0,
		  "2: cpu_percent: 'aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd' " VALUE_RULE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sample last;
		char error[512];
		size_t n = read_text(cases[i].text, strlen(cases[i].text), &last, error,
				     sizeof error);

		printf("# row %zu\n", i);
		assert_string_equal(error, cases[i].error);
		assert_int_equal(n, cases[i].rows);
	}
}

static void test_nul(void **state)
{
	static const char text[] = H "1,1\0,,,,,,\n";
	struct sample last;
	char error[256];

	(void)state;
	assert_int_equal(read_text(text, sizeof text - 1, &last, error, sizeof error), 0);
	assert_string_equal(error, "2: the line has a NUL byte");
}

/* A number may be long as long as the line is not. */
static void test_long_lines(void **state)
{
	char text[sizeof H + TRACE_LINE_MAX + 8], error[256];
	size_t at = strlen(H), row = strlen("1,,,,,,,");
	struct sample last;

	(void)state;
	strcpy(text, H "1,,,,,,,");
	memset(text + at + row, '0', TRACE_LINE_MAX + 1 - row);
	assert_int_equal(read_text(text, at + TRACE_LINE_MAX, &last, error, sizeof error), 1);
	assert_string_equal(error, "");
	assert_true(last.value[METRIC_LATENCY_P95] == 0);
	assert_int_equal(read_text(text, at + TRACE_LINE_MAX + 1, &last, error, sizeof error), 0);
	assert_string_equal(error, "2: the line has more than 1000 bytes");
}

static void test_unreadable(void **state)
{
	struct sample last;
	char error[256];

	(void)state;
	read_all("/nonexistent.csv", &last, error, sizeof error);
	assert_string_equal(error, "cannot read /nonexistent.csv: No such file or directory");
	read_all("/", &last, error, sizeof error);
	assert_string_equal(error, "cannot read /: Is a directory");
}

/* Whatever the bytes: rows that are in bounds, or a message. */
static void test_noise(void **state)
{
	static const char alphabet[] = "0123456789,,,,,,,,,\n\r.eE+-nafix \"";
	uint64_t random = 1;
	size_t good = 0;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		char text[sizeof H + 64], error[512];
		size_t len = (size_t)sprintf(text, "%s1", H), end = len + unit_random(&random) % 40;
		struct sample last = { 0 };

		while (len < end)
			text[len++] = alphabet[unit_random(&random) % (sizeof alphabet - 1)];
		/* Noise alone has hardly ever eight cells. */
		len += (size_t)sprintf(text + len, "%s", i % 2 ? ",,,,,,," : "");
		if (read_text(text, len, &last, error, sizeof error) == 0)
			continue;
		good++;
		assert_in_range(last.at_ms, 0, TRACE_TIME_MAX);
		for (int m = 0; m < METRIC_COUNT; m++)
			assert_true(isnan(last.value[m]) || (last.value[m] >= 0 &&
							     isfinite(last.value[m])));
	}
	assert_true(good > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
