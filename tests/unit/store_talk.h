/* Talk of "alex" at random, the same at every run: words of which some are frequent and most are
 * rare, from "wordaa" on. */
#ifndef RECALLD_TESTS_STORE_TALK_H
#define RECALLD_TESTS_STORE_TALK_H

#include "tests/unit/store_oracle.h"

size_t talk_chance(size_t bound); /* less than `bound` */

/* An exchange in one of five conversations; some answers break off. */
void talk_append(struct fixture *fixture, int64_t now);
/* So many turns of one conversation, at most TALK_IMPORT. */
enum { TALK_IMPORT = 1000 };
void talk_import(struct fixture *fixture, size_t count);

/* Some user turn is asked again, or hidden; the oracle looks at what became of it. */
void talk_ask_again(struct oracle *oracle, int64_t now);
void talk_hide(struct oracle *oracle);

/* Asks something, in some conversation, given some turns; as oracle_check(). */
size_t talk_recall(struct oracle *oracle);

#endif
