/* Feeds any answer of a memory model to the readers: a reply's body, the answer as facts, and as a
 * summary. What comes out keeps to the bounds that the store and the prompt rely on.
 *
 * Up to the first NUL the input is the user's turn, behind it the model's answer. */
#include "core/learn/entry.h"
#include "core/learn/model_request.h"
#include "core/text/sentence.h"
#include "core/text/text.h"

#include "tests/fuzz/fuzz.h"
#include "tests/unit/learn_reading.h"

enum { MAX_WORDS = 12 };

static const struct fact known[] = {
	{.id = 1,
	 .entity = SLICE("user"),
	 .kind = SLICE("user"),
	 .key = SLICE("city"),
	 .value = SLICE("Berlin"),
	 .confidence = 0.9,
	 .exchange = 1,
	 .observed_at = 1000},
	{.id = 2,
	 .entity = SLICE("Rex"),
	 .kind = SLICE("person"),
	 .key = SLICE("dog"),
	 .value = SLICE("a beagle"),
	 .many = true,
	 .confidence = 0.9,
	 .exchange = 2,
	 .observed_at = 9000},
	{.id = 3,
	 .entity = SLICE("user"),
	 .kind = SLICE("user"),
	 .key = SLICE("job"),
	 .value = SLICE("baker"),
	 .confidence = 0.9,
	 .exchange = 1,
	 .observed_at = 1000,
	 .ended_at = 2000,
	 .state = FACT_RETRACTED},
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static void check_line(struct slice text, size_t limit)
{
	FUZZ_ASSERT(text.size <= limit && text_is_utf8(text));
	for (size_t i = 0; i < text.size; i++)
		FUZZ_ASSERT((unsigned char)text.data[i] >= ' ' && text.data[i] != '<' &&
			    text.data[i] != '>');
}

static void check_added(const struct learn_turn *turn, const struct fact *fact)
{
	FUZZ_ASSERT(fact->id == 0 && fact->exchange == turn->exchange);
	FUZZ_ASSERT(fact->entity.size > 0 && fact->key.size > 0 && fact->value.size > 0);
	FUZZ_ASSERT(fact->confidence > turn->min_confidence && fact->confidence <= 1);
	FUZZ_ASSERT(fact->observed_at == turn->created_at);
	check_line(fact->entity, FACT_NAME_LIMIT);
	check_line(fact->key, FACT_NAME_LIMIT);
	check_line(fact->value, FACT_VALUE_LIMIT);
	check_line(fact->quote, LEARN_MAX_QUOTE);
}

static void check_changes(const struct learn_turn *turn, const struct learning *learning)
{
	bool added = true;
	for (size_t i = 0; i < learning->change_count; i++) {
		const struct change *change = &learning->changes[i];
		const bool is_new = change->kind == CHANGE_ADD ||
				    (change->kind == CHANGE_CONCEAL && change->fact.id == 0);
		FUZZ_ASSERT(added || !is_new);
		added = is_new;
		FUZZ_ASSERT(change->replaced_by >= -1 &&
			    change->replaced_by < (int)learning->change_count);
		if (is_new)
			check_added(turn, &change->fact);
		else if (change->kind != CHANGE_HIDE)
			FUZZ_ASSERT(change->fact.id >= 1 && change->fact.id <= KNOWN);
		if (change->kind == CHANGE_FORGET)
			FUZZ_ASSERT(change->fact.value.size == 0 && change->fact.quote.size == 0);
	}
}

static void check_facts(struct slice user, struct slice answer, struct arena *arena)
{
	const struct learn_turn turn = {
		.exchange = 5,
		.created_at = 5000,
		.user = user,
		.facts = known,
		.fact_count = KNOWN,
		.min_confidence = 0.7,
		.repairs = true,
	};
	struct learning learning;
	if (learn_facts_read(&turn, answer, &learning, arena))
		check_changes(&turn, &learning);
	if (learn_answers_read(&turn, (const struct slice[]){answer, answer}, 2, &learning, arena))
		check_changes(&turn, &learning);
	(void)learn_questions(&turn, arena);
	(void)learn_facts_prompt(&turn, arena);
	(void)learn_forget_prompt(&turn, arena);
	(void)learn_several_prompt(&turn, 1, arena);
	(void)learn_plea(turn.user, arena);
}

static void check_summary(struct slice answer, struct arena *arena)
{
	struct slice summary;
	if (!learn_summary_read(answer, MAX_WORDS, &summary, arena))
		return;
	FUZZ_ASSERT(summary.size > 0 && summary.size <= answer.size);
	FUZZ_ASSERT(sentence_words_end(summary, MAX_WORDS) == summary.size);
	struct turn turn = {.role = ROLE_USER, .text = answer};
	(void)learn_summary_prompt(summary, &turn, 1, MAX_WORDS, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	char *copy = fuzz_copy((struct slice){(const char *)data, size});
	struct slice whole = {copy, size};
	size_t end = slice_find(whole, (struct slice){"", 1}, 0);
	struct slice answer = end == size ? whole : slice_part(whole, end + 1, size);
	struct slice user = end == size ? SLICE("I live in Berlin with Rex, a beagle. I am a baker")
					: slice_part(whole, 0, end);
	struct model_answer body;
	check_facts(user, answer, &arena);
	check_summary(answer, &arena);
	if (model_answer_read(answer, &body, &arena)) {
		check_facts(user, body.text, &arena);
		check_summary(body.text, &arena);
	}
	for (unsigned quirks = 0, next;
	     (next = model_request_adapt(quirks, true, answer)) != quirks;)
		quirks = next;
	free(copy);
	arena_finish(&arena);
	return 0;
}
