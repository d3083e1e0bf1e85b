/* The rooms of the dialect of Ollama's /api/chat: ollama.c its requests, ollama_reply.c its replies
 * and what we say in it ourselves. Only they include this. */
#ifndef RECALLD_CORE_DIALECT_OLLAMA_H
#define RECALLD_CORE_DIALECT_OLLAMA_H

#include "core/dialect/dialect.h"

/* Stands for a tool call, which has no id, or one that clients drop: a hash over its function's
 * name and arguments, in which white space between the JSON's tokens and the way in which a string
 * is escaped do not matter, for clients print again what they read. */
struct ollama_call {
	char id[8];
};

struct ollama_call ollama_call_of(struct slice json, struct json_value call);

#endif
