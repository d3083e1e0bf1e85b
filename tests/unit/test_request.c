#include "core/dialect/dialect.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static struct request scan(const char *body, struct arena *arena)
{
	struct request request;
	ck_assert_msg(dialect_chat.scan(&request, slice_of(body), arena) == REQUEST_OK, "%s", body);
	return request;
}

static enum request_verdict verdict(const char *body)
{
	struct arena arena = {0};
	struct request request;
	enum request_verdict verdict = dialect_chat.scan(&request, slice_of(body), &arena);
	arena_finish(&arena);
	return verdict;
}

START_TEST(fields_are_found_wherever_and_however_they_are_written)
{
	struct arena arena = {0};
	struct request request =
		scan(" {\"seed\":123456789012345678901234567890,\"tools\":[{\"messages\":[1],"
		     "\"stream\":true}],\n\"mod\\u0065l\" : \"gpt\\u002d4o\", \"stream\":true,"
		     "\"user\":\"u\\n1\",\"safety_identifier\":\"s\","
		     "\"metadata\":{\"user_id\":\"m\",\"messages\":\"\\\"messages\\\":[\"},"
		     "\"response_format\":{\"type\":\"json_object\"},"
		     "\"mess\\u0061ges\" : [ {\"role\":\"user\",\"content\":\"hi\"} ] } ",
		     &arena);
	unit_assert_slice(request.model, "gpt-4o");
	unit_assert_slice(request.user_fields[0].value, "u\n1");
	unit_assert_slice(request.user_fields[1].value, "s");
	unit_assert_slice(request.user_fields[2].value, "m");
	ck_assert(request.stream);
	ck_assert(request.has_format);
	ck_assert_uint_eq(request.step_count, 1);
	ck_assert_uint_eq(request.beside,
			  request.body.size - strlen("[ {\"role\":\"user\",\"content\":\"hi\"} ]"));
	arena_finish(&arena);
}
END_TEST

START_TEST(a_user_id_is_read_without_the_session_in_it)
{
	static const char *const cases[][2] = {
		{"kim", "kim"},
		{"{\"device_id\":\"19d7\",\"account_uuid\":\"\",\"session_id\":\"0fdc\"}", "19d7"},
		{"{\"device_id\":\"19d7\",\"account_uuid\":\"a\\u0062\",\"session_id\":\"1\"}",
		 "ab"},
		{"{\"session_id\":\"0fdc\"}", ""},
		{"{not JSON", ""},
		{"user_19d7_account_5e_session_0fdc", "user_19d7_account_5e"},
		{"user_19d7_account__session_0fdc", "user_19d7_account_"},
		{"user_of_a_session_room", "user_of_a_session_room"},
		{"", ""},
	};
	struct arena arena = {0};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		unit_assert_slice(request_user_id(slice_of(cases[i][0]), &arena), cases[i][1]);
	struct request request = scan(
		"{\"messages\":[],\"metadata\":{\"user_id\":\"{\\\"device_id\\\":\\\"d\\\"}\"}}",
		&arena);
	unit_assert_slice(request.user_fields[2].value, "d");
	arena_finish(&arena);
}
END_TEST

START_TEST(absent_and_odd_fields_count_as_nothing)
{
	struct arena arena = {0};
	struct request request =
		scan("{\"model\":1,\"stream\":\"true\",\"user\":null,\"safety_identifier\":[],"
		     "\"metadata\":\"user_id\",\"response_format\":{\"type\":\"text\"},"
		     "\"messages\":[]}",
		     &arena);
	ck_assert_uint_eq(request.model.size, 0);
	ck_assert_uint_eq(request.user_fields[0].value.size, 0);
	ck_assert_uint_eq(request.user_fields[1].value.size, 0);
	ck_assert_uint_eq(request.user_fields[2].value.size, 0);
	ck_assert(!request.stream);
	ck_assert(!request.has_format);
	ck_assert_uint_eq(request.step_count, 0);
	arena_finish(&arena);
}
END_TEST

START_TEST(of_duplicate_keys_the_last_counts)
{
	struct arena arena = {0};
	struct request request =
		scan("{\"stream\":true,\"model\":\"a\",\"stream\":false,\"model\":\"b\","
		     "\"messages\":[{\"role\":\"system\",\"content\":\"x\",\"role\":\"user\","
		     "\"content\":[]}]}",
		     &arena);
	ck_assert(!request.stream);
	unit_assert_slice(request.model, "b");
	ck_assert_int_eq(request.steps[0].kind, STEP_USER);
	ck_assert_uint_eq(request.steps[0].text_count, 0);
	arena_finish(&arena);
}
END_TEST

START_TEST(what_is_no_chat_request_is_said_to_be_none)
{
	ck_assert_int_eq(verdict(""), REQUEST_NOT_JSON);
	ck_assert_int_eq(verdict("{\"messages\":[]"), REQUEST_NOT_JSON);
	ck_assert_int_eq(verdict("{\"messages\":[{\"content\":\"\xff\"}]}"), REQUEST_NOT_JSON);
	ck_assert_int_eq(verdict("{\"messages\":[{}],\"a\":}"), REQUEST_NOT_JSON);
	ck_assert_int_eq(verdict("{\"messages\":[1],\"a\":}"), REQUEST_NOT_JSON);
	ck_assert_int_eq(verdict("{\"messages\":[{}],\"messages\":[],\"a\":}"), REQUEST_NOT_JSON);
	ck_assert_int_eq(verdict("[]"), REQUEST_FOREIGN);
	ck_assert_int_eq(verdict("\"messages\""), REQUEST_FOREIGN);
	ck_assert_int_eq(verdict("{}"), REQUEST_FOREIGN);
	ck_assert_int_eq(verdict("{\"messages\":{}}"), REQUEST_FOREIGN);
	ck_assert_int_eq(verdict("{\"messages\":null}"), REQUEST_FOREIGN);
	ck_assert_int_eq(verdict("{\"messages\":[{},\"hi\"]}"), REQUEST_FOREIGN);
	ck_assert_int_eq(verdict("{\"messages\":[{},[{}]]}"), REQUEST_FOREIGN);
	ck_assert_int_eq(verdict("{\"messages\":[],\"messages\":[]}"), REQUEST_FOREIGN);
	ck_assert_int_eq(verdict("{\"messages\":[{}],\"messages\":1}"), REQUEST_FOREIGN);
	ck_assert_int_eq(verdict("{\"a\":{\"messages\":[{}]}}"), REQUEST_FOREIGN);
	ck_assert_int_eq(verdict("{\"messages\":1,\"\\u006dessages\":[]}"), REQUEST_FOREIGN);
	ck_assert_int_eq(verdict("{\"messages\":[{}]}"), REQUEST_OK);
}
END_TEST

START_TEST(a_request_with_odd_messages_still_says_its_model_and_has_no_message)
{
	struct arena arena = {0};
	struct request request;
	struct slice body = SLICE("{\"messages\":[{\"role\":\"user\"},1],\"model\":\"m\"}");
	ck_assert_int_eq(dialect_chat.scan(&request, body, &arena), REQUEST_FOREIGN);
	unit_assert_slice(request.model, "m");
	ck_assert_uint_eq(request.step_count, 0);
	arena_finish(&arena);
}
END_TEST

START_TEST(messages_are_bounded_in_number)
{
	struct buffer body;
	buffer_init(&body, 1024 * 1024);
	(void)buffer_append(&body, SLICE("{\"messages\":[{}"));
	for (int i = 1; i < REQUEST_MAX_STEPS; i++)
		(void)buffer_append(&body, SLICE(",{}"));
	size_t size = body.size;
	(void)buffer_append(&body, SLICE("]}\0"));
	ck_assert_int_eq(verdict(body.data), REQUEST_OK);
	body.size = size;
	(void)buffer_append(&body, SLICE(",{}]}\0"));
	ck_assert_int_eq(verdict(body.data), REQUEST_FOREIGN);
	buffer_finish(&body);
}
END_TEST

START_TEST(roles_and_contents_are_told_apart)
{
	static const struct {
		const char *message;
		enum step_kind kind;
		size_t texts;
		size_t others;
		const char *text;
	} cases[] = {
		{"{\"role\":\"system\",\"content\":\"a\"}", STEP_SYSTEM, 1, 0, "a"},
		{"{\"role\":\"developer\",\"content\":\"\"}", STEP_SYSTEM, 1, 0, ""},
		{"{\"role\":\"us\\u0065r\",\"content\":\"a\\nb\"}", STEP_USER, 1, 0, "a\nb"},
		{"{\"role\":\"assistant\",\"content\":null}", STEP_ANSWER, 0, 0, ""},
		{"{\"role\":\"assistant\",\"content\":null,\"refusal\":\"No.\"}", STEP_ANSWER, 1, 0,
		 "No."},
		{"{\"role\":\"assistant\",\"content\":\"a\",\"refusal\":null}", STEP_ANSWER, 1, 0,
		 "a"},
		{"{\"role\":\"user\",\"content\":null,\"refusal\":\"No.\"}", STEP_USER, 0, 0, ""},
		{"{\"role\":\"assistant\"}", STEP_ANSWER, 0, 0, ""},
		{"{\"role\":\"tool\",\"content\":\"a\"}", STEP_TOOLS, 1, 0, "a"},
		{"{\"role\":\"function\",\"content\":\"a\"}", STEP_TOOLS, 1, 0, "a"},
		{"{\"role\":\"latest_reminder\",\"content\":\"a\"}", STEP_OTHER, 1, 0, "a"},
		{"{\"role\":\"other\",\"content\":5}", STEP_OTHER, 0, 0, ""},
		{"{\"role\":1,\"content\":{}}", STEP_OTHER, 0, 0, ""},
		{"{}", STEP_OTHER, 0, 0, ""},
		{"{\"role\":\"user\",\"content\":[]}", STEP_USER, 0, 0, ""},
		{"{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
		 "\"data:\"}},{\"text\":\"a\\u0062\",\"type\":\"text\"},{\"type\":\"text\","
		 "\"text\":1},7,{\"type\":\"input_audio\",\"text\":\"no\"},{\"type\":\"text\","
		 "\"text\":\"c\"}]}",
		 STEP_USER, 2, 4, "ab\nc"},
		{"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"one\"}]}",
		 STEP_USER, 1, 0, "one"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		char body[512];
		(void)snprintf(body, sizeof(body), "{\"messages\":[%s]}", cases[i].message);
		struct request request = scan(body, &arena);
		const struct step *step = &request.steps[0];
		ck_assert_int_eq(step->kind, cases[i].kind);
		ck_assert_uint_eq(step->text_count, cases[i].texts);
		ck_assert_uint_eq(step->other_parts, cases[i].others);
		unit_assert_slice(step_text(&request, step, &arena), cases[i].text);
		unit_assert_slice(slice_part(request.body, step->begin, step->end),
				  cases[i].message);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(tool_calls_are_known_by_their_ids_in_their_order)
{
	struct arena arena = {0};
	struct request request =
		scan("{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\"},"
		     "{\"type\":\"function\"},{\"id\":\"\\u0062\"}]},"
		     "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"b\"},{\"id\":\"a\"}]},"
		     "{\"role\":\"assistant\",\"tool_calls\":[]},"
		     "{\"role\":\"user\",\"tool_calls\":[{\"id\":\"a\"}]},"
		     "{\"role\":\"assistant\",\"function_call\":{\"name\":\"f\"}},"
		     "{\"role\":\"assistant\",\"tool_calls\":null,\"function_call\":null}]}",
		     &arena);
	uint64_t ab = step_hash_call(step_hash_call(0, SLICE("a")), SLICE("b"));
	ck_assert_int_eq(request.steps[0].kind, STEP_CALLS);
	ck_assert_uint_eq(request.steps[0].ids_hash, ab);
	ck_assert_int_eq(request.steps[1].kind, STEP_CALLS);
	ck_assert_uint_ne(request.steps[1].ids_hash, ab);
	ck_assert_uint_ne(step_hash_call(0, SLICE("ab")), ab);
	for (size_t i = 2; i < request.step_count; i++) {
		ck_assert_int_eq(request.steps[i].kind == STEP_CALLS, i == 4);
		ck_assert_uint_eq(request.steps[i].ids_hash, 0);
	}
	arena_finish(&arena);
}
END_TEST

/* One letter for a message: s, d, u, a, t, o (other), c (an assistant message that calls tools). */
static void append_messages(struct buffer *body, const char *letters)
{
	static const struct {
		char letter;
		const char *message;
	} messages[] = {
		{'s', "{\"role\":\"system\",\"content\":\"s\"}"},
		{'d', "{\"role\":\"developer\",\"content\":\"d\"}"},
		{'u', "{\"role\":\"user\",\"content\":\"u\"}"},
		{'a', "{\"role\":\"assistant\",\"content\":\"a\"}"},
		{'t', "{\"role\":\"tool\",\"content\":\"t\"}"},
		{'o', "{\"role\":\"odd\",\"content\":\"o\"}"},
		{'c', "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"1\"}]}"},
	};
	for (size_t i = 0; letters[i] != '\0'; i++) {
		for (size_t j = 0; j < sizeof(messages) / sizeof(messages[0]); j++) {
			if (messages[j].letter == letters[i])
				(void)buffer_append(body, slice_of(messages[j].message));
		}
		if (letters[i + 1] != '\0')
			(void)buffer_append_byte(body, ',');
	}
}

START_TEST(the_newest_turn_is_the_one_that_the_reply_answers)
{
	static const struct {
		const char *letters;
		struct newest_turn turn;
	} cases[] = {
		{"", {0, 0, false}},      {"u", {0, 1, true}},        {"su", {1, 1, true}},
		{"uauu", {2, 2, true}},   {"uuauu", {3, 2, true}},    {"uct", {0, 1, false}},
		{"uctct", {0, 1, false}}, {"sucttct", {1, 1, false}}, {"ua", {0, 1, false}},
		{"ucta", {0, 1, false}},  {"uc", {0, 1, false}},      {"uau", {2, 1, true}},
		{"us", {0, 1, true}},     {"uds", {0, 1, true}},      {"ucst", {0, 1, false}},
		{"uas", {0, 1, false}},   {"usctsa", {0, 1, false}},  {"s", {0, 0, false}},
		{"a", {0, 0, false}},     {"uaa", {0, 1, false}},     {"uat", {0, 0, false}},
		{"uac", {0, 0, false}},   {"uo", {0, 1, true}},       {"t", {0, 0, false}},
		{"usu", {2, 1, true}},    {"uctaa", {0, 1, false}},   {"uasa", {0, 0, false}},
		{"uaas", {0, 0, false}},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = {0};
		struct buffer body;
		buffer_init(&body, 4096);
		(void)buffer_append(&body, SLICE("{\"messages\":["));
		append_messages(&body, cases[i].letters);
		(void)buffer_append(&body, SLICE("]}\0"));
		struct request request = scan(body.data, &arena);
		struct newest_turn turn = request_newest_turn(&request);
		ck_assert_msg(turn.count == cases[i].turn.count &&
				      turn.first == cases[i].turn.first &&
				      turn.is_last == cases[i].turn.is_last,
			      "%s: %zu messages from %zu, %s", cases[i].letters, turn.count,
			      turn.first, turn.is_last ? "last" : "not last");
		buffer_finish(&body);
		arena_finish(&arena);
	}
}
END_TEST

/* However a text is cut: no escape and no character is torn, and images do not count. */
START_TEST(the_ends_of_a_large_text_are_whole)
{
	const char *body =
		"{\"messages\":[{\"role\":\"user\",\"content\":\"\\\\\\n\\u00e9\\\"x\u00e9\\\\u0041"
		"\\ud83d\\ude00 ab \\\\\\\\\\\\\\u00e9 \u00e9\\n\"}]}";
	struct arena arena = {0};
	struct request request = scan(body, &arena);
	const struct step *message = &request.steps[0];
	struct slice whole = step_text(&request, message, &arena);
	for (size_t most = 4; most < step_text_size(&request, message); most += 4) {
		struct text_ends ends = step_text_ends(&request, message, most, &arena);
		ck_assert(ends.is_cut);
		ck_assert(slice_starts_with(whole, ends.head) ||
			  slice_find(ends.head, SLICE("\xef\xbf\xbd"), 0) < ends.head.size);
		ck_assert(slice_ends_with(whole, ends.tail) ||
			  slice_find(ends.tail, SLICE("\xef\xbf\xbd"), 0) < ends.tail.size);
	}
	ck_assert(!step_text_ends(&request, message, 4096, &arena).is_cut);
	const char *parts =
		"{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
		"\"one\"},{\"type\":\"image_url\",\"image_url\":\"0123456789\"},"
		"{\"type\":\"text\",\"text\":\"two\"}]}]}";
	request = scan(parts, &arena);
	message = &request.steps[0];
	ck_assert_uint_eq(step_text_size(&request, message), 10);
	ck_assert(!step_text_ends(&request, message, 12, &arena).is_cut);
	struct text_ends ends = step_text_ends(&request, message, 8, &arena);
	ck_assert(ends.is_cut && !ends.tail_is_whole);
	unit_assert_slice(ends.head, "one");
	unit_assert_slice(ends.tail, "wo");
	arena_finish(&arena);
}
END_TEST

START_TEST(a_huge_image_is_only_passed_over)
{
	static const struct {
		const struct dialect *dialect;
		const char *before, *behind;
	} forms[] = {
		{&dialect_chat,
		 "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
		 "\"image_url\":{\"url\":\"",
		 "\"}},{\"type\":\"text\",\"text\":\"Hi\"}]}]}"},
		{&dialect_responses,
		 "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\","
		 "\"image_url\":\"",
		 "\"},{\"type\":\"input_text\",\"text\":\"Hi\"}]}]}"},
		{&dialect_messages,
		 "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\","
		 "\"source\":{\"data\":\"",
		 "\"}},{\"type\":\"text\",\"text\":\"Hi\"}]}]}"},
		{&dialect_ollama,
		 "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\",\"images\":[\"", "\"]}]}"},
	};
	enum { SIZE = 64 << 20 };
	struct buffer body;
	buffer_init(&body, SIZE_MAX);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct arena arena = {0};
		struct request request;
		buffer_clear(&body);
		(void)buffer_append(&body, slice_of(forms[i].before));
		(void)buffer_reserve(&body, SIZE);
		memset(body.data + body.size, 'A', SIZE);
		body.size += SIZE;
		(void)buffer_append(&body, slice_of(forms[i].behind));
		ck_assert_int_eq(forms[i].dialect->scan(&request, buffer_slice(&body), &arena),
				 REQUEST_OK);
		ck_assert_uint_eq(request.step_count, 1);
		ck_assert_uint_eq(request.steps[0].other_parts, 1);
		unit_assert_slice(step_text(&request, &request.steps[0], &arena), "Hi");
		arena_finish(&arena);
	}
	buffer_finish(&body);
}
END_TEST

UNIT_MAIN("request", a_huge_image_is_only_passed_over,
	  fields_are_found_wherever_and_however_they_are_written,
	  a_user_id_is_read_without_the_session_in_it, absent_and_odd_fields_count_as_nothing,
	  of_duplicate_keys_the_last_counts, what_is_no_chat_request_is_said_to_be_none,
	  a_request_with_odd_messages_still_says_its_model_and_has_no_message,
	  messages_are_bounded_in_number, roles_and_contents_are_told_apart,
	  tool_calls_are_known_by_their_ids_in_their_order,
	  the_newest_turn_is_the_one_that_the_reply_answers, the_ends_of_a_large_text_are_whole)
