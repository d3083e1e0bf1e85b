/* Items, of which a Responses request and its reply consist. */
#ifndef RECALLD_CORE_DIALECT_RESPONSES_ITEMS_H
#define RECALLD_CORE_DIALECT_RESPONSES_ITEMS_H

#include "core/json/json.h"

/* An item of `input` or `output`, by its type. */
enum response_kind {
	RESPONSE_MESSAGE,
	RESPONSE_SETUP,  /* tools and settings in the place of a message */
	RESPONSE_SILENT, /* made by the model, without words: reasoning, a server's own call */
	RESPONSE_CALL,   /* of a tool that the client runs */
	RESPONSE_OUTPUT, /* of such a tool */
	RESPONSE_NAME,   /* the id of an item that the provider keeps, in the place of the item */
	RESPONSE_OTHER,
};

/* The members of an item that are read. */
enum { ITEM_TYPE, ITEM_ROLE, ITEM_CONTENT, ITEM_PHASE, ITEM_CALL_ID, ITEM_ID, ITEM_MEMBERS };
extern const char *const response_item_members[ITEM_MEMBERS];

/* Without a type it is a message if it has a role. */
enum response_kind response_kind_of(struct slice json, const struct json_value *members);
/* Whether that is the message that ends a turn, not one on the way to it. */
bool response_is_final(struct slice json, const struct json_value *members);
/* The id by which a call's output names it; empty: none. */
struct slice response_call_id(struct slice json, const struct json_value *members,
			      struct arena *arena);

/* A part of a message's content. */
enum response_part {
	PART_TEXT,
	PART_REFUSAL,
	PART_OTHER, /* images, files */
};
/* Sets the string that it says. */
enum response_part response_read_part(struct slice json, struct json_value part,
				      struct json_value *said);

#endif
