#include "storage/index/index.h"

#include <stdlib.h>

static struct key turn_time_key(const struct memory *memory, const struct turn *turn)
{
	return key_u64(key_time(memory_key(memory), turn->created_at), turn->id);
}

bool memory_turn(const struct memory *memory, uint64_t id, struct stored_turn *turn)
{
	*turn = (struct stored_turn){.turn.id = id};
	return memory_read(memory, TABLE_TURNS, memory_id_key(memory, id), stored_turn_fields,
			   turn);
}

bool memory_find_turn(const struct memory *memory, struct scan *turns, uint64_t id,
		      struct stored_turn *turn)
{
	*turn = (struct stored_turn){.turn.id = id};
	if (!scan_find(turns, memory_id_key(memory, id)))
		return false;
	if (turns->opens_none)
		turns->value = scan_open(turns, turns->value);
	return table_decode(memory->transaction, turns->value, stored_turn_fields, turn,
			    memory->arena);
}

bool scan_turn(struct scan *turns, struct stored_turn *turn, struct arena *arena)
{
	const bool found = scan_read(turns, stored_turn_fields, turn, sizeof(*turn), arena);
	turn->turn.id = found ? key_read_u64(turns->at, KEY_ID_AT) : 0;
	return found;
}

/* Neighbours usually belong to one conversation, so the last session is checked first. */
static struct slice session_of(const struct turn_list *list, const struct memory *memory,
			       uint32_t id)
{
	if (list->count > 0 && list->turns[list->count - 1].conversation == id)
		return list->turns[list->count - 1].session;
	struct past_conversation conversation = {0};
	(void)memory_conversation(memory, id, &conversation);
	return conversation.session;
}

bool turn_list_add(struct turn_list *list, const struct memory *memory, const struct turn *turn)
{
	/* A single turn always fits, however long it is. */
	if (list->count > 0 && list->text + turn->text.size > MEMORY_TEXT_LIMIT)
		return false;
	list->turns = arena_grow(memory->arena, list->turns, list->count, &list->capacity,
				 sizeof(*list->turns));
	struct turn *added = &list->turns[list->count];
	*added = *turn;
	if (!list->sessionless)
		added->session = session_of(list, memory, turn->conversation);
	list->count++;
	list->text += turn->text.size;
	return true;
}

void turn_list_add_newest(struct turn_list *list, const struct memory *memory, size_t count)
{
	struct scan times;
	struct scan turns;
	struct key user = memory_key(memory);
	scan_begin(&times, memory->transaction, TABLE_TURN_TIMES, user, BACKWARD);
	scan_begin(&turns, memory->transaction, TABLE_TURNS, user, FORWARD);
	for (size_t i = 0; i < count && scan_step(&times); i++) {
		struct stored_turn stored;
		if (memory_find_turn(memory, &turns, key_read_u64(times.at, 24), &stored) &&
		    !turn_list_add(list, memory, &stored.turn))
			break;
	}
	scan_end(&turns);
	scan_end(&times);
}

static int compare_turns(const void *left, const void *right)
{
	const struct turn *a = left;
	const struct turn *b = right;
	int order = (a->created_at > b->created_at) - (a->created_at < b->created_at);
	return order != 0 ? order : (a->id > b->id) - (a->id < b->id);
}

void turn_list_sort(struct turn_list *list)
{
	if (list->count == 0)
		return;
	qsort(list->turns, list->count, sizeof(*list->turns), compare_turns);
	size_t kept = 1;
	for (size_t i = 1; i < list->count; i++) {
		if (list->turns[i].id != list->turns[kept - 1].id)
			list->turns[kept++] = list->turns[i];
	}
	list->count = kept;
}

/* ---- a turn in the index: its document, its terms and its vector ---- */

static void add_turn(const struct memory *memory, const struct turn *turn,
		     struct recall_document *document)
{
	struct arena scratch = {0};
	struct term_list terms;
	recall_describe(turn, document, &terms, &scratch);
	terms_put(memory, turn->id, &terms);
	arena_finish(&scratch);
}

void index_put_turn(const struct memory *memory, const struct turn *turn)
{
	struct document_block block;
	documents_read_block(memory, turn->id, &block);
	struct recall_document *document = documents_of(&block, turn->id);
	bool is_live = turn->state == TURN_CURRENT && turn->text.size > 0;
	bool is_new = document->conversation == 0;
	if (!is_new && document->is_live == is_live)
		return;
	if (block.is_empty)
		terms_move(memory, block.first);
	if (is_new)
		add_turn(memory, turn, document);
	else if (is_live)
		vectors_miss(memory, turn->id);
	document->is_live = is_live;
	documents_put_block(memory, &block);
}

/* Removes a turn's terms that its shorter text lacks. Their numbers in it may be too high then. */
static void drop_terms(const struct memory *memory, uint64_t id, const struct term_list *terms,
		       const struct term_list *left)
{
	struct term_list gone = *terms;
	gone.count = 0;
	gone.terms = arena_alloc(memory->arena, (terms->count + 1) * sizeof(*gone.terms));
	for (size_t i = 0, j = 0; i < terms->count; i++) {
		const uint64_t hash = terms->terms[i].hash;
		while (j < left->count && left->terms[j].hash < hash)
			j++;
		if (j == left->count || left->terms[j].hash != hash)
			gone.terms[gone.count++] = terms->terms[i];
	}
	if (terms_waits(memory, id)) {
		terms_erase(memory, id, terms);
		terms_put(memory, id, left);
	} else {
		terms_erase(memory, id, &gone);
	}
}

/* Follows a change of the stored text to one that says less; the caller stores it. */
static void shorten_in_index(const struct memory *memory, const struct turn *shortened)
{
	struct arena scratch = {0};
	const struct memory own = {memory->transaction, memory->user, &scratch};
	struct document_block block;
	struct stored_turn stored;
	struct recall_document described;
	struct term_list terms;
	struct term_list left;
	documents_read_block(memory, shortened->id, &block);
	struct recall_document *document = documents_of(&block, shortened->id);
	const bool is_live = document->is_live;
	if (document->conversation != 0 && memory_turn(&own, shortened->id, &stored)) {
		recall_describe(&stored.turn, &described, &terms, &scratch);
		recall_describe(shortened, document, &left, &scratch);
		document->is_live = is_live;
		drop_terms(&own, shortened->id, &terms, &left);
		documents_put_block(memory, &block);
		vectors_erase(memory, shortened->id);
		vectors_miss(memory, shortened->id);
	}
	arena_finish(&scratch);
}

/* ---- turns that go ---- */

enum { MOST_OCCURRENCES = 32 * 1024 };

struct unindexing {
	const struct memory *memory;
	struct document_block block;
	bool has_block;
	struct occurrences gone;
};

static void put_block(struct unindexing *unindexing)
{
	if (unindexing->has_block)
		documents_put_block(unindexing->memory, &unindexing->block);
	unindexing->has_block = false;
}

static struct recall_document *find_document(struct unindexing *unindexing, uint64_t id)
{
	struct document_block *block = &unindexing->block;
	if (unindexing->has_block && block->first == id / DOCUMENT_BLOCK * DOCUMENT_BLOCK)
		return documents_of(block, id);
	put_block(unindexing);
	documents_read_block(unindexing->memory, id, block);
	return documents_of(block, id);
}

static void unindex(struct unindexing *unindexing, uint64_t id)
{
	const struct memory *memory = unindexing->memory;
	struct recall_document *document = find_document(unindexing, id);
	struct arena scratch = {0};
	const struct memory own = {memory->transaction, memory->user, &scratch};
	struct stored_turn stored;
	struct term_list terms;
	struct recall_document described;
	if (document->conversation == 0)
		return; /* it is not in the index */
	if (memory_turn(&own, id, &stored)) {
		recall_describe(&stored.turn, &described, &terms, &scratch);
		terms_take_out(memory, id, &terms, &unindexing->gone);
	}
	*document = (struct recall_document){0};
	unindexing->has_block = true;
	vectors_erase(memory, id);
	arena_finish(&scratch);
}

void memory_unindex_turns(const struct memory *memory, const uint64_t *ids, size_t count)
{
	struct unindexing unindexing = {.memory = memory};
	for (size_t i = 0; i < count; i++) {
		unindex(&unindexing, ids[i]);
		if (unindexing.gone.count > MOST_OCCURRENCES)
			lists_erase(memory, &unindexing.gone);
	}
	put_block(&unindexing);
	lists_erase(memory, &unindexing.gone);
}

/* ---- storing ---- */

void memory_put_turn(const struct memory *memory, struct stored_turn *turn)
{
	struct transaction *transaction = memory->transaction;
	struct key time_key = turn_time_key(memory, &turn->turn);
	/* while its words can still be read */
	if (turn->turn.state == TURN_HIDDEN)
		memory_unindex_turns(memory, &turn->turn.id, 1);
	else
		index_put_turn(memory, &turn->turn);
	table_write(transaction, TABLE_TURNS, memory_id_key(memory, turn->turn.id),
		    stored_turn_fields, turn);
	if (turn->turn.state == TURN_CURRENT)
		table_put(transaction, TABLE_TURN_TIMES, time_key, (struct slice){0});
	else
		(void)table_delete(transaction, TABLE_TURN_TIMES, time_key);
}

void memory_shorten_turn(const struct memory *memory, struct stored_turn *turn)
{
	shorten_in_index(memory, &turn->turn);
	memory_put_turn(memory, turn);
}
