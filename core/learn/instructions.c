#include "core/learn/instructions.h"
#include "prompts_map.h"

struct slice learn_facts_instructions(void)
{
	return facts_instructions;
}

struct slice learn_class_instructions(void)
{
	return class_instructions;
}

struct slice learn_forget_instructions(void)
{
	return forget_instructions;
}

size_t learn_facts_examples(const struct learn_example **examples)
{
	*examples = facts_examples;
	return sizeof(facts_examples) / sizeof(facts_examples[0]);
}

size_t learn_several_examples(const struct learn_example **examples)
{
	*examples = several_examples;
	return sizeof(several_examples) / sizeof(several_examples[0]);
}

size_t learn_forget_examples(const struct learn_example **examples)
{
	*examples = forget_examples;
	return sizeof(forget_examples) / sizeof(forget_examples[0]);
}

/* ---- the answers' schemas ---- */

/* Small models repeat themselves for ever: a turn of so many words holds at most so many entries.
 */
#define LIST_OF(members, names)                                                                    \
	"\"items\":{\"type\":\"object\",\"properties\":{" members "},\"required\":[" names         \
	"],\"additionalProperties\":false}"

static struct slice schema_of(struct slice items, size_t most, struct arena *arena)
{
	const struct slice parts[] = {
		SLICE("{\"type\":\"object\",\"properties\":{\"entities\":{\"type\":\"array\","
		      "\"maxItems\":"),
		arena_number(arena, most),
		SLICE(","),
		items,
		SLICE("}},\"required\":[\"entities\"],\"additionalProperties\":false}"),
	};
	return arena_join(arena, parts, sizeof(parts) / sizeof(parts[0]));
}

#define FACTS_WITH(pii)                                                                            \
	LIST_OF("\"quote\":{\"type\":\"string\"},\"entity\":{\"type\":\"string\"},"                \
		"\"key\":{\"type\":\"string\"},\"value\":{\"type\":\"string\"},"                   \
		"\"op\":{\"type\":\"string\",\"enum\":[\"set\",\"add\",\"remove\"]},"              \
		"\"kind\":{\"type\":\"string\",\"enum\":[\"user\",\"person\","                     \
		"\"place\",\"project\",\"thing\"]},"                                               \
		"\"confidence\":{\"type\":\"number\"},"                                            \
		"\"valid_until\":{\"type\":\"string\"},"                                           \
		"\"pii\":{\"type\":" pii "},"                                                      \
		"\"keywords\":{\"type\":\"array\",\"maxItems\":3,\"items\":{\"type\":\"string\"}"  \
		"}",                                                                               \
		"\"quote\",\"entity\",\"key\",\"value\",\"op\"")

struct slice learn_facts_schema(bool with_class, size_t most, struct arena *arena)
{
	struct slice items = with_class ? SLICE(FACTS_WITH("[\"boolean\",\"string\"]"))
					: SLICE(FACTS_WITH("\"boolean\""));
	return schema_of(items, most, arena);
}

struct slice learn_forget_schema(size_t most, struct arena *arena)
{
	return schema_of(
		SLICE(LIST_OF("\"quote\":{\"type\":\"string\"},\"entity\":{\"type\":\"string\"},"
			      "\"key\":{\"type\":\"string\"},\"value\":{\"type\":\"string\"},"
			      "\"forget\":{\"type\":\"boolean\"}",
			      "\"quote\",\"entity\",\"key\",\"value\",\"forget\"")),
		most, arena);
}
