/* The parts of the Responses dialect: responses_items.c knows the items of which its requests and
 * replies consist, responses_input.c turns those of a request into steps, responses_output.c keeps
 * those of a reply as its events bring them, responses_reply.c reads the events. Only they and
 * responses.c include this. */
#ifndef RECALLD_CORE_DIALECT_RESPONSES_H
#define RECALLD_CORE_DIALECT_RESPONSES_H

#include "core/dialect/dialect.h"
#include "core/dialect/gather.h"

/* ---- items ---- */

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

/* ---- the items of a request ---- */

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

/* ---- the items of a reply: text piece by piece, then whole, then all of it once more ---- */

struct response_output;

/* `limit` bounds what is kept of the texts; what does not fit is dropped. */
struct response_output *response_output_create(size_t limit);
void response_output_destroy(void *cookie);

/* Replaces all items. */
void response_output_read(struct response_output *output, struct slice json,
			  struct json_value items);
/* Replaces what is known of one item. */
void response_output_set(struct response_output *output, int64_t index, struct slice json,
			 struct json_value object);

/* Where a piece of text belongs. */
struct response_place {
	int64_t item;
	int64_t part;
	bool is_refusal;
};
/* Appends the string, or, if it `replaces` what is there, puts it in its place. */
void response_output_say(struct response_output *output, struct response_place place,
			 struct slice json, struct json_value said, bool replaces);

/* Writes what was finally said and called into the answer. */
void response_output_tell(const struct response_output *output, struct answer *answer);

/* ---- as in struct dialect ---- */

void responses_add(struct answer *answer, struct slice event, struct slice json);
void responses_end(struct answer *answer);
enum terminal responses_match_terminal(const struct event_head *head);
void responses_error_event(struct buffer *out, int64_t sequence, int status, const char *code,
			   struct slice message);

#endif
