/* Personal data that has no format: what a memory model told of, found again by its words. */
#include "core/pii/pii.h"
#include "core/text/text.h"

/* A longer text is not searched sentence by sentence. */
enum { LONGEST_SEARCHED = 64 * 1024 };
/* The fixed cost of a comparison, and the cost of normalizing a byte, in compared bytes. */
enum { COST_OF_CALL = 64, COST_OF_FORM = 16 };

struct pii_words {
	struct slice words; /* as text_comparable() gives them */
	uint64_t exchange;
	unsigned classes;
	bool is_quote;
};

static void append(struct pii_told *told, struct pii_words words, struct arena *arena)
{
	if (words.words.size == 0)
		return;
	told->list =
		arena_grow(arena, told->list, told->count, &told->capacity, sizeof(*told->list));
	told->list[told->count++] = words;
}

/* Where the quote leaves something out: the next such place, or its end. */
static size_t find_gap(struct slice quote, size_t at, size_t *behind)
{
	static const struct slice gaps[] = {SLICE("[...]"), SLICE("..."), SLICE("\u2026")};
	size_t first = quote.size;
	*behind = quote.size;
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		const size_t found = slice_find(quote, gaps[i], at);
		if (found < first) {
			first = found;
			*behind = found + gaps[i].size;
		}
	}
	return first;
}

void pii_told_add(struct pii_told *told, const struct pii_said *said, struct arena *arena)
{
	struct pii_words words = {.words = text_comparable(said->value, arena),
				  .exchange = said->exchange,
				  .classes = said->classes};
	append(told, words, arena);
	words.is_quote = true;
	for (size_t at = 0, behind; at < said->quote.size; at = behind) {
		const size_t end = find_gap(said->quote, at, &behind);
		words.words = text_comparable(slice_part(said->quote, at, end), arena);
		append(told, words, arena);
	}
}

static bool ends_sentence(char c)
{
	return c == '.' || c == '!' || c == '?';
}

/* Where the sentence at `at` ends, with the space behind it. */
static size_t sentence_after(struct slice text, size_t at)
{
	static const struct slice wide[] = {SLICE("\u3002"), SLICE("\uff01"), SLICE("\uff1f")};
	for (; at < text.size; at++) {
		const char c = text.data[at];
		const bool is_last = at + 1 == text.size;
		if (c == '\n' || (ends_sentence(c) && (is_last || text.data[at + 1] == ' ')))
			return is_last ? at + 1 : at + 1 + (text.data[at + 1] == ' ');
		for (size_t i = 0; (unsigned char)c >= 0xE0 && i < 3; i++) {
			if (slice_starts_with(slice_part(text, at, text.size), wide[i]))
				return at + wide[i].size;
		}
	}
	return text.size;
}

static struct slice without_end(struct slice sentence)
{
	while (sentence.size > 0 && ends_sentence(sentence.data[sentence.size - 1]))
		sentence.size--;
	return sentence;
}

static bool contains(struct slice whole, struct slice part)
{
	return part.size > 0 && slice_find(whole, part, 0) < whole.size;
}

/* "[redacted: health]" */
static struct slice mark_of(unsigned classes, struct arena *arena)
{
	size_t class = PII_OTHER;
	while (class + 1 < PII_CLASSES && (classes & PII_BIT(class)) == 0)
		class ++;
	return arena_printf(arena, "[redacted: %s]", pii_name((enum pii_class) class));
}

/* One text that is searched. */
struct search {
	struct slice text;
	uint64_t exchange; /* whose user said it; 0: nobody or another */
	struct pii_told *told;
	struct pii_words *found; /* in the whole text */
	bool *is_placed;         /* each: a sentence says it */
	size_t count;
	unsigned classes; /* of all that were found, or must be here */
	struct arena *arena;
};

static bool spend(struct pii_told *told, size_t bytes)
{
	const bool has = told->left >= bytes;
	told->left = has ? told->left - bytes : 0;
	return has;
}

/* A user's own words may have been quoted from within a word, or over several sentences. */
static bool is_own(const struct search *search, const struct pii_words *words)
{
	return words->is_quote && search->exchange != 0 && words->exchange == search->exchange;
}

static bool says(const struct search *search, struct slice text, const struct pii_words *words)
{
	return is_own(search, words) ? contains(text, words->words)
				     : text_comparable_says(text, words->words);
}

static void find_words(struct search *search)
{
	const struct pii_told *told = search->told;
	const struct slice plain = text_comparable(search->text, search->arena);
	search->found = arena_alloc(search->arena, told->count * sizeof(*search->found));
	search->is_placed = arena_alloc(search->arena, told->count * sizeof(bool));
	for (size_t i = 0; i < told->count; i++) {
		const struct pii_words *words = &told->list[i];
		const bool is_source = search->exchange != 0 && words->exchange == search->exchange;
		if (says(search, plain, words)) {
			search->is_placed[search->count] = false;
			search->found[search->count++] = *words;
			search->classes |= words->classes;
		} else if (is_source) {
			search->classes |= words->classes;
		}
	}
}

/* The classes of what the sentence says. */
static unsigned classes_in(struct search *search, struct slice sentence)
{
	const struct slice plain = text_comparable(sentence, search->arena);
	unsigned classes = 0;
	for (size_t i = 0; i < search->count; i++) {
		const struct pii_words *words = &search->found[i];
		if (says(search, plain, words) ||
		    (is_own(search, words) &&
		     text_comparable_says(words->words, without_end(plain)))) {
			classes |= words->classes;
			search->is_placed[i] = true;
		}
	}
	return classes;
}

/* False: something is said in no one sentence, or the search costs too much. */
static bool mask_sentences(struct search *search, struct buffer *out)
{
	unsigned masked = 0;
	const struct slice text = search->text;
	for (size_t at = 0, end; at < text.size; at = end) {
		end = sentence_after(text, at);
		if (!spend(search->told, search->count * (end - at + COST_OF_CALL)))
			return false;
		const unsigned classes = classes_in(search, slice_part(text, at, end));
		const char last = text.data[end - 1];
		if (classes == 0)
			buffer_append(out, slice_part(text, at, end));
		else if (classes != masked)
			buffer_append(out, mark_of(classes, search->arena));
		if (classes != 0 && (last == '\n' || (last == ' ' && classes != masked)))
			buffer_append_byte(out, last);
		masked = classes;
	}
	for (size_t i = 0; i < search->count; i++) {
		if (!search->is_placed[i])
			return false;
	}
	return true;
}

struct slice pii_mask_told(struct slice text, uint64_t exchange, struct pii_told *told,
			   struct arena *arena)
{
	struct search search = {.text = text, .exchange = exchange, .told = told, .arena = arena};
	struct buffer out;
	if (told->count == 0 || text.size == 0)
		return text;
	if (text.size > LONGEST_SEARCHED ||
	    !spend(told, (told->count + COST_OF_FORM) * (text.size + COST_OF_CALL)))
		return mark_of(told->list[0].classes, arena);
	find_words(&search);
	if (search.classes == 0)
		return text;
	buffer_init(&out, SIZE_MAX);
	if (search.count > 0 && mask_sentences(&search, &out))
		return arena_take(arena, &out);
	buffer_finish(&out);
	return mark_of(search.classes, arena);
}
