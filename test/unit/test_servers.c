/* A list of NATS URLs: what it may be, and that no message shows a password. */
#include "unit.h"

#include <stdbool.h>

#include "servers.h"

static const struct {
	const char *list;
	bool valid;
	const char *masked;
} cases[] = {
	{ "nats://127.0.0.1:4222", true, "nats://127.0.0.1:4222" },
	{ "localhost", true, "localhost" },
	{ "tls://bus.example.org", true, "tls://bus.example.org" },
	{ "nats://[::1]:4222", true, "nats://[::1]:4222" },
	{ "nats://one:4222,two:4223,nats://three", true, "nats://one:4222,two:4223,nats://three" },
	{ "nats://me:secret@host:4222", true, "nats://*@host:4222" },
	{ "me:s@cret@host,nats://token@two", true, "*@host,nats://*@two" },
	{ "nats://me:a:b/c@host", true, "nats://*@host" },
	{ "nats://me:secret@host:port", false, "nats://*@host:port" },
	{ "", false, "" },
	{ ",", false, "," },
	{ "one,", false, "one," },
	{ "nats://", false, "nats://" },
	{ "nats://:4222", false, "nats://:4222" },
	{ "nats://host:", false, "nats://host:" },
	{ "nats://host:0", false, "nats://host:0" },
	{ "nats://host:65536", false, "nats://host:65536" },
	{ "nats://host:port", false, "nats://host:port" },
	{ "nats://host:42 22", false, "nats://host:42 22" },
	{ "http://host:80", false, "http://host:80" },
	{ "a b", false, "a b" },
	{ "host\r\n", false, "host\r\n" },
	{ "nats://[::1", false, "nats://[::1" },
	{ "nats://host/path", false, "nats://host/path" },
	{ "secret@", false, "*@" },
};

static void test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *masked = servers_masked(cases[i].list);

		printf("# row %zu\n", i);
		assert_int_equal(servers_valid(cases[i].list), cases[i].valid);
		assert_string_equal(masked, cases[i].masked);
		free(masked);
	}
}

static void test_too_many(void **state)
{
	char list[2 * SERVERS_MAX + 2] = "";

	(void)state;
	for (int i = 0; i < SERVERS_MAX; i++)
		strcat(list, i ? ",a" : "a");
	assert_true(servers_valid(list));
	strcat(list, ",");
	assert_false(servers_valid(list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
