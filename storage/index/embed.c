/* store_unembedded() and store_embedded(): which turns still need a vector, and storing the vectors
 * that arrived. */
#include "core/base/utf8.h"
#include "core/recall/recall.h"
#include "storage/index/index.h"
#include "storage/lmdb/writer.h"

#include <string.h>

enum { TEXT_LIMIT = 8 * 1024 };

/* ---- which want one ---- */

/* Walks the current turns that have no vector and are not known to get none. */
struct search {
	const struct memory *memory;
	size_t dimensions;
	uint64_t turn; /* the next one to check */
	uint64_t end;
	struct document_block block;
};

static void search_begin(struct search *search, const struct memory *memory,
			 const struct stored_embedding *embedding)
{
	uint64_t first;
	*search = (struct search){.memory = memory, .dimensions = embedding->dimensions};
	if (!documents_range(memory, &first, &search->end))
		return;
	search->turn = embedding->next > first ? embedding->next : first;
	documents_read_block(memory, search->turn, &search->block);
}

static bool search_next(struct search *search, uint64_t *turn)
{
	while (search->turn < search->end) {
		*turn = search->turn++;
		if (*turn >= search->block.first + DOCUMENT_BLOCK)
			documents_read_block(search->memory, *turn, &search->block);
		if (documents_of(&search->block, *turn)->is_live &&
		    !vectors_have(search->memory, *turn, search->dimensions))
			return true;
	}
	return false;
}

static size_t read_unembedded(const struct memory *memory, struct slice model, struct turn *turns,
			      size_t limit)
{
	/* Texts are checked in the map and copied only as far as needed. */
	const struct memory in_map = {memory->transaction, memory->user, NULL};
	struct stored_embedding embedding;
	struct search search;
	size_t count = 0;
	uint64_t id;
	if (!vectors_embedding(memory, &embedding) || !slice_equal(embedding.model, model))
		embedding = (struct stored_embedding){0};
	search_begin(&search, memory, &embedding);
	while (count < limit && search_next(&search, &id)) {
		struct stored_turn stored;
		if (!memory_turn(&in_map, id, &stored))
			continue;
		turns[count] = stored.turn;
		turns[count++].text =
			arena_copy(memory->arena, utf8_cut(stored.turn.text, TEXT_LIMIT));
	}
	return count;
}

enum store_result store_unembedded(struct store *store, struct user_key user, struct slice model,
				   size_t limit, struct unembedded *unembedded, struct arena *arena)
{
	struct transaction transaction;
	const struct memory memory = {&transaction, user, arena};
	size_t most = limit < MEMORY_MAX_TURNS ? limit : MEMORY_MAX_TURNS;
	*unembedded = (struct unembedded){.turns = arena_alloc(arena, most * sizeof(struct turn))};
	if (transaction_begin_read(&transaction, store)) {
		unembedded->count = read_unembedded(&memory, model, unembedded->turns, most);
		transaction_abort(&transaction);
	}
	return transaction.result;
}

/* ---- those that came ---- */

struct embedded_operation {
	struct operation operation;
	struct slice model;
	size_t dimensions; /* 0: no vectors came, only the news that there are none */
	const struct embedded_turn *turns;
	size_t count;
};

/* Replaces the model: vectors of any other are deleted. */
static void take_embedding(const struct memory *memory, const struct embedded_operation *own,
			   struct stored_embedding *embedding)
{
	bool same_model =
		vectors_embedding(memory, embedding) && slice_equal(embedding->model, own->model);
	bool same_dimensions = own->dimensions == 0 || embedding->dimensions == own->dimensions;
	if (same_model && same_dimensions)
		return;
	(void)table_delete_all(memory->transaction, TABLE_VECTORS, memory_key(memory));
	/* Turns that get no vector do not depend on dimensions while no turn has one. */
	bool none_yet = same_model && embedding->dimensions == 0;
	*embedding = (struct stored_embedding){.model = own->model,
					       .dimensions = (uint32_t)own->dimensions,
					       .next = none_yet ? embedding->next : 0};
}

static void put_vectors(const struct memory *memory, const struct embedded_operation *own,
			size_t dimensions)
{
	struct document_block block;
	for (size_t i = 0; i < own->count; i++) {
		uint64_t turn = own->turns[i].turn;
		if (i == 0 || turn / DOCUMENT_BLOCK != block.first / DOCUMENT_BLOCK)
			documents_read_block(memory, turn, &block);
		if (documents_of(&block, turn)->is_live)
			vectors_put(memory, turn, own->turns[i].vector, dimensions);
	}
}

static void keep_vectors(const struct memory *memory, const struct embedded_operation *own)
{
	struct stored_embedding embedding;
	struct search search;
	take_embedding(memory, own, &embedding);
	put_vectors(memory, own, embedding.dimensions);
	search_begin(&search, memory, &embedding);
	if (!search_next(&search, &embedding.next))
		embedding.next = search.turn;
	vectors_put_embedding(memory, &embedding);
}

static enum store_result run_embedded(struct operation *operation, const struct memory *memory)
{
	struct embedded_operation *own = (struct embedded_operation *)operation;
	uint64_t first;
	uint64_t end;
	if (own->dimensions > VECTOR_MAX_DIMENSIONS)
		return STORE_FAILED;
	bool known = documents_range(memory, &first, &end);
	if (known)
		keep_vectors(memory, own);
	return known ? STORE_OK : STORE_STALE;
}

static void copy_turns(struct embedded_operation *own, const struct embedded_turn *turns,
		       size_t dimensions)
{
	struct operation *operation = &own->operation;
	struct embedded_turn *copies =
		operation_copy(operation, turns, own->count * sizeof(*turns));
	for (size_t i = 0; i < own->count; i++) {
		if (copies[i].vector == NULL)
			continue;
		copies[i].vector = operation_copy(operation, copies[i].vector, dimensions);
		own->dimensions = dimensions;
	}
	own->turns = copies;
}

struct store_call *store_embedded(struct store *store, struct user_key user, struct slice model,
				  size_t dimensions, const struct embedded_turn *turns,
				  size_t count, struct store_waiter waiter)
{
	struct embedded_operation *own = operation_create(sizeof(*own), run_embedded, &user);
	own->operation.grows = true;
	own->model = operation_slice(&own->operation, model);
	own->count = count;
	copy_turns(own, turns, dimensions);
	return writer_submit(store->writer, &own->operation, waiter);
}
