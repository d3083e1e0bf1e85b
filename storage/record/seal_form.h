/* The form of keys and values in an encrypted store: which tables hold words, and are sealed; and
 * where keys and short records hold hashes, which are masked.
 *
 * | | key | value |
 * | --- | --- | --- |
 * | all tables of users | the user is hidden | |
 * | turns, summaries, users, conversations, frozen, replays, links, jobs, documents, vectors,
 *   settings, tombstones | | sealed |
 * | receipts | | the user, hidden; the rest is sealed |
 * | facts | | sealed, and the state once more in the clear, as the last byte |
 * | answers | the answer's hash is masked | the question's hash is masked |
 * | exchanges | | the question's hash is masked |
 * | sessions, links, tombstones | the digest is masked | |
 * | terms, postings | clear here: the index hashes words with sealer_hash() first | |
 * | the rest | | clear: numbers and times |
 *
 * A user's settings may be put in the clear, once they hold no words: they outlive the user's keys.
 * Marks in TABLE_META end with their user. */
#ifndef RECALLD_STORAGE_RECORD_SEAL_FORM_H
#define RECALLD_STORAGE_RECORD_SEAL_FORM_H

#include "storage/record/key.h"
#include "storage/record/seal.h"

/* Between a key as the table's users know it and as it is stored, in place. Begins the user's keys;
 * without them what would be masked stays, and is not found. A part of a key is turned as far as
 * its fields are whole. */
void form_hide_key(struct sealer *sealer, enum table table, struct key *key);
void form_show_key(struct sealer *sealer, enum table table, struct key *key);

/* Gives the user of a record that is put keys, if it needs them. `value` tells whose a receipt is.
 * False, with errno set: they cannot be written. */
bool form_begin_put(struct sealer *sealer, enum table table, const struct key *key,
		    struct slice value);

/* `place` is the record's key in the tree. The result is in the sealer's room, or is `value` itself
 * where it stays clear. */
struct slice form_seal(struct sealer *sealer, enum table table, struct slice place,
		       struct slice value);
/* Empty: it cannot be opened. */
struct slice form_open(struct sealer *sealer, enum table table, struct slice place,
		       struct slice value);
/* The size of a value of a table that is sealed whole, before it is opened. */
size_t form_opened_size(enum table table, struct slice place, struct slice value);
/* Whose keys a record needs, by its key and value as they are stored. False: nobody's. */
bool form_owner(enum table table, struct slice key, struct slice value, struct user_key *hidden);
/* Whose a receipt is, as the store has it: hidden where it is sealed. False: it is no receipt. */
bool form_receipt_owner(struct slice value, bool is_sealed, struct user_key *user);
/* Whether a user's settings need the user's keys. */
bool form_needs_keys(struct slice settings);

#endif
