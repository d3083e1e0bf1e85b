/* Which request goes where, with which header fields, and which fields come back. */
#include "proxy/exchange/forward.h"

#include "tests/unit/config_reading.h"

#include <string.h>

/* ---- addresses ---- */

START_TEST(only_a_post_to_the_chat_path_is_a_chat)
{
	static const char *const chats[] = {"/v1/chat/completions", "/chat/completions",
					    "/v1/chat/completions?api-version=1"};
	static const char *const others[] = {"/v1/chat/completions/", "/v1/completions", "/v1/chat",
					     "/v2/chat/completions", "/"};
	for (size_t i = 0; i < sizeof(chats) / sizeof(chats[0]); i++) {
		ck_assert_msg(forward_dialect(SLICE("POST"), slice_of(chats[i])) == &dialect_chat,
			      "%s", chats[i]);
		ck_assert_msg(forward_dialect(SLICE("GET"), slice_of(chats[i])) == NULL, "%s",
			      chats[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(forward_dialect(SLICE("POST"), slice_of(others[i])) == NULL, "%s",
			      others[i]);
}
END_TEST

START_TEST(other_ways_to_ask_a_model_are_without_memory)
{
	static const char *const asks[] = {
		"/v1/completions",
		"/api/generate",
		"/v1beta/models/gemini-pro:generateContent",
		"/v1beta/models/gemini-pro:streamGenerateContent?alt=sse",
		"/api/v1/chat/completions",
		"/v1/chat/completions/",
		"/openai/responses?api-version=1",
		"/v1/v1/messages?beta=true",
		"//v1/messages",
		"/v1/v1/chat/completions",
		"//v1/chat/completions",
		"/v1/api/chat"};
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		struct slice target = slice_of(asks[i]);
		ck_assert_msg(forward_miss(SLICE("POST"), target) != CLIENT_MISS_NONE, "%s",
			      asks[i]);
		ck_assert_msg(forward_miss(SLICE("GET"), target) == CLIENT_MISS_NONE, "%s",
			      asks[i]);
	}
	ck_assert_int_eq(forward_miss(SLICE("POST"), SLICE("/v1/chat/completions")),
			 CLIENT_MISS_NONE);
	ck_assert_int_eq(forward_miss(SLICE("POST"), SLICE("/v1/messages?beta=true")),
			 CLIENT_MISS_NONE);
	ck_assert_int_eq(forward_miss(SLICE("POST"), SLICE("/v1/models")), CLIENT_MISS_NONE);
	ck_assert_int_eq(forward_miss(SLICE("POST"), SLICE("/")), CLIENT_MISS_NONE);
	ck_assert_int_eq(forward_miss(SLICE("POST"), SLICE("/v1/threads/t/messages")),
			 CLIENT_MISS_NONE);
	ck_assert_int_eq(forward_miss(SLICE("POST"), SLICE("/v1/v1/messages")), CLIENT_MISS_BASE);
	ck_assert_int_eq(forward_miss(SLICE("POST"), SLICE("/api/generate")), CLIENT_MISS_API);
}
END_TEST

static bool goes_on_with_http(const char *method, const char *target)
{
	const struct http_head head = {.method = slice_of(method), .target = slice_of(target)};
	return forward_goes_on_with_http(&head);
}

START_TEST(a_websocket_for_responses_goes_on_with_http)
{
	ck_assert(goes_on_with_http("GET", "/v1/responses"));
	ck_assert(goes_on_with_http("GET", "/responses?x"));
	ck_assert(goes_on_with_http("GET", "/u/alex/v1/responses"));
	ck_assert(!goes_on_with_http("POST", "/v1/responses"));
	ck_assert(!goes_on_with_http("GET", "/v1/realtime"));
	ck_assert(!goes_on_with_http("GET", "/u/alex/v1/realtime"));
	ck_assert(!goes_on_with_http("GET", "/us/v1/responses"));
}
END_TEST

static void assert_url(const struct config *config, const char *target, const char *url)
{
	struct arena arena = {0};
	ck_assert_str_eq(forward_url(config, slice_of(target), &arena), url);
	arena_finish(&arena);
}

START_TEST(the_apis_paths_are_below_base_url_and_all_others_at_its_origin)
{
	struct config *config = read_good("[upstream]\nbase_url = http://models:8000/api/v1\n");
	assert_url(config, "/v1/chat/completions", "http://models:8000/api/v1/chat/completions");
	assert_url(config, "/v1/files?a=/v1&b", "http://models:8000/api/v1/files?a=/v1&b");
	assert_url(config, "/v1", "http://models:8000/api/v1");
	assert_url(config, "/v1?a", "http://models:8000/api/v1?a");
	assert_url(config, "/chat/completions?a", "http://models:8000/api/v1/chat/completions?a");
	assert_url(config, "/models/gpt", "http://models:8000/api/v1/models/gpt");
	assert_url(config, "/embeddings", "http://models:8000/api/v1/embeddings");
	assert_url(config, "/v10/models", "http://models:8000/v10/models");
	assert_url(config, "/modelstore", "http://models:8000/modelstore");
	assert_url(config, "/?v1", "http://models:8000/?v1");
	assert_url(config, "*", "http://models:8000/");
	ck_assert(!forward_base_is_bare(config, SLICE("/v1/models")));
	config_release(config);
}
END_TEST

START_TEST(a_base_url_without_a_path_is_bare)
{
	struct config *config = read_good("[upstream]\nbase_url = http://models:8000\n");
	assert_url(config, "/v1/models", "http://models:8000/models");
	assert_url(config, "/other", "http://models:8000/other");
	ck_assert(forward_base_is_bare(config, SLICE("/v1/models")));
	config_release(config);
}
END_TEST

/* ---- header fields ---- */

#define FIELDS(...)                                                                                \
	(struct http_field[]){__VA_ARGS__},                                                        \
		sizeof((struct http_field[]){__VA_ARGS__}) / sizeof(struct http_field)

/* "Name: value\n" each. */
static void assert_fields(const struct http_field *fields, size_t count, const char *expected)
{
	struct buffer text;
	buffer_init(&text, 64 * 1024);
	for (size_t i = 0; i < count; i++)
		buffer_printf(&text, "%.*s: %.*s\n", SLICE_PRINT(fields[i].name),
			      SLICE_PRINT(fields[i].value));
	unit_assert_slice(buffer_slice(&text), expected);
	buffer_finish(&text);
}

static void assert_goes_to(const char *target, const char *settings, bool is_chat,
			   struct http_field *fields, size_t count, const char *expected)
{
	struct config *config = read_good(settings);
	struct arena arena = {0};
	const struct http_head head = {.fields = fields, .field_count = count};
	const struct http_field *out;
	size_t out_count =
		forward_request_fields(config, &head, slice_of(target),
				       is_chat ? &dialect_chat : NULL, false, &out, &arena);
	assert_fields(out, out_count, expected);
	arena_finish(&arena);
	config_release(config);
}

static void assert_goes_up(const char *settings, bool is_chat, struct http_field *fields,
			   size_t count, const char *expected)
{
	assert_goes_to("/v1/chat/completions", settings, is_chat, fields, count, expected);
}

START_TEST(what_is_for_this_hop_or_for_memory_stays_here)
{
	assert_goes_up(
		"", false,
		FIELDS({SLICE("Host"), SLICE("recalld")}, {SLICE("Content-Length"), SLICE("2")},
		       {SLICE("Expect"), SLICE("100-continue")},
		       {SLICE("Connection"), SLICE("keep-alive, X-Mine")},
		       {SLICE("Keep-Alive"), SLICE("5")}, {SLICE("x-mine"), SLICE("1")},
		       {SLICE("Transfer-Encoding"), SLICE("chunked")},
		       {SLICE("X-User-Id"), SLICE("alex")}, {SLICE("X-Memory-Mode"), SLICE("off")},
		       {SLICE("X-User-Signature"), SLICE("00")},
		       {SLICE("User-Agent"), SLICE("curl")},
		       {SLICE("Accept-Encoding"), SLICE("gzip")},
		       {SLICE("Authorization"), SLICE("Bearer theirs")}),
		"User-Agent: curl\nAccept-Encoding: gzip\nAuthorization: Bearer theirs\n");
}
END_TEST

START_TEST(a_chat_is_asked_for_without_a_coding)
{
	assert_goes_up("", true,
		       FIELDS({SLICE("accept-encoding"), SLICE("gzip, br")},
			      {SLICE("Accept"), SLICE("*/*")}),
		       "Accept: */*\nAccept-Encoding: identity\n");
}
END_TEST

START_TEST(our_key_takes_the_place_of_every_key_that_was_sent)
{
	assert_goes_up("[upstream]\napi_key = ours\n", false,
		       FIELDS({SLICE("authorization"), SLICE("Bearer theirs")},
			      {SLICE("api-key"), SLICE("theirs")},
			      {SLICE("X-Api-Key"), SLICE("theirs")},
			      {SLICE("x-goog-api-key"), SLICE("theirs")},
			      {SLICE("OpenAI-Beta"), SLICE("a")}),
		       "OpenAI-Beta: a\nAuthorization: Bearer ours\n");
}
END_TEST

#define ANTHROPIC "[upstream]\nmessages_base_url = http://claude/v1\napi_key = ours\n"

START_TEST(anthropics_api_may_have_a_server_and_a_key_of_its_own)
{
	struct config *config = read_good(ANTHROPIC "base_url = http://models/v1\n");
	assert_url(config, "/v1/messages?beta=true", "http://claude/v1/messages?beta=true");
	assert_url(config, "/messages", "http://claude/v1/messages");
	assert_url(config, "/v1/messages/count_tokens", "http://claude/v1/messages/count_tokens");
	assert_url(config, "/v1/complete", "http://claude/v1/complete");
	assert_url(config, "/v1/completions", "http://models/v1/completions");
	assert_url(config, "/v1/messages2", "http://models/v1/messages2");
	ck_assert(!forward_may_offer_key(config, SLICE("/v1/messages")));
	ck_assert(forward_may_offer_key(config, SLICE("/v1/chat/completions")));
	config_release(config);
	config = read_good(ANTHROPIC "[model]\nbase_url = http://CLAUDE/v1\n");
	ck_assert(forward_may_offer_key(config, SLICE("/v1/messages")));
	ck_assert(!forward_may_offer_key(config, SLICE("/v1/chat/completions")));
	ck_assert(!forward_may_offer_key(config, SLICE("/v1/responses")));
	config_release(config);
	config = read_good("[upstream]\nbase_url = http://models/v1\n[model]\n"
			   "base_url = http://models:8080/v1\n");
	ck_assert(!forward_may_offer_key(config, SLICE("/v1/chat/completions")));
	config_release(config);
}
END_TEST

#define THEIRS                                                                                     \
	FIELDS({SLICE("x-api-key"), SLICE("theirs")}, {SLICE("anthropic-version"), SLICE("1")})

START_TEST(anthropics_key_goes_up_in_its_own_header)
{
	const char *all = "x-api-key: theirs\nanthropic-version: 1\n";
	assert_goes_to("/v1/messages/count_tokens", "[upstream]\napi_key = ours\n", false, THEIRS,
		       "anthropic-version: 1\nx-api-key: ours\n");
	/* Never to another server than it is for. */
	assert_goes_to("/v1/messages", ANTHROPIC, false, THEIRS, all);
	assert_goes_to("/v1/models", ANTHROPIC, false, THEIRS,
		       "anthropic-version: 1\nAuthorization: Bearer ours\n");
	assert_goes_to("/v1/messages", ANTHROPIC "messages_api_key = claudes\n", false, THEIRS,
		       "anthropic-version: 1\nx-api-key: claudes\n");
}
END_TEST

static void assert_comes_back(const struct http_field *reply, size_t reply_count,
			      const struct http_field *memory, size_t memory_count,
			      const char *expected)
{
	struct arena arena = {0};
	const struct http_field *out;
	size_t count = forward_reply_fields(reply, reply_count, memory, memory_count, &out, &arena);
	assert_fields(out, count, expected);
	arena_finish(&arena);
}

START_TEST(memorys_fields_are_ours_alone_and_scripts_may_read_them)
{
	assert_comes_back(
		FIELDS({SLICE("Content-Type"), SLICE("text/plain")},
		       {SLICE("X-Memory-Status"), SLICE("theirs")},
		       {SLICE("access-control-expose-headers"), SLICE("X-Theirs")},
		       {SLICE("Access-Control-Expose-Headers"), SLICE("X-More")}),
		FIELDS({SLICE("X-Memory-Status"), SLICE("empty")},
		       {SLICE("X-Memory-Mode"), SLICE("buffer")}),
		"Content-Type: text/plain\n"
		"access-control-expose-headers: X-Theirs, X-Memory-Status, X-Memory-Mode\n"
		"Access-Control-Expose-Headers: X-More\n"
		"X-Memory-Status: empty\nX-Memory-Mode: buffer\n");
}
END_TEST

START_TEST(without_fields_of_memory_a_reply_keeps_its_own)
{
	assert_comes_back(FIELDS({SLICE("X-Memory-Status"), SLICE("theirs")},
				 {SLICE("Access-Control-Expose-Headers"), SLICE("X-Theirs")}),
			  NULL, 0,
			  "X-Memory-Status: theirs\nAccess-Control-Expose-Headers: X-Theirs\n");
}
END_TEST

static void assert_key_again(const char *key, bool is_again, const char *expected)
{
	struct config *config = read_good("");
	struct arena arena = {0};
	struct http_field field = {SLICE("idempotency-key"), slice_of(key)};
	const struct http_head head = {.fields = &field, .field_count = 1};
	const struct http_field *out;
	size_t count = forward_request_fields(config, &head, SLICE("/v1/chat/completions"), NULL,
					      is_again, &out, &arena);
	assert_fields(out, count, expected);
	arena_finish(&arena);
	config_release(config);
}

START_TEST(another_body_has_another_idempotency_key)
{
	assert_key_again("k-9", false, "idempotency-key: k-9\n");
	assert_key_again("k-9", true, "idempotency-key: k-9-plain\n");
	assert_key_again("\"k-9\"", true, "idempotency-key: \"k-9-plain\"\n");
	assert_key_again("", true, "idempotency-key: \n");
}
END_TEST

UNIT_MAIN("forward", only_a_post_to_the_chat_path_is_a_chat,
	  other_ways_to_ask_a_model_are_without_memory, a_websocket_for_responses_goes_on_with_http,
	  the_apis_paths_are_below_base_url_and_all_others_at_its_origin,
	  a_base_url_without_a_path_is_bare, what_is_for_this_hop_or_for_memory_stays_here,
	  a_chat_is_asked_for_without_a_coding, our_key_takes_the_place_of_every_key_that_was_sent,
	  anthropics_api_may_have_a_server_and_a_key_of_its_own,
	  anthropics_key_goes_up_in_its_own_header,
	  memorys_fields_are_ours_alone_and_scripts_may_read_them,
	  without_fields_of_memory_a_reply_keeps_its_own, another_body_has_another_idempotency_key)
