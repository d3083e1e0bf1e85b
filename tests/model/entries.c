#include "tests/model/entries.h"

#include "tests/model/dates.h"
#include "tests/model/stems.h"

#include <string.h>

struct slice span_text(const struct extractor *extractor, struct span span)
{
	return tokens_span(extractor->tokens, span.begin, span.end);
}

bool word_at(const struct extractor *extractor, size_t at, size_t end, const char *list)
{
	return at < end && word_in(list, extractor->tokens[at].folded);
}

/* ---- entries ---- */

static json_t *json_slice(struct slice text)
{
	json_t *string = json_stringn(text.data, text.size);
	return string == NULL ? json_string("") : string;
}

static bool is_private(struct slice key)
{
	static const char *const marks[] = {"phone",   "email", "address", "passport", "iban",
					    "adresse", "电话",  "邮箱",    "地址"};
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (slice_find(key, slice_of(marks[i]), 0) < key.size)
			return true;
	}
	return false;
}

void emit(struct extractor *extractor, struct slice key, struct slice value, const char *op)
{
	if (json_array_size(extractor->entities) >= ENTRY_LIMIT || key.size == 0)
		return;
	json_t *entry = json_object();
	if (extractor->entity.size > 0) {
		json_object_set_new(entry, "entity", json_slice(extractor->entity));
		json_object_set_new(entry, "kind", json_string("person"));
		extractor->last_entity = extractor->entity;
	}
	json_object_set_new(entry, "key", json_slice(key));
	if (value.size > 0)
		json_object_set_new(entry, "value", json_slice(text_head(value, VALUE_LIMIT)));
	json_object_set_new(entry, "op", json_string(op));
	json_object_set_new(entry, "confidence", json_real(0.95));
	json_object_set_new(entry, "quote", json_slice(extractor->quote));
	if (is_private(key))
		json_object_set_new(entry, "pii", json_true());
	if (extractor->forget)
		json_object_set_new(entry, "forget", json_true());
	json_array_append_new(extractor->entities, entry);
	extractor->last_key = key;
}

/* ---- keys ---- */

static const struct known_fact *find_known_value(const struct extractor *extractor,
						 struct slice value)
{
	for (size_t i = 0; i < extractor->input->known_count; i++) {
		const struct known_fact *known = &extractor->input->known[i];
		if (value.size > 0 && slice_equal_nocase(known->value, value))
			return known;
	}
	return NULL;
}

/* One key for what people call by many names, and the known key where one means the same. */
static struct slice settle_key(const struct extractor *extractor, struct slice key)
{
	static const struct {
		const char *key;
		const char *names;
	} aliases[] = {
		{"name", " first_name full_name 名字 "},
		{"lives_in", " home city home_city current_city wohnort zuhause 家 城市 "},
		{"employer", " company firma arbeitgeber 公司 "},
		{"job", " profession occupation beruf 职业 "},
		{"email", " e_mail mail email_address e_mail_adresse 邮箱 "},
		{"phone", " phone_number number mobile telefonnummer handynummer nummer 电话 "
			  "手机号 电话号码 "},
		{"birthday", " geburtstag 生日 "},
	};
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (word_in(aliases[i].names, key))
			key = slice_of(aliases[i].key);
	}
	struct features wanted = features_of(key, extractor->arena);
	struct slice settled = key;
	for (size_t i = 0; i < extractor->input->known_count; i++) {
		struct slice known = extractor->input->known[i].key;
		struct features features = features_of(known, extractor->arena);
		bool same = features.count == wanted.count && wanted.count > 1;
		for (size_t j = 0; same && j < wanted.count; j++)
			same = features_have(&features, wanted.items[j]);
		if (slice_equal(known, key))
			return known;
		if (same)
			settled = known;
	}
	return settled;
}

struct slice key_of_words(const struct extractor *extractor, struct span words)
{
	struct slice key = {"", 0};
	const struct token *tokens = extractor->tokens;
	while (word_at(extractor, words.begin, words.end,
		       " the a an my our new current ein eine die der das "))
		words.begin++;
	for (size_t i = words.begin; i < words.end && i < words.begin + KEY_WORDS; i++) {
		bool joined =
			i > words.begin &&
			tokens[i - 1].text.data + tokens[i - 1].text.size == tokens[i].text.data;
		key = arena_printf(extractor->arena, "%.*s%s%.*s", SLICE_PRINT(key),
				   i == words.begin || joined ? "" : "_",
				   SLICE_PRINT(tokens[i].folded));
	}
	for (size_t i = 0; i < key.size; i++) {
		if (key.data[i] == '-')
			((char *)key.data)[i] = '_';
	}
	return settle_key(extractor, text_head(key, 60));
}

/* ---- values ---- */

size_t value_end(const struct extractor *extractor, struct span span, int flags)
{
	static const char stops[] =
		" because but since while although though so which who where when weil "
		"aber obwohl damit instead ";
	for (size_t i = span.begin + 1; i < span.end; i++) {
		bool list = (flags & PATTERN_ADD) != 0;
		if (word_in(stops, extractor->tokens[i].folded) ||
		    (!list && extractor->tokens[i].after_break) ||
		    ((flags & PATTERN_PROPER) != 0 &&
		     word_in(" and und as als ", extractor->tokens[i].folded)))
			return i;
	}
	return span.end;
}

static struct span trim_value(const struct extractor *extractor, struct span span)
{
	static const char leading[] =
		" a an the to my our on ein eine einen einem der die das den meine "
		"meinen zu am ";
	static const char trailing[] =
		" now too anymore currently lately again very much lot well right "
		"there here jetzt auch sehr gerade wieder nun 了 ";
	while (span.begin < span.end && word_at(extractor, span.begin, span.end, leading))
		span.begin++;
	while (span.begin < span.end && word_at(extractor, span.end - 1, span.end, trailing))
		span.end--;
	return span;
}

/* The value with its relative date made absolute; for one thing, without it. */
static struct slice value_text(const struct extractor *extractor, struct span span, int flags)
{
	struct relative_date date;
	const struct token *tokens = extractor->tokens;
	if (!date_find(tokens + span.begin, span.end - span.begin, extractor->input->day, &date))
		return span_text(extractor, trim_value(extractor, span));
	struct span before = {span.begin, span.begin + date.begin};
	struct slice head = span_text(extractor, trim_value(extractor, before));
	if ((flags & PATTERN_PROPER) != 0)
		return head;
	struct slice tail = span_text(extractor, (struct span){span.begin + date.end, span.end});
	return arena_printf(extractor->arena, "%.*s%s%s%s%.*s", SLICE_PRINT(head),
			    head.size > 0 ? " " : "", date.text, tail.size > 0 ? " " : "",
			    SLICE_PRINT(tail));
}

bool is_empty_value(const struct extractor *extractor, struct span span)
{
	return span.begin >= span.end || word_at(extractor, span.begin, span.end,
						 " it that this how when if whether your you me "
						 "him her them what been know ask thank "
						 "say tell see not es dass ob dich sie ihn 你 ");
}

/* "My name is spelled so", "I'm going to the cinema": no name, no goal. */
static bool is_odd_value(const struct extractor *extractor, struct slice key, struct span span)
{
	unsigned char first = (unsigned char)extractor->tokens[span.begin].text.data[0];
	if (slice_equal(key, SLICE("name")))
		return first >= 'a' && first <= 'z' && span.end - span.begin > 1;
	return slice_equal(key, SLICE("goals")) &&
	       word_at(extractor, span.begin, span.end, " the a an my our ");
}

/* A lasting possession begins with a number; problems and questions are not possessions. */
static bool is_possession_worth_keeping(const struct extractor *extractor, struct span span)
{
	return word_at(extractor, span.begin, span.end,
		       " a an one two three four five some ein eine einen zwei drei vier ") &&
	       !word_at(extractor, span.end - 1, span.end,
			" question questions problem problems issue idea feeling look doubt "
			"request headache "
			"cold frage problem idee fragen lot ");
}

/* ---- from matches to entries ---- */

void emit_value(struct extractor *extractor, struct slice key, struct span span, int flags)
{
	bool add = (flags & PATTERN_ADD) != 0;
	bool remove = (flags & PATTERN_REMOVE) != 0 || extractor->denial != NOT_DENIED;
	bool likes = slice_equal(key, SLICE("likes"));
	if (extractor->denial != NOT_DENIED && (flags & (PATTERN_FIRM | PATTERN_CLASSIFY)) == 0)
		return;
	span.end = value_end(extractor, span, flags);
	if (is_empty_value(extractor, span))
		return;
	if (is_odd_value(extractor, key, span))
		return;
	struct slice value = value_text(extractor, span, flags);
	if (remove && likes && extractor->denial == DENIED) {
		key = SLICE("dislikes");
		remove = false;
	}
	const struct known_fact *known = remove ? find_known_value(extractor, value) : NULL;
	if (value.size > 0)
		emit(extractor, known != NULL ? known->key : key, value,
		     remove ? "remove"
		     : add  ? "add"
			    : "set");
}

/* "Tea, coffee and cake" are three values. */
static void emit_list(struct extractor *extractor, struct slice key, struct span span, int flags)
{
	static const char joints[] = " and or und oder 和 及 ";
	size_t begin = span.begin;
	span.end = value_end(extractor, span, flags);
	for (size_t i = span.begin; i < span.end; i++) {
		bool joint = word_at(extractor, i, span.end, joints);
		if (i > begin && (joint || extractor->tokens[i].after_break)) {
			emit_value(extractor, key, (struct span){begin, i}, flags);
			begin = i;
		}
		begin = joint ? i + 1 : begin;
	}
	emit_value(extractor, key, (struct span){begin, span.end}, flags);
}

void emit_relation(struct extractor *extractor, struct slice name, struct slice relation)
{
	struct slice entity = extractor->entity;
	extractor->entity = name;
	emit(extractor, SLICE("relation"), relation,
	     extractor->denial == NOT_DENIED ? "set" : "remove");
	extractor->entity = entity;
}

bool emit_named(struct extractor *extractor, struct span kind, struct span name)
{
	name = trim_value(extractor, name);
	if (kind.begin >= kind.end || name.begin >= name.end)
		return false;
	name.end = value_end(extractor, name, PATTERN_PROPER);
	struct slice what = kind.end - kind.begin <= 2 ? span_text(extractor, kind)
						       : extractor->tokens[kind.end - 1].folded;
	struct slice last =
		(unsigned char)what.data[0] >= 0xe3 ? what : extractor->tokens[kind.end - 1].folded;
	bool proper = (unsigned char)what.data[0] >= 0xe3 ||
		      is_capitalised(&extractor->tokens[name.begin]);
	if (!proper || name.end - name.begin > 4 || (!is_relation(last) && !is_animal(last)))
		return false;
	struct slice called = span_text(extractor, name);
	if (is_relation(last))
		emit_relation(extractor, called, last);
	else
		emit(extractor, SLICE("pet"),
		     arena_printf(extractor->arena, "%.*s (%.*s)", SLICE_PRINT(called),
				  SLICE_PRINT(last)),
		     extractor->denial == NOT_DENIED ? "set" : "remove");
	return true;
}

static void emit_classified(struct extractor *extractor, const struct match *match)
{
	struct span span = match->value;
	span.end = value_end(extractor, span, PATTERN_PROPER);
	size_t end = span.begin + 1;
	while (end < span.end &&
	       !word_at(extractor, end, span.end, " at in from for with on by in aus bei "))
		end++;
	span.end = end;
	bool is_kind =
		word_at(extractor, span.begin - 1, span.begin, " a an ein eine bin ist 是 名 个 ");
	if (is_empty_value(extractor, span))
		return;
	const char *key = classify(extractor->tokens, span, is_kind);
	bool job = key != NULL && strcmp(key, "job") == 0;
	if (key != NULL && (extractor->entity.size == 0 || job))
		emit_value(extractor, slice_of(key), span, match->pattern->flags);
	if (job && match->second.end > 0)
		emit_value(extractor, SLICE("employer"), match->second, match->pattern->flags);
}

void emit_match(struct extractor *extractor, const struct match *match)
{
	const struct pattern *pattern = match->pattern;
	struct slice key = slice_of(pattern->key);
	if ((pattern->flags & PATTERN_CLASSIFY) != 0) {
		emit_classified(extractor, match);
		return;
	}
	if ((pattern->flags & PATTERN_REPLACE) != 0) {
		const struct known_fact *known =
			find_known_value(extractor, value_text(extractor, match->key, 0));
		key = known != NULL ? known->key : key;
	} else if (pattern->key == NULL) {
		struct span words = match->key;
		words.end = value_end(extractor, words, PATTERN_PROPER);
		if (emit_named(extractor, words, match->value))
			return;
		key = key_of_words(extractor, trim_value(extractor, words));
	}
	struct relative_date date;
	size_t length = match->value.end - match->value.begin;
	if (slice_equal(key, SLICE("has"))) {
		if (!is_possession_worth_keeping(extractor, match->value))
			return;
		if (date_find(extractor->tokens + match->value.begin, length, extractor->input->day,
			      &date))
			key = SLICE("events");
	}
	if ((pattern->flags & PATTERN_ADD) != 0)
		emit_list(extractor, key, match->value, pattern->flags);
	else
		emit_value(extractor, key, match->value, pattern->flags);
	if (pattern->key_2 != NULL)
		emit_value(extractor, slice_of(pattern->key_2), match->second, pattern->flags);
}

void emit_event(struct extractor *extractor, struct span range)
{
	struct relative_date date;
	range.end = value_end(extractor, range, 0);
	while (word_at(extractor, range.begin, range.end, " am are have will 要 会 "))
		range.begin++;
	if (range.begin < range.end && extractor->denial == NOT_DENIED &&
	    date_find(extractor->tokens + range.begin, range.end - range.begin,
		      extractor->input->day, &date) &&
	    !date.is_today && date.end - date.begin < range.end - range.begin)
		emit(extractor, SLICE("events"), value_text(extractor, range, 0), "add");
}
