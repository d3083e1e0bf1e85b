/* store_recall(): finds what bears on a question in one read transaction. */
#include "core/base/ids.h"
#include "storage/access/outdated.h"
#include "storage/index/index.h"
#include "storage/user/memory.h"

/* The data of a hit. */
struct found {
	struct slice value; /* in the map until it is opened; empty: not looked up yet */
	struct slice place; /* its key in the tree, until it is opened */
};

/* A turn that the request is given. */
struct given {
	size_t place;
	uint64_t hash; /* 0: not read yet */
};

struct recalling {
	struct memory memory;  /* copies results into its arena */
	struct memory scratch; /* copies what only ranking needs */
	struct memory in_map;  /* has no arena: its values stay in the map */
	const struct recall *recall;
	struct documents documents;
	const struct recall_postings *postings;
	const float *similarities;
	const struct recall_hit *hits;
	uint32_t *ranks;     /* for each document, the rank of its hit, from 1; 0: not a hit */
	struct found *found; /* for each hit */
	struct scan turns;
	struct given *given;
	size_t given_count;
	struct recall_result *result;
	struct outdated outdated;
};

/* Excludes the turns that the request carries, and returns how many. Turns that it is given stay
 * in: they lift their neighbours, and the next of these may be what is asked for now. */
static size_t leave_out_carried(struct recalling *recalling)
{
	const struct recall *recall = recalling->recall;
	struct documents *documents = &recalling->documents;
	size_t left_out = 0;
	for (size_t i = 0; recall->conversation != 0 && i < documents->count; i++) {
		struct recall_document *document = &documents->documents[i];
		bool is_of_this = document->conversation == recall->conversation;
		bool is_carried = is_of_this && recall->carried_from != UINT32_MAX &&
				  document->ordinal >= recall->carried_from;
		if (!is_carried && (!recall->only_conversation || is_of_this))
			continue;
		left_out += document->is_live;
		document->is_live = 0;
	}
	return left_out;
}

/* The hints by document. */
static const struct recall_hint *place_hints(const struct recalling *recalling, size_t *count)
{
	const struct recall *recall = recalling->recall;
	struct recall_hint *hints =
		arena_alloc(recalling->scratch.arena, recall->hint_count * sizeof(*hints));
	*count = 0;
	for (size_t i = 0; i < recall->hint_count; i++) {
		size_t place;
		if (documents_place(&recalling->documents, recall->hints[i].document, &place))
			hints[(*count)++] = (struct recall_hint){place, recall->hints[i].score};
	}
	return hints;
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
		.whole = {documents->total, documents->turns, documents->sample,
			  documents->sample_count},
		.postings = recalling->postings,
		.similarities = recalling->similarities,
	};
	corpus.successors = outdated_place(&recalling->outdated, documents, &corpus.successor_count,
					   scratch->arena);
	corpus.hints = place_hints(recalling, &corpus.hint_count);
	size_t limit = STORE_MAX_RECALLED + recall->given_count + recall->carried.count;
	if (limit > documents->count)
		limit = documents->count;
	struct recall_hit *hits = arena_alloc(scratch->arena, limit * sizeof(*hits));
	recalling->hits = hits;
	return recall_rank(question, &corpus, hits, limit, scratch->arena);
}

/* ---- some documents of a long memory ---- */

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
	return key_read_u64(key, KEY_TURN_AT);
}

/* The oldest current turn of a period; the table descends. */
static bool find_oldest(const struct memory *memory, const struct recall_period *period,
			uint64_t *turn)
{
	struct key user = memory_key(memory);
	struct scan scan;
	bool found = scan_first_at(&scan, memory->transaction, TABLE_TURN_TIMES, user,
				   key_u64(key_time(user, period->from - 1), UINT64_MAX), BACKWARD);
	if (found)
		*turn = turn_of(scan.at);
	return found;
}

/* The newest turns of a period. Returns the newest; 0: there is none. */
static uint64_t want_newest(struct narrowing *narrowing, const struct recall_period *period)
{
	const struct memory *memory = narrowing->memory;
	struct key user = memory_key(memory);
	uint64_t newest = 0;
	struct scan scan;
	scan_begin_at(&scan, memory->transaction, TABLE_TURN_TIMES, user,
		      key_u64(key_time(user, period->until - 1), UINT64_MAX), FORWARD);
	for (int i = 0; i < MOST_OF_PERIOD && scan_step(&scan) &&
			key_read_time(scan.at, KEY_ID_AT) >= period->from;
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
	return scan_first(&scan, memory->transaction, TABLE_EXCHANGES,
			  memory_conversation_key(memory, conversation), FORWARD)
		       ? key_read_u64(scan.at, KEY_EXCHANGE_AT)
		       : 0;
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

/* Reads the documents that bear on the question most and those around them: `most` by its words,
 * and what the recall, the periods and the ended facts name. False: more would match by their
 * words. */
static bool narrow_documents(const struct memory *memory, const struct recall *recall,
			     const struct outdated *outdated,
			     const struct recall_postings *postings, size_t most,
			     struct documents *documents)
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

/* ---- reading the documents ---- */

/* Far more than are given, as the lengths of turns, their neighbours and speakers change the order.
 */
enum { CANDIDATES = 256, MORE_CANDIDATES = 8 };

static void read_all(struct recalling *recalling)
{
	const struct memory *scratch = &recalling->scratch;
	const struct recall_question *question = recalling->recall->question;
	documents_read(scratch, &recalling->documents);
	recalling->result->ranked = recalling->documents.live;
	(void)leave_out_carried(recalling);
	recalling->postings = postings_of(scratch, &recalling->documents, question);
	recalling->similarities = vectors_compare(scratch, question, &recalling->documents);
}

/* If most of what was read is carried, it may have kept others out. */
static void read_narrow(struct recalling *recalling)
{
	const struct memory *scratch = &recalling->scratch;
	const struct recall *recall = recalling->recall;
	struct documents *documents = &recalling->documents;
	struct recall_postings *all = postings_of(scratch, documents, recall->question);
	size_t most = CANDIDATES;
	bool has_all;
	size_t left_out;
	do {
		has_all = narrow_documents(scratch, recall, &recalling->outdated, all, most,
					   documents);
		left_out = leave_out_carried(recalling);
		most *= MORE_CANDIDATES;
	} while (!has_all && left_out > documents->live / 2);
	recalling->result->ranked = documents->live;
	recalling->postings =
		postings_narrow(all, recall->question->terms.count, documents, scratch->arena);
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
	if (end > documents->count)
		end = documents->count;
	bool found = scan_find(turns, key_u64(turns->prefix, documents_turn(documents, document)));
	while (found) {
		recalling->found[hit] = (struct found){turns->value, turns->place};
		if (++document == end || recalling->ranks[document] == 0)
			return;
		hit = recalling->ranks[document] - 1;
		found = recalling->found[hit].value.size == 0 && scan_step(turns) &&
			key_read_u64(turns->at, KEY_ID_AT) == documents_turn(documents, document);
	}
}

static void prepare_look_up(struct recalling *recalling, size_t count)
{
	const struct memory *scratch = &recalling->scratch;
	recalling->ranks =
		arena_alloc(scratch->arena, recalling->documents.count * sizeof(*recalling->ranks));
	recalling->found = arena_alloc(scratch->arena, count * sizeof(*recalling->found));
	for (size_t i = 0; i < count; i++)
		recalling->ranks[recalling->hits[i].document] = (uint32_t)i + 1;
	scan_begin(&recalling->turns, scratch->transaction, TABLE_TURNS, key_of_user(scratch->user),
		   FORWARD);
	recalling->turns.opens_none = true;
}

/* The best hits are read twice, but opened once. */
static bool find_hit(struct recalling *recalling, size_t hit, struct stored_turn *stored)
{
	struct transaction *transaction = recalling->in_map.transaction;
	struct found *found = &recalling->found[hit];
	uint64_t id = documents_turn(&recalling->documents, recalling->hits[hit].document);
	if (found->value.size == 0)
		look_up(recalling, hit);
	*stored = (struct stored_turn){.turn.id = id};
	if (found->value.size == 0)
		return false;
	if (found->place.size > 0)
		found->value =
			transaction_open(transaction, TABLE_TURNS, found->place, found->value);
	found->place.size = 0;
	return table_decode(transaction, found->value, stored_turn_fields, stored, NULL);
}

/* ---- what the request says already ---- */

/* How many of the best hits it does not say are looked at. */
enum { MOST_NEWS = 8 };

/* A question that was asked before matches itself best, and so well that what answers it would
 * count as unrelated. Only the texts show that the request says them. Returns whether any did. */
static bool leave_out_told(struct recalling *recalling, size_t count)
{
	bool is_any = false;
	size_t news = 0;
	for (size_t i = 0; i < count && news < MOST_NEWS; i++) {
		struct stored_turn stored;
		if (!find_hit(recalling, i, &stored) ||
		    !turn_is_told_in(&stored.turn, &recalling->recall->carried)) {
			news++;
			continue;
		}
		recalling->documents.documents[recalling->hits[i].document].is_live = 0;
		is_any = true;
	}
	return is_any;
}

static size_t rank_news(struct recalling *recalling)
{
	size_t count = rank(recalling);
	prepare_look_up(recalling, count);
	if (!leave_out_told(recalling, count))
		return count;
	scan_end(&recalling->turns);
	count = rank(recalling);
	prepare_look_up(recalling, count);
	return count;
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
static bool find_given(struct recalling *recalling, size_t place, struct stored_turn *stored)
{
	uint64_t id = documents_turn(&recalling->documents, place);
	uint32_t rank = recalling->ranks[place];
	return rank > 0 ? find_hit(recalling, rank - 1, stored)
			: memory_find_turn(&recalling->in_map, &recalling->turns, id, stored);
}

static void place_given(struct recalling *recalling)
{
	const struct recall *recall = recalling->recall;
	recalling->given = arena_alloc(recalling->scratch.arena,
				       recall->given_count * sizeof(*recalling->given));
	for (size_t i = 0; i < recall->given_count; i++) {
		struct given *given = &recalling->given[recalling->given_count];
		*given = (struct given){0};
		recalling->given_count +=
			documents_place(&recalling->documents, recall->given[i], &given->place);
	}
}

/* Whether a turn that the request is already given says the same; reads only those with as many
 * words. */
static bool is_given(struct recalling *recalling, const struct turn *turn, size_t at)
{
	const struct recall_document *documents = recalling->documents.documents;
	for (size_t i = 0; i < recalling->given_count && turn->text.size >= LEAST_REPEATED; i++) {
		struct given *given = &recalling->given[i];
		struct stored_turn stored;
		if (documents[given->place].role != documents[at].role ||
		    documents[given->place].words != documents[at].words)
			continue;
		if (given->hash == 0 && find_given(recalling, given->place, &stored))
			given->hash = stored.turn.hash;
		if (given->hash == turn->hash)
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
	place_given(recalling);
	size_t read = 0;
	for (size_t i = 0; i < count && list.count < STORE_MAX_RECALLED; i++) {
		struct stored_turn stored;
		uint64_t id = documents_turn(&recalling->documents, recalling->hits[i].document);
		if (read >= recall->text_limit)
			break;
		if (ids_hold(recall->given, recall->given_count, id) ||
		    !find_hit(recalling, i, &stored) || !may_take(recall, &stored.turn))
			continue;
		if (is_repeated(&list, &stored.turn) ||
		    is_given(recalling, &stored.turn, recalling->hits[i].document)) {
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
	const struct memory *scratch = &recalling->scratch;
	struct documents *documents = &recalling->documents;
	documents_find(scratch, documents);
	if (documents->total == 0)
		return;
	outdated_read(scratch, &recalling->outdated);
	outdated_follow(scratch, &recalling->outdated);
	/* All vectors are compared anyway. */
	if (documents->total <= NARROW_FROM ||
	    vectors_can_compare(scratch, recalling->recall->question))
		read_all(recalling);
	else
		read_narrow(recalling);
	if (documents->count == 0)
		return;
	take_turns(recalling, rank_news(recalling));
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
