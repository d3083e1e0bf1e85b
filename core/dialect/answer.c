#include "core/dialect/answer.h"

#include "core/base/utf8.h"
#include "core/dialect/request.h"
#include "core/json/json.h"

#include <stdlib.h>
#include <string.h>

/* U+FFFD, which json_string_text() gives for half a character. */
#define REPLACEMENT SLICE("\xef\xbf\xbd")

void answer_init(struct answer *answer, size_t limit)
{
	*answer = (struct answer){.prompt_tokens = -1, .cached_tokens = -1};
	buffer_init(&answer->text, limit);
	buffer_init(&answer->refusal, limit);
	buffer_init(&answer->id, ANSWER_MAX_ID);
}

void answer_finish(struct answer *answer)
{
	buffer_finish(&answer->text);
	buffer_finish(&answer->refusal);
	buffer_finish(&answer->id);
	arena_finish(&answer->arena);
	free(answer->tool_calls);
}

bool answer_scan(struct answer *answer, struct slice json, const char *const *names, size_t count,
		 struct json_value *values)
{
	unsigned repeated;
	const bool is_object = json_scan_and_pick(json, names, count, values, &repeated, NULL) &&
			       slice_trim(json).data[0] == '{';
	answer->unreadable |= !is_object;
	return is_object;
}

bool answer_is_said(struct json_value value)
{
	return value.type == JSON_TYPE_OBJECT ||
	       (value.type == JSON_TYPE_STRING && value.end - value.begin > sizeof("\"\"") - 1);
}

/* Appends what fits, up to the end of a character. After the first dropped byte it takes nothing
 * more, so the text has no gaps. */
void answer_add_text(struct buffer *buffer, struct slice text)
{
	if (buffer->overflowed)
		return;
	size_t room = buffer->limit - buffer->size;
	bool fits = text.size <= room;
	if (!fits) {
		while (room > 0 && utf8_is_tail(text.data[room]))
			room--;
		text = slice_part(text, 0, room);
	}
	(void)buffer_append(buffer, text);
	buffer->overflowed = !fits;
}

void answer_add_string(struct buffer *buffer, struct slice json, struct json_value string)
{
	struct arena arena = {0};
	answer_add_text(buffer, json_string_text(json, string, &arena));
	arena_finish(&arena);
}

enum { UNICODE_ESCAPE = 6 }; /* the bytes of \uXXXX */

/* Whether these bytes are the escape of half a character beyond U+FFFF: a surrogate whose second
 * hexadecimal digit is one of `digits`. */
static bool is_half(struct slice escape, const char *digits)
{
	return escape.size == UNICODE_ESCAPE && slice_starts_with(escape, SLICE("\\u")) &&
	       (escape.data[2] == 'd' || escape.data[2] == 'D') &&
	       strchr(digits, escape.data[3]) != NULL;
}

/* The string's text after the first half, with which the text so far ends. */
static struct slice join_halves(struct buffer *buffer, const struct answer_half *half,
				struct slice inside, struct arena *arena)
{
	struct slice first = {half->escape, UNICODE_ESCAPE};
	struct slice parts[] = {SLICE("\""), first, inside, SLICE("\"")};
	struct slice json = arena_join(arena, parts, 4);
	struct json_value string = {
		.type = JSON_TYPE_STRING, .begin = 0, .end = (uint32_t)json.size};
	buffer->size -= REPLACEMENT.size;
	return json_string_text(json, string, arena);
}

/* Servers that split a text by UTF-16 units may end a piece in half a character; a replacement
 * character stands for it until the next piece brings the other half. */
void answer_add_piece(struct buffer *buffer, struct answer_half *half, struct slice json,
		      struct json_value string)
{
	if (string.type != JSON_TYPE_STRING || string.end - string.begin == sizeof("\"\"") - 1)
		return;
	struct slice inside = slice_part(json, string.begin + 1, string.end - 1);
	if (half->escape[0] == '\0' && memchr(inside.data, '\\', inside.size) == NULL) {
		answer_add_text(buffer, inside);
		return;
	}
	struct arena arena = {0};
	size_t escape = inside.size < UNICODE_ESCAPE ? inside.size : UNICODE_ESCAPE;
	bool joins = half->escape[0] != '\0' && is_half(slice_part(inside, 0, escape), "cdefCDEF");
	struct slice text = joins ? join_halves(buffer, half, inside, &arena)
				  : json_string_text(json, string, &arena);
	answer_add_text(buffer, text);
	struct slice end = slice_part(inside, inside.size - escape, inside.size);
	half->escape[0] = '\0';
	if (!buffer->overflowed && is_half(end, "89abAB") && slice_ends_with(text, REPLACEMENT))
		memcpy(half->escape, end.data, UNICODE_ESCAPE);
	arena_finish(&arena);
}

/* A stream may bring it with every event. */
void answer_set_id(struct answer *answer, struct slice json, struct json_value string)
{
	if (string.type != JSON_TYPE_STRING)
		return;
	struct arena arena = {0};
	buffer_clear(&answer->id);
	(void)buffer_append(&answer->id, json_string_text(json, string, &arena));
	arena_finish(&arena);
}

/* Where the call with this index is, or belongs. Mostly it is the last, or comes behind it. */
static bool find_tool_call(const struct answer *answer, int64_t index, size_t *place)
{
	const struct answer_tool_call *calls = answer->tool_calls;
	size_t begin = 0;
	size_t end = answer->tool_call_count;
	if (end > 0 && calls[end - 1].index <= index)
		begin = calls[end - 1].index == index ? end - 1 : end;
	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;
		if (calls[middle].index < index)
			begin = middle + 1;
		else
			end = middle;
	}
	*place = begin;
	return begin < answer->tool_call_count && calls[begin].index == index;
}

static bool is_full(const struct answer *answer)
{
	return answer->tool_call_count == ANSWER_MAX_TOOL_CALLS;
}

/* Only the first fragment of a call carries its id. */
static void add_call(struct answer *answer, int64_t index, struct slice id)
{
	size_t place;
	if (id.size > ANSWER_MAX_TOOL_CALL_ID)
		id.size = 0;
	if (find_tool_call(answer, index, &place)) {
		struct answer_tool_call *known = &answer->tool_calls[place];
		if (known->id.size == 0 && id.size > 0)
			known->id = arena_copy(&answer->arena, id);
		return;
	}
	if (is_full(answer))
		return;
	if (answer->tool_calls == NULL)
		answer->tool_calls = xcalloc(ANSWER_MAX_TOOL_CALLS, sizeof(*answer->tool_calls));
	memmove(&answer->tool_calls[place + 1], &answer->tool_calls[place],
		(answer->tool_call_count - place) * sizeof(*answer->tool_calls));
	answer->tool_calls[place] = (struct answer_tool_call){index, {0}};
	answer->tool_call_count++;
	if (id.size > 0)
		answer->tool_calls[place].id = arena_copy(&answer->arena, id);
}

/* The call that a fragment without an index belongs to: the one with its id, otherwise the next
 * one. */
static int64_t guess_index(const struct answer *answer, struct slice id)
{
	size_t count = answer->tool_call_count;
	for (size_t i = id.size > 0 ? count : 0; i > 0; i--) {
		if (slice_equal(answer->tool_calls[i - 1].id, id))
			return answer->tool_calls[i - 1].index;
	}
	return count == 0 ? 0 : answer->tool_calls[count - 1].index + 1;
}

void answer_add_call(struct answer *answer, const int64_t *index, struct slice id)
{
	answer->has_tool_calls = true;
	/* Without an index the call is new, or its id is known already. */
	if (index == NULL && is_full(answer))
		return;
	add_call(answer, index != NULL ? *index : guess_index(answer, id), id);
}

uint64_t answer_tool_calls_hash(const struct answer *answer)
{
	uint64_t hash = 0;
	for (size_t i = 0; i < answer->tool_call_count; i++) {
		if (answer->tool_calls[i].id.size > 0)
			hash = step_hash_call(hash, answer->tool_calls[i].id);
	}
	return hash;
}

static void read_count(struct slice json, struct json_value number, int64_t *count)
{
	int64_t value;
	if (json_read_integer(json, number, &value) && value >= 0)
		*count = value;
}

void answer_note_usage(struct answer *answer, struct slice json, struct json_value usage,
		       const char *const names[2])
{
	struct json_value members[2];
	(void)json_pick(json, usage, names, 2, members);
	read_count(json, members[0], &answer->prompt_tokens);
	read_count(json, json_member(json, members[1], "cached_tokens"), &answer->cached_tokens);
}
