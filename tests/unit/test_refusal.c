#include "core/dialect/dialect.h"
#include "tests/unit/unit.h"

static bool is_of_state(const char *body)
{
	return refusal_is_of_state(slice_of(body));
}

START_TEST(a_refusal_for_what_the_provider_keeps_is_told_from_others)
{
	ck_assert(is_of_state("{\"error\":{\"code\":\"previous_response_not_found\"}}"));
	ck_assert(is_of_state("{\"type\":\"error\",\"error\":{\"type\":\"not_found_error\"}}"));
	ck_assert(is_of_state("{\"error\":{\"details\":{\"error_code\":\"thread_expired\"}}}"));
	ck_assert(!is_of_state("{\"error\":{\"code\":\"context_length_exceeded\"}}"));
	ck_assert(!is_of_state("{\"error\":{\"message\":\"previous_response_not_found\"}}"));
	ck_assert(!is_of_state("{\"error\":{\"details\":{\"error_code\":\"threads\"}}}"));
	ck_assert(!is_of_state("{\"error\":\"thread_\"}"));
	ck_assert(!is_of_state("[]"));
	ck_assert(!is_of_state("Bad Request"));
	ck_assert(!is_of_state(""));
}
END_TEST

UNIT_MAIN("refusal", a_refusal_for_what_the_provider_keeps_is_told_from_others)
