/* How the elements of a Messages request become steps. */
#ifndef RECALLD_CORE_MESSAGES_STEPS_H
#define RECALLD_CORE_MESSAGES_STEPS_H

#include "core/dialect/gather.h"

enum { MESSAGE_ROLE, MESSAGE_CONTENT, MESSAGE_NAMES };

enum message_role { ROLE_OF_OTHER, ROLE_OF_USER, ROLE_OF_MODEL, ROLE_OF_SYSTEM };

/* The messages, as the scan comes by them. */
struct messages_reading {
	struct slice body;
	struct arena *arena;
	struct json_value values[MESSAGE_NAMES];
	struct gathering gathering;
	struct json_value message; /* that is read */
	enum message_role role;    /* of the newest one */
	bool has_steps;            /* the message has begun one */
	bool has_hidden;           /* something that costs tokens which nobody can estimate */
};

/* Takes the next message, whose members are in `values`; as json_list.take. The step before the
 * first is the system text's. */
void messages_take(void *cookie, struct json_value object);
/* Takes the field of the system text, which is the first step wherever it stands. */
void messages_take_system(struct messages_reading *reading, struct json_value system);

#endif
