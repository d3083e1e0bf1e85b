/* Hiding: what the user asked to forget leaves the turns, and all that was made of them. */
#ifndef RECALLD_STORAGE_JOURNAL_ERASE_H
#define RECALLD_STORAGE_JOURNAL_ERASE_H

#include "core/memory/erasure.h"
#include "storage/user/memory.h"

/* One erasure and the memory that it is made in. */
struct hiding {
	const struct memory *memory;
	struct erasure erasure;
};

/* The turns that say a text (terms_say()). A long history takes seconds to search: that is done
 * before the writer is asked, who then looks only through what was said since. */
struct turn_search {
	struct id_list turns;
	uint64_t searched; /* up to this turn */
};

/* Searches the turns after `searched`. */
void turn_search_run(struct turn_search *search, const struct memory *memory, struct slice text);

void hiding_init(struct hiding *hiding, const struct memory *memory);
/* Erases the texts of the exchange's turns, superseded answers included. */
void hide_exchange(struct hiding *hiding, uint64_t exchange);
/* Hides the exchanges of the turns that were found, but for those asked after `until`. */
void hide_found(struct hiding *hiding, const struct turn_search *search, int64_t until);
/* Deletes what was made of what is forgotten: a summary that covers the hidden turns, the quotes of
 * their exchanges, and what requests were given: receipts, frozen contexts and replays. `like`:
 * after which a summary's job is made, where there is none. */
void hiding_finish(struct hiding *hiding, const struct job *like);

#endif
