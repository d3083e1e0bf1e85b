#include "core/recall/rank.h"

#include <string.h>

/* A document's gain from the scores around it. An answer gains more from the question before it
 * than from another turn, because an answer seldom uses the asker's words. */
static const float of_previous[] = {0.5f, 0.25f, 0.05f};
static const float of_next[] = {0.3f, 0.2f, 0.05f};
static const float of_question_before = 0.4f;
static const float of_conversation = 0.5f; /* of the conversation's best score */
/* How much more a turn counts if it is by the speaker, or of the time, that the question asks
 * about. */
static const float speaker_lift = 1;
static const float aside_lift = 0.8f; /* a line of the speaker's that is not about himself */
static const float named_lift = 0.5f; /* another's line that names the speaker */
static const float period_lift = 2;
static const float question_share = 0.9f; /* a document that asks says less than one that answers */

enum { REACH = 3, NONE = UINT32_MAX, MAX_SPEAKERS = 8 };

/* Chains the live documents of each conversation, since conversations may be interleaved. A gap
 * ends the chains: what is left out may have come between. */
struct chains {
	uint32_t *previous; /* for each document, the one before it in its conversation, or NONE */
	uint32_t *slots;    /* for each document, its conversation's slot */
	struct chain {
		uint32_t conversation;
		uint32_t last; /* document, or NONE: the slot is free */
		float best;
	} * chains;
	size_t capacity; /* a power of two */
};

static size_t count_runs(const struct recall_corpus *corpus)
{
	size_t runs = 1;
	for (size_t i = 1; i < corpus->count; i++)
		runs += corpus->documents[i].conversation != corpus->documents[i - 1].conversation;
	return runs;
}

static uint32_t slot_of(const struct chains *chains, uint32_t conversation)
{
	uint32_t mask = (uint32_t)chains->capacity - 1;
	uint32_t at = (conversation * 2654435761U) & mask;
	while (chains->chains[at].last != NONE && chains->chains[at].conversation != conversation)
		at = (at + 1) & mask;
	return at;
}

static void make_chains(struct chains *chains, const struct recall_corpus *corpus,
			struct arena *arena)
{
	size_t runs = count_runs(corpus);
	*chains = (struct chains){.capacity = 2};
	while (chains->capacity < 2 * runs)
		chains->capacity *= 2;
	chains->chains = arena_alloc(arena, chains->capacity * sizeof(struct chain));
	for (size_t i = 0; i < chains->capacity; i++)
		chains->chains[i].last = NONE;
	chains->previous = arena_alloc(arena, corpus->count * sizeof(uint32_t));
	chains->slots = arena_alloc(arena, corpus->count * sizeof(uint32_t));
}

static void link_documents(struct chains *chains, const struct recall_corpus *corpus,
			   const float *scores, struct arena *arena)
{
	const uint64_t *turns = corpus->whole.turns;
	uint32_t slot = 0;
	uint32_t after_gap = 0;
	make_chains(chains, corpus, arena);
	for (uint32_t i = 0; i < corpus->count; i++) {
		const struct recall_document *document = &corpus->documents[i];
		if (turns != NULL && i > 0 && turns[i] != turns[i - 1] + 1)
			after_gap = i;
		if (!document->is_live)
			continue;
		/* Usually the same conversation as before. */
		struct chain *chain = &chains->chains[slot];
		if (chain->last == NONE || chain->conversation != document->conversation)
			slot = slot_of(chains, document->conversation);
		chain = &chains->chains[slot];
		chains->slots[i] = slot;
		chains->previous[i] =
			chain->last != NONE && chain->last >= after_gap ? chain->last : NONE;
		chain->conversation = document->conversation;
		chain->last = i;
		if (scores[i] > chain->best)
			chain->best = scores[i];
	}
}

static void lift_by_neighbours(const struct chains *chains, const struct recall_corpus *corpus,
			       const float *scores, float *lifted)
{
	for (uint32_t i = 0; i < corpus->count; i++) {
		if (!corpus->documents[i].is_live)
			continue;
		lifted[i] += scores[i];
		uint32_t before = chains->previous[i];
		if (before != NONE && corpus->documents[before].asks)
			lifted[i] += of_question_before * scores[before];
		for (int step = 0; step < REACH && before != NONE; step++) {
			lifted[i] += of_previous[step] * scores[before];
			lifted[before] += of_next[step] * scores[i];
			before = chains->previous[before];
		}
	}
}

/* Adds the distinct speakers of the documents; only some if there are very many. */
static size_t add_speakers(const struct recall_document *documents, size_t among,
			   uint32_t speakers[MAX_SPEAKERS], size_t count)
{
	for (size_t i = 0; i < among && count < MAX_SPEAKERS; i++) {
		uint32_t speaker = documents[i].speaker;
		size_t at = 0;
		while (at < count && speakers[at] != speaker)
			at++;
		if (speaker != 0 && at == count)
			speakers[count++] = speaker;
	}
	return count;
}

static bool names(const struct recall_question *question, uint32_t speaker, size_t age)
{
	for (size_t i = 0; i < question->terms.count; i++) {
		if (question->ages[i] == age &&
		    recall_speaker(question->terms.terms[i].hash) == speaker)
			return true;
	}
	return false;
}

/* The question may name its subject only in an earlier turn. */
struct recall_named recall_speaker_named(const struct recall_question *question,
					 const struct recall_corpus *corpus)
{
	uint32_t speakers[MAX_SPEAKERS];
	size_t count = add_speakers(corpus->documents, corpus->count, speakers, 0);
	count = add_speakers(corpus->whole.sample, corpus->whole.sample_count, speakers, count);
	struct recall_named named = {0};
	for (size_t age = 0; age <= RECALL_EARLIER && !named.any; age++) {
		for (size_t i = 0; i < count; i++) {
			if (!names(question, speakers[i], age))
				continue;
			named.only = named.any ? 0 : speakers[i];
			named.any = true;
		}
	}
	return named;
}

/* 1 within a period that the question names; half of that shortly after, when people still talk
 * about what happened. */
static float nearness(const struct recall_question *question, int64_t at)
{
	const int64_t few_days = 5LL * 24 * 60 * 60 * 1000;
	float near = 0;
	for (size_t i = 0; i < question->period_count; i++) {
		const struct recall_period *period = &question->periods[i];
		int64_t later = period->until + few_days + (period->until - period->from) / 2;
		if (at >= period->from && at < period->until)
			return 1;
		if (at >= period->until && at < later)
			near = 0.5f;
	}
	return near;
}

/* How much more what is said of the speaker counts, or what the user says if the question is about
 * the user. */
static float lift_of_person(const struct recall_question *question,
			    const struct recall_document *document, uint32_t speaker, bool is_named)
{
	bool is_user = document->speaker == 0 && document->role == ROLE_USER;
	if (speaker == 0)
		return question->about_user && is_user ? 1 + speaker_lift : 1;
	if (document->speaker == speaker)
		return 1 + (document->says_i ? speaker_lift : aside_lift);
	return is_named ? 1 + named_lift : 1;
}

/* Which documents hold the speaker's name. */
static bool *find_named(const struct recall_question *question, const struct recall_corpus *corpus,
			uint32_t speaker, struct arena *arena)
{
	bool *named = arena_alloc(arena, corpus->count * sizeof(*named));
	for (size_t i = 0; i < question->terms.count && speaker != 0; i++) {
		const struct recall_postings *found = &corpus->postings[i];
		if (recall_speaker(question->terms.terms[i].hash) != speaker)
			continue;
		for (size_t j = 0; j < found->count; j++)
			named[found->postings[j].document] = true;
	}
	return named;
}

static float lift_of(const struct recall_question *question, const struct recall_document *document,
		     uint32_t speaker, bool is_named)
{
	float lift = document->asks ? question_share : 1;
	lift *= lift_of_person(question, document, speaker, is_named);
	return lift * (1 + period_lift * nearness(question, document->created_at));
}

void recall_lift(const struct recall_question *question, const struct recall_corpus *corpus,
		 uint32_t speaker, const float *scores, float *lifted, struct arena *arena)
{
	struct chains chains;
	const bool *named = find_named(question, corpus, speaker, arena);
	link_documents(&chains, corpus, scores, arena);
	lift_by_neighbours(&chains, corpus, scores, lifted);
	for (size_t i = 0; i < corpus->count; i++) {
		if (lifted[i] > 0)
			lifted[i] = (lifted[i] +
				     of_conversation * chains.chains[chains.slots[i]].best) *
				    lift_of(question, &corpus->documents[i], speaker, named[i]);
	}
}
