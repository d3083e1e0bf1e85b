#include "core/learn/entry.h"

#include "core/text/text.h"
#include "lists.h"

#include <stdlib.h>
#include <string.h>

/* The confidence assumed if the model does not give one. */
static const double default_confidence = 0.8;

static const int64_t day = 24 * 60 * 60 * 1000;

/* The members of an entry as they stand in the document. */
enum member {
	ENTITY,
	KIND,
	KEY,
	VALUE,
	CONFIDENCE,
	OP,
	QUOTE,
	VALID_UNTIL,
	PII,
	FORGET,
	KEYWORDS,
	ATTRIBUTE, /* stands for KEY, as does the next */
	NAME,
	MEMBERS,
};

static const char *const member_names[MEMBERS] = {
	"entity",      "kind", "key",    "value",    "confidence", "op",   "quote",
	"valid_until", "pii",  "forget", "keywords", "attribute",  "name",
};

/* Reads an optional string: empty if absent; false if it is something else. */
static bool read_string(struct slice document, struct json_value value, struct slice *text,
			struct arena *arena)
{
	*text = (struct slice){0};
	if (value.type == JSON_TYPE_NULL)
		return true;
	if (value.type != JSON_TYPE_STRING)
		return false;
	*text = slice_trim(json_string_text(document, value, arena));
	return true;
}

static bool read_entity(struct slice document, struct json_value value, struct learn_entry *entry,
			struct arena *arena)
{
	struct slice text;
	if (!read_string(document, value, &text, arena))
		return false;
	text = text_one_line(text, FACT_NAME_LIMIT, arena);
	entry->names_entity = text.size > 0;
	entry->entity = entry->names_entity ? fact_entity(text) : SLICE("user");
	return true;
}

static struct slice read_kind(struct slice document, struct json_value value, struct arena *arena)
{
	static const char *const kinds[] = {"user", "person", "place", "project", "thing", NULL};
	struct slice text;
	if (!read_string(document, value, &text, arena) || !slice_is_any_nocase(text, kinds))
		return (struct slice){0};
	return fact_fold(text, arena);
}

/* Some models quote it. */
static bool is_true(struct slice document, struct json_value value, struct arena *arena)
{
	return value.type == JSON_TYPE_TRUE ||
	       (value.type == JSON_TYPE_STRING &&
		slice_equal_nocase(json_string_text(document, value, arena), SLICE("true")));
}

static bool read_op(struct slice document, const struct json_value *members, enum learn_op *op,
		    struct arena *arena)
{
	static const char *const sets[] = {"set", "update", "replace", "upsert", "create", NULL};
	struct slice word;
	if (!read_string(document, members[OP], &word, arena))
		return false;
	if (is_true(document, members[FORGET], arena))
		*op = LEARN_FORGET;
	else if (word.size == 0 || slice_is_any_nocase(word, sets))
		*op = LEARN_SET;
	else if (slice_equal_nocase(word, SLICE("add")))
		*op = LEARN_ADD;
	else if (slice_equal_nocase(word, SLICE("remove")))
		*op = LEARN_REMOVE;
	else
		return false;
	return true;
}

static bool read_confidence_word(struct slice word, double *confidence)
{
	bool is_high = slice_is_any_nocase(word, list_certain);
	*confidence = is_high ? 0.9 : 0.5;
	return is_high || slice_is_any_nocase(word, list_uncertain);
}

/* Reads a confidence from 0 to 1, or up to 100 as a percentage; also a number in quotes, or
 * "high". */
static bool read_confidence(struct slice document, struct json_value value, double *confidence,
			    struct arena *arena)
{
	char digits[64];
	*confidence = default_confidence;
	if (value.type == JSON_TYPE_NULL)
		return true;
	struct slice text = slice_part(document, value.begin, value.end);
	if (value.type == JSON_TYPE_STRING)
		text = slice_trim(json_string_text(document, value, arena));
	if (read_confidence_word(text, confidence))
		return true;
	bool is_percent = slice_ends_with(text, SLICE("%"));
	text.size -= is_percent;
	text = slice_trim(text);
	/* The scanner rejects "nan", "inf" and "0x1p3", which strtod() would read. */
	if (!json_scan(text, &value) || value.type != JSON_TYPE_NUMBER ||
	    text.size >= sizeof(digits))
		return false;
	memcpy(digits, text.data, text.size);
	digits[text.size] = '\0';
	*confidence = strtod(digits, NULL);
	if (is_percent || *confidence > 1)
		*confidence /= 100;
	return *confidence >= 0 && *confidence <= 1;
}

/* Reads when the fact ceases to hold; a date alone includes that day. Anything unreadable counts as
 * never: models also write "unknown" and "ongoing" here. */
static int64_t read_expiry(struct slice document, struct json_value value, struct arena *arena)
{
	const size_t date_size = sizeof("2026-11-21") - 1;
	struct slice text;
	int64_t at;
	if (!read_string(document, value, &text, arena))
		return 0;
	/* Some models omit the zone. */
	const struct slice zoned[] = {text, SLICE("Z")};
	if (!text_read_time(text, &at) && !text_read_time(arena_join(arena, zoned, 2), &at))
		return 0;
	return text.size == date_size ? at + day - 1 : at;
}

/* Reads a string or a list of strings, with `joint` between them. */
static bool read_strings(struct slice document, struct json_value value, struct slice joint,
			 struct slice *joined, struct arena *arena)
{
	if (value.type != JSON_TYPE_ARRAY)
		return read_string(document, value, joined, arena);
	struct json_walk walk = json_walk(document, value);
	*joined = (struct slice){0};
	while (joined->size < LEARN_MAX_QUOTE && json_next(&walk)) {
		struct slice part;
		if (!read_string(document, walk.value, &part, arena))
			return false;
		const struct slice parts[] = {*joined, joint, part};
		*joined = joined->size == 0 ? part : arena_join(arena, parts, 3);
	}
	return true;
}

/* Nothing is lost with keywords that cannot be read. Without a quote they would outlive its turn.
 */
static struct slice read_keywords(struct slice document, struct json_value value,
				  struct slice quote, struct arena *arena)
{
	struct slice keywords;
	if (quote.size == 0 || !read_strings(document, value, SLICE(", "), &keywords, arena))
		return (struct slice){0};
	return text_one_line(keywords, LEARN_MAX_KEYWORDS, arena);
}

static struct json_value key_of(const struct json_value *members)
{
	if (members[KEY].type != JSON_TYPE_NULL)
		return members[KEY];
	return members[ATTRIBUTE].type != JSON_TYPE_NULL ? members[ATTRIBUTE] : members[NAME];
}

static bool read_names(struct slice document, const struct json_value *members,
		       struct learn_entry *entry, struct arena *arena)
{
	struct slice key;
	if (!read_entity(document, members[ENTITY], entry, arena) ||
	    !read_string(document, key_of(members), &key, arena) ||
	    !read_strings(document, members[QUOTE], SLICE(" … "), &entry->words, arena))
		return false;
	entry->kind = read_kind(document, members[KIND], arena);
	entry->key = fact_key_name(key, arena);
	entry->quote = text_one_line(entry->words, LEARN_MAX_QUOTE, arena);
	entry->keywords = read_keywords(document, members[KEYWORDS], entry->quote, arena);
	return true;
}

/* True, or the name of a class. */
static void read_pii(struct slice document, struct json_value value, struct learn_entry *entry,
		     struct arena *arena)
{
	enum pii_class class = PII_OTHER;
	entry->pii = is_true(document, value, arena) ||
		     (value.type == JSON_TYPE_STRING &&
		      pii_read(json_string_text(document, value, arena), &class));
	entry->classes = entry->pii ? PII_BIT(class) : 0;
}

/* Reads everything but the value. */
static bool read_entry(struct slice document, const struct json_value *members,
		       struct learn_entry *entry, struct arena *arena)
{
	*entry = (struct learn_entry){0};
	if (!read_op(document, members, &entry->op, arena) ||
	    !read_names(document, members, entry, arena) ||
	    !read_confidence(document, members[CONFIDENCE], &entry->confidence, arena))
		return false;
	/* The user's turn shows whether it is meant. */
	if (entry->op == LEARN_FORGET && members[CONFIDENCE].type == JSON_TYPE_NULL)
		entry->confidence = 1;
	entry->expires_at = read_expiry(document, members[VALID_UNTIL], arena);
	read_pii(document, members[PII], entry, arena);
	return true;
}

/* Keeps numbers and booleans as they are written. */
static bool read_value(struct slice document, struct json_value value, struct slice *text,
		       struct arena *arena)
{
	*text = (struct slice){0};
	if (value.type == JSON_TYPE_ARRAY || value.type == JSON_TYPE_OBJECT)
		return false;
	if (value.type == JSON_TYPE_STRING)
		*text = json_string_text(document, value, arena);
	else if (value.type != JSON_TYPE_NULL)
		*text = slice_part(document, value.begin, value.end);
	*text = text_one_line(*text, FACT_VALUE_LIMIT, arena);
	return true;
}

/* Whether an entry says enough to be applied. */
static bool is_complete(const struct learn_entry *entry)
{
	switch (entry->op) {
	case LEARN_REMOVE:
		return entry->key.size > 0;
	case LEARN_FORGET:
		return entry->key.size > 0 || entry->value.size > 0 || entry->names_entity;
	default:
		return entry->key.size > 0 && entry->value.size > 0;
	}
}

static void put_entry(struct learn_entries *entries, const struct learn_entry *entry)
{
	if (is_complete(entry) && entries->count < LEARN_MAX_ENTRIES)
		entries->list[entries->count++] = *entry;
	else
		entries->rejected++;
}

/* Adds an entry for each element of an array of values; an empty element is not a value. */
static void put_values(struct slice document, struct json_value array, struct learn_entry *entry,
		       struct learn_entries *entries, struct arena *arena)
{
	struct json_walk walk = json_walk(document, array);
	if (!json_next(&walk)) {
		put_entry(entries, entry);
		return;
	}
	if (entry->op == LEARN_SET)
		entry->op = LEARN_ADD;
	do {
		bool readable = entries->count < LEARN_MAX_ENTRIES &&
				read_value(document, walk.value, &entry->value, arena) &&
				entry->value.size > 0;
		if (readable)
			put_entry(entries, entry);
		else
			entries->rejected++;
	} while (json_next(&walk));
}

static void read_object(struct slice document, struct json_value object,
			struct learn_entries *entries, struct arena *arena)
{
	struct learn_entry entry;
	if (object.type != JSON_TYPE_OBJECT || entries->count == LEARN_MAX_ENTRIES) {
		entries->rejected++;
		return;
	}
	struct json_value members[MEMBERS];
	json_pick(document, object, member_names, MEMBERS, members);
	bool fits = read_entry(document, members, &entry, arena);
	if (fits && members[VALUE].type == JSON_TYPE_ARRAY)
		put_values(document, members[VALUE], &entry, entries, arena);
	else if (fits && read_value(document, members[VALUE], &entry.value, arena))
		put_entry(entries, &entry);
	else
		entries->rejected++;
}

/* {"city":"Bern","pets":["cat","dog"],"Maria":{"city":"Ulm"}}: each member is an entry, or holds
 * what is known about somebody. */
static void read_map(struct slice document, struct json_value map, struct slice name,
		     struct learn_entries *entries, struct arena *arena)
{
	bool is_of_user = name.size == 0 || slice_equal_nocase(name, SLICE("user"));
	struct slice entity = is_of_user ? SLICE("user") : name;
	struct json_walk walk = json_walk(document, map);
	while (json_next(&walk) && entries->count < LEARN_MAX_ENTRIES) {
		struct slice key = json_string_text(document, walk.key, arena);
		struct learn_entry entry = {.entity = entity, .confidence = default_confidence};
		entry.key = fact_key_name(key, arena);
		if (walk.value.type == JSON_TYPE_OBJECT && name.size == 0)
			read_map(document, walk.value, text_one_line(key, FACT_NAME_LIMIT, arena),
				 entries, arena);
		else if (walk.value.type == JSON_TYPE_ARRAY)
			put_values(document, walk.value, &entry, entries, arena);
		else if (read_value(document, walk.value, &entry.value, arena))
			put_entry(entries, &entry);
		else
			entries->rejected++;
	}
}

bool learn_entries_read(struct slice answer, bool repairs, struct learn_entries *entries,
			struct arena *arena)
{
	struct slice document;
	struct json_value list;
	entries->count = entries->rejected = 0;
	if (answer.size > LEARN_MAX_ANSWER)
		return false;
	if (!learn_find_list(text_without_reasoning(answer, arena), repairs, &document, &list,
			     arena))
		return false;
	if (list.type == JSON_TYPE_OBJECT && learn_is_entry(document, list))
		read_object(document, list, entries, arena);
	else if (list.type == JSON_TYPE_OBJECT)
		read_map(document, list, (struct slice){0}, entries, arena);
	if (list.type != JSON_TYPE_ARRAY)
		return true;
	struct json_walk walk = json_walk(document, list);
	while (json_next(&walk))
		read_object(document, walk.value, entries, arena);
	return true;
}
