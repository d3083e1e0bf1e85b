/* A history that memory does not hold yet goes into the journal with the exchange that brought it:
 * as its conversation's first exchanges, of which facts are not learned. */
#ifndef RECALLD_STORAGE_JOURNAL_IMPORT_HISTORY_H
#define RECALLD_STORAGE_JOURNAL_IMPORT_HISTORY_H

#include "storage/journal/journal.h"

/* Where the adopted exchanges go. */
struct history_import {
	const struct memory *memory;
	struct stored_user *user;
	uint32_t conversation;
	bool learn; /* they are to go into the summary */
};

/* Turns of the user and their answers by turns, at the ordinals from 0 on. Returns how many there
 * were. */
size_t import_history(const struct history_import *import, const struct imported_turn *turns,
		      size_t count);

#endif
