/* Texts from anywhere, on their way into memory and out of it: no bytes overrun, what is made inert
 * is inert and stays as it is. */
#include "core/clients/forms.h"
#include "core/pii/pii.h"
#include "core/text/text.h"

#include "tests/fuzz/fuzz.h"

static void check_inert(struct slice text, size_t limit, struct arena *arena)
{
	struct slice inert = text_inert(text, limit, arena);
	struct slice line = text_one_line(text, limit, arena);
	FUZZ_ASSERT(inert.size <= limit && text_is_utf8(inert));
	FUZZ_ASSERT(line.size <= limit && text_is_utf8(line));
	for (size_t i = 0; i < inert.size; i++)
		FUZZ_ASSERT(inert.data[i] != '<' && inert.data[i] != '>');
	for (size_t i = 0; i < line.size; i++)
		FUZZ_ASSERT((unsigned char)line.data[i] >= ' ');
	FUZZ_ASSERT(slice_equal(text_inert(inert, limit, arena), inert));
	FUZZ_ASSERT(slice_equal(text_one_line(line, limit, arena), line));
}

static void check_reasoning(struct slice text, struct arena *arena)
{
	struct reasoning_walk walk = {.text = text};
	size_t from = 0;
	while (text_next_reasoning(&walk)) {
		FUZZ_ASSERT(walk.begin >= from && walk.end > walk.begin && walk.end <= text.size);
		from = walk.end;
	}
	FUZZ_ASSERT(text_without_reasoning(text, arena).size <= text.size);
	(void)text_hash(text);
}

static void check_time(struct slice text, struct arena *arena)
{
	int64_t at, again;
	if (text_read_time(text, &at)) {
		struct slice time = text_time(at, arena);
		FUZZ_ASSERT(text_read_time(time, &again) && again <= at && at - again < 1000);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	char *copy = fuzz_copy((struct slice){(const char *)data, size});
	struct slice text = {copy, size};
	check_inert(text, SIZE_MAX, &arena);
	check_inert(text, 40, &arena);
	check_reasoning(text, &arena);
	check_time(text, &arena);
	FUZZ_ASSERT(form_own_text(text, &arena).size <= text.size);
	size_t secrets;
	struct slice masked = secrets_mask(text, &arena, &secrets);
	FUZZ_ASSERT(slice_equal(masked, text) == (secrets == 0));
	FUZZ_ASSERT(text_tokens(text) <= text_tokens(slice_part(text, 0, size / 2)) +
						 text_tokens(slice_part(text, size / 2, size)));
	FUZZ_ASSERT(text_tokens(text) * 12 >= size);
	(void)text_contains(text, slice_part(text, size / 3, size / 2));
	(void)text_share_word(text, slice_part(text, size / 2, size));
	free(copy);
	arena_finish(&arena);
	return 0;
}
