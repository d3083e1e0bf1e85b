/* Mail in a user's message: text by others that the user passes on. */
#ifndef RECALLD_CORE_CLIENTS_MAIL_H
#define RECALLD_CORE_CLIENTS_MAIL_H

#include "core/base/bytes.h"

/* The line that begins at `at`, without its line break, and where the next one begins. */
struct slice mail_line(struct slice text, size_t at, size_t *next);

/* Whether mail begins with the line at `at`: a forwarding mark, header lines, or "On ... wrote:"
 * without a quoted line after it. The mail extends to the end of the text. */
bool mail_begins(struct slice text, size_t at);

/* Whether the line only says who wrote the quoted lines after it. */
bool mail_names_writer(struct slice text, size_t at);

/* The end of a letter, from "Dear ..." on its own line to "Regards" and the name after it; `at` if
 * none begins there. A message that is nothing but a letter is the user's own. Sets `no_end` if no
 * letter ends after `at`, so that the caller need not search again. */
size_t mail_end_of_letter(struct slice text, size_t at, bool *no_end);

#endif
