#include "storage/journal/import_history.h"

static struct stored_turn new_turn(const struct history_import *import,
				   const struct imported_turn *imported, uint32_t ordinal)
{
	return (struct stored_turn){
		.turn = {.conversation = import->conversation,
			 .ordinal = ordinal,
			 .role = imported->role,
			 .complete = true,
			 .created_at = imported->created_at,
			 .hash = imported->hash,
			 .text = imported->text},
		.learn = import->learn,
	};
}

static void import_exchange(const struct history_import *import, const struct imported_turn *asked,
			    const struct imported_turn *answered, uint32_t ordinal)
{
	struct stored_turn user_turn = new_turn(import, asked, ordinal);
	struct stored_turn answer = new_turn(import, answered, ordinal);
	journal_add_turn(import->memory, import->user, &user_turn);
	answer.turn.exchange = user_turn.turn.id;
	journal_add_turn(import->memory, import->user, &answer);
	struct stored_exchange exchange = {.answer = answer.turn.id, .user_hash = asked->hash};
	memory_put_exchange(import->memory, &user_turn.turn, &exchange);
	journal_fingerprint_answer(import->memory, answered->hash, import->conversation, ordinal,
				   (struct stored_answer){.user_hash = asked->hash});
}

size_t import_history(const struct history_import *import, const struct imported_turn *turns,
		      size_t count)
{
	for (size_t i = 0; i + 1 < count; i += 2)
		import_exchange(import, &turns[i], &turns[i + 1], (uint32_t)(i / 2));
	return count / 2 * 2;
}
