/* One request to the memory model in Chat Completions form, for any compatible server: parameters
 * that a server refuses are omitted or renamed, and the caller remembers this as `quirks`. */
#ifndef RECALLD_CORE_LEARN_MODEL_REQUEST_H
#define RECALLD_CORE_LEARN_MODEL_REQUEST_H

#include "core/base/bytes.h"
#include "core/learn/learn.h"

enum model_quirk {
	QUIRK_NO_TEMPERATURE = 1 << 0,
	QUIRK_COMPLETION_TOKENS = 1 << 1, /* max_completion_tokens instead of max_tokens */
	QUIRK_NO_MAX_TOKENS = 1 << 2,
	QUIRK_NO_JSON_OBJECT = 1 << 3, /* response_format json_object is refused */
	QUIRK_NO_JSON_SCHEMA = 1 << 4, /* and so is json_schema */
	QUIRK_NO_SYSTEM = 1 << 5,      /* instructions go into the user message */
	QUIRK_TAKES_SCHEMA = 1 << 6,   /* json_schema is asked for first: the server enforces it */
};

/* Writes the body: temperature 0, not streamed; a prompt with a schema asks for JSON. A schema is
 * asked for where the server is known to take one, and where it refuses json_object. */
struct slice model_request_body(struct slice model, const struct learn_prompt *prompt,
				unsigned max_tokens, unsigned quirks, struct arena *arena);

/* After a 400 or 422: returns the quirks to try next, or `quirks` unchanged if nothing is left to
 * give up. The error's message and param decide; if they name nothing known, parameters are given
 * up one by one. `json`: the prompt had a schema. */
unsigned model_request_adapt(unsigned quirks, bool json, struct slice error_body);

struct model_answer {
	struct slice text;
	bool cut_off; /* finish_reason: length */
};

/* Reads a reply. False: it has no choice with text. Safe for any input, 10 MB included. */
bool model_answer_read(struct slice body, struct model_answer *answer, struct arena *arena);

/* The tokens of a call, by the usage that the reply reports; otherwise an estimate from the bytes
 * of both. */
size_t model_tokens(struct slice request, struct slice reply);

/* Whether the server that gave this reply is one that enforces a schema: by the address or by the
 * marks that Ollama, llama.cpp and vLLM leave in their replies. */
bool model_takes_schema(struct slice base_url, struct slice body);

#endif
