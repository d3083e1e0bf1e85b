#include "storage/user/import_history.h"

#include "storage/files/erasures.h"

/* Nobody knows when a history was said: what was ever erased of it stays erased. */
static bool was_erased(const struct history_import *import, const struct imported_turn *turn)
{
	return erasures_hold_turn(import->memory->transaction->store->erasures,
				  import->memory->user, turn->hash, INT64_MIN);
}

static void hide(struct stored_turn *turn)
{
	turn->turn.state = TURN_HIDDEN;
	turn->turn.text = (struct slice){0};
	turn->learn = false;
}

/* Borrows the text. */
static struct stored_turn past_turn(const struct imported_turn *imported, uint32_t conversation,
				    uint32_t ordinal, bool learn)
{
	return (struct stored_turn){
		.turn = {.conversation = conversation,
			 .ordinal = ordinal,
			 .role = imported->role,
			 .complete = true,
			 .created_at = imported->created_at,
			 .utc_offset = imported->utc_offset,
			 .hash = imported->hash,
			 .text = imported->text},
		.learn = learn,
	};
}

/* An exchange that was erased keeps its place, without its texts. False: it was. */
static bool import_exchange(const struct history_import *import, const struct imported_turn *asked,
			    const struct imported_turn *answered, uint32_t ordinal)
{
	struct stored_turn user_turn =
		past_turn(asked, import->conversation, ordinal, import->learn);
	struct stored_turn answer =
		past_turn(answered, import->conversation, ordinal, import->learn);
	bool is_erased = was_erased(import, asked) || was_erased(import, answered);
	if (is_erased) {
		hide(&user_turn);
		hide(&answer);
	}
	journal_add_turn(import->memory, import->user, &user_turn);
	answer.turn.exchange = user_turn.turn.id;
	journal_add_turn(import->memory, import->user, &answer);
	struct stored_exchange exchange = {.answer = answer.turn.id, .user_hash = asked->hash};
	memory_put_exchange(import->memory, &user_turn.turn, &exchange);
	journal_fingerprint_answer(import->memory, answered->hash, import->conversation, ordinal,
				   (struct stored_answer){.user_hash = asked->hash});
	return !is_erased;
}

size_t import_history(const struct history_import *import, const struct imported_turn *turns,
		      size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i + 1 < count; i += 2)
		kept += import_exchange(import, &turns[i], &turns[i + 1], (uint32_t)(i / 2));
	return 2 * kept;
}
