#include "core/recall/rank.h"

#include <math.h>

/* The weight of the most similar vector, relative to a whole match of words. */
static const float vector_weight = 0.5f;
/* Below the lowest similarity a text is unrelated to the question. A model whose vectors are all
 * alike has its own lowest, which more turns estimate better; it is at least the turns' mean, with
 * one more that is hardly similar. */
static const float least_similarity = 0.25f;
static const float few_turns = 20;

static float floor_of_model(const struct recall_corpus *corpus)
{
	float count = 0, sum = 0, squares = 0;
	for (size_t i = 0; i < corpus->count; i++) {
		float similarity = corpus->similarities[i];
		if (!corpus->documents[i].is_live || similarity < -1)
			continue;
		count++;
		sum += similarity;
		squares += similarity * similarity;
	}
	float mean = count > 0 ? sum / count : 0;
	float deviation = count > 0 ? sqrtf(fmaxf(0, squares / count - mean * mean)) : 0;
	float trust = count / (count + few_turns);
	float usual = trust * (mean + deviation) + (1 - trust) * least_similarity;
	float level = (sum + least_similarity) / (count + 1);
	return fmaxf(least_similarity, fmaxf(usual, level));
}

void recall_fuse(const struct recall_corpus *corpus, float *scores)
{
	const float floor = floor_of_model(corpus);
	for (size_t i = 0; i < corpus->count; i++) {
		float above = corpus->similarities[i] - floor;
		if (corpus->documents[i].is_live && above > 0)
			scores[i] += vector_weight * above / (1 - floor);
	}
}
