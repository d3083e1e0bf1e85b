#include "tests/model/told.h"

#include "tests/model/words.h"

#include <ctype.h>
#include <string.h>

enum { WORD_LIMIT = 16, TOLD_LIMIT = 4096 };

/* As the user says it, in lower case, and as it is told. */
static const char *const persons[][2] = {
	{"i", "you"},        {"i'm", "you're"},      {"i've", "you've"}, {"i'd", "you'd"},
	{"i'll", "you'll"},  {"am", "are"},          {"me", "you"},      {"my", "your"},
	{"mine", "yours"},   {"myself", "yourself"}, {"we", "you"},      {"we're", "you're"},
	{"we've", "you've"}, {"us", "you"},          {"our", "your"},    {"ours", "yours"},
};

static bool is_of_word(char byte)
{
	return isalnum((unsigned char)byte) || byte == '\'' || (unsigned char)byte >= 0x80;
}

static size_t word_size(struct slice text)
{
	size_t size = 0;
	while (size < text.size && is_of_word(text.data[size]))
		size++;
	return size;
}

/* In lower case and with a plain apostrophe; empty when it is longer than any word looked for. */
static struct slice folded(struct slice word, char room[WORD_LIMIT])
{
	const struct slice curly = SLICE("’");
	size_t size = 0;
	for (size_t i = 0; i < word.size && size < WORD_LIMIT; i++) {
		bool is_curly = slice_starts_with(slice_part(word, i, word.size), curly);
		room[size++] = is_curly ? '\'' : (char)tolower((unsigned char)word.data[i]);
		i += is_curly ? curly.size - 1 : 0;
	}
	return (struct slice){room, size < WORD_LIMIT ? size : 0};
}

static struct slice told_word(struct slice word, bool after_i)
{
	char room[WORD_LIMIT];
	struct slice plain = folded(word, room);
	if (after_i && slice_equal(plain, SLICE("was")))
		return SLICE("were");
	for (size_t i = 0; i < sizeof(persons) / sizeof(persons[0]); i++) {
		if (slice_equal(plain, slice_of(persons[i][0])))
			return slice_of(persons[i][1]);
	}
	return word;
}

/* "Actually, I ..." and "The user said: I ..." begin at "I". */
static struct slice without_lead(struct slice text)
{
	const struct slice summary = SLICE("The user said: ");
	char room[WORD_LIMIT];
	if (slice_starts_with(text, summary))
		text = slice_part(text, summary.size, text.size);
	size_t size = word_size(text);
	struct slice after = slice_part(text, size, text.size);
	if (slice_starts_with(after, SLICE(", ")) &&
	    word_in(" actually no sorry correction well oh yes also ",
		    folded(slice_part(text, 0, size), room)))
		return slice_part(after, 2, after.size);
	return text;
}

static bool begins_statement(struct slice text)
{
	char room[WORD_LIMIT];
	struct slice first = folded(slice_part(text, 0, word_size(text)), room);
	return first.size > 0 && word_in(" i i'm i've i'd i'll my we we're we've our now the there "
					 "it it's this that these those ",
					 first);
}

bool told_statement(struct slice sentence, struct slice *told, struct arena *arena)
{
	struct slice rest = without_lead(slice_trim(sentence));
	struct buffer out;
	bool after_i = false;
	if (!begins_statement(rest))
		return false;
	buffer_init(&out, TOLD_LIMIT);
	while (rest.size > 0) {
		size_t size = word_size(rest);
		struct slice word = slice_part(rest, 0, size > 0 ? size : 1);
		(void)buffer_append(&out, size > 0 ? told_word(word, after_i) : word);
		if (size > 0)
			after_i = slice_equal_nocase(word, SLICE("I"));
		rest = slice_part(rest, word.size, rest.size);
	}
	out.data[0] = (char)tolower((unsigned char)out.data[0]);
	*told = arena_printf(arena, "that %.*s", SLICE_PRINT(buffer_slice(&out)));
	buffer_finish(&out);
	return true;
}

/* Keys that are no nouns. */
static const char *const verbs[][2] = {
	{"born", "were born in"}, {"dislikes", "dislike"},      {"from", "are from"},
	{"has", "have"},          {"learning", "are learning"}, {"likes", "like"},
	{"lives_in", "live in"},  {"studies", "study"},         {"uses", "use"},
	{"works_in", "work in"},
};

static bool told_verb(struct slice key, struct slice value, struct slice *told, struct arena *arena)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (!slice_equal(key, slice_of(verbs[i][0])))
			continue;
		*told = arena_printf(arena, "that you %s %.*s.", verbs[i][1], SLICE_PRINT(value));
		return true;
	}
	return false;
}

bool told_fact(struct slice line, struct slice *told, struct arena *arena)
{
	size_t colon = slice_find(line, SLICE(": "), 0);
	struct slice key = slice_part(line, 0, colon);
	if (colon == line.size || slice_find(key, SLICE(") "), 0) < key.size)
		return false;
	struct slice value = slice_part(line, colon + 2, line.size);
	struct buffer name;
	if (told_verb(key, value, told, arena))
		return true;
	buffer_init(&name, TOLD_LIMIT);
	for (size_t i = 0; i < key.size; i++)
		(void)buffer_append_byte(&name, key.data[i] == '_' ? ' ' : key.data[i]);
	bool is_plural = slice_ends_with(key, SLICE("s")) && !slice_ends_with(key, SLICE("ss"));
	*told = arena_printf(arena, is_plural ? "your %.*s: %.*s." : "that your %.*s is %.*s.",
			     (int)name.size, name.data, SLICE_PRINT(value));
	buffer_finish(&name);
	return true;
}
