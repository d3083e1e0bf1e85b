/* The output items of a response, as its events bring them: text piece by piece, then whole, then
 * all of it once more. For reply.c. */
#ifndef RECALLD_CORE_DIALECT_RESPONSES_OUTPUT_H
#define RECALLD_CORE_DIALECT_RESPONSES_OUTPUT_H

#include "core/dialect/answer.h"

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

#endif
