#include "core/clients/forms.h"
#include "core/json/json.h"
#include "core/text/text.h"
#include "proxy/portable/forms.h"
#include "proxy/runtime/background.h"

#include <math.h>
#include <string.h>

enum { UNPACKED_LIMIT = 256 << 20 };

/* ---- pieces ---- */

static void *grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity == 0 ? 32 : 2 * *capacity;
	void *more = arena_alloc(arena, *capacity * size);
	if (count > 0)
		memcpy(more, array, count * size);
	return more;
}

struct slice portable_text(json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);
	return (struct slice){json_string_value(value), json_string_length(value)};
}

struct slice portable_take(struct portable_reader *reader, struct slice text, enum intake_kind kind)
{
	struct arena scratch = {0};
	struct slice stored =
		arena_copy(reader->arena, intake_text(&reader->intake, text, kind, &scratch));
	arena_finish(&scratch);
	return stored;
}

bool portable_says(json_t *object, const char *name, const char *text)
{
	const char *value = json_string_value(json_object_get(object, name));
	return value != NULL && strcmp(value, text) == 0;
}

/* A time that names no offset is in UTC, as Python prints such times: "2026-01-05T10:00:00.5". */
static bool read_bare_time(struct slice text, int64_t *at)
{
	enum { LONGEST = 32, DATE = sizeof("2026-01-05") - 1 };
	char whole[LONGEST + 1];
	if (text.size <= DATE || text.size > LONGEST)
		return false;
	memcpy(whole, text.data, text.size);
	if (whole[DATE] == ' ')
		whole[DATE] = 'T';
	whole[text.size] = 'Z';
	return text_read_time((struct slice){whole, text.size + 1}, at);
}

void portable_time(json_t *object, const char *name, int64_t *at)
{
	json_t *value = json_object_get(object, name);
	const struct slice text = {json_string_value(value), json_string_length(value)};
	double seconds = json_number_value(value);
	int64_t read;
	if (json_is_string(value) && (text_read_time(text, &read) || read_bare_time(text, &read)))
		*at = read;
	else if (json_is_number(value) && seconds > -1e11 && seconds < 1e11)
		*at = llround(seconds * 1000);
}

struct portable_turn *portable_new_turn(struct portable_reader *reader)
{
	struct portable_memory *memory = &reader->memory;
	memory->turns = grow(reader->arena, memory->turns, memory->turn_count, &reader->turns,
			     sizeof(*memory->turns));
	struct portable_turn *turn = &memory->turns[memory->turn_count++];
	*turn = (struct portable_turn){0};
	return turn;
}

struct fact *portable_new_fact(struct portable_reader *reader)
{
	struct portable_memory *memory = &reader->memory;
	memory->facts = grow(reader->arena, memory->facts, memory->fact_count, &reader->facts,
			     sizeof(*memory->facts));
	struct fact *fact = &memory->facts[memory->fact_count++];
	*fact = (struct fact){.id = memory->fact_count};
	return fact;
}

struct portable_conversation *portable_new_conversation(struct portable_reader *reader)
{
	struct portable_memory *memory = &reader->memory;
	memory->conversations =
		grow(reader->arena, memory->conversations, memory->conversation_count,
		     &reader->conversations, sizeof(*memory->conversations));
	struct portable_conversation *one = &memory->conversations[memory->conversation_count++];
	*one = (struct portable_conversation){.id = (uint32_t)memory->conversation_count};
	one->conversation.last_active = INT64_MIN;
	return one;
}

struct portable_conversation *portable_add_conversation(struct portable_reader *reader,
							const char *prefix, json_t *id)
{
	struct portable_conversation *one = portable_new_conversation(reader);
	const char *name = json_string_value(id);
	if (name != NULL && strlen(prefix) + strlen(name) <= PORTABLE_MAX_SESSION)
		one->conversation.session = arena_printf(reader->arena, "%s%s", prefix, name);
	one->conversation.carries_history = true;
	return one;
}

/* The user turn that waits for an answer; NULL: none does. */
static struct portable_turn *unanswered(struct portable_reader *reader, uint32_t conversation)
{
	struct portable_memory *memory = &reader->memory;
	if (memory->turn_count == 0)
		return NULL;
	struct portable_turn *last = &memory->turns[memory->turn_count - 1];
	return last->turn.role == ROLE_USER && last->turn.conversation == conversation ? last
										       : NULL;
}

void portable_add_message(struct portable_reader *reader, enum role role, struct slice text,
			  int64_t at)
{
	struct portable_memory *memory = &reader->memory;
	struct portable_conversation *one = &memory->conversations[memory->conversation_count - 1];
	struct text_part part = {.text = text};
	size_t carrier;
	struct arena scratch = {0};
	struct slice own = role == ROLE_USER ? form_own_parts(&part, 1, &carrier, &scratch)
					     : text_without_reasoning(text, &scratch);
	if (own.size == 0) {
		reader->intake.left_out[LEFT_EMPTY]++;
		arena_finish(&scratch);
		return;
	}
	struct portable_turn *asked = role == ROLE_USER ? NULL : unanswered(reader, one->id);
	const uint64_t id = memory->turn_count + 1;
	if (asked != NULL)
		asked->answer = id;
	const uint64_t exchange = asked != NULL ? asked->turn.id : 0;
	struct portable_turn *turn = portable_new_turn(reader);
	turn->turn = (struct turn){
		.id = id,
		.exchange = role == ROLE_USER ? id : exchange,
		.conversation = one->id,
		.ordinal = one->conversation.answers,
		.role = role,
		.complete = true,
		.created_at = at,
		.hash = text_hash(own),
		.text = portable_take(reader, own, INTAKE_TURN),
	};
	arena_finish(&scratch);
	turn->own_hash = role == ROLE_USER ? turn->turn.hash : 0;
	turn->learn = reader->learn;
	if (role == ROLE_USER && reader->learn)
		turn->learning = PORTABLE_PENDING;
	one->conversation.answers += role == ROLE_ASSISTANT;
	if (at > one->conversation.last_active)
		one->conversation.last_active = at;
}

struct fact *portable_add_note(struct portable_reader *reader, json_t *object, const char *name,
			       int64_t at)
{
	const struct slice text = portable_text(object, name);
	if (text.size == 0) {
		reader->intake.left_out[LEFT_EMPTY]++;
		return NULL;
	}
	struct fact *fact = portable_new_fact(reader);
	fact->entity = SLICE("user");
	fact->kind = SLICE("note");
	fact->key = SLICE("note");
	fact->value = text;
	fact->many = true;
	fact->confidence = 1;
	fact->source = FACT_FROM_IMPORT;
	fact->observed_at = at;
	return fact;
}

void portable_finish_fact(struct portable_reader *reader)
{
	struct portable_memory *memory = &reader->memory;
	struct fact *fact = &memory->facts[memory->fact_count - 1];
	struct slice *const texts[] = {
		&fact->entity,   &fact->kind,     &fact->key, &fact->value, &fact->quote,
		&fact->keywords, &fact->metadata, &fact->by,  &fact->agent, &fact->app};
	struct arena scratch = {0};
	memory->fact_count -= !intake_fact(&reader->intake, fact, &scratch);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = arena_copy(reader->arena, *texts[i]);
	arena_finish(&scratch);
}

/* Whether the tree of such an element takes a bounded amount, by what jansson takes for each value:
 * an empty object of two bytes takes two hundred. */
static bool fits_in_memory(struct slice text)
{
	enum { OBJECT = 200, ARRAY = 120, MEMBER = 70, VALUE = 40, MOST = 64 << 20 };
	size_t size = text.size;
	bool in_text = false;
	for (size_t i = 0; i < text.size && size <= MOST; i++) {
		const char c = text.data[i];
		i += in_text && c == '\\';
		in_text ^= c == '"';
		if (!in_text)
			size += c == '{'   ? OBJECT
				: c == '[' ? ARRAY
				: c == ':' ? MEMBER
				: c == ',' ? VALUE
					   : 0;
	}
	return size <= MOST;
}

const char *portable_each(struct portable_reader *reader, struct portable_list list,
			  portable_element *element)
{
	const char *fault = NULL;
	struct slice text;
	while (fault == NULL && portable_next(&list, &text)) {
		if (reader->background != NULL && background_hurries(reader->background))
			return "recalld is about to stop.";
		if (!fits_in_memory(text)) {
			reader->intake.left_out[LEFT_TOO_LARGE]++;
			continue;
		}
		json_t *tree =
			json_loadb(text.data, text.size, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
		fault = tree == NULL ? "The file is not JSON." : element(reader, tree);
		json_decref(tree);
	}
	return fault;
}

/* ---- which form ---- */

static const struct {
	const char *form;
	const char *mark; /* a member of an element that tells it */
	portable_element *element;
} arrays[] = {
	{"chatgpt", "mapping", portable_read_chatgpt},
	{"claude", "chat_messages", portable_read_claude},
	{"mem0", "memory", portable_read_mem0},
	{"openmemory", "content", portable_read_openmemory},
};

enum { ARRAYS = sizeof(arrays) / sizeof(arrays[0]) };

static bool has_member(struct slice text, const char *name)
{
	const char *const names[] = {name};
	struct json_value found[1] = {{0}};
	struct json_value object;
	if (!json_scan(text, &object))
		return false;
	(void)JSON_PICK(text, object, names, found);
	return found[0].end > 0;
}

/* An empty list is of any form. */
static const char *read_elements(struct portable_reader *reader, struct portable_list list,
				 const char *form)
{
	struct portable_list rest = list;
	struct slice first;
	if (!portable_next(&rest, &first))
		return NULL;
	for (size_t i = 0; i < ARRAYS; i++) {
		bool is_named = form != NULL && strcmp(form, arrays[i].form) == 0;
		if (is_named || (form == NULL && has_member(first, arrays[i].mark))) {
			reader->form = arrays[i].form;
			return portable_each(reader, list, arrays[i].element);
		}
	}
	return "The file has no form that recalld knows.";
}

static const char *read_others(struct portable_reader *reader, const struct portable_file *file,
			       const char *form)
{
	const char *fault = read_elements(reader, file->list, form);
	if (fault != NULL || reader->form == NULL || strcmp(reader->form, "mem0") != 0)
		return fault;
	return portable_each(reader, portable_list_of(file->text, file->history),
			     portable_read_mem0_history);
}

static const char *read_json(struct portable_reader *reader, struct slice text, const char *form)
{
	struct portable_file file;
	if (!portable_look(text, &file))
		return "The file is not JSON.";
	if (file.format.end > 0) {
		if (!json_string_is(file.text, file.format, SLICE("recalld-export-1")))
			return "The file's \"format\" is not recalld-export-1.";
		reader->form = "recalld";
		return portable_read_own(reader, file.text, file.document);
	}
	return file.has_list ? read_others(reader, &file, form)
			     : "The file has no form that recalld knows.";
}

static const char *read_archive(struct portable_reader *reader, struct slice archive,
				const char *form)
{
	static const char *const prefixes[] = {"conversations", "memories"};
	const char *fault = NULL;
	enum zip_found found = ZIP_END;
	size_t files = 0;
	size_t at = 0;
	uint64_t left = UNPACKED_LIMIT;
	for (size_t i = 0; i < 2 && files == 0 && found == ZIP_END; i++) {
		struct slice file;
		at = 0;
		while (fault == NULL && (found = zip_next(archive, prefixes[i], &at, &left, &file,
							  reader->arena)) == ZIP_FILE) {
			fault = read_json(reader, file, form);
			files++;
		}
	}
	if (fault == NULL && found == ZIP_DAMAGED)
		return "The archive or a file of it is damaged, too large, or packed in a way "
		       "that recalld does not know.";
	struct zip_file memories;
	at = 0;
	/* The form of Claude's memories, beside its conversations, is unknown. */
	if (files > 0 && reader->form != NULL && strcmp(reader->form, "claude") == 0 &&
	    zip_find(archive, "memories", &at, &memories) != ZIP_END)
		reader->intake.left_out[LEFT_OTHER]++;
	return files > 0 ? fault : "The archive has no conversations.json and no memories.json.";
}

/* Such a turn would outlive its retention, and count as said after what was erased since. */
static bool is_from_the_future(const struct portable_memory *memory, int64_t now)
{
	bool is_ahead = memory->has_summary && time_is_ahead(memory->summary.updated_at, now);
	for (size_t i = 0; i < memory->turn_count; i++)
		is_ahead |= time_is_ahead(memory->turns[i].turn.created_at, now);
	for (size_t i = 0; i < memory->fact_count; i++)
		is_ahead |= time_is_ahead(memory->facts[i].observed_at, now);
	for (size_t i = 0; i < memory->conversation_count; i++)
		is_ahead |= time_is_ahead(memory->conversations[i].conversation.last_active, now);
	return is_ahead;
}

const char *portable_read(struct portable_reader *reader, struct slice file, const char *form)
{
	const char *fault = slice_starts_with(file, SLICE("PK")) ? read_archive(reader, file, form)
								 : read_json(reader, file, form);
	json_decref(reader->places);
	json_decref(reader->versions);
	if (fault == NULL && is_from_the_future(&reader->memory, reader->now))
		fault = "A turn, fact, conversation or summary has a time in the future.";
	return fault;
}
