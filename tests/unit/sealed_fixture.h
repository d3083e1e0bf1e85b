/* Shared by the tests of an encrypted store: a store in which something was said and learned, its
 * files, and what can be read of it. */
#ifndef RECALLD_TESTS_SEALED_FIXTURE_H
#define RECALLD_TESTS_SEALED_FIXTURE_H

#include "storage/rights.h"
#include "tests/unit/store_fixture.h"

enum { MAP = 64 * 1024 * 1024, SEALED_TEXT_LIMIT = 1 << 24 };

/* Not the key with which the tests' stores are encrypted. */
extern const unsigned char sealed_wrong_key[STORE_KEY_SIZE];

/* As fixture_init(), whatever the environment says of ENCRYPTED; it says so from then on. */
void sealed_begin(struct fixture *fixture);
void sealed_begin_clear(struct fixture *fixture);

/* An exchange of the user in "session-of-bergamot". */
void sealed_say(struct fixture *fixture, const char *user, const char *said, uint64_t receipt);
/* Alex and ben talk of Bergamot and Quillon, with a fact and a summary of alex. */
void sealed_fill(struct fixture *fixture);
/* Says so much more that alex's terms move into postings. */
void sealed_fill_postings(struct fixture *fixture);
void sealed_put_settings(struct fixture *fixture,
			 const struct user_settings *settings); /* alex's */

/* ---- its files ---- */

/* The path of a file of the store's folder. */
void sealed_path(const struct fixture *fixture, const char *name, char path[128]);
/* The caller frees the bytes. */
char *sealed_read_file(const struct fixture *fixture, const char *name, size_t *size);
void sealed_write_file(const struct fixture *fixture, const char *name, const char *bytes,
		       size_t size);
bool sealed_file_has(const struct fixture *fixture, const char *name, const void *bytes,
		     size_t size);
/* Whether a file shows a word of what sealed_fill() wrote, or who knows it: the hash of a turn, of
 * a session, of a user. */
bool sealed_shows_anything(const struct fixture *fixture);
size_t sealed_count_keys(const struct fixture *fixture); /* users in its file of keys */

/* ---- the store ---- */

/* Opens the fixture's store, which is closed, with a key or without one (NULL). NULL: `error` says
 * why it was refused. */
struct store *sealed_open(const struct fixture *fixture, const unsigned char *master,
			  char error[512]);
/* Alex's turns that are recalled for a question, in the fixture's arena. */
struct recall_result sealed_recall(struct fixture *fixture, const char *text);
/* All that a store holds, as text. The caller finishes it. */
struct buffer sealed_picture(struct fixture *fixture);
/* Fails unless the store holds what a picture, which it finishes, shows. */
void sealed_assert_picture(struct fixture *fixture, struct buffer *before);

#endif
