#include "storage/index/turn_index.h"

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

void index_erase_turn(const struct memory *memory, uint64_t id)
{
	struct arena scratch = {0};
	const struct memory own = {memory->transaction, memory->user, &scratch};
	struct document_block block;
	struct stored_turn stored;
	struct term_list terms;
	struct recall_document described;
	documents_read_block(memory, id, &block);
	if (memory_turn(&own, id, &stored)) {
		recall_describe(&stored.turn, &described, &terms, &scratch);
		terms_erase(memory, id, &terms);
	}
	*documents_of(&block, id) = (struct recall_document){0};
	documents_put_block(memory, &block);
	vectors_erase(memory, id);
	arena_finish(&scratch);
}
