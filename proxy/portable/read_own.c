/* Our own form: see recalld(8), "Take along". */
#include "core/json/json.h"
#include "core/text/text.h"
#include "proxy/portable/forms.h"

#include <stdlib.h>

static bool read_id(json_t *object, const char *name, uint64_t most, uint64_t *id)
{
	json_t *value = json_object_get(object, name);
	char *end;
	*id = 0;
	if (value == NULL || json_is_null(value))
		return true;
	const char *text = json_string_value(value);
	if (text == NULL || text[0] < '0' || text[0] > '9')
		return false;
	*id = strtoull(text, &end, 10);
	return *end == '\0' && *id <= most;
}

static uint64_t read_hash(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text == NULL ? 0 : strtoull(text, NULL, 16);
}

static int read_word(json_t *object, const char *name, const char *const *words, int count)
{
	for (int i = 0; i < count; i++) {
		if (portable_says(object, name, words[i]))
			return i;
	}
	return 0;
}

static unsigned read_classes(json_t *names)
{
	unsigned classes = 0;
	size_t i;
	json_t *name;
	json_array_foreach(names, i, name)
	{
		enum pii_class class;
		if (json_is_string(name) &&
		    pii_read((struct slice){json_string_value(name), json_string_length(name)},
			     &class))
			classes |= PII_BIT(class);
	}
	return classes;
}

static const char *read_fact(struct portable_reader *reader, json_t *object)
{
	static const char *const states[] = {"current",   "superseded", "retracted",
					     "forgotten", "suggested",  "hidden"};
	static const char *const sources[] = {"chat", "correction", "note", "import", "agent"};
	struct fact *fact = portable_new_fact(reader);
	json_t *source = json_object_get(object, "source");
	double confidence = json_number_value(json_object_get(object, "confidence"));
	if (!read_id(object, "id", UINT64_MAX, &fact->id) ||
	    !read_id(object, "superseded_by", UINT64_MAX, &fact->superseded_by) ||
	    !read_id(source, "exchange", UINT64_MAX, &fact->exchange) || fact->id == 0)
		return "A fact's ids must be texts with a whole number.";
	fact->entity = portable_text(object, "entity");
	fact->kind = portable_text(object, "kind");
	fact->key = portable_text(object, "key");
	fact->value = portable_text(object, "value");
	fact->many = json_is_true(json_object_get(object, "many"));
	fact->pii = json_is_true(json_object_get(object, "pii"));
	fact->classes = read_classes(json_object_get(object, "pii_classes"));
	fact->confidence = confidence >= 0 && confidence <= 1 ? confidence : 0;
	fact->quote = portable_text(source, "quote");
	fact->keywords = portable_text(source, "keywords");
	fact->state = (enum fact_state)read_word(object, "state", states, 6);
	fact->pinned = json_is_true(json_object_get(object, "pinned"));
	fact->by = portable_text(object, "by");
	fact->agent = portable_text(object, "agent");
	fact->app = portable_text(object, "app");
	fact->metadata = portable_metadata(json_object_get(object, "metadata"), reader->arena);
	fact->source = (enum fact_source)read_word(source, "type", sources, 5);
	json_int_t repeats = json_integer_value(json_object_get(object, "repeats"));
	fact->repeats = repeats > 0 ? (uint64_t)repeats : 0;
	fact->observed_at = reader->now;
	portable_time(object, "observed_at", &fact->observed_at);
	portable_time(object, "valid_until", &fact->expires_at);
	portable_time(object, "ended_at", &fact->ended_at);
	if (fact->entity.size == 0 || fact->key.size == 0)
		return "A fact needs an \"entity\" and a \"key\".";
	portable_finish_fact(reader);
	return NULL;
}

/* Of the newest conversation. */
static const char *read_turn(struct portable_reader *reader, json_t *object)
{
	static const char *const states[] = {"current", "superseded"};
	static const char *const learning[] = {"none", "pending", "done"};
	struct portable_turn *from = portable_new_turn(reader);
	struct turn *turn = &from->turn;
	json_int_t offset = json_integer_value(json_object_get(object, "utc_offset"));
	json_int_t ordinal = json_integer_value(json_object_get(object, "ordinal"));
	bool is_user = portable_says(object, "role", "user");
	if (!read_id(object, "id", UINT64_MAX, &turn->id) || turn->id == 0 ||
	    !read_id(object, "exchange", UINT64_MAX, &turn->exchange) ||
	    !read_id(object, "answer", UINT64_MAX, &from->answer) ||
	    !read_id(object, "replaces", UINT64_MAX, &from->earlier))
		return "A turn's ids must be texts with a whole number.";
	if ((!is_user && !portable_says(object, "role", "assistant")) || ordinal < 0 ||
	    ordinal > UINT32_MAX || offset <= -24 * 60 || offset >= 24 * 60)
		return "A turn's role, ordinal or utc_offset is out of its range.";
	turn->conversation = (uint32_t)reader->memory.conversation_count;
	turn->ordinal = (uint32_t)ordinal;
	turn->role = is_user ? ROLE_USER : ROLE_ASSISTANT;
	turn->state = (enum turn_state)read_word(object, "state", states, 2);
	turn->complete = json_is_true(json_object_get(object, "complete"));
	turn->created_at = reader->now;
	portable_time(object, "created_at", &turn->created_at);
	turn->utc_offset = (int)offset;
	const struct slice content = portable_text(object, "content");
	turn->text = portable_take(reader, content, INTAKE_TURN);
	turn->hash = read_hash(object, "hash");
	if (turn->hash == 0)
		turn->hash = text_hash(content);
	from->own_hash = is_user ? read_hash(object, "own_hash") : 0;
	from->learn = json_is_true(json_object_get(object, "summarize"));
	from->learning = (enum portable_learning)read_word(object, "learned", learning, 3);
	portable_time(object, "taken_back_at", &from->taken_back_at);
	return NULL;
}

/* A conversation without its turns. */
static const char *read_conversation_head(struct portable_reader *reader, json_t *object)
{
	struct portable_conversation *one = portable_new_conversation(reader);
	struct past_conversation *conversation = &one->conversation;
	const json_int_t answers = json_integer_value(json_object_get(object, "answers"));
	const struct slice session = portable_text(object, "session");
	conversation->last_active = reader->now;
	portable_time(object, "last_active", &conversation->last_active);
	conversation->carries_history = json_is_true(json_object_get(object, "carries_history"));
	conversation->branched = json_is_true(json_object_get(object, "branched"));
	if (session.size > PORTABLE_MAX_SESSION || answers < 0 || answers > UINT32_MAX)
		return "A conversation's session or answers is out of its range.";
	conversation->session = arena_copy(reader->arena, session);
	conversation->answers = (uint32_t)answers;
	return NULL;
}

/* Its turns are read one by one, since there may be very many. */
static const char *read_conversation(struct portable_reader *reader, struct slice text,
				     struct json_value turns)
{
	const struct slice parts[] = {slice_part(text, 0, turns.begin), SLICE("null"),
				      slice_part(text, turns.end, text.size)};
	struct arena scratch = {0};
	struct portable_list head = {.text = turns.end == 0 ? text : arena_join(&scratch, parts, 3),
				     .is_whole = true};
	const char *fault = portable_each(reader, head, read_conversation_head);
	arena_finish(&scratch);
	return fault != NULL ? fault
			     : portable_each(reader, portable_list_of(text, turns), read_turn);
}

static const char *read_conversations(struct portable_reader *reader, struct portable_list list)
{
	static const char *const names[] = {"turns"};
	const char *fault = NULL;
	struct json_value object;
	struct json_value turns[1];
	struct slice text;
	while (fault == NULL && portable_next(&list, &text)) {
		if (!json_scan(text, &object))
			return "The file is not JSON.";
		(void)JSON_PICK(text, object, names, turns);
		fault = read_conversation(reader, text, turns[0]);
	}
	return fault;
}

static int compare_turns(const void *a, const void *b)
{
	uint64_t left = ((const struct portable_turn *)a)->turn.id;
	uint64_t right = ((const struct portable_turn *)b)->turn.id;
	return (left > right) - (left < right);
}

static const char *read_summary(struct portable_reader *reader, struct slice text)
{
	struct portable_memory *memory = &reader->memory;
	json_t *object = json_loadb(text.data, text.size, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
	bool is_read = true;
	memory->has_summary = json_is_object(object);
	if (memory->has_summary) {
		is_read = read_id(object, "covers", UINT64_MAX, &memory->summary.covers);
		memory->summary.text =
			portable_take(reader, portable_text(object, "text"), INTAKE_SUMMARY);
		memory->summary.model =
			portable_take(reader, portable_text(object, "model"), INTAKE_LABEL);
		memory->summary.updated_at = reader->now;
		portable_time(object, "updated_at", &memory->summary.updated_at);
	}
	json_decref(object);
	return is_read ? NULL : "The summary's \"covers\" must be a turn's id.";
}

static const char *read_settings(struct portable_reader *reader, struct slice text)
{
	struct user_settings *settings = &reader->memory.settings;
	const char *fault = portable_read_settings(settings, text, &reader->intake, reader->arena);
	settings->is_stored = true;
	return fault;
}

const char *portable_read_own(struct portable_reader *reader, struct slice file,
			      struct json_value document)
{
	static const char *const names[] = {"facts", "conversations", "summary", "settings"};
	struct json_value found[4];
	const char *fault;
	(void)JSON_PICK(file, document, names, found);
	if (found[0].type != JSON_TYPE_ARRAY || found[1].type != JSON_TYPE_ARRAY)
		return "\"facts\" and \"conversations\" must be arrays.";
	fault = portable_each(reader, portable_list_of(file, found[0]), read_fact);
	if (fault == NULL)
		fault = read_conversations(reader, portable_list_of(file, found[1]));
	if (fault == NULL && found[2].end > 0)
		fault = read_summary(reader, slice_part(file, found[2].begin, found[2].end));
	if (fault == NULL && found[3].type == JSON_TYPE_OBJECT)
		fault = read_settings(reader, slice_part(file, found[3].begin, found[3].end));
	struct portable_memory *memory = &reader->memory;
	if (memory->turn_count > 0)
		qsort(memory->turns, memory->turn_count, sizeof(*memory->turns), compare_turns);
	for (size_t i = 1; fault == NULL && i < memory->turn_count; i++) {
		if (memory->turns[i - 1].turn.id == memory->turns[i].turn.id)
			fault = "Two turns have one id.";
	}
	return fault;
}
