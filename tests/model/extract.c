#include "tests/model/extract.h"

#include "tests/model/entries.h"
#include "tests/model/stems.h"

#include <string.h>

/* The predicates of one subject: "live in Rome and work at Fiat" are two. */
static void read_predicates(struct extractor *extractor, struct span range, int flags)
{
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
		struct span last = match.second.end > match.value.end ? match.second : match.value;
		last = match.key.end > last.end ? match.key : last;
		size_t next = value_end(extractor, last, match.pattern->flags & ~PATTERN_ADD);
		range.begin = next < range.end && next > range.begin ? next : range.end;
	}
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
	emit_relation(extractor, extractor->entity, tokens[1].text);
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
		emit_relation(extractor, tokens[0].text, tokens[3].text);
		return;
	}
	struct span rest = {range.begin + 1, range.end};
	if (!match_predicate(extractor->tokens, rest, PATTERN_ANYONE | PATTERN_PROPER, &match) ||
	    !word_in(" lives_in employer from ", slice_of(match.pattern->key)) ||
	    !is_capitalised(&extractor->tokens[match.value.begin]))
		return;
	extractor->entity = tokens[0].text;
	read_predicates(extractor, rest, PATTERN_ANYONE);
}

static void read_user(struct extractor *extractor, struct span range)
{
	size_t before = json_array_size(extractor->entities);
	read_predicates(extractor, range, 0);
	if (json_array_size(extractor->entities) == before)
		emit_event(extractor, range);
}

static size_t skip_fillers(const struct extractor *extractor, struct span range)
{
	static const char fillers[] =
		" don't forget actually well so also and but now oh hi hey hello btw yes "
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
			read_predicates(extractor, rest, PATTERN_ANYONE);
	} else if (word_at(extractor, at, range.end, " she he sie er ") &&
		   extractor->last_entity.size > 0) {
		extractor->entity = extractor->last_entity;
		read_predicates(extractor, (struct span){at + 1, range.end}, PATTERN_ANYONE);
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

/* Makes these the clause at hand: a copy, since words are taken out of it. */
static void use_tokens(struct extractor *extractor, const struct token *tokens, size_t count)
{
	extractor->tokens = arena_alloc(extractor->arena, (count + 1) * sizeof(*tokens));
	memcpy(extractor->tokens, tokens, count * sizeof(*tokens));
	extractor->entity = SLICE("");
	extractor->quote = tokens_span(tokens, 0, count);
	extractor->denial = NOT_DENIED;
}

/* "Jetzt wohne ich in Rom": the subject to the front, as in "ich wohne". */
static void undo_inversion(struct token *tokens, struct span range)
{
	for (size_t i = range.begin + 1; i < range.end && i <= range.begin + 3; i++) {
		if (!word_in(" ich wir ", tokens[i].folded) || tokens[i].after_break)
			continue;
		struct token subject = tokens[i];
		memmove(&tokens[range.begin + 1], &tokens[range.begin],
			(i - range.begin) * sizeof(*tokens));
		tokens[range.begin] = subject;
		return;
	}
}

static bool is_unsure(const struct token *tokens, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool wish = i + 1 < count && word_in(" like love ", tokens[i + 1].folded);
		if (!wish && word_in(" didn't never nie won't wouldn't would maybe perhaps might "
				     "vielleicht ",
				     tokens[i].folded))
			return true;
	}
	return false;
}

static void read_clause(struct extractor *extractor, const struct token *tokens, size_t count)
{
	struct span whole = {0, count};
	use_tokens(extractor, tokens, count);
	struct span range = {skip_fillers(extractor, whole), count};
	if (range.begin >= count || is_unsure(tokens, count))
		return;
	undo_inversion(extractor->tokens, range);
	struct span predicate = {range.begin + 1, count};
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

static bool features_within(const struct features *wanted, const struct features *features)
{
	for (size_t i = 0; i < wanted->count; i++) {
		if (!features_have(features, wanted->items[i]))
			return false;
	}
	return wanted->count > 0;
}

static bool bears_on(const struct extractor *extractor, const struct known_fact *known,
		     const struct features *topic)
{
	struct slice text =
		arena_printf(extractor->arena, "%.*s %.*s %.*s", SLICE_PRINT(known->key),
			     SLICE_PRINT(known->value), SLICE_PRINT(known->entity));
	struct features features = features_of(text, extractor->arena);
	return features_within(topic, &features);
}

static void forget_known(struct extractor *extractor, const struct known_fact *known)
{
	bool user = slice_equal(known->entity, SLICE("user"));
	extractor->entity = user ? SLICE("") : known->entity;
	emit(extractor, known->key, known->value, "set");
	extractor->entity = SLICE("");
}

/* Everything that is known and bears on the topic; what nothing known bears on is named by its
 * words. */
static void forget_topic(struct extractor *extractor, struct span words)
{
	const struct extract_input *input = extractor->input;
	struct slice topic = span_text(extractor, words);
	struct features wanted = features_of(topic, extractor->arena);
	struct slice key = key_of_words(extractor, words);
	size_t before = json_array_size(extractor->entities);
	for (size_t i = 0; i < input->known_count; i++) {
		const struct known_fact *known = &input->known[i];
		if (slice_equal(known->key, key) || bears_on(extractor, known, &wanted))
			forget_known(extractor, known);
	}
	if (json_array_size(extractor->entities) == before && wanted.count > 0)
		emit(extractor, key, topic, "set");
}

static void forget_everything(struct extractor *extractor, struct span range)
{
	bool everything = false;
	for (size_t i = range.begin; i < range.end; i++)
		everything |= word_at(extractor, i, range.end, " everything all alles ");
	for (size_t i = 0; everything && i < extractor->input->known_count; i++)
		forget_known(extractor, &extractor->input->known[i]);
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
	use_tokens(extractor, tokens, count);
	if (json_array_size(extractor->entities) > before)
		at = end;
	else if (at < end)
		forget_topic(extractor, (struct span){at, end});
	else
		forget_everything(extractor, (struct span){0, count});
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
