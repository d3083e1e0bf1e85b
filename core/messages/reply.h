/* A Messages reply, and the errors that we say in its form. */
#ifndef RECALLD_CORE_MESSAGES_REPLY_H
#define RECALLD_CORE_MESSAGES_REPLY_H

#include "core/dialect/answer.h"
#include "core/dialect/dialect.h"

/* As in struct dialect. */
enum terminal messages_match_terminal(const struct event_head *head);
void messages_add(struct answer *answer, struct slice event, struct slice json);
void messages_error_body(struct buffer *out, int status, const char *code, struct slice message);
void messages_error_event(struct buffer *out, int64_t sequence, int status, const char *code,
			  struct slice message);

#endif
