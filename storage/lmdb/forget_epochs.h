/* Tickets: who was forgotten since a request read what it knows.
 *
 * A ticket is the count of forgettings at the time of reading. The table remembers at which count a
 * user was marked, for as many users as it holds; for those that fell out it says yes to any ticket
 * older than the fall, so that what was forgotten never comes back. Belongs to the writer thread.
 */
#ifndef RECALLD_STORAGE_LMDB_FORGET_EPOCHS_H
#define RECALLD_STORAGE_LMDB_FORGET_EPOCHS_H

#include "storage/store.h"

struct tickets;

/* `capacity` is a power of two. */
struct tickets *tickets_create(uint32_t capacity);
void tickets_destroy(struct tickets *tickets);

void tickets_mark(struct tickets *tickets, struct user_key user, uint64_t at);
/* Whether the user was marked after the ticket was given out. */
bool tickets_marked_since(const struct tickets *tickets, struct user_key user, uint64_t ticket);

#endif
