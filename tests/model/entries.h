/* Between the two halves of the extractor: extract.c finds clauses and their subjects, entries.c
 * makes entries of what is said of them. Only these two include this. */
#ifndef RECALLD_TESTS_MODEL_ENTRIES_H
#define RECALLD_TESTS_MODEL_ENTRIES_H

#include "tests/model/extract.h"
#include "tests/model/patterns.h"

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
	/* The subject of the last entry. */
	struct slice last_entity;
	struct slice last_key;
};

struct slice span_text(const struct extractor *extractor, struct span span);
/* Whether the word at `at`, when that is before `end`, is in the list. */
bool word_at(const struct extractor *extractor, size_t at, size_t end, const char *list);

/* Where a value ends that goes on into another clause: at a comma, "because", or for one thing
 * "and". */
size_t value_end(const struct extractor *extractor, struct span span, int flags);
/* "It", "that he comes": says nothing by itself. */
bool is_empty_value(const struct extractor *extractor, struct span span);
/* "main challenge" is main_challenge, or the known key that means the same. */
struct slice key_of_words(const struct extractor *extractor, struct span words);

/* One entry about the entity at hand; an empty key gives none. */
void emit(struct extractor *extractor, struct slice key, struct slice value, const char *op);
/* The value of the key, cleaned; flags of enum pattern_flag. */
void emit_value(struct extractor *extractor, struct slice key, struct span span, int flags);
void emit_relation(struct extractor *extractor, struct slice name, struct slice relation);
/* "A dog named Rex", "my wife is called Eva": what has a name of its own. False: it has not. */
bool emit_named(struct extractor *extractor, struct span kind, struct span name);
void emit_match(struct extractor *extractor, const struct match *match);
/* An event on a day that is given by its distance from today. */
void emit_event(struct extractor *extractor, struct span range);

#endif
