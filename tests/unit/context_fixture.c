#include "tests/unit/context_fixture.h"

#include "core/dialect/dialect.h"

#include "core/text/text.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

struct memory *memory_in(enum mode mode)
{
	struct memory *memory = xcalloc(1, sizeof(*memory));
	memory->input = (struct context_input){.mode = mode,
					       .budget = 1500,
					       .buffer_messages = 20,
					       .facts = memory->facts,
					       .fact_scores = memory->scores,
					       .turns = memory->turns,
					       .recalled = memory->recalled,
					       .conversation = 9,
					       .carried_from = UINT32_MAX};
	return memory;
}

void memory_free(struct memory *memory)
{
	arena_finish(&memory->arena);
	free(memory);
}

struct fact *memory_add_fact(struct memory *memory, const char *key, const char *value,
			     double score)
{
	size_t index = memory->input.fact_count++;
	memory->scores[index] = (float)score;
	memory->facts[index] = (struct fact){.id = 1001 + index,
					     .entity = SLICE("user"),
					     .kind = SLICE("user"),
					     .key = slice_of(key),
					     .value = slice_of(value),
					     .exchange = 7,
					     .observed_at = (int64_t)index};
	return &memory->facts[index];
}

static struct turn turn_of(uint64_t id, uint32_t conversation, enum role role, const char *text)
{
	return (struct turn){.id = id,
			     .exchange = id,
			     .conversation = conversation,
			     .ordinal = (uint32_t)id,
			     .role = role,
			     .complete = true,
			     .created_at = NOON,
			     .text = slice_of(text)};
}

/* Each one bears less on the question than the one before it. */
struct turn *memory_recall(struct memory *memory, uint64_t id, enum role role, const char *text)
{
	size_t index = memory->input.recalled_count++;
	memory->recalled[index].turn = turn_of(id, 2, role, text);
	memory->recalled[index].score = 1 / (double)(index + 1);
	return &memory->recalled[index].turn;
}

struct turn *memory_add_turn(struct memory *memory, uint64_t id, uint32_t conversation,
			     enum role role, const char *text)
{
	struct turn *turn = &memory->turns[memory->input.turn_count++];
	*turn = turn_of(id, conversation, role, text);
	return turn;
}

void memory_summarize(struct memory *memory, const char *text, uint64_t covers)
{
	memory->summary = (struct summary){.text = slice_of(text), .covers = covers};
	memory->input.summary = &memory->summary;
}

struct slice memory_turns(struct memory *memory)
{
	return dialect_render_turns(memory->context.turns, &memory->arena);
}

const struct context *memory_build(struct memory *memory)
{
	struct context *context = &memory->context;
	context_build(&memory->input, context, &memory->arena);
	ck_assert_uint_eq(context->tokens,
			  text_tokens(context->block) + text_tokens(memory_turns(memory)));
	ck_assert_uint_eq(context->recalled_tokens, text_tokens(context->recalled));
	ck_assert_uint_le(context->tokens + context->recalled_tokens, memory->input.budget);
	return context;
}

bool text_holds(struct slice text, const char *part)
{
	return slice_find(text, slice_of(part), 0) < text.size;
}

size_t text_count(struct slice text, const char *part)
{
	size_t count = 0;
	struct slice sought = slice_of(part);
	for (size_t at = slice_find(text, sought, 0); at < text.size;
	     at = slice_find(text, sought, at + 1))
		count++;
	return count;
}

const char *memory_words(struct memory *memory, const char *begin, size_t size)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	buffer_append(&out, slice_of(begin));
	while (out.size < size)
		buffer_append(&out, SLICE(" word"));
	const char *text = arena_string(&memory->arena, buffer_slice(&out));
	buffer_finish(&out);
	return text;
}
