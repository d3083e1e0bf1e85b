#include "core/recall_rank.h"

/* A question that is only about a time, "what did we do yesterday?", finds all of it. */
static void match_periods(const struct recall_question *question,
			  const struct recall_corpus *corpus, float *scores)
{
	for (size_t i = 0; i < corpus->count; i++) {
		const struct recall_document *document = &corpus->documents[i];
		for (size_t j = 0; j < question->period_count && document->is_live; j++) {
			if (document->created_at >= question->periods[j].from &&
			    document->created_at < question->periods[j].until)
				scores[i] = 1;
		}
	}
}

size_t recall_rank(const struct recall_question *question, const struct recall_corpus *corpus,
		   struct recall_hit *hits, size_t limit, struct arena *arena)
{
	if (corpus->count == 0 || (!question->has_subject && !question->about_past))
		return 0;
	float *scores = arena_alloc(arena, corpus->count * sizeof(float));
	if (!question->has_subject) {
		match_periods(question, corpus, scores);
		return recall_top(scores, corpus->count, hits, limit);
	}
	float *lifted = arena_alloc(arena, corpus->count * sizeof(float));
	recall_match(question, corpus, scores);
	if (corpus->similarities != NULL)
		recall_fuse(corpus, scores, arena);
	recall_lift(question, corpus, scores, lifted, arena);
	return recall_top(lifted, corpus->count, hits, limit);
}
