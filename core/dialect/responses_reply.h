/* The replies of the Responses dialect, and the event that we say in it; as in struct dialect. */
#ifndef RECALLD_CORE_DIALECT_RESPONSES_REPLY_H
#define RECALLD_CORE_DIALECT_RESPONSES_REPLY_H

#include "core/dialect/dialect.h"

void responses_add(struct answer *answer, struct slice event, struct slice json);
void responses_end(struct answer *answer);
enum terminal responses_match_terminal(const struct event_head *head);
void responses_error_event(struct buffer *out, int64_t sequence, int status, const char *code,
			   struct slice message);

#endif
