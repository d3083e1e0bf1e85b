#include "core/recall/rank.h"

/* Shares of a whole match, including what the surrounding turns add. Chosen on LoCoMo's first five
 * conversations together with 30 unrelated requests. */
static const float least = 0.3f;
static const float least_of_personal = 0.08f;
/* And of the best hit's score: lesser hits only take up room. */
static const float least_of_best = 0.2f;

/* A request that mentions the asker, somebody known here, or the past is about this memory, so a
 * weak match may be meant. "Write a haiku about snow." is about nobody's. */
static bool is_personal(const struct recall_question *question, bool names_speaker)
{
	return question->about_user || question->about_past || question->period_count > 0 ||
	       names_speaker;
}

/* The score below which a hit is unrelated to the question, or too weak beside the best one. */
static float floor_of(const struct recall_question *question, bool names_speaker, float best)
{
	float floor = is_personal(question, names_speaker) ? least_of_personal : least;
	return floor > least_of_best * best ? floor : least_of_best * best;
}

/* A question that is only about a time, "what did we do yesterday?", finds everything said then. */
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

static void add_hints(const struct recall_corpus *corpus, float *scores)
{
	for (size_t i = 0; i < corpus->hint_count; i++) {
		const struct recall_hint *hint = &corpus->hints[i];
		if (corpus->documents[hint->document].is_live)
			scores[hint->document] += hint->score;
	}
}

/* Matching a superseded fact also matches its successor. */
static void add_successors(const struct recall_corpus *corpus, float *lifted)
{
	for (size_t i = 0; i < corpus->successor_count; i++) {
		const struct recall_successor *successor = &corpus->successors[i];
		float *now = &lifted[successor->now];
		if (corpus->documents[successor->now].is_live && *now < lifted[successor->old])
			*now = lifted[successor->old];
	}
}

static bool is_any(const float *scores, size_t count)
{
	size_t at = 0;
	while (at < count && scores[at] == 0)
		at++;
	return at < count;
}

/* The hits must be sorted, best first. */
static size_t cut_at(const struct recall_hit *hits, size_t count, float floor)
{
	while (count > 0 && hits[count - 1].score < floor)
		count--;
	return count;
}

/* A short turn among the best says little without the one before it: "It was moved to Friday." So
 * that one comes last, for what room is left. */
enum { SHORT = 8 };
static const float share_of_best = 0.5f;

static bool is_hit(const struct recall_hit *hits, size_t count, uint32_t document)
{
	while (count > 0 && hits[count - 1].document != document)
		count--;
	return count > 0;
}

/* The hits are the best and `count` of them; `limit` have room. */
static size_t add_antecedents(const struct recall_corpus *corpus, struct recall_hit *hits,
			      size_t count, size_t limit)
{
	size_t all = count;
	for (size_t i = 0;
	     i < count && all < limit && hits[i].score >= share_of_best * hits[0].score; i++) {
		uint32_t at = hits[i].document;
		const struct recall_document *document = &corpus->documents[at];
		if (at == 0 || document->words > SHORT)
			continue;
		const struct recall_document *before = &corpus->documents[at - 1];
		bool is_next = corpus->whole.turns == NULL ||
			       corpus->whole.turns[at - 1] + 1 == corpus->whole.turns[at];
		if (is_next && before->is_live && before->conversation == document->conversation &&
		    !is_hit(hits, all, at - 1))
			hits[all++] = (struct recall_hit){at - 1, hits[count - 1].score / 2};
	}
	return all;
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
	if (question->has_subject)
		add_hints(corpus, scores);
	if (question->about_past && !is_any(scores, corpus->count))
		match_periods(question, corpus, scores);
	if (!is_any(scores, corpus->count))
		return 0;
	struct recall_named named = recall_speaker_named(question, corpus);
	recall_lift(question, corpus, named.only, scores, lifted, arena);
	add_successors(corpus, lifted);
	size_t count = recall_top(lifted, corpus->count, hits, limit);
	count = cut_at(hits, count, floor_of(question, named.any, hits[0].score));
	return add_antecedents(corpus, hits, count, limit);
}
