#include "core/recall.h"
#include "core/recall_top.h"

#include <math.h>
#include <string.h>

static uint32_t read_speaker(struct slice text)
{
	size_t end = 0;
	while (end < text.size && end < 64 && text.data[end] != ':' && text.data[end] != '\n')
		end++;
	if (end == 0 || end + 1 >= text.size || text.data[end] != ':' || text.data[end + 1] != ' ')
		return 0;
	struct slice label = slice_part(text, 0, end);
	uint32_t hash = (uint32_t)terms_hash(label);
	return hash == 0 ? 1 : hash;
}

void recall_describe(const struct turn *turn, struct recall_document *document,
		     struct term_list *terms, struct arena *arena)
{
	terms_read(turn->text, terms, arena);
	*document = (struct recall_document){
		.created_at = turn->created_at,
		.conversation = turn->conversation,
		.ordinal = turn->ordinal,
		.speaker = read_speaker(turn->text),
		.words = terms->words < UINT16_MAX ? (uint16_t)terms->words : UINT16_MAX,
		.role = (uint8_t)turn->role,
		.is_live = turn->state == TURN_CURRENT,
	};
}

static void add_term(const struct recall_corpus *corpus, struct recall_postings postings,
		     float weight, float mean_words, float *scores)
{
	float count = (float)corpus->count;
	float found = (float)postings.count;
	float idf = weight * logf(1 + (count - found + 0.5f) / (found + 0.5f));
	for (size_t i = 0; i < postings.count; i++) {
		const struct recall_posting *posting = &postings.postings[i];
		const struct recall_document *document = &corpus->documents[posting->document];
		float length = 0.5f + 0.5f * (float)document->words / mean_words;
		float often = (float)posting->count;
		if (document->is_live)
			scores[posting->document] += idf * 2.2f * often / (often + 1.2f * length);
	}
}

static bool are_neighbours(const struct recall_document *a, const struct recall_document *b)
{
	return a->conversation == b->conversation && a->is_live && b->is_live;
}

size_t recall_rank(const struct recall_question *question, const struct recall_corpus *corpus,
		   struct recall_hit *hits, size_t limit, struct arena *arena)
{
	float *own = arena_alloc(arena, corpus->count * sizeof(float));
	float *lifted = arena_alloc(arena, corpus->count * sizeof(float));
	uint64_t words = 0;
	for (size_t i = 0; i < corpus->count; i++)
		words += corpus->documents[i].words;
	float mean_words = words == 0 ? 1 : (float)words / (float)corpus->count;
	for (size_t i = 0; i < question->terms.count; i++) {
		if (question->weights[i] > 0)
			add_term(corpus, corpus->postings[i], question->weights[i], mean_words,
				 own);
	}
	for (size_t i = 0; i < corpus->count; i++) {
		const struct recall_document *document = &corpus->documents[i];
		lifted[i] = own[i];
		if (i > 0 && are_neighbours(document, document - 1))
			lifted[i] += 0.3f * own[i - 1];
		if (i + 1 < corpus->count && are_neighbours(document, document + 1))
			lifted[i] += 0.3f * own[i + 1];
	}
	return recall_top(lifted, corpus->count, hits, limit);
}
