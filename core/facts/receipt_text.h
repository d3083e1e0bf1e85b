/* A receipt's texts. It quotes turns without holding their words: its JSON has, instead of a text
 * that holds the beginning of a turn, [what is before it, how many of the turn's bytes, what is
 * behind it], until somebody reads the receipt. */
#ifndef RECALLD_CORE_FACTS_RECEIPT_TEXT_H
#define RECALLD_CORE_FACTS_RECEIPT_TEXT_H

#include "core/base/bytes.h"

/* Writes an item's text; `said` is the text of its turn, or empty. */
void receipt_put_text(struct buffer *out, struct slice text, struct slice said);

/* Finds the text of a turn, which must stay valid until the next call. False: it is gone. */
typedef bool receipt_turn(void *cookie, uint64_t turn, struct slice *said);

/* The receipt's JSON with the words of its turns; the text of one that is gone becomes null, and so
 * do those beyond 16 MB. The text itself if it quotes no turn. */
struct slice receipt_with_turns(struct slice text, receipt_turn *turn, void *cookie,
				struct arena *arena);

/* The receipt's JSON without the texts of one fact or turn ("fact", "turn"): its items keep the id,
 * and their text becomes null. The text itself if it writes none out. */
struct slice receipt_without(struct slice text, const char *kind, uint64_t id, struct arena *arena);

#endif
