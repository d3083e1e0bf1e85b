#include "tests/model/summarize.h"

#include "tests/model/words.h"

#include <string.h>

/* Past SENTENCE_LIMIT the oldest is let go. */
enum { SENTENCE_LIMIT = 400 };

struct sentence {
	struct slice text;
	struct token *tokens;
	size_t words;
	bool telling; /* has a name or a number in it */
};

struct sentences {
	struct sentence items[SENTENCE_LIMIT];
	size_t count;
	size_t words;
	struct arena *arena;
};

static const char *const leads[] = {
	[ENGLISH] = "The user said: ", [GERMAN] = "Der Nutzer sagte: ", [CHINESE] = "用户说："};

static void drop(struct sentences *sentences, size_t at)
{
	sentences->words -= sentences->items[at].words;
	sentences->count--;
	memmove(&sentences->items[at], &sentences->items[at + 1],
		(sentences->count - at) * sizeof(sentences->items[0]));
}

static bool is_name_or_number(const struct token *token)
{
	const struct slice text = token->text;
	if (slice_equal(token->folded, SLICE("am")) || slice_equal(text, SLICE("I")))
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] >= '0' && text.data[i] <= '9')
			return true;
	}
	return !slice_equal(text, token->folded) && !is_stop_word(token->folded);
}

static bool is_same(const struct sentence *a, const struct sentence *b)
{
	if (a->words != b->words)
		return false;
	for (size_t i = 0; i < a->words; i++) {
		if (!slice_equal(a->tokens[i].folded, b->tokens[i].folded))
			return false;
	}
	return true;
}

/* A sentence said again counts where it was said last. */
static void add(struct sentences *sentences, struct slice text)
{
	struct sentence sentence = {.text = text};
	sentence.words = tokens_of(text, &sentence.tokens, sentences->arena);
	for (size_t i = 1; i < sentence.words; i++)
		sentence.telling = sentence.telling || is_name_or_number(&sentence.tokens[i]);
	for (size_t i = sentences->count; i-- > 0;) {
		if (is_same(&sentences->items[i], &sentence))
			drop(sentences, i);
	}
	if (sentences->count == SENTENCE_LIMIT)
		drop(sentences, 0);
	sentences->items[sentences->count++] = sentence;
	sentences->words += sentence.words;
}

/* Greetings, questions and requests to forget are not worth repeating. */
static bool is_worth_telling(struct slice sentence, struct arena *arena)
{
	static const char idle[] =
		" hi hey hello hallo thanks thank you danke ok okay yes no please sure great ";
	struct token *tokens;
	size_t count = tokens_of(sentence, &tokens, arena), idle_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (word_in(" forget vergiss ", tokens[i].folded))
			return false;
		idle_count += word_in(idle, tokens[i].folded);
	}
	return idle_count < count && slice_find(sentence, SLICE("忘"), 0) == sentence.size &&
	       !is_question(sentence, arena);
}

static void add_all(struct sentences *sentences, struct slice text)
{
	struct slice sentence;
	text = slice_trim(text);
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		struct slice lead = slice_trim(slice_of(leads[i]));
		if (slice_starts_with(text, lead))
			text = slice_part(text, lead.size, text.size);
	}
	while (next_sentence(&text, &sentence)) {
		if (is_worth_telling(sentence, sentences->arena))
			add(sentences, sentence);
	}
}

static void fit(struct sentences *sentences, size_t max_words)
{
	while (sentences->words > max_words && sentences->count > 1) {
		size_t oldest = 0;
		while (oldest < sentences->count && sentences->items[oldest].telling)
			oldest++;
		drop(sentences, oldest == sentences->count ? 0 : oldest);
	}
	struct sentence *only = &sentences->items[0];
	if (sentences->count == 1 && only->words > max_words)
		only->text = tokens_span(only->tokens, 0, max_words);
}

/* Joined into one text, each sentence closed by a mark. */
static struct slice join(const struct sentences *sentences, enum language language)
{
	struct buffer out;
	buffer_init(&out, 1 << 20);
	(void)buffer_append(&out, slice_of(leads[language]));
	for (size_t i = 0; i < sentences->count; i++) {
		struct slice text = sentences->items[i].text;
		bool closed = text.size > 0 && (strchr(".!?", text.data[text.size - 1]) != NULL ||
						(unsigned char)text.data[text.size - 1] >= 0x80);
		(void)buffer_printf(&out, "%s%.*s%s", i > 0 ? " " : "", SLICE_PRINT(text),
				    closed ? "" : ".");
	}
	struct slice joined = arena_copy(sentences->arena, buffer_slice(&out));
	buffer_finish(&out);
	return joined;
}

struct slice summarize(const struct summary_input *input, struct arena *arena)
{
	struct sentences *sentences = arena_alloc(arena, sizeof(*sentences));
	sentences->arena = arena;
	add_all(sentences, input->previous);
	for (size_t i = 0; i < input->turn_count; i++)
		add_all(sentences, input->turns[i]);
	if (sentences->count == 0)
		return slice_of("The user has told nothing yet.");
	enum language language = language_of(sentences->items[sentences->count - 1].text, arena);
	struct token *lead;
	size_t lead_words = tokens_of(slice_of(leads[language]), &lead, arena);
	fit(sentences, input->max_words > lead_words ? input->max_words - lead_words : 1);
	return join(sentences, language);
}
