/* A memory of turns in arrays, with the postings that a store would keep. */
#ifndef RECALLD_TESTS_RECALL_FIXTURE_H
#define RECALLD_TESTS_RECALL_FIXTURE_H

#include "core/recall/recall.h"

enum { RECALL_FIXTURE_MAX = 64 };

struct recall_fixture {
	struct arena arena;
	struct recall_document documents[RECALL_FIXTURE_MAX];
	struct term_list terms[RECALL_FIXTURE_MAX];
	size_t count;
	int64_t now;
	const float *similarities; /* NULL: none */
	const struct recall_hint *hints;
	size_t hint_count;
	const struct recall_successor *successors;
	size_t successor_count;
};

static inline void recall_fixture_say(struct recall_fixture *memory, struct turn turn)
{
	ck_assert_uint_lt(memory->count, RECALL_FIXTURE_MAX);
	recall_describe(&turn, &memory->documents[memory->count], &memory->terms[memory->count],
			&memory->arena);
	memory->count++;
}

static inline uint32_t recall_fixture_occurrences(const struct term_list *terms, uint64_t hash)
{
	for (size_t i = 0; i < terms->count; i++) {
		if (terms->terms[i].hash == hash)
			return terms->terms[i].count;
	}
	return 0;
}

static inline struct recall_postings recall_fixture_find(struct recall_fixture *memory,
							 uint64_t hash)
{
	struct recall_posting *found =
		arena_alloc(&memory->arena, memory->count * sizeof(struct recall_posting));
	size_t count = 0;
	for (size_t i = 0; i < memory->count; i++) {
		uint32_t times = recall_fixture_occurrences(&memory->terms[i], hash);
		if (times > 0)
			found[count++] = (struct recall_posting){(uint32_t)i, times};
	}
	return (struct recall_postings){found, count};
}

/* A question after what the user said before it, the newest first. */
static inline size_t recall_fixture_ask_after(struct recall_fixture *memory, const char *text,
					      const struct slice *earlier, size_t earlier_count,
					      struct recall_hit *hits, size_t limit)
{
	struct recall_question question;
	recall_read_question(slice_of(text), memory->now, &question, &memory->arena);
	recall_read_earlier(earlier, earlier_count, &question, &memory->arena);
	struct recall_postings *postings =
		arena_alloc(&memory->arena, question.terms.count * sizeof(struct recall_postings));
	for (size_t i = 0; i < question.terms.count; i++)
		postings[i] = recall_fixture_find(memory, question.terms.terms[i].hash);
	struct recall_corpus corpus = {.documents = memory->documents,
				       .count = memory->count,
				       .postings = postings,
				       .similarities = memory->similarities,
				       .hints = memory->hints,
				       .hint_count = memory->hint_count,
				       .successors = memory->successors,
				       .successor_count = memory->successor_count};
	return recall_rank(&question, &corpus, hits, limit, &memory->arena);
}

static inline size_t recall_fixture_ask(struct recall_fixture *memory, const char *text,
					struct recall_hit *hits, size_t limit)
{
	return recall_fixture_ask_after(memory, text, NULL, 0, hits, limit);
}

#endif
