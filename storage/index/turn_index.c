#include "storage/index/turn_index.h"

#include "storage/index/lists.h"
#include "storage/index/vectors.h"

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

void index_shorten_turn(const struct memory *memory, const struct turn *shortened)
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
