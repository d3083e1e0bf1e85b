/* The demo model's knowledge of language: where sentences and words end, which of them are
 * questions, which words carry no meaning of their own and which mean much the same, in English,
 * German and Chinese. General language only: nothing here is about any one conversation.
 *
 * Slices point into the given text or into the arena. */
#ifndef RECALLD_TESTS_MODEL_WORDS_H
#define RECALLD_TESTS_MODEL_WORDS_H

#include "core/base/bytes.h"

enum language { ENGLISH, GERMAN, CHINESE };

enum language language_of(struct slice text, struct arena *arena);

/* Takes the next sentence, trimmed and with its closing mark, off the front of `rest`. False: there
 * is none left. A line break ends a sentence too. */
bool next_sentence(struct slice *rest, struct slice *sentence);
bool is_question(struct slice sentence, struct arena *arena);

/* A Chinese character or Japanese kana. */
bool is_ideograph(uint32_t character);

/* A word as it is written and as it is compared: case folded, "'m" as "am". Every ideograph is a
 * word. */
struct token {
	struct slice text;
	struct slice folded;
	bool after_break; /* a comma, a bracket or the like stands before it */
};

enum { TOKEN_LIMIT = 512 };
/* The first TOKEN_LIMIT words; their number. */
size_t tokens_of(struct slice text, struct token **tokens, struct arena *arena);
/* From the first token of a run to its last, as written. */
struct slice tokens_span(const struct token *tokens, size_t begin, size_t end);

/* Whether `list`, words with a space on either side of each, holds the word. */
bool word_in(const char *list, struct slice word);
bool is_stop_word(struct slice folded);

/* The text without what follows the first `limit` bytes, cut between characters. */
struct slice text_head(struct slice text, size_t limit);

#endif
