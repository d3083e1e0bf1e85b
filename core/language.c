#include "core/language.h"

void language_vote(struct language_votes *votes, struct slice word, uint32_t count)
{
	(void)word;
	votes->of[0] += count;
}

const char *language_elect(const struct language_votes *votes)
{
	(void)votes;
	return "english";
}

bool language_is_function_word(struct slice word)
{
	static const char *const words[] = {
		"a",     "an",   "the",  "i",   "you",   "he",    "she",   "it",  "we",    "they",
		"me",    "my",   "your", "is",  "are",   "was",   "were",  "be",  "do",    "does",
		"did",   "have", "has",  "had", "to",    "of",    "in",    "on",  "at",    "for",
		"with",  "and",  "or",   "but", "what",  "when",  "where", "who", "how",   "why",
		"which", "that", "this", "can", "could", "would", "will",  "hi",  "hello", "thanks",
		"thank", "ok",   "okay", "go",  "hallo", "wie",   "geht",  "yes", "no",
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (slice_equal(word, slice_of(words[i])))
			return true;
	}
	return false;
}
