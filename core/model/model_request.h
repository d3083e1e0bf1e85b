/* One request to the memory model in Chat Completions form, for any compatible server: parameters
 * that a server refuses are omitted or renamed, and the caller remembers this as `quirks`. */
#ifndef RECALLD_CORE_MODEL_MODEL_REQUEST_H
#define RECALLD_CORE_MODEL_MODEL_REQUEST_H

#include "core/base/bytes.h"
#include "core/learn/learn.h"

enum model_quirk {
	QUIRK_NO_TEMPERATURE = 1 << 0,
	QUIRK_COMPLETION_TOKENS = 1 << 1, /* max_completion_tokens instead of max_tokens */
	QUIRK_NO_MAX_TOKENS = 1 << 2,
	QUIRK_JSON_SCHEMA = 1 << 3, /* json_schema instead of json_object */
	QUIRK_NO_RESPONSE_FORMAT = 1 << 4,
	QUIRK_NO_SYSTEM = 1 << 5, /* instructions go into the user message */
};

/* Writes the body: temperature 0, not streamed; `json` asks for a JSON object. */
struct slice model_request_body(struct slice model, const struct learn_prompt *prompt, bool json,
				unsigned max_tokens, unsigned quirks, struct arena *arena);

/* After a 400 or 422: returns the quirks to try next, or `quirks` unchanged if nothing is left to
 * give up. The error's message and param decide; if they name nothing known, parameters are given
 * up one by one. */
unsigned model_request_adapt(unsigned quirks, bool json, struct slice error_body);

struct model_answer {
	struct slice text;
	bool cut_off; /* finish_reason: length */
};

/* Reads a reply. False: it has no choice with text. Safe for any input, 10 MB included. */
bool model_answer_read(struct slice body, struct model_answer *answer, struct arena *arena);

#endif
