#include "core/recall.h"

/* How much of the question's weight stands in a text. */
static float overlap(const struct recall_question *question, struct slice text, struct arena *arena)
{
	struct term_list terms;
	terms_read(text, &terms, arena);
	float sum = 0;
	for (size_t i = 0, j = 0; i < terms.count && j < question->terms.count;) {
		uint64_t left = terms.terms[i].hash;
		uint64_t right = question->terms.terms[j].hash;
		if (left == right)
			sum += question->weights[j];
		i += left <= right;
		j += right <= left;
	}
	return sum;
}

void recall_rank_facts(const struct recall_question *question, const struct fact *facts,
		       size_t count, float *scores, struct arena *arena)
{
	for (size_t i = 0; i < count; i++)
		scores[i] = overlap(question, facts[i].key, arena) +
			    overlap(question, facts[i].value, arena) +
			    overlap(question, facts[i].entity, arena);
}
