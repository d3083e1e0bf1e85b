/* The items of a Responses request, as its scan comes by them. For responses.c. */
#ifndef RECALLD_CORE_DIALECT_RESPONSES_INPUT_H
#define RECALLD_CORE_DIALECT_RESPONSES_INPUT_H

#include "core/dialect/gather.h"
#include "core/dialect/responses_items.h"

/* Beside those of any item: what a tool gave, and what OpenAI's own clients note of a message's
 * parts. */
enum { ITEM_OUTPUT = ITEM_MEMBERS, ITEM_NOTES, INPUT_MEMBERS };
extern const char *const response_input_members[INPUT_MEMBERS];

struct response_input {
	struct slice body;
	struct arena *arena;
	struct json_value values[INPUT_MEMBERS];
	struct gathering gathering;
	/* The last message of those that the request begins with, when all are the system's; its
	 * content takes the block. */
	struct json_value carrier;
	bool past_system;
	/* For the newest step, while it is the model's: what its text consists of so far. */
	bool in_answer;
	bool is_final;  /* of final messages alone */
	bool is_said;   /* of words, not of refusals */
	bool is_named;  /* of ids in the place of items, of which the last one counts */
	bool is_opaque; /* an item whose tokens are unknown */
	bool is_compaction;
	bool is_compacted;
};

static inline bool response_is_string(struct json_value value)
{
	return value.type == JSON_TYPE_STRING;
}

/* Also true of an empty string, which is not a text, in a request as in a reply. */
static inline bool response_is_blank(struct json_value string)
{
	return !response_is_string(string) || string.end - string.begin == sizeof("\"\"") - 1;
}

/* json_list.take; `cookie` is a struct response_input. */
void response_take_item(void *cookie, struct json_value item);

#endif
