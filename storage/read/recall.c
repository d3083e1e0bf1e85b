/* store_recall(): finds what bears on a question in one read transaction. */
#include "storage/index/vectors.h"

#include "core/base/ids.h"

struct recalling {
	struct memory memory;  /* copies results into its arena */
	struct memory scratch; /* copies what only ranking needs */
	struct memory in_map;  /* has no arena: its values stay in the map */
	const struct recall *recall;
	struct documents documents;
	const struct recall_hit *hits;
	uint32_t *ranks;      /* for each document, the rank of its hit, from 1; 0: not a hit */
	struct slice *values; /* each hit's value in the map; empty: not looked up yet */
	struct scan turns;
	uint64_t *given_hashes; /* hashes of the turns given before; 0: not read yet */
	struct recall_result *result;
};

/* Excludes the turns that the request carries. Turns that it is given stay in: they lift their
 * neighbours, and the next of these may be what is asked for now. */
static void leave_out_carried(struct recalling *recalling)
{
	const struct recall *recall = recalling->recall;
	struct documents *documents = &recalling->documents;
	for (size_t i = 0; recall->conversation != 0 && i < documents->count; i++) {
		struct recall_document *document = &documents->documents[i];
		bool is_of_this = document->conversation == recall->conversation;
		bool is_carried = is_of_this && recall->carried_from != UINT32_MAX &&
				  document->ordinal >= recall->carried_from;
		if (is_carried || (recall->only_conversation && !is_of_this))
			document->is_live = 0;
	}
}

static size_t rank(struct recalling *recalling)
{
	const struct memory *scratch = &recalling->scratch;
	const struct documents *documents = &recalling->documents;
	const struct recall *recall = recalling->recall;
	const struct recall_question *question = recall->question;
	struct recall_corpus corpus = {
		.documents = documents->documents,
		.count = documents->count,
		.postings = postings_of(scratch, documents, question),
		.similarities = vectors_compare(scratch, question, documents),
	};
	size_t limit = STORE_MAX_RECALLED + recall->given_count + recall->carried.count;
	if (limit > documents->count)
		limit = documents->count;
	struct recall_hit *hits = arena_alloc(scratch->arena, limit * sizeof(*hits));
	recalling->hits = hits;
	return recall_rank(question, &corpus, hits, limit, scratch->arena);
}

/* ---- looking up ---- */

/* Hits are looked up best first. Hits with close ids are often neighbours (a question and its
 * answer, a conversation), so the hits right after one are looked up with it, which is cheaper than
 * searching for each later. */
enum { TAKEN_ALONG = 8 };

static void look_up(struct recalling *recalling, size_t hit)
{
	struct scan *turns = &recalling->turns;
	const struct documents *documents = &recalling->documents;
	size_t document = recalling->hits[hit].document;
	size_t end = document + 1 + TAKEN_ALONG;
	struct slice key;
	struct slice value;
	if (end > documents->count)
		end = documents->count;
	bool found = scan_find(turns, key_u64(turns->prefix, documents->first + document), &value);
	while (found) {
		recalling->values[hit] = value;
		if (++document == end || recalling->ranks[document] == 0)
			return;
		hit = recalling->ranks[document] - 1;
		found = recalling->values[hit].size == 0 && scan_next(turns, &key, &value) &&
			key_read_u64(key, 16) == documents->first + document;
	}
}

static void prepare_look_up(struct recalling *recalling, size_t count)
{
	const struct memory *scratch = &recalling->scratch;
	recalling->ranks =
		arena_alloc(scratch->arena, recalling->documents.count * sizeof(*recalling->ranks));
	recalling->values = arena_alloc(scratch->arena, count * sizeof(*recalling->values));
	for (size_t i = 0; i < count; i++)
		recalling->ranks[recalling->hits[i].document] = (uint32_t)i + 1;
	scan_begin(&recalling->turns, scratch->transaction, TABLE_TURNS, key_of_user(scratch->user),
		   FORWARD);
}

static bool find_hit(struct recalling *recalling, size_t hit, struct stored_turn *stored)
{
	struct slice *value = &recalling->values[hit];
	uint64_t id = recalling->documents.first + recalling->hits[hit].document;
	if (value->size == 0)
		look_up(recalling, hit);
	*stored = (struct stored_turn){.turn.id = id};
	return value->size > 0 && table_decode(recalling->in_map.transaction, *value,
					       stored_turn_fields, stored, NULL);
}

/* ---- taking ---- */

static bool may_take(const struct recall *recall, const struct turn *turn)
{
	return turn->state == TURN_CURRENT && !turn_is_told_in(turn, &recall->carried) &&
	       !turn_is_asked_again(turn, recall->asked_again);
}

enum {
	/* Shorter texts recur often, and their meaning depends on what was said before. */
	LEAST_REPEATED = 16,
	COPY_COST = 64, /* what skipping a copy counts as, in bytes of text read */
};

static bool is_repeated(const struct turn_list *list, const struct turn *turn)
{
	for (size_t i = 0; i < list->count && turn->text.size >= LEAST_REPEATED; i++) {
		if (list->turns[i].hash == turn->hash && list->turns[i].role == turn->role)
			return true;
	}
	return false;
}

/* Finds a turn that was given, usually among the hits, since it bears on the question as well. */
static bool find_given(struct recalling *recalling, uint64_t id, struct stored_turn *stored)
{
	uint32_t rank = recalling->ranks[id - recalling->documents.first];
	return rank > 0 ? find_hit(recalling, rank - 1, stored)
			: memory_find_turn(&recalling->in_map, &recalling->turns, id, stored);
}

/* Whether a turn that the request is already given says the same; reads only those with as many
 * words. */
static bool is_given(struct recalling *recalling, const struct turn *turn)
{
	const struct recall *recall = recalling->recall;
	const struct documents *documents = &recalling->documents;
	const struct recall_document *own = &documents->documents[turn->id - documents->first];
	for (size_t i = 0; i < recall->given_count && turn->text.size >= LEAST_REPEATED; i++) {
		uint64_t place = recall->given[i] - documents->first;
		struct stored_turn given;
		if (place >= documents->count || documents->documents[place].role != own->role ||
		    documents->documents[place].words != own->words)
			continue;
		if (recalling->given_hashes[i] == 0 &&
		    find_given(recalling, recall->given[i], &given))
			recalling->given_hashes[i] = given.turn.hash;
		if (recalling->given_hashes[i] == turn->hash)
			return true;
	}
	return false;
}

static void take_turns(struct recalling *recalling, size_t count)
{
	const struct memory *memory = &recalling->memory;
	const struct recall *recall = recalling->recall;
	struct recall_result *result = recalling->result;
	struct turn_list list = {.sessionless = true};
	result->scores = arena_alloc(memory->arena, count * sizeof(*result->scores));
	recalling->given_hashes = arena_alloc(
		recalling->scratch.arena, recall->given_count * sizeof(*recalling->given_hashes));
	size_t read = 0;
	for (size_t i = 0; i < count && list.count < STORE_MAX_RECALLED; i++) {
		struct stored_turn stored;
		uint64_t id = recalling->documents.first + recalling->hits[i].document;
		if (read >= recall->text_limit)
			break;
		if (ids_hold(recall->given, recall->given_count, id) ||
		    !find_hit(recalling, i, &stored) || !may_take(recall, &stored.turn))
			continue;
		if (is_repeated(&list, &stored.turn) || is_given(recalling, &stored.turn)) {
			read += COPY_COST;
			continue;
		}
		read += stored.turn.text.size;
		if (!turn_list_add(&list, memory, &stored.turn))
			break;
		struct turn *taken = &list.turns[list.count - 1];
		taken->text = arena_copy(memory->arena, taken->text);
		result->scores[list.count - 1] = recalling->hits[i];
	}
	result->turns = list.turns;
	result->count = list.count;
}

static void recall_turns(struct recalling *recalling)
{
	documents_read(&recalling->scratch, &recalling->documents);
	recalling->result->ranked = recalling->documents.live;
	if (recalling->documents.count == 0)
		return;
	leave_out_carried(recalling);
	size_t count = rank(recalling);
	prepare_look_up(recalling, count);
	take_turns(recalling, count);
	scan_end(&recalling->turns);
}

enum store_result store_recall(struct store *store, const struct recall *recall,
			       struct recall_result *recalled, struct arena *arena)
{
	struct transaction transaction;
	struct arena scratch = {0};
	struct recalling recalling = {
		.memory = {&transaction, recall->user, arena},
		.scratch = {&transaction, recall->user, &scratch},
		.in_map = {&transaction, recall->user, NULL},
		.recall = recall,
		.result = recalled,
	};
	*recalled = (struct recall_result){0};
	if (transaction_begin_read(&transaction, store)) {
		recall_turns(&recalling);
		transaction_abort(&transaction);
	}
	arena_finish(&scratch);
	return transaction.result;
}
