#include "core/language.h"
#include "core/recall.h"
#include "core/text.h"

/* The terms that are function words weigh nothing. */
struct weighing {
	const struct term_list *terms;
	float *weights;
};

static size_t term_index(const struct term_list *terms, uint64_t hash)
{
	size_t low = 0;
	size_t high = terms->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (terms->terms[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < terms->count && terms->terms[low].hash == hash ? low : terms->count;
}

static bool weigh_word(void *cookie, struct slice word)
{
	struct weighing *weighing = cookie;
	size_t at = term_index(weighing->terms, terms_hash(word));
	if (at < weighing->terms->count && language_is_function_word(word))
		weighing->weights[at] = 0;
	return true;
}

void recall_read_question(struct slice text, int64_t now, struct recall_question *question,
			  struct arena *arena)
{
	(void)now;
	*question = (struct recall_question){.text = text};
	terms_read(text, &question->terms, arena);
	float *weights = arena_alloc(arena, question->terms.count * sizeof(float));
	for (size_t i = 0; i < question->terms.count; i++)
		weights[i] = 1;
	struct weighing weighing = {&question->terms, weights};
	text_words(text, weigh_word, &weighing);
	question->weights = weights;
}
