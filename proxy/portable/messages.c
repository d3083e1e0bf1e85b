/* Messages as chat APIs have them: {"role", "content", "created_at", "session"}. */
#include "core/clients/forms.h"
#include "core/text/text.h"
#include "proxy/portable/forms.h"

/* A log's system and tool messages and tool calls are no part of the talk. */
static bool is_aside(json_t *message)
{
	static const char *const others[] = {"system", "developer", "tool", "function", NULL};
	const bool calls = json_array_size(json_object_get(message, "tool_calls")) > 0 ||
			   json_is_object(json_object_get(message, "function_call"));
	return slice_is_any(portable_text(message, "role"), others) ||
	       (calls && portable_says(message, "role", "assistant"));
}

/* As in a chat: a string, or the texts among its parts, in the arena. False: it is neither. */
static bool read_content(json_t *message, struct text_part **texts, size_t *count,
			 struct arena *arena)
{
	json_t *content = json_object_get(message, "content");
	bool follows_text = false;
	size_t i;
	json_t *part;
	*texts = arena_alloc(arena, (json_array_size(content) + 1) * sizeof(**texts));
	(*texts)[0].text = portable_text(message, "content");
	*count = json_is_string(content);
	json_array_foreach(content, i, part)
	{
		const bool is_text = portable_says(part, "type", "text") &&
				     json_is_string(json_object_get(part, "text"));
		if (!json_is_object(part))
			return false;
		if (is_text)
			(*texts)[(*count)++] = (struct text_part){
				.text = portable_text(part, "text"), .follows_text = follows_text};
		follows_text = is_text;
	}
	return json_is_string(content) || json_is_array(content);
}

static const char *check_message(json_t *message)
{
	json_t *session = json_object_get(message, "session");
	if (!portable_says(message, "role", "user") && !portable_says(message, "role", "assistant"))
		return "A message's \"role\" must be user or assistant (system, developer and tool "
		       "are left out).";
	if (session != NULL && !json_is_null(session) &&
	    (!json_is_string(session) || json_string_length(session) > PORTABLE_MAX_SESSION))
		return "A message's \"session\" must be a string of at most 256 bytes.";
	return NULL;
}

/* A time that lies a little ahead is now. */
static const char *read_time(const struct portable_reader *reader, json_t *message, int64_t *at)
{
	json_t *created_at = json_object_get(message, "created_at");
	*at = reader->now;
	if (created_at != NULL && !json_is_null(created_at) &&
	    !text_read_time(portable_text(message, "created_at"), at))
		return "A message's \"created_at\" must be an RFC 3339 time with an offset, or a "
		       "date.";
	if (*at > reader->now && !time_is_ahead(*at, reader->now))
		*at = reader->now;
	return NULL;
}

static struct portable_conversation *conversation_of(struct portable_reader *reader,
						     struct slice session)
{
	struct portable_memory *memory = &reader->memory;
	json_t *place = json_object_getn(reader->sessions, session.size > 0 ? session.data : "",
					 session.size);
	if (place != NULL)
		return &memory->conversations[json_integer_value(place)];
	portable_note_place(reader, &reader->sessions, session, memory->conversation_count);
	struct portable_conversation *one = portable_new_conversation(reader);
	one->conversation.session = portable_keep(reader, session);
	one->here = session.size == 0 ? reader->unnamed : 0;
	return one;
}

const char *portable_read_message(struct portable_reader *reader, json_t *message)
{
	struct arena scratch = {0};
	struct text_part *texts;
	size_t count;
	int64_t at;
	if (is_aside(message)) {
		reader->intake.left_out[LEFT_UNSHOWN]++;
		return NULL;
	}
	const bool is_whole = read_content(message, &texts, &count, &scratch) &&
			      portable_text(message, "role").size > 0;
	const char *fault = is_whole
				    ? check_message(message)
				    : "Each message needs a string \"role\" and a \"content\" that "
				      "is a string or an array of parts.";
	if (fault == NULL)
		fault = read_time(reader, message, &at);
	if (fault == NULL)
		portable_add_message(
			reader, conversation_of(reader, portable_text(message, "session")),
			portable_says(message, "role", "user") ? ROLE_USER : ROLE_ASSISTANT, texts,
			count, at);
	arena_finish(&scratch);
	return fault;
}
