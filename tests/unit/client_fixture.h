/* Shared by the tests of clients' forms: the texts of recorded requests, and text at random. */
#ifndef RECALLD_TESTS_CLIENT_FIXTURE_H
#define RECALLD_TESTS_CLIENT_FIXTURE_H

#include "core/clients/forms.h"
#include "tests/unit/unit.h"

#include <jansson.h>
#include <string.h>

static struct arena arena;

/* Recorded requests whose newest turns ask the same, most of them wrapped in documents. */
static const char *const turns[] = {
	"openwebui/chat.json",
	"openwebui/rag_turn.json",
	"openwebui/rag_turn_user_query.json",
	"openwebui/rag_turn_old.json",
	"openwebui/rag_turn_rules.json",
	"librechat/chat.json",
	"librechat/files_in_history.json",
	"librechat/rag_turn.json",
};

/* The text of a fixture's first or newest user message. */
static inline struct slice user_text(const char *fixture, bool first)
{
	struct slice path = arena_printf(&arena, "%s/%s", FIXTURES, fixture);
	json_t *body = json_load_file(path.data, 0, NULL);
	ck_assert_msg(body != NULL, "%s is no JSON", path.data);
	struct slice text = {0};
	size_t i;
	json_t *message;
	json_array_foreach(json_object_get(body, "messages"), i, message)
	{
		const char *role = json_string_value(json_object_get(message, "role"));
		const char *content = json_string_value(json_object_get(message, "content"));
		if (strcmp(role, "user") == 0 && (!first || text.size == 0))
			text = arena_copy(&arena, slice_of(content));
	}
	json_decref(body);
	ck_assert_uint_gt(text.size, 0);
	return text;
}

/* `count` characters that repeat nothing. */
static inline struct slice running_text(unsigned seed, size_t count)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	for (size_t i = 0; i < count; i++) {
		seed = seed * 1103515245 + 12345;
		buffer_append_byte(&out, (char)('a' + (seed >> 16) % 26));
		if (seed >> 28 == 0)
			buffer_append(&out, SLICE(" é\n"));
	}
	struct slice text = arena_copy(&arena, buffer_slice(&out));
	buffer_finish(&out);
	return text;
}

static inline void assert_own(const char *text, const char *expected)
{
	unit_assert_slice(form_own_text(slice_of(text), &arena), expected);
	arena_finish(&arena);
}

#endif
