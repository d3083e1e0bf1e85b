/* Where memory goes in a request, and the splice that puts it there. */
#include "core/request.h"

#include <string.h>

enum { MAX_EDITS = 2 };

static bool is_system(const struct message *message)
{
	return message->role == ROLE_SYSTEM || message->role == ROLE_DEVELOPER;
}

/* `text` as the inside of a JSON string, with JSON before and behind it. */
static struct slice wrap_text(const char *before, struct slice text, const char *behind,
			      struct arena *arena)
{
	struct buffer out;
	/* An escape takes at most six bytes for one. */
	buffer_init(&out, text.size * 6 + 128);
	(void)buffer_append(&out, slice_of(before));
	json_escape(&out, text);
	(void)buffer_append(&out, slice_of(behind));
	struct slice wrapped = arena_copy(arena, buffer_slice(&out));
	buffer_finish(&out);
	return wrapped;
}

static bool carries_text(const struct message *message)
{
	return message->content_kind == CONTENT_STRING || message->content_kind == CONTENT_PARTS;
}

static bool is_empty_string(const struct message *message)
{
	return message->content.end - message->content.begin == sizeof("\"\"") - 1;
}

static struct edit append_block(const struct message *message, struct slice block,
				struct arena *arena)
{
	struct edit edit = {.offset = message->content.end - 1};
	if (message->content_kind == CONTENT_STRING)
		edit.bytes = wrap_text(is_empty_string(message) ? "" : "\\n\\n", block, "", arena);
	else
		edit.bytes = wrap_text(message->parts_empty ? "{\"type\":\"text\",\"text\":\""
							    : ",{\"type\":\"text\",\"text\":\"",
				       block, "\"}", arena);
	return edit;
}

static struct edit prepend_block(const struct message *message, struct slice block,
				 struct arena *arena)
{
	struct edit edit = {.offset = message->content.begin + 1};
	if (message->content_kind == CONTENT_STRING)
		edit.bytes = wrap_text("", block, is_empty_string(message) ? "" : "\\n\\n", arena);
	else
		edit.bytes = wrap_text("{\"type\":\"text\",\"text\":\"", block,
				       message->parts_empty ? "\"}" : "\"},", arena);
	return edit;
}

static bool place_in_user(const struct chat_request *request, struct slice block, struct edit *edit,
			  struct arena *arena)
{
	size_t first = 0;
	while (first < request->message_count && request->messages[first].role != ROLE_USER)
		first++;
	if (first == request->message_count || !carries_text(&request->messages[first]))
		return false;
	*edit = prepend_block(&request->messages[first], block, arena);
	return true;
}

static bool has_system(const struct chat_request *request)
{
	for (size_t i = 0; i < request->message_count; i++) {
		if (is_system(&request->messages[i]))
			return true;
	}
	return false;
}

static bool place_block(const struct chat_request *request, const struct injection *injection,
			struct edit *edit, bool *made_message, struct arena *arena)
{
	const struct message *leading = &request->messages[0];
	if (injection->placement == PLACE_USER)
		return place_in_user(request, injection->block, edit, arena);
	if (is_system(leading) && carries_text(leading)) {
		*edit = append_block(leading, injection->block, arena);
		return true;
	}
	/* Templates that take one system message refuse two, and some servers keep the last only.
	 */
	if (has_system(request))
		return place_in_user(request, injection->block, edit, arena);
	const char *before = injection->placement == PLACE_DEVELOPER
				     ? "{\"role\":\"developer\",\"content\":\""
				     : "{\"role\":\"system\",\"content\":\"";
	edit->offset = leading->object.begin;
	edit->bytes = wrap_text(before, injection->block, "\"},", arena);
	*made_message = true;
	return true;
}

static bool place_turns(const struct chat_request *request, struct slice turns, struct edit *edit)
{
	size_t first = 0;
	while (first < request->message_count && is_system(&request->messages[first]))
		first++;
	if (first == request->message_count || request->messages[first].role != ROLE_USER)
		return false;
	*edit = (struct edit){.offset = request->messages[first].object.begin, .bytes = turns};
	return true;
}

size_t request_inject(const struct chat_request *request, const struct injection *injection,
		      struct edit **out, bool *made_message, struct arena *arena)
{
	struct edit *edits = arena_alloc(arena, MAX_EDITS * sizeof(*edits));
	size_t count = 0;
	*out = edits;
	*made_message = false;
	if (request->message_count == 0)
		return 0;
	if (injection->block.size > 0 &&
	    place_block(request, injection, &edits[count], made_message, arena))
		count++;
	if (injection->turns.size > 0 && place_turns(request, injection->turns, &edits[count]))
		count++;
	if (count == 2 && edits[1].offset < edits[0].offset) {
		struct edit block = edits[0];
		edits[0] = edits[1];
		edits[1] = block;
	}
	return count;
}

size_t request_spliced_size(struct slice body, const struct edit *edits, size_t count)
{
	size_t size = body.size;
	for (size_t i = 0; i < count; i++)
		size += edits[i].bytes.size - edits[i].removed;
	return size;
}

void request_splice(struct slice body, const struct edit *edits, size_t count, char *out)
{
	size_t from = 0;
	for (size_t i = 0; i < count; i++) {
		out = mempcpy(out, body.data + from, edits[i].offset - from);
		out = mempcpy(out, edits[i].bytes.data, edits[i].bytes.size);
		from = edits[i].offset + edits[i].removed;
	}
	(void)mempcpy(out, body.data + from, body.size - from);
}

void request_append_turn(struct buffer *out, enum role role, struct slice text)
{
	(void)buffer_append(out, SLICE("{\"role\":"));
	json_quote(out, slice_of(role_name(role)));
	(void)buffer_append(out, SLICE(",\"content\":"));
	json_quote(out, text);
	(void)buffer_append(out, SLICE("},"));
}
