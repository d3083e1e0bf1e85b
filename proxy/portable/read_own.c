/* Our own form: see recalld-api(7), "Exports and imports". */
#include "core/base/ids.h"
#include "core/json/json.h"
#include "core/memory/user.h"
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
	fact->classes = read_classes(json_object_get(object, "pii_classes")) |
			read_classes(json_object_get(object, "pii"));
	fact->pii = fact->classes != 0 || json_is_true(json_object_get(object, "pii"));
	fact->confidence = confidence >= 0 && confidence <= 1 ? confidence : 0;
	fact->quote = portable_text(source, "quote");
	fact->keywords = portable_text(source, "keywords");
	fact->state = (enum fact_state)read_word(object, "state", states, 6);
	fact->pinned = json_is_true(json_object_get(object, "pinned"));
	fact->by = portable_text(object, "by");
	fact->agent = portable_text(object, "agent");
	fact->app = portable_text(object, "app");
	fact->metadata = portable_metadata(json_object_get(object, "metadata"), &reader->arena);
	fact->source = (enum fact_source)read_word(source, "type", sources, 5);
	json_int_t repeats = json_integer_value(json_object_get(object, "repeats"));
	fact->repeats = repeats > 0 ? (uint64_t)repeats : 0;
	fact->observed_at = reader->now;
	portable_time(object, "observed_at", &fact->observed_at);
	portable_time(object, "valid_until", &fact->expires_at);
	portable_time(object, "ended_at", &fact->ended_at);
	if (fact->entity.size == 0 || fact->key.size == 0)
		return "A fact needs an \"entity\" and a \"key\".";
	/* None is exported: it has no texts, and nobody could find those. */
	if (fact->state == FACT_FORGOTTEN) {
		reader->memory.fact_count--;
		reader->intake.left_out[LEFT_OTHER]++;
		return NULL;
	}
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

static const char *begin_conversation(struct portable_reader *reader, json_t *object)
{
	(void)object;
	portable_new_conversation(reader)->conversation.last_active = reader->now;
	return NULL;
}

/* A member of the newest conversation, but its turns. */
static const char *read_conversation(struct portable_reader *reader, json_t *value)
{
	const struct slice name = reader->part.name;
	struct portable_memory *memory = &reader->memory;
	struct past_conversation *conversation =
		&memory->conversations[memory->conversation_count - 1].conversation;
	const json_int_t answers = json_integer_value(value);
	const struct slice text = {json_string_value(value), json_string_length(value)};
	if (slice_equal(name, SLICE("last_active")))
		portable_read_time(value, &conversation->last_active);
	else if (slice_equal(name, SLICE("carries_history")))
		conversation->carries_history = json_is_true(value);
	else if (slice_equal(name, SLICE("branched")))
		conversation->branched = json_is_true(value);
	else if (slice_equal(name, SLICE("session")) && text.size <= PORTABLE_MAX_SESSION)
		conversation->session = portable_keep(reader, text);
	else if (slice_equal(name, SLICE("answers")) && answers >= 0 && answers <= UINT32_MAX)
		conversation->answers = (uint32_t)answers;
	else if (slice_equal(name, SLICE("session")) || slice_equal(name, SLICE("answers")))
		return "A conversation's session or answers is out of its range.";
	return NULL;
}

/* The summary and the settings stay while the file is read: the first memory needs them, too. */
static const char *read_summary(struct portable_reader *reader, json_t *object)
{
	struct portable_memory *memory = &reader->memory;
	struct summary *summary = &memory->summary;
	struct arena scratch = {0};
	/* Once: a part may have found since that it tells of what was erased. */
	if (summary->updated_at != 0 || !json_is_object(object))
		return NULL;
	memory->has_summary = true;
	summary->text = arena_copy(&reader->kept,
				   intake_text(&reader->intake, portable_text(object, "text"),
					       INTAKE_SUMMARY, &scratch));
	summary->model = arena_copy(&reader->kept,
				    intake_text(&reader->intake, portable_text(object, "model"),
						INTAKE_LABEL, &scratch));
	arena_finish(&scratch);
	summary->updated_at = reader->now;
	portable_time(object, "updated_at", &summary->updated_at);
	return read_id(object, "covers", UINT64_MAX, &summary->covers)
		       ? NULL
		       : "The summary's \"covers\" must be a turn's id.";
}

static const char *read_settings(struct portable_reader *reader, json_t *object)
{
	struct user_settings *settings = &reader->memory.settings;
	if (settings->is_stored || !json_is_object(object))
		return NULL;
	const char *fault =
		portable_read_settings(settings, reader->part.text, &reader->intake, &reader->kept);
	settings->is_stored = true;
	reader->intake.pii = settings_pii(settings, reader->intake.pii);
	return fault;
}

static portable_element *element_of_turns(const struct json_part *part)
{
	if (!slice_equal(part->list, SLICE("conversations")))
		return NULL;
	return part->kind == JSON_PART_OPENED          ? begin_conversation
	       : part->kind == JSON_PART_INNER_MEMBER  ? read_conversation
	       : part->kind == JSON_PART_INNER_ELEMENT ? read_turn
						       : NULL;
}

portable_element *portable_own_element(const struct portable_reader *reader)
{
	const struct json_part *part = &reader->part;
	if (reader->phase == PORTABLE_TURNS)
		return element_of_turns(part);
	if (part->kind == JSON_PART_ELEMENT && slice_equal(part->list, SLICE("facts")))
		return read_fact;
	if (part->kind != JSON_PART_MEMBER)
		return NULL;
	return slice_equal(part->list, SLICE("summary"))    ? read_summary
	       : slice_equal(part->list, SLICE("settings")) ? read_settings
							    : NULL;
}
