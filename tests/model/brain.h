/* Answers the newest user message of a conversation from nothing but the conversation: from what
 * the user said in it, and from the memory that recalld put into it between <user_memory> and
 * </user_memory>. What the assistant said is no source. When nothing bears on a question the answer
 * says so. Nothing is random and nothing is kept between calls. */
#ifndef RECALLD_TESTS_MODEL_BRAIN_H
#define RECALLD_TESTS_MODEL_BRAIN_H

#include "core/base/bytes.h"
#include "core/memory/memory.h"

struct message {
	enum role role;
	struct slice text;
};

struct slice brain_answer(const struct message *messages, size_t count, struct arena *arena);

#endif
