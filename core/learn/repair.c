/* Repairs of what small models write, the one stage of learning that [model] repair switches off:
 * JSON that is broken or never ends, and entries that are translated, filed under somebody or
 * something else, or say nothing. What an entry says after it stands in the user's words: whether
 * it is kept is decided elsewhere (core/learn/learn.c). */
#include "core/facts/facts.h"
#include "core/learn/borne.h"
#include "core/learn/entry.h"
#include "core/learn/said.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"
#include "lists.h"

/* ---- the answer ---- */

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

/* The brackets that are open at a place. */
struct nesting {
	char open[8];
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
		if (nesting->depth == sizeof(nesting->open))
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

bool learn_end_loop(struct slice answer, struct slice *document, struct arena *arena)
{
	struct nesting nesting = {.depth = 0};
	struct nesting left = nesting; /* what is open behind the last whole element of a list */
	struct slice last = {0};
	bool repeats = false;
	size_t element = 0;
	size_t begin = 0;
	while (begin < answer.size && !is_any_of(answer, begin, "{["))
		begin++;
	for (size_t at = begin; at < answer.size;) {
		const char c = answer.data[at];
		if (c == '"') {
			at = end_of_string(answer, at);
			continue;
		}
		if (c == '{' && is_in_list(&nesting))
			element = at;
		if (!nest(&nesting, c))
			break;
		at++;
		if (c == '}' && is_in_list(&nesting)) {
			const struct slice whole = slice_part(answer, element, at);
			repeats = slice_equal(whole, last);
			last = whole;
			left = nesting;
		}
	}
	if (!repeats)
		return false;
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	buffer_append(&out,
		      slice_part(answer, begin, (size_t)(last.data - answer.data) + last.size));
	while (left.depth > 0)
		buffer_append_byte(&out, left.open[--left.depth] == '{' ? '}' : ']');
	*document = arena_take(arena, &out);
	return true;
}

/* ---- one entry, in the user's words ---- */

static bool is_user(struct slice entity)
{
	return slice_equal(entity, SLICE("user"));
}

static bool is_name_key(struct slice key, struct arena *arena)
{
	return slice_equal(fact_key(key, arena), SLICE("name"));
}

static void quote(struct learn_entry *entry, struct slice words, struct arena *arena)
{
	entry->words = words;
	entry->quote = text_one_line(words, LEARN_MAX_QUOTE, arena);
}

/* A key that is true of whatever the user says: several values, in the user's own words. */
static void file_as_note(struct learn_entry *entry, struct arena *arena)
{
	entry->key = SLICE("note");
	entry->value = text_one_line(entry->words, FACT_VALUE_LIMIT, arena);
	entry->op = LEARN_ADD;
}

static bool is_latin_letter(uint32_t character)
{
	return (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z') ||
	       (character >= 0xC0 && character <= 0x24F);
}

/* Counts the letters in Latin script, and characters of others. */
static void count_scripts(struct slice text, size_t *latin, size_t *others)
{
	*latin = *others = 0;
	for (size_t at = 0; at < text.size;) {
		uint32_t character;
		at += text_decode(text, at, &character);
		*latin += is_latin_letter(character);
		*others += character >= 0x370 && !(character >= 0x2000 && character < 0x3040);
	}
}

/* "Likes: hike" of "I love hiking": the word as the user writes it. */
static void take_inflected(const struct said *said, struct learn_entry *entry, struct arena *arena)
{
	size_t at = 0;
	size_t latin;
	size_t others;
	count_scripts(entry->value, &latin, &others);
	if (latin == 0 || others > 0 || text_says(entry->words, entry->value) ||
	    slice_has(entry->value, SLICE("_")) || slice_has(entry->value, SLICE(" ")))
		return;
	for (struct slice run = said_run(entry->words, &at); run.size > 0;
	     run = said_run(entry->words, &at)) {
		const struct support support = support_read(run, said, arena);
		if (support.count != 1 || !support_names(&support, entry->value, arena))
			continue;
		entry->value = run;
		return;
	}
}

/* "Job: run" of "now I run a dog grooming van": a verb alone says nothing. */
static void take_deed(const struct said *said, struct learn_entry *entry, struct arena *arena)
{
	enum { LONGEST = 120 };
	const struct said parts = said_read(entry->words, said, arena);
	for (size_t i = 0; i < parts.count; i++) {
		const struct slice deed = said_deed(&parts.clauses[i]);
		const size_t verb = slice_find(deed, SLICE(" "), 0);
		if (verb < deed.size && deed.size <= LONGEST &&
		    slice_equal_nocase(slice_part(deed, 0, verb), entry->value))
			entry->value = text_one_line(deed, FACT_VALUE_LIMIT, arena);
	}
}

/* ---- what does not fit its key ---- */

/* "Food: pork" of "I don't eat pork": the value is cut from a denial that the quote holds. */
static bool is_cut_from_denial(const struct said *said, const struct learn_entry *entry,
			       struct arena *arena)
{
	const struct said parts = said_read(entry->words, said, arena);
	const struct support value = support_read(entry->value, said, arena);
	const bool denies = slice_has_any(entry->key, list_denying_key_parts) ||
			    (support_bits(&value) & WORD_NOT) != 0;
	for (size_t i = 0; i < parts.count && !denies; i++) {
		const struct said_clause *clause = &parts.clauses[i];
		const struct support support = support_read(clause->text, said, arena);
		if ((clause->bits & WORD_NOT) != 0 && said_is_of_user(clause) &&
		    support_names(&support, entry->value, arena))
			return true;
	}
	return false;
}

/* "Age: student". */
static bool is_no_age(const struct said *said, const struct learn_entry *entry, struct arena *arena)
{
	size_t count;
	if (!slice_equal(fact_key(entry->key, arena), SLICE("age")) ||
	    said_is_counted(entry->value))
		return false;
	const struct said_word *words = said_words(entry->value, said, &count, arena);
	while (count > 0 && !said_is_counted(words[count - 1].text))
		count--;
	return count == 0;
}

/* "Dislikes: tuna" of who "eats nothing but tuna": nothing in the quote dislikes. */
static bool is_unfit(const struct said *said, const struct learn_entry *entry, struct arena *arena)
{
	if (!slice_is_any(fact_key(entry->key, arena), list_dislike_keys) ||
	    text_says_any(entry->words, list_dislikes))
		return false;
	const struct support support = support_read(entry->words, said, arena);
	return (support_bits(&support) & WORD_NOT) == 0;
}

/* ---- a translated value ---- */

/* Words that confirm a key, in scripts other than Latin; NULL: none do. */
static const struct list_row *cue_of(struct slice key)
{
	for (const struct list_row *row = list_introduces; row->key != NULL; row++) {
		if (slice_equal(key, slice_of(row->key)))
			return row;
	}
	return NULL;
}

/* A value in Latin letters of a quote that has none can only be a translation. */
static bool is_translated(struct slice words, struct slice value)
{
	size_t latin;
	size_t others;
	count_scripts(words, &latin, &others);
	if (latin > 0 || others == 0)
		return false;
	count_scripts(value, &latin, &others);
	return latin > 0 && others == 0;
}

/* Returns the text behind the cue in the clause. */
static struct slice behind_cue(const struct list_row *cue, struct slice clause)
{
	for (size_t i = 0; cue->words[i] != NULL; i++) {
		const struct slice word = slice_of(cue->words[i]);
		const size_t at = slice_find(clause, word, 0);
		if (at < clause.size)
			return said_bare(slice_part(clause, at + word.size, clause.size));
	}
	return (struct slice){0};
}

/* The quote without the cue and the function words that it begins with: "в Твери". */
static struct slice without_cue(const struct said *said, const struct list_row *cue,
				struct slice words, struct arena *arena)
{
	size_t at = 0;
	size_t count;
	struct slice run = said_run(words, &at);
	while (at < words.size) {
		const struct said_word *word = said_words(run, said, &count, arena);
		if (!slice_is_any_nocase(run, cue->words) && !(count == 1 && word[0].is_function))
			break;
		run = said_run(words, &at);
	}
	return run.size == 0 ? run : slice_part(words, (size_t)(run.data - words.data), words.size);
}

/* Puts the quote's own words in the place of the value, under its key if they confirm it. Changes
 * nothing unless the user speaks of themselves. */
static void take_back_translation(const struct said *said, struct learn_entry *entry,
				  struct arena *arena)
{
	const struct slice key = fact_key(entry->key, arena);
	const struct list_row *cue = cue_of(key);
	const struct said_clause *clause = said_clause_with(said, entry->words);
	if (clause == NULL || ((clause->around & WORD_FIRST) == 0 && !said_is_of_user(clause)))
		return;
	if (cue == NULL || !text_says_any(clause->text, cue->words)) {
		file_as_note(entry, arena);
		return;
	}
	const bool is_name = slice_equal(key, SLICE("name"));
	struct slice value = is_name ? behind_cue(cue, entry->words)
				     : without_cue(said, cue, said_bare(entry->words), arena);
	if (is_name && value.size == 0) { /* the quote ends in front of the name */
		size_t at = 0;
		value = behind_cue(cue, clause->text);
		value = said_run(value, &at);
		quote(entry, clause->text, arena);
	}
	if (value.size > 0)
		entry->value = text_one_line(value, FACT_VALUE_LIMIT, arena);
}

static void mend(const struct said *said, struct learn_entry *entry, struct arena *arena)
{
	const bool is_name = is_name_key(entry->key, arena);
	take_inflected(said, entry, arena);
	if (!is_name)
		take_deed(said, entry, arena);
	if (is_unfit(said, entry, arena) || is_no_age(said, entry, arena) ||
	    is_cut_from_denial(said, entry, arena))
		file_as_note(entry, arena);
	if (is_translated(entry->words, entry->value) && (is_name || is_user(entry->entity)))
		take_back_translation(said, entry, arena);
}

/* Those of the entries that give a name, or the others. */
static void mend_all(const struct said *said, struct learn_entries *entries, bool names,
		     struct arena *arena)
{
	for (size_t i = 0; i < entries->count; i++) {
		struct learn_entry *entry = &entries->list[i];
		if ((entry->op == LEARN_SET || entry->op == LEARN_ADD) && entry->words.size > 0 &&
		    is_name_key(entry->key, arena) == names &&
		    text_contains(said->text, entry->words))
			mend(said, entry, arena);
	}
}

/* ---- under whom it is filed ---- */

/* "I'm Priya", filed under Priya, or under what the model makes of a name in another script. */
static bool introduces(const struct said *said, const struct learn_entry *entry)
{
	const struct said_clause *clause = said_clause_with(said, entry->value);
	return clause != NULL && (clause->bits & WORD_FIRST) != 0 && !said_is_of_something(clause);
}

/* Files under the user what stands under the name that the user gives. */
static void settle_self(const struct said *said, struct learn_entries *entries, struct arena *arena)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct learn_entry told = entries->list[i];
		if (told.op == LEARN_FORGET || !is_name_key(told.key, arena) ||
		    !introduces(said, &told))
			continue;
		for (size_t j = 0; j < entries->count; j++) {
			struct learn_entry *entry = &entries->list[j];
			if (slice_equal_nocase(entry->entity, told.value) ||
			    slice_equal_nocase(entry->entity, told.entity))
				entry->entity = SLICE("user");
		}
	}
}

static bool is_kin(const struct said *said, struct slice word, struct arena *arena)
{
	const uint32_t languages = said->languages | 1U << LEXICON_ENGLISH | 1U << LEXICON_OTHER;
	return (said_word_bits(word_hash(fact_fold(word, arena)), languages) & WORD_KIN) != 0;
}

/* "Boss: name: Hervé" says whom the other entries about the boss are about, and what he is. */
static void settle_named(const struct said *said, struct learn_entries *entries, size_t at,
			 struct arena *arena)
{
	struct learn_entry *entry = &entries->list[at];
	const struct slice called = entry->entity;
	const struct slice name = text_says(entry->value, called) ? called : entry->value;
	const struct said_clause *clause = said_clause_with(said, name);
	const struct slice owned = clause == NULL ? (struct slice){0} : said_owned(clause);
	if (is_user(called) || !is_name_key(entry->key, arena) || owned.size == 0 ||
	    text_says(owned, name))
		return;
	for (size_t i = 0; i < entries->count; i++) {
		if (slice_equal_nocase(entries->list[i].entity, called))
			entries->list[i].entity = name;
	}
	entry->key = SLICE("kind");
	entry->value = owned;
	quote(entry, clause->text, arena);
}

static bool is_known(const struct learn_turn *turn, struct slice entity)
{
	for (size_t i = 0; i < turn->fact_count; i++) {
		if (slice_equal_nocase(turn->facts[i].entity, entity))
			return true;
	}
	for (size_t i = 0; i < turn->before_count; i++) {
		if (text_contains(turn->before[i].text, entity))
			return true;
	}
	return false;
}

/* True if every clause of the quote that names somebody names the user. */
static bool is_quote_of_user(const struct said *said, struct slice words, struct arena *arena)
{
	bool is_of_user = false;
	const struct said parts = said_read(words, said, arena);
	for (size_t i = 0; i < parts.count; i++) {
		if (said_names_others(&parts.clauses[i]))
			return false;
		is_of_user |= said_is_of_user(&parts.clauses[i]);
	}
	return is_of_user;
}

/* "... and study architecture": the subject stands before. */
static bool continues_user(const struct said *said, const struct said_clause *clause)
{
	for (;; clause--) {
		if (said_names_others(clause) || said_is_of_something(clause))
			return false;
		if (said_is_of_user(clause))
			return true;
		if (clause == said->clauses || clause[-1].sentence != clause->sentence)
			return false;
	}
}

/* True if an entry says that the user has it: "pet: dog". */
static bool is_had(const struct learn_entries *entries, struct slice entity)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct learn_entry *entry = &entries->list[i];
		if (slice_is_any(entry->key, list_had_keys) &&
		    slice_equal_nocase(entry->value, entity))
			return true;
	}
	return false;
}

/* True if a fact of the user's is filed under a place, a job or a word beside it: "Fiona lives in
 * Tver" of "I live in Tver" in other letters, "shellfish cannot eat shellfish", "Hull: allergy:
 * nut" of "I live in Hull, and I've a nut allergy". */
static bool is_misfiled(const struct learn_turn *turn, const struct said *said,
			const struct learn_entries *entries, const struct learn_entry *entry,
			struct arena *arena)
{
	const struct said_clause *clause = said_clause_with(said, entry->words);
	if (entry->words.size == 0 || clause == NULL || is_user(entry->entity))
		return false;
	const struct slice entity = text_spaced(entry->entity, arena);
	const struct support support = support_read(said->text, said, arena);
	const bool says_user = is_quote_of_user(said, entry->words, arena);
	const bool is_heard_of = text_contains(said->text, entity) ||
				 support_names(&support, entity, arena) || is_known(turn, entity);
	if (!is_heard_of)
		return says_user || (!is_had(entries, entity) && continues_user(said, clause));
	if (text_says(entity, entry->value) || text_says(entry->value, entity))
		return says_user || is_quote_of_user(said, clause->text, arena);
	return says_user && !is_known(turn, entity) && !text_contains(entry->words, entity);
}

static void settle_all(const struct learn_turn *turn, const struct said *said,
		       struct learn_entries *entries, struct arena *arena)
{
	settle_self(said, entries, arena);
	for (size_t i = 0; i < entries->count; i++) {
		struct learn_entry *entry = &entries->list[i];
		if (is_misfiled(turn, said, entries, entry, arena))
			entry->entity = SLICE("user");
	}
	for (size_t i = 0; i < entries->count; i++) {
		if (entries->list[i].op != LEARN_FORGET)
			settle_named(said, entries, i, arena);
	}
	for (size_t i = 0; i < entries->count; i++) {
		struct learn_entry *entry = &entries->list[i];
		if (entry->op != LEARN_FORGET && !is_user(entry->entity) &&
		    is_kin(said, entry->value, arena) &&
		    !slice_equal_nocase(entry->entity, entry->value))
			entry->key = SLICE("relation");
	}
}

/* ---- entries that say nothing ---- */

/* "Egg: food: egg", "date: 2026-11-21" of the user. */
static bool says_nothing(const struct learn_entry *entry, struct arena *arena)
{
	return slice_is_any(entry->key, list_form_keys) ||
	       slice_equal_nocase(entry->entity, entry->key) ||
	       (slice_equal_nocase(entry->entity, entry->value) && !is_name_key(entry->key, arena));
}

/* Small models file the same words under one key after another: the first counts. */
static bool is_said_before(const struct learn_entry *list, size_t count,
			   const struct learn_entry *entry)
{
	for (size_t i = 0; i < count && entry->words.size > 0; i++) {
		if (list[i].op != LEARN_REMOVE && slice_equal(list[i].words, entry->words) &&
		    slice_equal(list[i].entity, entry->entity) &&
		    slice_equal_nocase(list[i].value, entry->value))
			return true;
	}
	return false;
}

bool learn_is_idle(const struct learn_entry *kept, size_t count, const struct learn_entry *entry,
		   struct arena *arena)
{
	const bool stores = entry->op == LEARN_SET || entry->op == LEARN_ADD;
	return stores && (says_nothing(entry, arena) || is_said_before(kept, count, entry));
}

void learn_repair_entries(const struct learn_turn *turn, const struct said *said,
			  struct learn_entries *entries, struct arena *arena)
{
	mend_all(said, entries, true, arena);
	settle_all(turn, said, entries, arena);
	mend_all(said, entries, false, arena);
}
