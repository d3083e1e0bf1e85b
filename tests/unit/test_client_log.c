/* Which name of a client program, and of a model, may be logged, and how many lines. What they say:
 * integration/test_other_paths.py and test_admin_status.py. */
#include "tests/unit/catch_fixture.h"

#include "proxy/service/client_log.h"

#include <string.h>

START_TEST(a_program_is_the_first_product_without_its_version)
{
	static const char *const programs[][2] = {
		{"OpenAI/Python 1.99.1", "OpenAI/Python"},
		{"codex_cli_rs/0.46.0 (Debian)", "codex_cli_rs"},
		{"claude-cli/2.1 (external)", "claude-cli"},
		{"curl", "curl"},
		{"My secret is 42", "My"},
		{"(odd)", "without a name"},
		{"", "without a name"},
	};
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		unit_assert_slice(client_program(slice_of(programs[i][0])), programs[i][1]);
}
END_TEST

START_TEST(a_name_ends_at_the_first_byte_that_no_name_has)
{
	unit_assert_slice(client_name(SLICE("meta-llama/Llama-3.1:8b@q4")),
			  "meta-llama/Llama-3.1:8b@q4");
	unit_assert_slice(client_name(SLICE("gpt-4o\nerror forged=1")), "gpt-4o");
	unit_assert_slice(client_name(SLICE("my name is Alex")), "my");
	unit_assert_slice(client_name(SLICE("\xc3\xa9t\xc3\xa9")), "-");
	unit_assert_slice(client_name((struct slice){0}), "-");
	char much[200];
	memset(much, 'x', sizeof(much));
	ck_assert_uint_eq(client_name((struct slice){much, sizeof(much)}).size, 64);
}
END_TEST

START_TEST(a_path_is_shown_without_its_user)
{
	static const char *const paths[][2] = {
		{"/v1/models", "/v1/models"},
		{"//u/alex%40x/v1/chat/completions", "//u/.../v1/chat/completions"},
		{"/openai/u/alex/v1/models", "/openai/u/.../v1/models"},
		{"/u/alex/v1/u/alex/v1/models", "/u/.../v1/models"},
		{"/u/alex/v1/u/alex", "/u/..."},
		{"/U/alex/api/chat", "/U/.../api/chat"},
		{"/u/alex", "/u/..."},
		{"/u/v1/models", "/u/v1/models"},
		{"/u/", "/u/"},
		{"", ""},
	};
	struct arena arena = {0};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		unit_assert_slice(client_path(slice_of(paths[i][0]), &arena), paths[i][1]);
	arena_finish(&arena);
}
END_TEST

enum { MINUTE = 60 * 1000 * 1000 };

/* How many lines are written for the programs NAME0, NAME1, ... */
static size_t miss(struct client_log *log, const char *name, size_t programs)
{
	struct catch catch;
	char program[32];
	catch_begin(&catch);
	for (size_t i = 0; i < programs; i++) {
		(void)snprintf(program, sizeof(program), "%s%zu", name, i);
		client_log_miss(log, CLIENT_MISS_BASE, slice_of(program),
				SLICE("/v1/v1/chat/completions"), SLICE("http://host"));
	}
	return count_lines(catch_end(&catch));
}

/* As if all were written a minute earlier. */
static void age(struct client_log *log)
{
	for (size_t i = 0; i < CLIENT_LOG_SLOTS; i++)
		log->told[i].at -= log->told[i].hash != 0 ? MINUTE : 0;
}

START_TEST(invented_programs_neither_flood_the_log_nor_silence_it)
{
	struct client_log log;
	client_log_init(&log, MINUTE, false);
	ck_assert_uint_eq(miss(&log, "honest", 1), 1);
	age(&log);
	ck_assert_uint_eq(miss(&log, "honest", 1), 0); /* there was room for it all along */
	ck_assert_uint_eq(miss(&log, "invented", 1000), CLIENT_LOG_SLOTS);
	ck_assert_uint_eq(miss(&log, "another", 1), 0);
	age(&log);
	ck_assert_uint_eq(miss(&log, "invented", CLIENT_LOG_SLOTS), 0);
	ck_assert_uint_eq(miss(&log, "another", 1), 1);
	ck_assert_uint_eq(miss(&log, "another", 1), 0);
	ck_assert_uint_eq(miss(&log, "honest", 1), 1); /* the oldest went */
}
END_TEST

START_TEST(a_failure_that_goes_on_is_told_of_again)
{
	struct client_log log;
	struct catch catch;
	client_log_init(&log, MINUTE, true);
	catch_begin(&catch);
	for (int i = 0; i < 10; i++) {
		if (i == 5)
			age(&log);
		client_log_failure(&log, "rate limited", 429, SLICE("curl/8"), SLICE("m"), 0);
	}
	ck_assert_uint_eq(count_lines(catch_end(&catch)), 2);
}
END_TEST

UNIT_MAIN("client_log", a_program_is_the_first_product_without_its_version,
	  a_name_ends_at_the_first_byte_that_no_name_has, a_path_is_shown_without_its_user,
	  invented_programs_neither_flood_the_log_nor_silence_it,
	  a_failure_that_goes_on_is_told_of_again)
