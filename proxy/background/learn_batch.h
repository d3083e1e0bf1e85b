/* What a facts job works on: one exchange of a user, or several that one call asks about. The
 * answer is then taken for one exchange after the other, each with the facts as the one before left
 * them, so that a crash in between repeats a call and nothing else. On the learner's thread. */
#ifndef RECALLD_PROXY_BACKGROUND_LEARN_BATCH_H
#define RECALLD_PROXY_BACKGROUND_LEARN_BATCH_H

#include "core/learn/learn.h"
#include "proxy/config/config.h"
#include "storage/store.h"

/* The most exchanges of one call: [memory] learn_batch. */
enum { LEARN_BATCH_MOST = 16 };

struct learn_batch {
	struct store *store;
	struct user_key user;
	const struct config *config;
	const struct config_memory *settings;
	uint64_t exchanges[LEARN_BATCH_MOST];
	size_t count;
	size_t at;                                 /* the exchange that is learned from */
	struct job_input inputs[LEARN_BATCH_MOST]; /* of the exchanges; in the arena, like the
						      answers */
	unsigned questions;                        /* LEARN_ASK_*: what is still to be asked */
	struct slice answers[2];                   /* to what was */
	size_t answer_count;
	const struct learn_entries *entries; /* what they say; NULL: not parsed yet */
	struct learning learning;            /* what exchange `at` changes */
	size_t kept;                         /* entries that exchanges learned from */
};

/* Reads the exchanges, and leaves those for another call that do not go with the first. False: the
 * first cannot be read. */
bool learn_batch_read(struct learn_batch *batch, struct arena *arena);
/* Whether there is something to ask; `prompt` then receives the next question. */
bool learn_batch_ask(struct learn_batch *batch, struct learn_prompt *prompt, struct arena *arena);
void learn_batch_note_answer(struct learn_batch *batch, struct slice answer);

/* Works out what exchange `at` changes. False: an answer is not usable. */
bool learn_batch_take(struct learn_batch *batch, struct arena *arena);
/* Reads it once more, with the facts as they are by now. False: it is gone. */
bool learn_batch_read_anew(struct learn_batch *batch, struct arena *arena);
/* Counts what it changed if that is stored, and goes on to the next exchange that is still there.
 * False: there is none. */
bool learn_batch_next(struct learn_batch *batch, bool is_stored, struct arena *arena);

#endif
