/* What a provider's refusal of a request is about. */
#include "core/dialect/dialect.h"

bool refusal_is_of_state(struct slice body)
{
	static const char *const names[] = {"error"};
	static const char *const error_names[] = {"code", "type", "details"};
	struct json_value error[1];
	struct json_value members[3];
	struct arena arena = {0};
	unsigned repeated;
	if (!json_scan_and_pick(body, names, 1, error, &repeated, NULL))
		return false;
	(void)JSON_PICK(body, error[0], error_names, members);
	struct json_value code = json_member(body, members[2], "error_code");
	bool is_of_thread =
		slice_starts_with(json_string_text(body, code, &arena), SLICE("thread_"));
	arena_finish(&arena);
	return is_of_thread ||
	       json_string_is(body, members[0], SLICE("previous_response_not_found")) ||
	       json_string_is(body, members[1], SLICE("not_found_error"));
}
