#include "tests/model/prompt.h"

#include "tests/model/dates.h"
#include "tests/model/memory_block.h"

#include <stdlib.h>
#include <string.h>

enum { KNOWN_LIMIT = 500, TURN_LIMIT = 1000, DEFAULT_WORDS = 150 };

static bool mentions(struct slice text, const char *part)
{
	return slice_find(text, slice_of(part), 0) < text.size;
}

bool prompt_asks_for_facts(struct slice instructions)
{
	return mentions(instructions, "JSON") && mentions(instructions, "entities");
}

bool prompt_asks_for_summary(struct slice instructions)
{
	return !prompt_asks_for_facts(instructions) && mentions(instructions, " words") &&
	       (mentions(instructions, "summary") || mentions(instructions, "ummarize"));
}

/* Takes the first line off the front of `rest`. False: there is none. */
static bool next_line(struct slice *rest, struct slice *line)
{
	if (rest->size == 0)
		return false;
	size_t end = slice_find(*rest, SLICE("\n"), 0);
	*line = slice_trim(slice_part(*rest, 0, end));
	*rest = slice_part(*rest, end < rest->size ? end + 1 : end, rest->size);
	return true;
}

/* Where a line begins so; prompt.size: none does. What is quoted in a line is no heading. */
static size_t find_heading(struct slice prompt, const char *heading)
{
	size_t at = slice_find(prompt, slice_of(heading), 0);
	while (at > 0 && at < prompt.size && prompt.data[at - 1] != '\n')
		at = slice_find(prompt, slice_of(heading), at + 1);
	return at;
}

/* The text after the line that begins so, up to `until` or the end. */
static struct slice section(struct slice prompt, const char *heading, const char *until)
{
	size_t begin = find_heading(prompt, heading);
	if (begin == prompt.size)
		return (struct slice){"", 0};
	begin = slice_find(prompt, SLICE("\n"), begin);
	size_t end = until == NULL ? prompt.size : slice_find(prompt, slice_of(until), begin);
	return slice_trim(slice_part(prompt, begin, end));
}

/* The rest of a line "user: ..."; false when the line is another's. */
static bool is_user_line(struct slice *line)
{
	const struct slice speaker = SLICE("user: ");
	if (!slice_starts_with(*line, speaker))
		return false;
	*line = slice_part(*line, speaker.size, line->size);
	return true;
}

static size_t read_values(struct slice entity, struct slice key, struct slice values,
			  struct known_fact *known, size_t room)
{
	size_t count = 0;
	for (size_t begin = 0; count < room && begin <= values.size;) {
		size_t end = slice_find(values, SLICE("; "), begin);
		struct slice value = slice_trim(slice_part(values, begin, end));
		known[count++] = (struct known_fact){entity, key, value};
		begin = end + 2;
	}
	return count;
}

/* "Maria:" and below it "- employer (several): Siemens; Bosch". */
static void read_known(struct slice text, struct extract_input *input, struct arena *arena)
{
	struct known_fact *known = arena_alloc(arena, KNOWN_LIMIT * sizeof(*known));
	struct slice line, entity = SLICE("user");
	input->known = known;
	while (next_line(&text, &line) && input->known_count < KNOWN_LIMIT) {
		size_t colon = slice_find(line, SLICE(":"), 0);
		if (!slice_starts_with(line, SLICE("- "))) {
			entity = slice_part(line, 0, colon);
			continue;
		}
		struct slice values =
			slice_part(line, colon < line.size ? colon + 1 : colon, line.size);
		struct slice key = slice_part(line, 2, colon);
		key = slice_trim(slice_part(key, 0, slice_find(key, SLICE(" ("), 0)));
		input->known_count +=
			read_values(entity, key, slice_trim(values), known + input->known_count,
				    KNOWN_LIMIT - input->known_count);
	}
}

void prompt_read_facts(struct slice prompt, struct extract_input *input, struct arena *arena)
{
	const char *const turn_heading = "=== New user turn";
	struct slice head = slice_part(prompt, 0, find_heading(prompt, turn_heading));
	struct slice earlier = section(head, "Earlier messages", "\nThe answer to"), line;
	*input = (struct extract_input){.turn = section(prompt, turn_heading, NULL)};
	if (head.size == prompt.size)
		input->turn = prompt;
	input->turn = without_memory(input->turn, arena);
	(void)date_read(head, &input->day);
	read_known(section(head, "Known keys", "\n\n"), input, arena);
	while (next_line(&earlier, &line)) {
		if (is_user_line(&line))
			input->before = line;
	}
}

static size_t read_max_words(struct slice instructions)
{
	size_t end = slice_find(instructions, SLICE(" words"), 0);
	size_t begin = end;
	while (begin > 0 && instructions.data[begin - 1] >= '0' &&
	       instructions.data[begin - 1] <= '9')
		begin--;
	size_t words = 0;
	for (size_t i = begin; i < end && words < 100000; i++)
		words = words * 10 + (size_t)(instructions.data[i] - '0');
	return words > 0 ? words : DEFAULT_WORDS;
}

void prompt_read_summary(struct slice instructions, struct slice prompt,
			 struct summary_input *input, struct arena *arena)
{
	struct slice messages = without_memory(section(prompt, "New messages", NULL), arena), line;
	struct slice *turns = arena_alloc(arena, TURN_LIMIT * sizeof(*turns));
	*input = (struct summary_input){section(prompt, "Previous summary", "\nNew messages"),
					turns, 0, read_max_words(instructions)};
	if (slice_equal(input->previous, SLICE("(none)")))
		input->previous = SLICE("");
	while (next_line(&messages, &line) && input->turn_count < TURN_LIMIT) {
		if (is_user_line(&line))
			turns[input->turn_count++] = line;
	}
}
