#include "tests/unit/unit.h"

#include "proxy/exchange/web_guard.h"

#include <stdio.h>
#include <string.h>

/* A request: its head and body, as they came in. */
struct visit {
	const char *settings;
	const char *address; /* NULL: loopback */
	const char *target;  /* NULL: a path */
	const char *fields;
	bool has_body;
};

typedef bool guard(const struct config *config, const char *address, const struct http_head *head,
		   bool has_body, struct refusal *refusal, struct arena *arena);

/* The status that it is refused with; 0: it is let in. */
static int refusal_of(guard *admits, struct visit visit)
{
	struct arena arena = {0};
	struct http_head head;
	struct http_refusal malformed = {0};
	struct refusal refusal = {0};
	const char *settings = visit.settings == NULL ? "" : visit.settings;
	struct config *config = config_read_text("test.conf", slice_of(settings), stderr, NULL);
	ck_assert_ptr_nonnull(config);
	struct slice text =
		arena_printf(&arena, "POST %s HTTP/1.1\r\n%s\r\n",
			     visit.target == NULL ? "/v1/x" : visit.target, visit.fields);
	ck_assert_msg(http_head_parse(text, &head, &malformed, &arena), "%s: %s", visit.fields,
		      malformed.reason);
	bool admitted = admits(config, visit.address == NULL ? "127.0.0.1:8080" : visit.address,
			       &head, visit.has_body, &refusal, &arena);
	ck_assert(admitted == (refusal.status == 0));
	ck_assert(admitted || (refusal.code != NULL && refusal.message.size > 0));
	config_release(config);
	arena_finish(&arena);
	return refusal.status;
}

static void assert_host(const char *host, int expected)
{
	char fields[512];
	(void)snprintf(fields, sizeof(fields), "Host: %s\r\n", host);
	struct visit visit = {.settings =
				      "[listen]\nhosts = Recalld.example, 10.1.2.3, [fd00::1], "
				      "dotted.example.\nadmin_hosts = recalld.example, 10.1.2.3, "
				      "fd00::1, dotted.example.\n",
			      .fields = fields};
	ck_assert_msg(refusal_of(guard_admits_traffic, visit) == expected, "%s", host);
	ck_assert_msg(refusal_of(guard_admits_admin, visit) == expected, "admin: %s", host);
}

START_TEST(a_loopback_port_answers_to_its_own_names_only)
{
	static const char *const known[] = {"localhost",         "LocalHost:9",
					    "localhost.:8080",   "127.0.0.1:8080",
					    "127.8.9.1",         "[::1]:8080",
					    "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]:1",
					    "recalld.EXAMPLE",   "recalld.example:443",
					    "recalld.example.",  "10.1.2.3:8080",
					    "[fd00:0::1]:8080",  "dotted.example",
					    "localhost:",        ""};
	static const char *const foreign[] = {"evil.example",
					      "localhost.evil.example",
					      "127.0.0.1.evil.example",
					      "evil.example:8080",
					      "0.0.0.0:8080",
					      "[::]:8080",
					      "recalld.example.org",
					      "xrecalld.example",
					      "10.1.2.4",
					      "[fd00::2]",
					      "128.0.0.1",
					      "[::1",
					      "localhost..",
					      "a:b:c"};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_host(known[i], 0);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		assert_host(foreign[i], 421);
}
END_TEST

START_TEST(an_absolute_targets_host_counts_too)
{
	ck_assert_int_eq(refusal_of(guard_admits_traffic,
				    (struct visit){.target = "http://evil.example/v1/x",
						   .fields = "Host: localhost\r\n"}),
			 421);
	ck_assert_int_eq(refusal_of(guard_admits_traffic,
				    (struct visit){.target = "http://localhost/v1/x",
						   .fields = "Host: evil.example\r\n"}),
			 421);
	ck_assert_int_eq(refusal_of(guard_admits_traffic,
				    (struct visit){.target = "http://127.0.0.1:8080/v1/x",
						   .fields = "Host: localhost\r\n"}),
			 0);
}
END_TEST

START_TEST(elsewhere_any_host_is_taken)
{
	static const char *const addresses[] = {"0.0.0.0:8080", "[::]:8080", "10.0.0.1:8080",
						"unix:/run/recalld.sock"};
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct visit visit = {.address = addresses[i], .fields = "Host: any.example\r\n"};
		ck_assert_int_eq(refusal_of(guard_admits_traffic, visit), 0);
		ck_assert_int_eq(refusal_of(guard_admits_admin, visit), 0);
	}
}
END_TEST

#define HERE "Host: localhost\r\n"
#define JSON "Content-Type: application/json; charset=utf-8\r\n"
#define PAGE "Origin: https://page.example\r\n"

static void assert_body(guard *admits, const char *fields, int expected)
{
	struct visit visit = {.fields = fields, .has_body = true};
	ck_assert_msg(refusal_of(admits, visit) == expected, "%s", fields);
}

START_TEST(with_an_origin_a_body_must_be_declared_json)
{
	assert_body(guard_admits_traffic, HERE, 0);
	assert_body(guard_admits_traffic, HERE "Content-Type: text/plain\r\n", 0);
	assert_body(guard_admits_traffic, HERE PAGE JSON, 0);
	assert_body(guard_admits_traffic, HERE PAGE "Content-Type: Application/JSON\r\n", 0);
	assert_body(guard_admits_traffic, HERE PAGE "Content-Type: application/x+json\r\n", 0);
	assert_body(guard_admits_traffic, HERE "Origin: \r\nContent-Type: text/plain\r\n", 0);
	assert_body(guard_admits_traffic, HERE PAGE, 403);
	assert_body(guard_admits_traffic, HERE "Origin: null\r\n", 403);
	assert_body(guard_admits_traffic, HERE PAGE "Content-Type: text/plain\r\n", 403);
	assert_body(guard_admits_traffic,
		    HERE PAGE "Content-Type: text/plain; application/json\r\n", 403);
	assert_body(guard_admits_traffic, HERE PAGE JSON "Content-Type: text/plain\r\n", 403);
	assert_body(guard_admits_traffic, HERE "Origin: http://localhost:3000\r\n", 403);
	ck_assert_int_eq(refusal_of(guard_admits_traffic, (struct visit){.fields = HERE PAGE}), 0);
}
END_TEST

static void assert_admin(const char *fields, int expected)
{
	struct visit visit = {.settings = "[listen]\nadmin_hosts = dash.example\n",
			      .fields = fields};
	ck_assert_msg(refusal_of(guard_admits_admin, visit) == expected, "%s", fields);
}

START_TEST(no_foreign_page_asks_the_admin_address)
{
	assert_admin(HERE, 0);
	assert_admin(HERE "Origin: http://localhost:8081\r\n", 0);
	assert_admin(HERE "Origin: https://dash.example\r\n", 0);
	assert_admin(HERE "Sec-Fetch-Site: same-origin\r\n", 0);
	assert_admin(HERE "Sec-Fetch-Site: none\r\n", 0);
	assert_admin(HERE PAGE, 403);
	assert_admin(HERE "Origin: null\r\n", 403);
	assert_admin(HERE "Origin: chrome-extension://localhost\r\n", 403);
	assert_admin(HERE "Origin: https://localhost.evil.example\r\n", 403);
	assert_admin(HERE "Origin: http://localhost\r\n" PAGE, 403);
	assert_admin(HERE "Sec-Fetch-Site: cross-site\r\n", 403);
}
END_TEST

START_TEST(a_body_for_the_admin_address_must_be_declared_json)
{
	assert_body(guard_admits_admin, HERE, 0);
	assert_body(guard_admits_admin, HERE JSON, 0);
	assert_body(guard_admits_admin, HERE "Origin: http://localhost\r\n" JSON, 0);
	assert_body(guard_admits_admin, HERE "Content-Type: text/plain\r\n", 415);
	assert_body(guard_admits_admin, HERE "Origin: http://localhost\r\n", 415);
	assert_body(guard_admits_admin, HERE "Sec-Fetch-Site: same-origin\r\n", 415);
	assert_admin(HERE "Content-Type: text/plain\r\n", 0);
}
END_TEST

START_TEST(a_dry_run_is_for_known_hosts_without_an_origin)
{
	static const char settings[] = "[listen]\nadmin_token = t0ken\nhosts = recalld.example\n";
	static const struct {
		const char *fields;
		int expected;
	} cases[] = {
		{HERE, 0},
		{HERE JSON PAGE, 403},
		{HERE "Origin: http://localhost\r\n" JSON, 403},
		{"Host: recalld.example\r\n", 0},
		{"Host: evil.example\r\n", 403},
		{"Host: evil.example\r\nAuthorization: Bearer t0ken\r\n", 0},
		{"Host: evil.example\r\nAuthorization: Bearer other\r\n", 403},
		{HERE PAGE JSON "Authorization: Bearer t0ken\r\n", 403},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char fields[512];
		(void)snprintf(fields, sizeof(fields), "X-Memory-Dry-Run: 1\r\n%s",
			       cases[i].fields);
		struct visit visit = {settings, "0.0.0.0:8080", NULL, fields, true};
		ck_assert_msg(refusal_of(guard_admits_traffic, visit) == cases[i].expected, "%s",
			      fields);
	}
}
END_TEST

START_TEST(the_refusal_names_the_key_that_allows_the_host)
{
	struct arena arena = {0};
	struct refusal refusal;
	struct config *config = config_read_text("test.conf", slice_of(""), stderr, NULL);
	const struct http_head head = {.host = SLICE("recalld.lan:80")};
	ck_assert(!guard_admits_traffic(config, "127.0.0.1:1", &head, false, &refusal, &arena));
	ck_assert_ptr_nonnull(strstr(refusal.message.data, "\"recalld.lan:80\""));
	ck_assert_ptr_nonnull(strstr(refusal.message.data, "[listen] hosts"));
	ck_assert(!guard_admits_admin(config, "localhost:1", &head, false, &refusal, &arena));
	ck_assert_ptr_nonnull(strstr(refusal.message.data, "[listen] admin_hosts"));
	config_release(config);
	arena_finish(&arena);
}
END_TEST

UNIT_MAIN("web_guard", a_loopback_port_answers_to_its_own_names_only,
	  an_absolute_targets_host_counts_too, elsewhere_any_host_is_taken,
	  with_an_origin_a_body_must_be_declared_json, no_foreign_page_asks_the_admin_address,
	  a_body_for_the_admin_address_must_be_declared_json,
	  a_dry_run_is_for_known_hosts_without_an_origin,
	  the_refusal_names_the_key_that_allows_the_host)
