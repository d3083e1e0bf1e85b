#include "core/base/ids.h"
#include "core/clients/forms.h"
#include "core/json/json.h"
#include "core/text/text.h"
#include "proxy/config/config.h"
#include "proxy/portable/forms.h"
#include "proxy/runtime/background.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The memory for a part of the file: the tree of one element beside what is kept of those before,
 * and what is made of both to find them. */
enum { BUDGET = 48 << 20, OF_TURN = 128, OF_FACT = 512, OF_TEXT = 16 };

/* An element longer than that fits in no case. */
enum { PART_LIMIT = BUDGET / 4, UNPACKED_LIMIT = 256 << 20 };

/* ---- pieces ---- */

struct slice portable_keep(struct portable_reader *reader, struct slice text)
{
	reader->bytes += text.size + OF_TEXT;
	return arena_copy(&reader->arena, text);
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
		portable_keep(reader, intake_text(&reader->intake, text, kind, &scratch));
	arena_finish(&scratch);
	return stored;
}

bool portable_says(json_t *object, const char *name, const char *text)
{
	return slice_equal(portable_text(object, name), slice_of(text));
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

void portable_read_time(json_t *value, int64_t *at)
{
	const struct slice text = {json_string_value(value), json_string_length(value)};
	double seconds = json_number_value(value);
	int64_t read;
	if (json_is_string(value) && (text_read_time(text, &read) || read_bare_time(text, &read)))
		*at = read;
	else if (json_is_number(value) && seconds > -1e11 && seconds < 1e11)
		*at = llround(seconds * 1000);
}

void portable_time(json_t *object, const char *name, int64_t *at)
{
	portable_read_time(json_object_get(object, name), at);
}

struct portable_turn *portable_new_turn(struct portable_reader *reader)
{
	struct portable_memory *memory = &reader->memory;
	memory->turns =
		xgrow(memory->turns, memory->turn_count, &reader->turns, sizeof(*memory->turns));
	struct portable_turn *turn = &memory->turns[memory->turn_count++];
	*turn = (struct portable_turn){0};
	return turn;
}

struct fact *portable_new_fact(struct portable_reader *reader)
{
	struct portable_memory *memory = &reader->memory;
	memory->facts =
		xgrow(memory->facts, memory->fact_count, &reader->facts, sizeof(*memory->facts));
	struct fact *fact = &memory->facts[memory->fact_count++];
	*fact = (struct fact){.id = memory->fact_count};
	return fact;
}

struct portable_conversation *portable_new_conversation(struct portable_reader *reader)
{
	struct portable_memory *memory = &reader->memory;
	memory->conversations = xgrow(memory->conversations, memory->conversation_count,
				      &reader->conversations, sizeof(*memory->conversations));
	struct portable_conversation *one = &memory->conversations[memory->conversation_count++];
	*one = (struct portable_conversation){.id = memory->conversation_count};
	one->conversation.last_active = INT64_MIN;
	return one;
}

struct portable_conversation *portable_add_conversation(struct portable_reader *reader,
							const char *prefix, json_t *id)
{
	struct portable_conversation *one = portable_new_conversation(reader);
	const char *name = json_string_value(id);
	if (name != NULL && strlen(prefix) + strlen(name) <= PORTABLE_MAX_SESSION)
		one->conversation.session = arena_printf(&reader->arena, "%s%s", prefix, name);
	one->conversation.carries_history = true;
	return one;
}

/* An answer's texts, one on a line. */
static struct slice join_texts(const struct text_part *texts, size_t count, struct arena *arena)
{
	struct slice *lines = arena_alloc(arena, (2 * count + 1) * sizeof(*lines));
	for (size_t i = 0; i < count; i++) {
		lines[2 * i] = texts[i].text;
		lines[2 * i + 1] = SLICE("\n");
	}
	return arena_join(arena, lines, count == 0 ? 0 : 2 * count - 1);
}

static struct slice own_text(enum role role, const struct text_part *texts, size_t count,
			     struct arena *arena)
{
	size_t carrier;
	return role == ROLE_USER ? form_own_parts(texts, count, &carrier, arena)
				 : text_without_reasoning(join_texts(texts, count, arena), arena);
}

/* Returns the turn's exchange; 0: it answers nothing. */
static uint64_t pair_up(struct portable_reader *reader, struct portable_conversation *one,
			enum role role, uint64_t id)
{
	const uint64_t asked = one->unanswered;
	one->unanswered = role == ROLE_USER ? id : 0;
	if (role == ROLE_USER)
		return id;
	if (asked != 0)
		reader->memory.turns[asked - 1].answer = id;
	return asked;
}

void portable_add_message(struct portable_reader *reader, struct portable_conversation *one,
			  enum role role, const struct text_part *texts, size_t count, int64_t at)
{
	struct arena scratch = {0};
	const struct slice own = own_text(role, texts, count, &scratch);
	const uint64_t id = reader->memory.turn_count + 1;
	if (own.size == 0) {
		reader->intake.left_out[LEFT_EMPTY]++;
		one->unanswered = role == ROLE_USER ? 0 : one->unanswered;
		arena_finish(&scratch);
		return;
	}
	const uint64_t exchange = pair_up(reader, one, role, id);
	struct portable_turn *turn = portable_new_turn(reader);
	turn->turn = (struct turn){
		.id = id,
		.exchange = exchange,
		.conversation = (uint32_t)one->id,
		.ordinal = one->conversation.answers,
		.role = role,
		.complete = true,
		.created_at = at,
		.utc_offset = zone_offset(reader->time_zone, at),
		.hash = text_hash(own),
		.text = portable_take(reader, own, INTAKE_TURN),
	};
	arena_finish(&scratch);
	turn->own_hash = role == ROLE_USER ? turn->turn.hash : 0;
	turn->learn = reader->learns;
	if (role == ROLE_USER && reader->learns)
		turn->learning = PORTABLE_PENDING;
	one->conversation.answers += role == ROLE_ASSISTANT;
	if (at > one->conversation.last_active)
		one->conversation.last_active = at;
}

void portable_note_place(struct portable_reader *reader, json_t **places, struct slice id,
			 size_t place)
{
	enum { OF_PLACE = 256 };
	if (*places == NULL)
		*places = json_object();
	(void)json_object_setn_new(*places, id.size > 0 ? id.data : "", id.size,
				   json_integer((json_int_t)place));
	reader->bytes += OF_PLACE;
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
	reader->bytes += fact->metadata.size;
	memory->fact_count -= !intake_fact(&reader->intake, fact, &scratch);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = portable_keep(reader, *texts[i]);
	arena_finish(&scratch);
}

/* ---- which form, and its size ---- */

static const struct portable_form {
	const char *name;
	const char *mark; /* a member of an element that tells it */
	portable_element *element;
	bool is_conversation; /* its text is read, not its tree */
} forms[] = {
	{"chatgpt", "mapping", portable_read_chatgpt, true},
	{"claude", "chat_messages", portable_read_claude, true},
	{"mem0", "memory", portable_read_mem0, false},
	{"messages", "role", portable_read_message, false},
	{"openmemory", "content", portable_read_openmemory, false},
};

enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

/* The memory that jansson takes at most for a value of a text, by the value's first byte: an empty
 * object of two bytes takes two hundred. */
static const uint8_t of_tree[UINT8_MAX + 1] = {['{'] = 200, ['['] = 120, [':'] = 70, [','] = 40};
/* A conversation stands as it is, and has an entry for each message. */
static const uint8_t of_conversation[UINT8_MAX + 1] = {['{'] = 64};

/* So many times the text's bytes, and what is taken for each value in it. */
static size_t cost_of(struct slice text, size_t times, const uint8_t *cost)
{
	size_t size = times * text.size;
	bool in_text = false;
	for (size_t i = 0; i < text.size && size <= BUDGET; i++) {
		const char c = text.data[i];
		i += in_text && c == '\\';
		in_text ^= c == '"';
		size += in_text ? 0 : cost[(unsigned char)c];
	}
	return size;
}

/* The text is there besides its tree, while jansson reads a string, and when it is kept. */
static size_t cost_of_tree(struct slice text)
{
	enum { TIMES = 4 };
	return cost_of(text, TIMES, of_tree);
}

/* Half of the room is there for a message, where its conversation takes the rest. */
bool portable_fits(struct slice text)
{
	return cost_of_tree(text) <= BUDGET / 2;
}

json_t *portable_load(struct slice text)
{
	const size_t flags = JSON_ALLOW_NUL | JSON_DECODE_ANY;
	json_t *value = json_loadb(text.data, text.size, flags, NULL);
	if (value != NULL || !slice_has(text, SLICE("\\u")))
		return value;
	char *whole = xmalloc(text.size);
	memcpy(whole, text.data, text.size);
	json_mend_surrogates(whole, text.size);
	value = json_loadb(whole, text.size, flags, NULL);
	free(whole);
	return value;
}

static size_t cost_of_part(const struct portable_reader *reader)
{
	const struct json_part *part = &reader->part;
	if (part->is_too_long)
		return SIZE_MAX;
	return reader->form_of_list != NULL && reader->form_of_list->is_conversation
		       ? BUDGET / 2 + cost_of(part->text, 2, of_conversation)
		       : cost_of_tree(part->text);
}

/* The elements that an array has room for once it has one more. */
static size_t room(size_t count, size_t capacity)
{
	return count < capacity ? capacity : 2 * capacity;
}

/* The bytes of the newest memory and its index. */
static size_t size_of(const struct portable_reader *reader)
{
	const struct portable_memory *memory = &reader->memory;
	return reader->bytes + memory->turn_count * OF_TURN + memory->fact_count * OF_FACT +
	       room(memory->turn_count, reader->turns) * sizeof(*memory->turns) +
	       room(memory->fact_count, reader->facts) * sizeof(*memory->facts) +
	       room(memory->conversation_count, reader->conversations) *
		       sizeof(*memory->conversations);
}

/* ---- memories ---- */

static void note_time(struct portable_total *total, int64_t at, int64_t now)
{
	total->first = at < total->first ? at : total->first;
	total->last = at > total->last ? at : total->last;
	total->is_ahead |= time_is_ahead(at, now);
}

/* A time that has not come would outlive its retention, and count as said after what was erased
 * since. */
static void add_up(struct portable_reader *reader)
{
	const struct portable_memory *memory = &reader->memory;
	struct portable_total *total = &reader->total;
	total->conversations += memory->conversation_count;
	total->turns += memory->turn_count;
	total->facts += memory->fact_count;
	for (size_t i = 0; i < memory->turn_count; i++) {
		const struct portable_turn *turn = &memory->turns[i];
		total->pending += turn->learning == PORTABLE_PENDING;
		total->summarized += turn->learn;
		note_time(total, turn->turn.created_at, reader->now);
	}
	for (size_t i = 0; i < memory->fact_count; i++)
		note_time(total, memory->facts[i].observed_at, reader->now);
	for (size_t i = 0; i < memory->conversation_count; i++)
		total->is_ahead |= time_is_ahead(memory->conversations[i].conversation.last_active,
						 reader->now);
	total->is_ahead |=
		memory->has_summary && time_is_ahead(memory->summary.updated_at, reader->now);
}

static const char two_turns[] = "Two turns have one id.";

/* Where the turns of our own form are now, for what names them later on; the first reading, which
 * stores none, finds ids that are there twice. Returns NULL, or a fault. */
static const char *note_places(struct portable_reader *reader)
{
	struct portable_memory *memory = &reader->memory;
	for (size_t i = 0; reader->source.is_own && i < memory->turn_count; i++) {
		const struct portable_place place = {memory->turns[i].turn.id,
						     memory->turns[i].here};
		if (!buffer_append(&reader->places,
				   (struct slice){(const char *)&place, sizeof(place)}))
			return "The file has more than a million turns: split it.";
	}
	memory->place_count = reader->places.size / sizeof(struct portable_place);
	memory->places = (struct portable_place *)(void *)reader->places.data;
	if (memory->place_count > 1)
		qsort(reader->places.data, memory->place_count, sizeof(*memory->places),
		      ids_compare);
	for (size_t i = 1; i < memory->place_count; i++) {
		if (memory->places[i - 1].id == memory->places[i].id)
			return two_turns;
	}
	return NULL;
}

static void forget_ids(struct portable_reader *reader)
{
	json_decref(reader->newest);
	json_decref(reader->versions);
	json_decref(reader->sessions);
	reader->newest = reader->versions = reader->sessions = NULL;
}

/* The conversation of messages without a session is one in all memories. */
static void note_unnamed(struct portable_reader *reader)
{
	json_t *place = json_object_get(reader->sessions, "");
	if (place != NULL)
		reader->unnamed = reader->memory.conversations[json_integer_value(place)].here;
}

/* Begins the next memory. A conversation that goes on in it goes on. */
static void begin_memory(struct portable_reader *reader)
{
	struct portable_memory *memory = &reader->memory;
	const bool goes_on = reader->has_part && reader->part.kind >= JSON_PART_INNER_MEMBER &&
			     memory->conversation_count > 0;
	struct portable_conversation one = {0};
	struct arena arena = {0};
	if (goes_on) {
		one = memory->conversations[memory->conversation_count - 1];
		one.conversation.session = arena_copy(&arena, one.conversation.session);
	}
	arena_finish(&reader->arena);
	reader->arena = arena;
	memory->turn_count = memory->fact_count = memory->conversation_count = reader->bytes = 0;
	memory->index = NULL;
	forget_ids(reader);
	if (goes_on) {
		one.id = portable_new_conversation(reader)->id;
		memory->conversations[0] = one;
	}
}

static bool has_member(struct slice text, const char *name)
{
	struct json_value object;
	return json_scan(text, &object) && json_member(text, object, name).end > 0;
}

/* The first element tells the form of all. */
static const char *find_form(struct portable_reader *reader)
{
	for (size_t i = 0; i < FORMS; i++) {
		const bool is_it = reader->asked != NULL
					   ? strcmp(reader->asked, forms[i].name) == 0
					   : has_member(reader->part.text, forms[i].mark);
		if (!is_it)
			continue;
		reader->form = forms[i].name;
		reader->form_of_list = &forms[i];
		return NULL;
	}
	return "The file has no form that recalld knows.";
}

/* ---- part by part ---- */

static bool is_of_list(const struct portable_reader *reader, const char *name)
{
	return reader->part.kind == JSON_PART_ELEMENT && !reader->source.is_own &&
	       slice_equal(reader->part.list, slice_of(name));
}

/* The reader for the newest part; NULL: there is none. */
static portable_element *element_of(const struct portable_reader *reader)
{
	if (reader->source.is_own)
		return portable_own_element(reader);
	if (reader->phase == PORTABLE_FACTS)
		return is_of_list(reader, "history") ? portable_read_mem0_history : NULL;
	if (!is_of_list(reader, reader->source.list))
		return NULL;
	/* An element that is too long for its format to be recognized is left out, too. */
	return reader->form_of_list == NULL ? portable_read_mem0 : reader->form_of_list->element;
}

static bool has_facts_phase(const struct portable_reader *reader)
{
	return reader->source.is_own ||
	       (reader->source.has_history && reader->form_of_list != NULL &&
		reader->form_of_list->element == portable_read_mem0);
}

static const char no_messages[] =
	"The body must be an object with a \"messages\" array that is not empty.";

static bool is_asked_for_messages(const struct portable_reader *reader)
{
	return reader->asked != NULL && strcmp(reader->asked, "messages") == 0;
}

static const char *begin_document(struct portable_reader *reader)
{
	const char *fault = portable_next_document(&reader->source);
	reader->is_over = fault == NULL && !reader->source.has_document;
	if (fault != NULL || reader->is_over)
		return fault;
	const bool has_messages = portable_has_messages(&reader->source);
	if (is_asked_for_messages(reader) && !has_messages)
		return no_messages;
	if (has_messages && reader->source.learn == LEARN_UNKNOWN)
		return "\"learn\" must be true or false.";
	reader->learns = reader->learn && (!has_messages || reader->source.learn == LEARN_UNSAID);
	if (!reader->source.is_own && reader->source.list == NULL)
		return "The file has no form that recalld knows.";
	reader->memory.appends = !reader->source.is_own;
	reader->memory.read_at = reader->now;
	if (reader->source.is_own)
		reader->form = "recalld";
	reader->form_of_list = NULL;
	reader->phase = PORTABLE_TURNS;
	portable_rewind(&reader->source, PART_LIMIT);
	return NULL;
}

/* Goes on to the next part, phase or document. */
static const char *advance(struct portable_reader *reader)
{
	if (!reader->source.has_document)
		return begin_document(reader);
	const char *fault = portable_next_part(&reader->source, &reader->part, &reader->has_part);
	if (fault != NULL || reader->has_part)
		return fault;
	reader->source.has_document = reader->phase == PORTABLE_TURNS && has_facts_phase(reader);
	reader->phase = PORTABLE_FACTS;
	if (reader->source.has_document)
		portable_rewind(&reader->source, PART_LIMIT);
	return NULL;
}

static const char *read_part(struct portable_reader *reader, portable_element *element)
{
	const struct json_part *part = &reader->part;
	const bool is_text = reader->form_of_list != NULL && reader->form_of_list->is_conversation;
	json_t *tree =
		is_text || part->kind == JSON_PART_OPENED ? json_null() : portable_load(part->text);
	const char *fault = tree == NULL ? "The file is not JSON." : element(reader, tree);
	json_decref(tree);
	return fault;
}

/* True: it has been read, or left out; else there is no room beside what was read before. */
static bool take_part(struct portable_reader *reader, const char **fault)
{
	const struct portable_memory *memory = &reader->memory;
	const bool is_first = reader->form_of_list == NULL && !reader->part.is_too_long &&
			      is_of_list(reader, reader->source.list);
	if (is_first && (*fault = find_form(reader)) != NULL)
		return true;
	portable_element *element = element_of(reader);
	const size_t size = element == NULL ? 0 : cost_of_part(reader);
	if (size > BUDGET)
		reader->intake.left_out[LEFT_TOO_LARGE]++;
	if (element == NULL || size > BUDGET)
		return true;
	/* Facts name each other: they have room to stand in one memory. */
	const bool is_first_fact = reader->phase == PORTABLE_FACTS && memory->fact_count == 0;
	if (size_of(reader) + size > (is_first_fact ? BUDGET / 2 : BUDGET) &&
	    memory->turn_count + memory->fact_count > 0)
		return false;
	*fault = read_part(reader, element);
	return true;
}

/* ---- its end ---- */

/* The newest first. */
static int compare_age(const void *left, const void *right)
{
	const struct portable_turn *const *a = left, *const *b = right;
	if ((*a)->turn.created_at != (*b)->turn.created_at)
		return (*a)->turn.created_at < (*b)->turn.created_at ? 1 : -1;
	return (*a < *b) - (*a > *b);
}

/* About what a turn takes at least: its record, and the index of its words. */
static uint64_t bytes_of(const struct portable_turn *turn)
{
	enum { OF_RECORDS = 512 };
	return 2 * (uint64_t)turn->turn.text.size + OF_RECORDS;
}

/* Leaves out the oldest turns of what a user would take more of than `limit` bytes, in about: they
 * would give way at once. Returns how many. */
static size_t drop_oldest(struct portable_memory *memory, uint64_t limit)
{
	const size_t count = memory->turn_count;
	struct portable_turn **turns = xcalloc(count + 1, sizeof(*turns));
	uint64_t bytes = 0;
	for (size_t i = 0; i < count; i++) {
		turns[i] = &memory->turns[i];
		bytes += bytes_of(turns[i]);
	}
	if (bytes > limit)
		qsort(turns, count, sizeof(struct portable_turn *), compare_age);
	for (size_t i = count; i-- > 0 && bytes > limit;) {
		bytes -= bytes_of(turns[i]);
		turns[i]->turn.id = 0;
	}
	free(turns);
	for (size_t i = 0; memory->appends && i < count; i++) {
		const uint64_t asked = memory->turns[i].turn.exchange;
		if (asked != 0 && asked <= count && memory->turns[asked - 1].turn.id == 0)
			memory->turns[i].turn.id = 0; /* an answer goes with its question */
	}
	memory->turn_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (memory->turns[i].turn.id != 0)
			memory->turns[memory->turn_count++] = memory->turns[i];
	}
	return count - memory->turn_count;
}

/* False: two have one id. */
static bool sort_turns(struct portable_memory *memory)
{
	bool is_fine = true;
	if (memory->turn_count > 0)
		qsort(memory->turns, memory->turn_count, sizeof(*memory->turns), ids_compare);
	for (size_t i = 1; i < memory->turn_count; i++)
		is_fine &= memory->turns[i - 1].turn.id != memory->turns[i].turn.id;
	return is_fine;
}

const char *portable_read(struct portable_reader *reader)
{
	const char *fault = note_places(reader);
	note_unnamed(reader);
	begin_memory(reader);
	while (fault == NULL && !reader->is_over) {
		if (reader->background != NULL && background_hurries(reader->background))
			return "recalld is about to stop.";
		if (!reader->has_part)
			fault = advance(reader);
		else if (take_part(reader, &fault))
			reader->has_part = false;
		else
			break;
	}
	if (fault == NULL && reader->user_limit > 0)
		reader->intake.left_out[LEFT_OVER_LIMIT] +=
			drop_oldest(&reader->memory, reader->user_limit);
	if (fault == NULL && !sort_turns(&reader->memory))
		fault = two_turns;
	return fault;
}

/* Reads it once, keeping the newest memory alone. */
static const char *read_through(struct portable_reader *reader)
{
	const char *fault;
	while ((fault = portable_read(reader)) == NULL) {
		add_up(reader);
		if (reader->is_over)
			break;
		reader->is_split = true;
	}
	if (fault == NULL && reader->is_split)
		fault = note_places(reader);
	if (fault == NULL && strcmp(reader->form, "claude") == 0 &&
	    portable_has_memories(&reader->source))
		reader->intake.left_out[LEFT_OTHER]++;
	if (fault == NULL && portable_has_messages(&reader->source) && reader->total.turns == 0 &&
	    intake_left_out(&reader->intake) == 0)
		fault = no_messages;
	if (fault == NULL && reader->total.is_ahead)
		fault = "A turn, fact, conversation or summary has a time in the future.";
	return fault;
}

static void free_arrays(struct portable_reader *reader)
{
	struct portable_memory *memory = &reader->memory;
	free(memory->turns);
	free(memory->facts);
	free(memory->conversations);
	memory->turns = NULL;
	memory->facts = NULL;
	memory->conversations = NULL;
	memory->turn_count = memory->fact_count = memory->conversation_count = 0;
	reader->turns = reader->facts = reader->conversations = 0;
}

const char *portable_check(struct portable_reader *reader, struct slice file)
{
	enum { MOST_PLACES = 16 << 20 }; /* bytes: a million turns */
	reader->form = "empty";
	reader->total = (struct portable_total){.first = INT64_MAX, .last = INT64_MIN};
	buffer_init(&reader->places, MOST_PLACES);
	portable_open(&reader->source, file, UNPACKED_LIMIT);
	const char *fault = read_through(reader);
	if (!reader->is_split)
		return fault;
	/* With arrays as they were, so that the parts are the same. */
	free_arrays(reader);
	reader->is_over = reader->has_part = false;
	buffer_clear(&reader->places);
	portable_close(&reader->source);
	portable_open(&reader->source, file, UNPACKED_LIMIT);
	return fault;
}

void portable_finish(struct portable_reader *reader)
{
	portable_close(&reader->source);
	forget_ids(reader);
	free_arrays(reader);
	buffer_finish(&reader->places);
	arena_finish(&reader->arena);
	arena_finish(&reader->kept);
}
