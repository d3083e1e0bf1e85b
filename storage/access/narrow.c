#include "storage/access/narrow.h"

#include "core/base/ids.h"
#include "storage/user/exchanges.h"

/* The newest of a period; a question that is only about a time finds these. */
enum { MOST_OF_PERIOD = 64 };

struct narrowing {
	const struct memory *memory;
	const struct documents *documents;
	struct recall_choice choice;
	struct recall_stretch favoured[RECALL_MAX_PERIODS];
	struct id_list wanted;
};

static uint64_t turn_of(struct slice key)
{
	return key_read_u64(key, TURN_TIME_OFFSET);
}

/* The oldest current turn of a period; the table descends. */
static bool find_oldest(const struct memory *memory, const struct recall_period *period,
			uint64_t *turn)
{
	struct key user = key_of_user(memory->user);
	struct scan scan;
	scan_begin_at(&scan, memory->transaction, TABLE_TURN_TIMES, user,
		      key_u64(key_time(user, period->from - 1), UINT64_MAX), BACKWARD);
	bool found = scan_step(&scan);
	if (found)
		*turn = turn_of(scan.at);
	scan_end(&scan);
	return found;
}

/* The newest turns of a period. Returns the newest; 0: there is none. */
static uint64_t want_newest(struct narrowing *narrowing, const struct recall_period *period)
{
	const struct memory *memory = narrowing->memory;
	struct key user = key_of_user(memory->user);
	uint64_t newest = 0;
	struct scan scan;
	scan_begin_at(&scan, memory->transaction, TABLE_TURN_TIMES, user,
		      key_u64(key_time(user, period->until - 1), UINT64_MAX), FORWARD);
	for (int i = 0;
	     i < MOST_OF_PERIOD && scan_step(&scan) && key_read_time(scan.at, 16) >= period->from;
	     i++) {
		if (i == 0)
			newest = turn_of(scan.at);
		id_list_add(&narrowing->wanted, memory->arena, turn_of(scan.at));
	}
	scan_end(&scan);
	return newest;
}

static uint32_t place_in(const struct documents *documents, uint64_t turn)
{
	uint64_t place = turn < documents->first ? 0 : turn - documents->first;
	return (uint32_t)(place < documents->total ? place : documents->total);
}

/* Ids mostly rise with the times, so a period is about a stretch of ids. */
static void favour(struct narrowing *narrowing, const struct recall_period *period)
{
	const struct documents *documents = narrowing->documents;
	uint64_t newest = want_newest(narrowing, period);
	uint64_t oldest;
	if (newest == 0 || !find_oldest(narrowing->memory, period, &oldest))
		return;
	if (oldest > newest) {
		uint64_t swapped = oldest;
		oldest = newest;
		newest = swapped;
	}
	narrowing->favoured[narrowing->choice.favoured_count++] = (struct recall_stretch){
		place_in(documents, oldest), place_in(documents, newest + 1)};
}

/* The first turn of the conversation. */
static uint64_t first_of(const struct memory *memory, uint32_t conversation)
{
	struct scan scan;
	uint64_t first = 0;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES,
		   key_u32(key_of_user(memory->user), conversation), FORWARD);
	if (scan_step(&scan))
		first = key_read_u64(scan.at, EXCHANGE_OFFSET);
	scan_end(&scan);
	return first;
}

static void want_named(struct narrowing *narrowing, const struct recall *recall,
		       const struct outdated *outdated)
{
	struct arena *arena = narrowing->memory->arena;
	for (size_t i = 0; i < recall->hint_count; i++)
		id_list_add(&narrowing->wanted, arena, recall->hints[i].document);
	for (size_t i = 0; i < recall->given_count; i++)
		id_list_add(&narrowing->wanted, arena, recall->given[i]);
	for (size_t i = 0; i < outdated->successor_count; i++) {
		id_list_add(&narrowing->wanted, arena, outdated->successors[i].old);
		id_list_add(&narrowing->wanted, arena, outdated->successors[i].now);
	}
}

bool narrow_documents(const struct memory *memory, const struct recall *recall,
		      const struct outdated *outdated, const struct recall_postings *postings,
		      size_t most, struct documents *documents)
{
	const struct recall_question *question = recall->question;
	struct narrowing narrowing = {.memory = memory, .documents = documents};
	struct recall_choice *choice = &narrowing.choice;
	uint32_t *candidates = (uint32_t *)arena_bytes(memory->arena, most * sizeof(*candidates));
	choice->total = documents->total;
	choice->favoured = narrowing.favoured;
	if (recall->only_conversation)
		choice->first = place_in(documents, first_of(memory, recall->conversation));
	for (size_t i = 0; i < question->period_count; i++)
		favour(&narrowing, &question->periods[i]);
	size_t count =
		recall_candidates(question, postings, choice, candidates, most, memory->arena);
	for (size_t i = 0; i < count; i++)
		id_list_add(&narrowing.wanted, memory->arena, documents->first + candidates[i]);
	want_named(&narrowing, recall, outdated);
	if (narrowing.wanted.count > 0)
		ids_sort(narrowing.wanted.ids, narrowing.wanted.count);
	documents_read_near(memory, narrowing.wanted.ids, narrowing.wanted.count, documents);
	return count < most;
}
