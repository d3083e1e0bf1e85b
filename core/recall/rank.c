#include "core/recall/rank.h"

/* A question that is only about a time, "what did we do yesterday?", finds all that was said then.
 */
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

static bool is_any(const float *scores, size_t count)
{
	size_t at = 0;
	while (at < count && scores[at] == 0)
		at++;
	return at < count;
}

/* The hits are the best first. */
static size_t cut_at(const struct recall_hit *hits, size_t count, float floor)
{
	while (count > 0 && hits[count - 1].score < floor)
		count--;
	return count;
}

size_t recall_rank(const struct recall_question *question, const struct recall_corpus *corpus,
		   struct recall_hit *hits, size_t limit, struct arena *arena)
{
	float *scores = arena_alloc(arena, corpus->count * sizeof(float));
	float *lifted = arena_alloc(arena, corpus->count * sizeof(float));
	if (question->has_subject)
		recall_match(question, corpus, scores);
	if (question->has_subject && corpus->similarities != NULL)
		recall_fuse(corpus, scores);
	if (question->about_past && !is_any(scores, corpus->count))
		match_periods(question, corpus, scores);
	if (!is_any(scores, corpus->count))
		return 0;
	struct recall_named named = recall_speaker_named(question, corpus);
	recall_lift(question, corpus, named.only, scores, lifted, arena);
	size_t count = recall_top(lifted, corpus->count, hits, limit);
	return cut_at(hits, count, recall_floor(question, named.any, hits[0].score));
}
