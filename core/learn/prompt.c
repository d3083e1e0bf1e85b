#include "core/base/utf8.h"
#include "core/facts/facts.h"
#include "core/learn/entry.h"
#include "core/learn/learn.h"
#include "core/text/text.h"
#include "prompts_map.h"

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

/* The JSON schemas of the two answers, with at most so many entries. What most entries
 * do without is optional and comes last. */
static struct slice learn_facts_schema(bool with_class, size_t most, struct arena *arena)
{
	struct slice items = with_class ? SLICE(FACTS_WITH("[\"boolean\",\"string\"]"))
					: SLICE(FACTS_WITH("\"boolean\""));
	return schema_of(items, most, arena);
}

static struct slice learn_forget_schema(size_t most, struct arena *arena)
{
	return schema_of(
		SLICE(LIST_OF("\"quote\":{\"type\":\"string\"},\"entity\":{\"type\":\"string\"},"
			      "\"key\":{\"type\":\"string\"},\"value\":{\"type\":\"string\"},"
			      "\"forget\":{\"type\":\"boolean\"}",
			      "\"quote\",\"entity\",\"key\",\"value\",\"forget\"")),
		most, arena);
}

/* Every turn pays for the prompt: each part is bounded, and the instructions are as short as a
 * small model can follow. */
enum {
	MAX_TURN = 16 * 1024,
	MAX_BEFORE = 6,
	MAX_REFERENCE = 400,
	MAX_KNOWN = 6 * 1024,
	MAX_KNOWN_KEYS = 60,
	MAX_KNOWN_VALUES = 8, /* per key */
	MAX_KNOWN_VALUE = 120,
	LEAST_ENTRIES = 4,
	BYTES_OF_ENTRY = 24, /* of a turn: hardly any says more in fewer */
	MOST_ENTRIES = 32,
	TIME_AT = sizeof("2026-11-21T") - 1, /* in text_time() */
};

struct slice learn_shown_turn(struct slice user)
{
	return utf8_cut(user, MAX_TURN);
}

/* "2026-11-21, Saturday, 10:00 UTC+01:00": as the user's clocks showed it. */
static void append_day(struct buffer *out, const struct learn_turn *turn, struct arena *arena)
{
	static const char *const weekdays[] = {"Thursday", "Friday",  "Saturday", "Sunday",
					       "Monday",   "Tuesday", "Wednesday"};
	const int64_t day = 24 * 60 * 60 * 1000;
	const int64_t at = turn_local_time(turn->created_at, turn->utc_offset);
	const int ahead = turn->utc_offset < 0 ? -turn->utc_offset : turn->utc_offset;
	int64_t days = at / day - (at % day < 0); /* days since a Thursday */
	buffer_append(out, text_date(at, arena));
	buffer_append(out, SLICE(", "));
	buffer_append(out, slice_of(weekdays[(days % 7 + 7) % 7]));
	buffer_append(out, SLICE(", "));
	buffer_append(out, slice_part(text_time(at, arena), TIME_AT, TIME_AT + 5));
	buffer_append(out, SLICE(" UTC"));
	if (ahead > 0)
		buffer_printf(out, "%c%02d:%02d", turn->utc_offset < 0 ? '-' : '+', ahead / 60,
			      ahead % 60);
}

static void append_date(struct buffer *out, const struct learn_turn *turn, struct arena *arena)
{
	buffer_append(out, SLICE("Date of the new turn: "));
	append_day(out, turn, arena);
	buffer_append_byte(out, '\n');
}

static size_t same_key_run(const struct fact **facts, size_t count)
{
	size_t run = 1;
	while (run < count && fact_shares_name(facts[0], facts[run]))
		run++;
	return run;
}

/* Keeps the facts of the first MAX_KNOWN_KEYS keys; `facts` must be sorted newest first. */
static size_t keep_recent_keys(const struct fact **facts, size_t count)
{
	const struct fact *keys[MAX_KNOWN_KEYS];
	size_t key_count = 0;
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		size_t at = 0;
		while (at < key_count && !fact_shares_name(keys[at], facts[i]))
			at++;
		if (at == MAX_KNOWN_KEYS)
			continue;
		if (at == key_count)
			keys[key_count++] = facts[i];
		facts[kept++] = facts[i];
	}
	return kept;
}

static size_t select_known(const struct learn_turn *turn, const struct fact **facts)
{
	size_t count = 0;
	for (size_t i = 0; i < turn->fact_count; i++) {
		const struct fact *fact = &turn->facts[i];
		bool over = fact->expires_at != 0 && fact->expires_at <= turn->created_at;
		if (fact->state == FACT_CURRENT && !over)
			facts[count++] = fact;
	}
	fact_sort_newest(facts, count);
	count = keep_recent_keys(facts, count);
	fact_sort_shown(facts, count);
	return count;
}

/* "- vector_store (several): ChromaDB; Qdrant" */
static void append_known_key(struct buffer *out, const struct fact **facts, size_t count,
			     struct arena *arena)
{
	buffer_append(out, SLICE("- "));
	buffer_append(out, text_one_line(facts[0]->key, FACT_NAME_LIMIT, arena));
	if (count > 1 || facts[0]->many)
		buffer_append(out, SLICE(" (several)"));
	for (size_t i = 0; i < count && i < MAX_KNOWN_VALUES; i++) {
		buffer_append(out, i == 0 ? SLICE(": ") : SLICE("; "));
		buffer_append(out, text_one_line(facts[i]->value, MAX_KNOWN_VALUE, arena));
	}
	buffer_append_byte(out, '\n');
}

static void append_known(struct buffer *out, const struct learn_turn *turn, struct arena *arena)
{
	const struct fact **facts = arena_alloc(arena, (turn->fact_count + 1) * sizeof(*facts));
	size_t count = select_known(turn, facts);
	size_t begin = out->size;
	if (count > 0)
		buffer_append(out, SLICE("\nKnown keys and their present values:\n"));
	for (size_t i = 0; i < count && out->size - begin < MAX_KNOWN;) {
		if (i == 0 || !slice_equal(facts[i]->entity, facts[i - 1]->entity)) {
			buffer_append(out, text_one_line(facts[i]->entity, FACT_NAME_LIMIT, arena));
			buffer_append(out, SLICE(":\n"));
		}
		size_t run = same_key_run(facts + i, count - i);
		append_known_key(out, facts + i, run, arena);
		i += run;
	}
}

/* Writes one line each, so that no text can look like the start of another part. */
static void append_reference(struct buffer *out, const char *speaker, struct slice text,
			     struct arena *arena)
{
	buffer_append(out, slice_of(speaker));
	buffer_append(out, SLICE(": "));
	buffer_append(out, text_one_line(text, MAX_REFERENCE, arena));
	buffer_append_byte(out, '\n');
}

static void append_before(struct buffer *out, const struct learn_turn *turn, struct arena *arena)
{
	size_t first = turn->before_count > MAX_BEFORE ? turn->before_count - MAX_BEFORE : 0;
	if (turn->before_count > 0)
		buffer_append(out, SLICE("\nEarlier messages, shortened (for reference only):\n"));
	for (size_t i = first; i < turn->before_count; i++)
		append_reference(out, role_name(turn->before[i].role), turn->before[i].text, arena);
}

static struct slice show(const struct learn_turn *turn, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX); /* each part has its own bound */
	append_date(&out, turn, arena);
	append_known(&out, turn, arena);
	append_before(&out, turn, arena);
	struct slice shown = learn_shown_turn(turn->user);
	if (shown.size < turn->user.size)
		buffer_append(&out, SLICE("\n=== New user turn (its beginning; the rest is left "
					  "out), from here to the end ===\n"));
	else
		buffer_append(&out, SLICE("\n=== New user turn, from here to the end ===\n"));
	buffer_append(&out, shown);
	return arena_take(arena, &out);
}

/* The most entries of an answer about turns of so many bytes. */
static size_t most_entries(size_t size)
{
	size_t most = LEAST_ENTRIES + size / BYTES_OF_ENTRY;
	return most < MOST_ENTRIES ? most : MOST_ENTRIES;
}

/* Classes are asked for where one of them is wanted: each word of a prompt costs something. */
static bool asks_class(const struct learn_turn *turn)
{
	const struct pii_policy *policy = &turn->intake.policy;
	return ((policy->mask | policy->drop | policy->hide) & PII_OF_MODEL) != 0;
}

static struct learn_prompt ask_facts(const struct learn_turn *turn, struct slice user, size_t size,
				     struct arena *arena)
{
	const struct slice parts[] = {facts_instructions, class_instructions};
	bool asks = asks_class(turn);
	struct learn_prompt prompt = {
		.system = asks ? arena_join(arena, parts, 2) : parts[0],
		.user = user,
		.schema = learn_facts_schema(asks, most_entries(size), arena),
	};
	prompt.examples = facts_examples;
	prompt.example_count = sizeof(facts_examples) / sizeof(facts_examples[0]);
	return prompt;
}

struct learn_prompt learn_facts_prompt(const struct learn_turn *turn, struct arena *arena)
{
	return ask_facts(turn, show(turn, arena), turn->user.size, arena);
}

struct learn_prompt learn_forget_prompt(const struct learn_turn *turn, struct arena *arena)
{
	struct learn_prompt prompt = {.system = forget_instructions, .user = show(turn, arena)};
	prompt.examples = forget_examples;
	prompt.example_count = sizeof(forget_examples) / sizeof(forget_examples[0]);
	prompt.schema = learn_forget_schema(most_entries(turn->user.size), arena);
	return prompt;
}

/* ---- several turns ---- */

/* A line that could look like the start of another turn is indented. */
static void append_own(struct buffer *out, struct slice text)
{
	for (size_t at = 0; at < text.size;) {
		size_t end = slice_find(text, SLICE("\n"), at);
		struct slice line = slice_part(text, at, end);
		if (slice_starts_with(line, SLICE("===")) || slice_starts_with(line, SLICE("---")))
			buffer_append_byte(out, ' ');
		buffer_append(out, line);
		buffer_append_byte(out, '\n');
		at = end + 1;
	}
}

/* The answer is shown only to the turns after it: they may point into it. */
static void append_turn(struct buffer *out, const struct learn_turn *turn, size_t number,
			size_t count, struct arena *arena)
{
	buffer_append(out, SLICE("\n=== New user turn "));
	buffer_append(out, arena_number(arena, number));
	buffer_append(out, SLICE(" of "));
	buffer_append(out, arena_number(arena, count));
	buffer_append(out, SLICE(", said on "));
	append_day(out, turn, arena);
	buffer_append(out, SLICE(" ===\n"));
	append_own(out, learn_shown_turn(turn->user));
	if (turn->assistant.size == 0 || number == count)
		return;
	buffer_append(out, SLICE("--- The answer to it, shortened (for reference only)\n"));
	append_reference(out, "assistant", turn->assistant, arena);
}

size_t learn_together(const struct learn_turn *turns, size_t count)
{
	size_t together = 0;
	size_t size = 0;
	while (together < count) {
		size += learn_shown_turn(turns[together].user).size;
		if (together > 0 && size > MAX_TURN)
			break;
		together++;
	}
	return together;
}

struct learn_prompt learn_several_prompt(const struct learn_turn *turns, size_t count,
					 struct arena *arena)
{
	struct buffer out;
	size_t size = 0;
	buffer_init(&out, SIZE_MAX); /* each part has its own bound */
	buffer_append(&out, SLICE("There are several new user turns. List the entries of all of "
				  "them, each with a quote from its own turn.\n"));
	append_known(&out, &turns[count - 1], arena);
	append_before(&out, &turns[0], arena);
	for (size_t i = 0; i < count; i++) {
		append_turn(&out, &turns[i], i + 1, count, arena);
		size += turns[i].user.size;
	}
	struct learn_prompt prompt = ask_facts(&turns[0], arena_take(arena, &out), size, arena);
	prompt.examples = several_examples;
	prompt.example_count = sizeof(several_examples) / sizeof(several_examples[0]);
	return prompt;
}
