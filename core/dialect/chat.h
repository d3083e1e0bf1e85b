/* Shared by the requests of Chat Completions and of Ollama, whose messages look alike. */
#ifndef RECALLD_CORE_DIALECT_CHAT_H
#define RECALLD_CORE_DIALECT_CHAT_H

#include "core/dialect/dialect.h"
#include "core/dialect/gather.h"

/* The system texts in a list of messages. */
struct chat_lead {
	bool has_system;
	struct json_value content; /* of the first message, if that is a system message */
};

/* A message's members that say what it is. */
struct chat_message {
	struct json_value object, role, content;
};

/* Begins the message's step, by its role; STEP_OTHER: another role, or none. NULL: the request is
 * refused. */
struct step *chat_begin_step(struct gathering *gathering, struct slice body,
			     const struct chat_message *message, struct chat_lead *lead,
			     struct arena *arena);

/* Sets where memory goes in a request whose messages have that lead. */
void chat_set_places(struct request *request, const struct chat_lead *lead);

#endif
