/* Writes a history that memory does not hold yet into the journal, together with the exchange that
 * brought it: as the conversation's first exchanges, from which no facts are learned. */
#ifndef RECALLD_STORAGE_USER_IMPORT_HISTORY_H
#define RECALLD_STORAGE_USER_IMPORT_HISTORY_H

#include "storage/user/journal.h"

/* Where the imported exchanges go. */
struct history_import {
	const struct memory *memory;
	struct stored_user *user;
	uint32_t conversation;
	bool learn; /* include them in the summary */
};

/* Imports user turns, each followed by its answer, at the ordinals from 0 on. Returns how many
 * turns have a text: what was erased before keeps only its place. */
size_t import_history(const struct history_import *import, const struct imported_turn *turns,
		      size_t count);

#endif
