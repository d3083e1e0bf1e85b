/* Which name of a client program, and of a model, may be logged. What is logged, and how often:
 * integration/test_other_paths.py and test_admin_status.py. */
#include "tests/unit/unit.h"

#include "proxy/client_log.h"

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

UNIT_MAIN("client_log", a_program_is_the_first_product_without_its_version,
	  a_name_ends_at_the_first_byte_that_no_name_has)
