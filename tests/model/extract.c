#include "tests/model/extract.h"

#include "tests/model/dates.h"
#include "tests/model/patterns.h"

#include <string.h>

enum { ENTRY_LIMIT = 40, VALUE_LIMIT = 200, KEY_WORDS = 5 };

enum denial { NOT_DENIED, DENIED, ENDED };

struct extractor {
	const struct extract_input *input;
	struct arena *arena;
	json_t *entities;
	/* The clause at hand. */
	struct token *tokens;
	struct slice quote;
	struct slice entity; /* empty: the user */
	enum denial denial;
	bool forget;
	/* What the last entry was about. */
	struct slice last_entity;
	struct slice last_key;
};

static struct slice span_text(const struct extractor *extractor, struct span span)
{
	return tokens_span(extractor->tokens, span.begin, span.end);
}

static bool word_at(const struct extractor *extractor, size_t at, size_t end, const char *list)
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

static void emit(struct extractor *extractor, struct slice key, struct slice value, const char *op)
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

/* "main challenge" is main_challenge. */
static struct slice key_of_words(const struct extractor *extractor, struct span words)
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

/* Where a value ends that goes on into another clause: at a comma, "because", or for one thing
 * "and". */
static size_t value_end(const struct extractor *extractor, struct span span, int flags)
{
	static const char stops[] =
		" because but since while although though so which who where when weil "
		"aber obwohl damit instead ";
	for (size_t i = span.begin + 1; i < span.end; i++) {
		bool list = (flags & PATTERN_ADD) != 0;
		if (word_in(stops, extractor->tokens[i].folded) ||
		    (!list && extractor->tokens[i].after_break) ||
		    ((flags & PATTERN_PROPER) != 0 &&
		     word_in(" and und ", extractor->tokens[i].folded)))
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
	span = trim_value(extractor, span);
	if (!date_find(tokens + span.begin, span.end - span.begin, extractor->input->day, &date))
		return span_text(extractor, span);
	struct span before = {span.begin, span.begin + date.begin};
	if ((flags & PATTERN_PROPER) != 0)
		return span_text(extractor, trim_value(extractor, before));
	struct slice head = span_text(extractor, before);
	struct slice tail = span_text(extractor, (struct span){span.begin + date.end, span.end});
	return arena_printf(extractor->arena, "%.*s%s%s%s%.*s", SLICE_PRINT(head),
			    head.size > 0 ? " " : "", date.text, tail.size > 0 ? " " : "",
			    SLICE_PRINT(tail));
}

/* "It", "that he comes": says nothing by itself. */
static bool is_empty_value(const struct extractor *extractor, struct span span)
{
	return span.begin >= span.end || word_at(extractor, span.begin, span.end,
						 " it that this how when if whether your you me "
						 "him her them what been know ask thank "
						 "say tell see not es dass ob dich sie ihn 你 ");
}

/* What is owned for good begins by how many; problems and questions are not owned. */
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

static void emit_value(struct extractor *extractor, struct slice key, struct span span, int flags)
{
	bool add = (flags & PATTERN_ADD) != 0;
	bool remove = (flags & PATTERN_REMOVE) != 0 || extractor->denial != NOT_DENIED;
	bool likes = slice_equal(key, SLICE("likes"));
	if (extractor->denial != NOT_DENIED && (flags & (PATTERN_FIRM | PATTERN_CLASSIFY)) == 0)
		return;
	span.end = value_end(extractor, span, flags);
	if (is_empty_value(extractor, span))
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

static void emit_relation(struct extractor *extractor, struct slice name, struct slice relation)
{
	struct slice entity = extractor->entity;
	extractor->entity = name;
	emit(extractor, SLICE("relation"), relation,
	     extractor->denial == NOT_DENIED ? "set" : "remove");
	extractor->entity = entity;
}

/* "A dog named Rex", "my wife is called Eva": what has a name of its own. False: it has not. */
static bool emit_named(struct extractor *extractor, struct span kind, struct span name)
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

static void emit_match(struct extractor *extractor, const struct match *match)
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

/* What happened or will happen on a day that is told by its distance. */
static void emit_event(struct extractor *extractor, struct span range)
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

/* The predicates of one subject: "live in Rome and work at Fiat" are two. */
static bool read_predicates(struct extractor *extractor, struct span range, int flags)
{
	bool any = false;
	while (range.begin < range.end) {
		struct match match;
		while (word_at(extractor, range.begin, range.end,
			       " really also just still now currently always usually mostly "
			       "recently do and "
			       "und too already probably 现 也 还 很 "))
			range.begin++;
		if (!match_predicate(extractor->tokens, range, flags, &match))
			break;
		emit_match(extractor, &match);
		any = true;
		struct span last = match.second.end > match.value.end ? match.second : match.value;
		size_t next = value_end(extractor, last, match.pattern->flags & ~PATTERN_ADD);
		range.begin = next < range.end && next > range.begin ? next : range.end;
	}
	return any;
}

static void read_possession(struct extractor *extractor, struct span range)
{
	struct match match;
	if (!match_possession(extractor->tokens, range, &match) ||
	    is_empty_value(extractor, match.value) ||
	    match.key.end - match.key.begin > KEY_WORDS + 1 ||
	    word_at(extractor, match.key.end - 1, match.key.end,
		    " point question guess problem concern understanding bad fault opinion i you "))
		return;
	bool named = match.pattern->key != NULL;
	if (emit_named(extractor, match.key, match.value))
		return;
	struct slice key = key_of_words(extractor, match.key);
	if (named)
		key = arena_printf(extractor->arena, "%.*s_name", SLICE_PRINT(key));
	emit_value(extractor, key, match.value, match.pattern->flags);
}

/* ---- clauses ---- */

/* Takes the words of denial out of the clause, up to its first comma, and says what they say. */
static enum denial take_denial(struct token *tokens, struct span *range)
{
	enum denial denial = NOT_DENIED;
	size_t kept = range->begin;
	bool past_break = false;
	for (size_t i = range->begin; i < range->end; i++) {
		struct slice word = tokens[i].folded;
		struct slice next =
			i + 1 < range->end ? tokens[i + 1].folded : (struct slice){"", 0};
		past_break = past_break || (i > range->begin && tokens[i].after_break);
		bool ends = (word_in(" no any ", word) && word_in(" longer more ", next)) ||
			    (i == range->begin && word_in(" used ", word) && word_in(" to ", next));
		bool ends_alone = word_in(" anymore 再 ", word) ||
				  (denial == DENIED && word_in(" mehr 了 ", word));
		if (!past_break && (ends || ends_alone)) {
			denial = ENDED;
			i += ends;
		} else if (!past_break &&
			   word_in(" don't doesn't not nicht kein keine keinen keiner 不 没 ",
				   word)) {
			denial = denial == ENDED ? ENDED : DENIED;
		} else {
			tokens[kept++] = tokens[i];
		}
	}
	range->end = kept;
	return denial;
}

/* Sets the entity when the clause begins with "my sister Anna"; the number of tokens, or 0. */
static size_t read_third_person(struct extractor *extractor, struct span range)
{
	const struct token *tokens = extractor->tokens + range.begin;
	size_t count = range.end - range.begin;
	if (count < 3 || !is_relation(tokens[1].folded) || !is_capitalised(&tokens[2]) ||
	    tokens[2].after_break)
		return 0;
	size_t end = count > 3 && is_capitalised(&tokens[3]) && !tokens[3].after_break ? 4 : 3;
	extractor->entity = tokens_span(tokens, 2, end);
	emit_relation(extractor, extractor->entity, tokens[1].folded);
	return end;
}

/* "Maria works at Siemens": only what is as good as never said of things. */
static void read_bare_name(struct extractor *extractor, struct span range)
{
	struct match match;
	const struct token *tokens = extractor->tokens + range.begin;
	size_t count = range.end - range.begin;
	if (count < 3 || !is_capitalised(&tokens[0]) || is_stop_word(tokens[0].folded))
		return;
	if (count >= 4 && word_in(" is ist ", tokens[1].folded) &&
	    word_in(" my our mein meine ", tokens[2].folded) && is_relation(tokens[3].folded)) {
		emit_relation(extractor, tokens[0].text, tokens[3].folded);
		return;
	}
	struct span rest = {range.begin + 1, range.end};
	if (!match_predicate(extractor->tokens, rest, PATTERN_ANYONE | PATTERN_PROPER, &match) ||
	    !word_in(" lives_in employer from ", slice_of(match.pattern->key)) ||
	    !is_capitalised(&extractor->tokens[match.value.begin]))
		return;
	extractor->entity = tokens[0].text;
	(void)read_predicates(extractor, rest, PATTERN_ANYONE);
}

static void read_user(struct extractor *extractor, struct span range)
{
	if (!read_predicates(extractor, range, 0))
		emit_event(extractor, range);
}

static size_t skip_fillers(const struct extractor *extractor, struct span range)
{
	static const char fillers[] = " actually well so also and but now oh hi hey hello btw yes "
				      "no yeah ok okay please remember "
				      "note fyi sorry by the way that just correction ja nein "
				      "hallo übrigens eigentlich jetzt "
				      "und aber dass heute 其 实 现 在 不 对 你 好 ";
	while (word_at(extractor, range.begin, range.end, fillers))
		range.begin++;
	return range.begin;
}

static void read_subject(struct extractor *extractor, struct span range)
{
	struct match match;
	size_t at = range.begin;
	if (match_command(extractor->tokens, range, &match)) {
		emit_match(extractor, &match);
	} else if (word_at(extractor, at, range.end, " i we ich wir ")) {
		read_user(extractor, (struct span){at + 1, range.end});
	} else if (word_at(extractor, at, range.end, " 我 ")) {
		at += word_at(extractor, at + 1, range.end, " 们 ") ? 2 : 1;
		if (word_at(extractor, at, range.end, " 的 "))
			read_possession(extractor, (struct span){at + 1, range.end});
		else
			read_user(extractor, (struct span){at, range.end});
	} else if (word_at(extractor, at, range.end, " my our mein meine meinen unser unsere ")) {
		size_t length = read_third_person(extractor, range);
		struct span rest = {at + (length > 0 ? length : 1), range.end};
		if (length == 0)
			read_possession(extractor, rest);
		else
			(void)read_predicates(extractor, rest, PATTERN_ANYONE);
	} else if (word_at(extractor, at, range.end, " she he sie er ") &&
		   extractor->last_entity.size > 0) {
		extractor->entity = extractor->last_entity;
		(void)read_predicates(extractor, (struct span){at + 1, range.end}, PATTERN_ANYONE);
	} else {
		read_bare_name(extractor, range);
	}
}

/* "No, it's green": a new value for what was spoken of last. */
static bool read_correction(struct extractor *extractor, struct span whole, struct span range)
{
	struct match match;
	const struct pattern pattern = {"it is|was {v}", "", NULL, 0};
	bool corrects = range.begin > whole.begin || extractor->denial != NOT_DENIED;
	if (!corrects || extractor->last_key.size == 0 || range.end - range.begin < 3 ||
	    !word_at(extractor, range.begin, range.end, " it es ") ||
	    !word_at(extractor, range.begin + 1, range.end, " is ist was "))
		return false;
	match = (struct match){&pattern, {range.begin + 2, range.end}, {0, 0}, {0, 0}};
	extractor->entity = extractor->last_entity;
	emit_value(extractor, extractor->last_key, match.value, 0);
	return true;
}

static void read_clause(struct extractor *extractor, const struct token *tokens, size_t count)
{
	struct span whole = {0, count};
	extractor->tokens = arena_alloc(extractor->arena, (count + 1) * sizeof(*tokens));
	memcpy(extractor->tokens, tokens, count * sizeof(*tokens));
	extractor->entity = (struct slice){"", 0};
	extractor->quote = tokens_span(tokens, 0, count);
	extractor->denial = NOT_DENIED;
	struct span range = {skip_fillers(extractor, whole), count};
	struct span predicate = {range.begin + 1, count};
	if (range.begin >= count)
		return;
	for (size_t i = range.begin; i < count; i++) {
		if (word_in(" didn't never nie won't wouldn't would maybe perhaps vielleicht "
			    "might ",
			    tokens[i].folded) &&
		    !word_in(" like love ", tokens[i + 1 < count ? i + 1 : i].folded))
			return;
	}
	extractor->denial = take_denial(extractor->tokens, &predicate);
	range.end = predicate.end;
	if (!read_correction(extractor, whole, range))
		read_subject(extractor, range);
}

/* A new clause begins after a comma or "and" where somebody is named who acts. */
static bool begins_clause(const struct token *tokens, size_t i)
{
	return (tokens[i].after_break ||
		word_in(" and but und aber so 而 但 ", tokens[i - 1].folded)) &&
	       word_in(" i we my our it she he ich wir mein meine unser unsere es 我 ",
		       tokens[i].folded);
}

static void read_clauses(struct extractor *extractor, const struct token *tokens, size_t count)
{
	size_t begin = 0;
	for (size_t i = 1; i <= count; i++) {
		bool only_fillers = true;
		if (i < count && !begins_clause(tokens, i))
			continue;
		/* "No," and "Actually," belong to what they correct. */
		for (size_t j = begin; j < i; j++)
			only_fillers =
				only_fillers && word_in(" no actually nein sorry oh well 不 其 实 ",
							tokens[j].folded);
		if (i < count && only_fillers)
			continue;
		size_t end = i;
		while (end > begin + 1 && i < count &&
		       word_in(" and but und aber so 而 但 ", tokens[end - 1].folded))
			end--;
		read_clause(extractor, tokens + begin, end - begin);
		begin = i;
	}
}

/* ---- requests to forget ---- */

/* Everything that is known and bears on the topic; what nothing known bears on is named by its
 * words. */
static void forget_topic(struct extractor *extractor, struct slice topic)
{
	struct features wanted = features_of(topic, extractor->arena);
	bool any = false;
	for (size_t i = 0; i < extractor->input->known_count && wanted.count > 0; i++) {
		const struct known_fact *known = &extractor->input->known[i];
		struct slice text =
			arena_printf(extractor->arena, "%.*s %.*s %.*s", SLICE_PRINT(known->key),
				     SLICE_PRINT(known->value), SLICE_PRINT(known->entity));
		struct features features = features_of(text, extractor->arena);
		bool all = true;
		for (size_t j = 0; j < wanted.count; j++)
			all = all && features_have(&features, wanted.items[j]);
		if (!all)
			continue;
		extractor->entity =
			slice_equal(known->entity, SLICE("user")) ? SLICE("") : known->entity;
		emit(extractor, known->key, known->value, "set");
		any = true;
	}
	extractor->entity = (struct slice){"", 0};
	if (!any && wanted.count > 0)
		emit(extractor, settle_key(extractor, SLICE("topic")), topic, "set");
}

/* "Please forget that I live in Rome", "vergiss meine Nummer", "忘记我的电话". False: it is none.
 */
static bool read_forgetting(struct extractor *extractor, const struct token *tokens, size_t count)
{
	static const char polite[] =
		" please can could would will you now actually bitte kannst du i want to "
		"hey ok okay so and 请 你 能 可 以 ";
	static const char around[] =
		" that about what i said everything you know my me mention mentioned ever "
		"the told anything dass alles was ich gesagt habe über mein meine meinen "
		"bitte 关 于 我 的 说 过 掉 了 记 吧 ";
	size_t at = 0, end = count;
	while (at < count && word_in(polite, tokens[at].folded))
		at++;
	if (at == count || !(word_in(" forget vergiss vergessen ", tokens[at].folded) ||
			     (word_in(" 忘 ", tokens[at].folded) && at + 1 < count &&
			      word_in(" 记 掉 了 ", tokens[at + 1].folded))))
		return false;
	size_t before = json_array_size(extractor->entities);
	at += word_in(" 忘 ", tokens[at].folded) ? 2 : 1;
	extractor->forget = true;
	read_clauses(extractor, tokens + at, count - at);
	while (at < end && word_in(around, tokens[at].folded))
		at++;
	while (at < end && word_in(around, tokens[end - 1].folded))
		end--;
	extractor->quote = tokens_span(tokens, 0, count);
	if (at < end && json_array_size(extractor->entities) == before)
		forget_topic(extractor, tokens_span(tokens, at, end));
	extractor->forget = false;
	return true;
}

/* ---- the turn ---- */

static bool is_supposition(const struct token *tokens, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (word_in(" if suppose imagine pretend hypothetically wish falls wenn angenommen "
			    "hätte wäre ",
			    tokens[i].folded))
			return true;
		if (i + 1 < count && (slice_equal(tokens_span(tokens, i, i + 2), SLICE("如果")) ||
				      slice_equal(tokens_span(tokens, i, i + 2), SLICE("假如"))))
			return true;
	}
	return false;
}

static bool starts_with_nocase(struct slice text, const char *prefix)
{
	struct slice wanted = slice_of(prefix);
	return text.size >= wanted.size &&
	       slice_equal_nocase(slice_part(text, 0, wanted.size), wanted);
}

/* Blanks from a line that begins a pasted mail to the end, quoted lines, and code. */
static void blank_pasted_lines(char *text, size_t size)
{
	static const char *const headers[] = {
		"From:", "Subject:", "Von:", "Betreff:", "发件人", "-----Orig"};
	bool mail = false, code = false;
	for (size_t begin = 0, end; begin < size; begin = end + 1) {
		end = slice_find((struct slice){text, size}, SLICE("\n"), begin);
		struct slice line = slice_trim(slice_part((struct slice){text, size}, begin, end));
		for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
			mail = mail || starts_with_nocase(line, headers[i]);
		bool fence = slice_starts_with(line, SLICE("```"));
		code = code != fence;
		if (mail || code || fence || slice_starts_with(line, SLICE(">")))
			memset(text + begin, '\n', end - begin);
	}
}

/* Blanks what stands in quotation marks, unless it is only a name or two. */
static void blank_quotations(char *text, size_t size)
{
	static const char *const marks[][2] = {
		{"\"", "\""}, {"“", "”"}, {"„", "“"}, {"«", "»"}, {"「", "」"}};
	struct slice whole = {text, size};
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t at = 0;
		while ((at = slice_find(whole, slice_of(marks[i][0]), at)) < size) {
			size_t begin = at + strlen(marks[i][0]);
			size_t end = slice_find(whole, slice_of(marks[i][1]), begin);
			struct slice first = slice_part(whole, begin, end);
			size_t space = slice_find(first, SLICE(" "), 0);
			bool long_enough = slice_find(first, SLICE(" "), space + 1) < first.size ||
					   (space == first.size && first.size > 24);
			if (end < size && long_enough)
				memset(text + begin, '\n', end - begin);
			at = end < size ? end + strlen(marks[i][1]) : size;
		}
	}
}

static void read_turn(struct extractor *extractor, struct slice turn)
{
	char *copy = arena_string(extractor->arena, turn);
	struct slice rest = {copy, turn.size}, sentence;
	blank_pasted_lines(copy, turn.size);
	blank_quotations(copy, turn.size);
	while (next_sentence(&rest, &sentence) &&
	       json_array_size(extractor->entities) < ENTRY_LIMIT) {
		struct token *tokens;
		size_t count = tokens_of(sentence, &tokens, extractor->arena);
		if (read_forgetting(extractor, tokens, count) || is_supposition(tokens, count) ||
		    is_question(sentence, extractor->arena))
			continue;
		read_clauses(extractor, tokens, count);
	}
}

json_t *extract_entities(const struct extract_input *input, struct arena *arena)
{
	struct extractor extractor = {.input = input, .arena = arena, .entities = json_array()};
	read_turn(&extractor, input->before);
	json_array_clear(extractor.entities);
	read_turn(&extractor, input->turn);
	return json_pack("{s:o}", "entities", extractor.entities);
}
