#include "core/learn/borne.h"
#include "core/learn/entry.h"
#include "core/learn/mend.h"
#include "core/learn/names.h"
#include "core/learn/past.h"
#include "core/learn/subject.h"
#include "core/learn/words.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"
#include "lists.h"

static size_t skip_blanks(struct slice text, size_t at)
{
	while (at < text.size && byte_is_blank(text.data[at]))
		at++;
	return at;
}

static bool is_any_of(struct slice text, size_t at, const char *bytes)
{
	return at < text.size && text.data[at] != '\0' && strchr(bytes, text.data[at]) != NULL;
}

/* The offset after the double-quoted string that begins at `at`. */
static size_t end_of_string(struct slice text, size_t at)
{
	for (at++; at < text.size && text.data[at] != '"'; at++) {
		if (text.data[at] == '\\')
			at++;
	}
	return at < text.size ? at + 1 : text.size;
}

/* The quote that closes the single-quoted string at `at`: one that ends a value, unlike an
 * apostrophe. `at` if there is none. */
static size_t end_of_single(struct slice text, size_t at)
{
	enum { LONGEST = 4096 };
	size_t limit = text.size - at > LONGEST ? at + LONGEST : text.size;
	for (size_t end = at + 1; end < limit; end++) {
		if (text.data[end] == '\'' && is_any_of(text, skip_blanks(text, end + 1), ",:]}"))
			return end;
	}
	return at;
}

static size_t append_single(struct buffer *out, struct slice text, size_t at)
{
	size_t end = end_of_single(text, at);
	if (end == at) {
		buffer_append_byte(out, '\'');
		return at + 1;
	}
	buffer_append_byte(out, '"');
	for (size_t i = at + 1; i < end; i++) {
		if (text.data[i] == '"')
			buffer_append_byte(out, '\\');
		if (text.data[i] == '\\' && text.data[i + 1] == '\'')
			continue;
		buffer_append_byte(out, text.data[i]);
	}
	buffer_append_byte(out, '"');
	return end + 1;
}

struct slice learn_repaired(struct slice answer, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	char before = 0; /* the last byte that is not white space */
	for (size_t at = 0; at < answer.size;) {
		size_t begin = at;
		char c = answer.data[at];
		if (c == '"') {
			at = end_of_string(answer, at);
			buffer_append(&out, slice_part(answer, begin, at));
		} else if (c == '\'' && before != 0 && strchr("{[,:", before) != NULL) {
			at = append_single(&out, answer, at);
		} else {
			at++;
			if (c != ',' || !is_any_of(answer, skip_blanks(answer, at), "]}"))
				buffer_append_byte(&out, c);
		}
		if (!byte_is_blank(c))
			before = c;
	}
	return arena_take(arena, &out);
}

bool learn_join_lines(struct slice answer, struct slice *document, struct arena *arena)
{
	struct buffer out;
	size_t count = 0;
	size_t at = slice_find(answer, SLICE("{"), 0);
	buffer_init(&out, SIZE_MAX);
	buffer_append_byte(&out, '[');
	while (is_any_of(answer, at, "{") && count < LEARN_MAX_ENTRIES) {
		size_t end = learn_closing_bracket(answer, at);
		if (end == at)
			break;
		buffer_append(&out, count++ == 0 ? SLICE("") : SLICE(","));
		buffer_append(&out, slice_part(answer, at, end));
		at = skip_blanks(answer, end);
		if (is_any_of(answer, at, ","))
			at = skip_blanks(answer, at + 1);
	}
	buffer_append_byte(&out, ']');
	*document = arena_take(arena, &out);
	return count > 1 && !is_any_of(answer, at, "{[");
}

/* ---- an answer without end ---- */

enum { DEEPEST = 8 };

/* The brackets that are open at a place. */
struct nesting {
	char open[DEEPEST];
	size_t depth;
};

static bool is_in_list(const struct nesting *nesting)
{
	return nesting->depth > 0 && nesting->open[nesting->depth - 1] == '[';
}

/* False: the text nests too deeply, or closes what is not open. */
static bool nest(struct nesting *nesting, char c)
{
	if (c == '{' || c == '[') {
		if (nesting->depth == DEEPEST)
			return false;
		nesting->open[nesting->depth++] = c;
	} else if (c == '}' || c == ']') {
		if (nesting->depth == 0 ||
		    nesting->open[nesting->depth - 1] != (c == '}' ? '{' : '['))
			return false;
		nesting->depth--;
	}
	return true;
}

/* The walk through the elements of a list. */
struct elements {
	struct nesting nesting;
	size_t begin;        /* of the current element */
	struct slice last;   /* the last one that is whole */
	struct nesting left; /* what was open after it */
	bool repeats;        /* it says the same as the one before it */
};

static bool walk_byte(struct elements *elements, struct slice text, size_t at)
{
	char c = text.data[at];
	if (c == '{' && is_in_list(&elements->nesting))
		elements->begin = at;
	if (!nest(&elements->nesting, c))
		return false;
	if (c == '}' && is_in_list(&elements->nesting)) {
		struct slice element = slice_part(text, elements->begin, at + 1);
		elements->repeats = slice_equal(element, elements->last);
		elements->last = element;
		elements->left = elements->nesting;
	}
	return true;
}

bool learn_end_loop(struct slice answer, struct slice *document, struct arena *arena)
{
	struct elements elements = {.repeats = false};
	size_t begin = 0;
	while (begin < answer.size && !is_any_of(answer, begin, "{["))
		begin++;
	for (size_t at = begin; at < answer.size;) {
		if (answer.data[at] == '"')
			at = end_of_string(answer, at);
		else if (walk_byte(&elements, answer, at))
			at++;
		else
			break;
	}
	if (!elements.repeats)
		return false;
	struct buffer out;
	struct nesting left = elements.left;
	buffer_init(&out, SIZE_MAX);
	buffer_append(&out,
		      slice_part(answer, begin,
				 (size_t)(elements.last.data - answer.data) + elements.last.size));
	while (left.depth > 0)
		buffer_append_byte(&out, left.open[--left.depth] == '{' ? '}' : ']');
	*document = arena_take(arena, &out);
	return true;
}

/* ---- in the user's words ---- */

/* A key that is true of whatever the user says: several values, in the user's own words. */
static void file_as_note(struct learn_entry *entry, struct arena *arena)
{
	entry->key = SLICE("note");
	entry->value = text_one_line(entry->words, FACT_VALUE_LIMIT, arena);
	entry->op = LEARN_ADD;
}

/* "Job: run" of "now I run a dog grooming van": a verb alone says nothing. */
static void mend_deed(const struct said *said, struct learn_entry *entry, struct arena *arena)
{
	enum { LONGEST = 120 };
	const struct said parts = said_read(entry->words, said, arena);
	for (size_t i = 0; i < parts.count; i++) {
		const struct slice deed = said_deed(&parts, &parts.clauses[i]);
		const size_t verb = slice_find(deed, SLICE(" "), 0);
		if (verb < deed.size && deed.size <= LONGEST &&
		    slice_equal_nocase(slice_part(deed, 0, verb), entry->value))
			entry->value = text_one_line(deed, FACT_VALUE_LIMIT, arena);
	}
}

/* ---- what is denied ---- */

/* Whether a key says itself that something is not so: "dislikes", "cannot_eat", "non_smoker". */
static bool is_negative_key(struct slice key)
{
	return slice_has_any(key, list_denying_key_parts);
}

static bool has_negation(const struct said_word *words, size_t count, struct slice text)
{
	unsigned bits = learn_sign_bits(text);
	for (size_t i = 0; i < count; i++)
		bits |= words[i].bits;
	return (bits & WORD_NOT) != 0;
}

/* "Food: pork" of "I don't eat pork": the value is cut from a denial that the quote holds. What
 * only ended, or where the user does not live, leaves nothing to note. */
static bool is_cut_from_denial(const struct said *said, const struct learn_entry *entry,
			       struct slice key, struct arena *arena)
{
	size_t count;
	const bool is_state = learn_is_personal_key(entry->key, arena) &&
			      fact_key_names(key).size > 0 && !slice_equal(key, SLICE("diet"));
	if (is_state || is_negative_key(entry->key) || !slice_equal(entry->entity, SLICE("user")))
		return false;
	const struct said_word *words = said_words(entry->value, said, &count, arena);
	if (count == 0 || has_negation(words, count, entry->value))
		return false;
	const struct said parts = said_read(entry->words, said, arena);
	for (size_t i = 0; i < parts.count; i++) {
		const struct said_clause *clause = &parts.clauses[i];
		const struct support support = support_read(clause->text, said, arena);
		if ((clause->bits & WORD_NOT) != 0 && !said_is_ended(clause) &&
		    said_is_of_user(&parts, clause) && support_names(&support, entry->value, arena))
			return true;
	}
	return false;
}

/* ---- what fits its key ---- */

/* "Age: ten years" of "vegetarian for ten years", or without a number. */
static bool is_no_age(const struct said *said, const struct learn_entry *entry, struct slice key,
		      struct arena *arena)
{
	size_t count;
	if (!slice_equal(key, SLICE("age")))
		return false;
	bool has_number = learn_is_counted(entry->value);
	const struct said_word *words = said_words(entry->value, said, &count, arena);
	for (size_t i = 0; i < count; i++)
		has_number |= learn_is_counted(words[i].text);
	return !has_number || text_says_any(entry->words, list_since);
}

/* "Response_format: short" of "che tu mi risponda in modo breve": in whatever words the model
 * says it, the user speaks of the answers. */
static bool is_of_answers(const struct said *said, const struct learn_entry *entry,
			  struct arena *arena)
{
	const size_t at = said_clause_with(said, entry->words);
	const struct support support = support_read(entry->words, said, arena);
	return at < said->count && slice_has_any(entry->key, list_answer_key_parts) &&
	       !support_names(&support, entry->value, arena) &&
	       slice_has_any(text_comparable(said->clauses[at].text, arena), list_answer_parts);
}

/* "Dislikes: tuna" of who "eats nothing but tuna": nothing in the quote dislikes. */
static bool is_unfit(const struct said *said, const struct learn_entry *entry, struct slice key,
		     struct arena *arena)
{
	size_t count;
	if (!slice_is_any(key, list_dislike_keys) || text_says_any(entry->words, list_dislikes))
		return false;
	unsigned bits = learn_sign_bits(entry->words);
	const struct said_word *said_of = said_words(entry->words, said, &count, arena);
	for (size_t i = 0; i < count; i++)
		bits |= said_of[i].bits;
	return (bits & WORD_NOT) == 0;
}

static void mend_entry(const struct said *said, struct learn_entry *entry, struct slice key,
		       struct arena *arena)
{
	bool fits = true;
	const bool is_name = slice_equal(key, SLICE("name"));
	entry->value = mend_spelling(said, entry->words, entry->value, arena);
	if (!is_name)
		mend_deed(said, entry, arena);
	if (is_of_answers(said, entry, arena)) {
		/* The whole clause says more than the quote does. */
		entry->words = said->clauses[said_clause_with(said, entry->words)].text;
		entry->quote = text_one_line(entry->words, LEARN_MAX_QUOTE, arena);
		file_as_note(entry, arena);
	}
	if (is_unfit(said, entry, key, arena) || is_no_age(said, entry, key, arena) ||
	    is_cut_from_denial(said, entry, key, arena))
		file_as_note(entry, arena);
	if (!mend_is_translated(said, entry->words, entry->value) ||
	    (!is_name && !slice_equal(entry->entity, SLICE("user"))))
		return;
	struct slice value = mend_translated(said, &entry->words, key, &fits, arena);
	if (value.size == 0)
		return;
	entry->quote = text_one_line(entry->words, LEARN_MAX_QUOTE, arena);
	if (!fits)
		file_as_note(entry, arena);
	else
		entry->value = text_one_line(value, FACT_VALUE_LIMIT, arena);
}

static bool is_known(const struct learn_turn *turn, struct slice value)
{
	for (size_t i = 0; i < turn->fact_count; i++) {
		if (turn->facts[i].state == FACT_CURRENT &&
		    slice_equal_nocase(turn->facts[i].value, value))
			return true;
	}
	return false;
}

/* An end of what never was: "I don't eat meat", as the end of "food: meat", says so all the same.
 */
static void mend_end(const struct learn_turn *turn, const struct said *said,
		     struct learn_entry *entry, struct slice key, struct arena *arena)
{
	if (entry->op == LEARN_REMOVE && !is_known(turn, entry->value) &&
	    is_cut_from_denial(said, entry, key, arena))
		file_as_note(entry, arena);
}

void learn_mend(const struct learn_turn *turn, const struct said *said,
		struct learn_entries *entries, bool names, struct arena *arena)
{
	for (size_t i = 0; i < entries->count; i++) {
		struct learn_entry *entry = &entries->list[i];
		const struct slice key = fact_key(entry->key, arena);
		const bool stores = entry->op == LEARN_SET || entry->op == LEARN_ADD;
		if (slice_equal(key, SLICE("name")) != names || entry->words.size == 0 ||
		    !text_contains(said->text, entry->words))
			continue;
		if (stores)
			mend_entry(said, entry, key, arena);
		else
			mend_end(turn, said, entry, key, arena);
	}
}
