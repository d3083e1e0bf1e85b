/* Mail in a user's message: what others wrote and the user has passed on. */
#ifndef RECALLD_CORE_CLIENTS_MAIL_H
#define RECALLD_CORE_CLIENTS_MAIL_H

#include "core/base/bytes.h"

/* The line that begins at `at`, without its line break, and where the next one begins. */
struct slice mail_line(struct slice text, size_t at, size_t *next);

/* Whether mail begins with the line at `at`: a mark of forwarding, the lines of a head, or "On ...
 * wrote:" with no quoted line behind it. It goes on to the end of the text. */
bool mail_begins(struct slice text, size_t at);

/* Whether the line only says who wrote the quoted lines behind it. */
bool mail_names_writer(struct slice text, size_t at);

/* The end of a letter, from "Dear ..." on a line of its own to "Regards" and the name behind it, or
 * `at` when none begins there. A message that is nothing else is the user's own. `no_end` is set
 * when no letter ends behind `at`, so that it is not looked for again. */
size_t mail_end_of_letter(struct slice text, size_t at, bool *no_end);

#endif
