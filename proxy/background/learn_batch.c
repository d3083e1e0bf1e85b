#include "proxy/background/learn_batch.h"

#include "core/memory/user.h"
#include "proxy/runtime/metrics.h"

/* Reads the inputs from `first` on, `count` of them at most; returns how many there are. */
static size_t read_inputs(struct learn_batch *batch, size_t first, size_t count,
			  struct arena *arena)
{
	bool is_read = store_facts_inputs(batch->store, batch->user, batch->exchanges + first,
					  &count, batch->inputs + first, arena) == STORE_OK;
	return is_read ? count : 0;
}

static struct learn_turn turn_of(const struct learn_batch *batch, size_t index)
{
	const struct job_input *input = &batch->inputs[index];
	struct intake intake = config_intake(batch->settings);
	intake.pii = settings_pii(&input->settings, intake.pii);
	return (struct learn_turn){
		.exchange = batch->exchanges[index],
		.created_at = input->user.created_at,
		.utc_offset = input->user.utc_offset,
		.user = input->user.text,
		.assistant = input->assistant.text,
		.before = input->before,
		.before_count = input->before_count,
		.facts = input->facts,
		.fact_count = input->fact_count,
		.min_confidence = batch->settings->min_confidence,
		.intake = intake,
		.tombstones = input->tombstones,
		.keeps_pinned = !batch->config->governance.chat_may_forget_pinned,
	};
}

static unsigned questions_about(const struct learn_turn *turn, struct arena *arena)
{
	return slice_is_blank(turn->user) ? 0 : learn_questions(turn, arena);
}

bool learn_batch_read(struct learn_batch *batch, struct arena *arena)
{
	size_t read = read_inputs(batch, 0, batch->count, arena);
	size_t plain = 0;
	while (plain < read) {
		const struct learn_turn turn = turn_of(batch, plain);
		unsigned questions = questions_about(&turn, arena);
		if (plain == 0)
			batch->questions = questions;
		/* What asks to forget has questions of its own. */
		if (questions != LEARN_ASK_FACTS)
			break;
		plain++;
	}
	batch->count = plain > 0 ? plain : 1;
	return read > 0;
}

static void ask_several(struct learn_batch *batch, struct learn_prompt *prompt, struct arena *arena)
{
	struct learn_turn turns[LEARN_BATCH_MOST];
	for (size_t i = 0; i < batch->count; i++)
		turns[i] = turn_of(batch, i);
	batch->count = learn_together(turns, batch->count);
	*prompt = batch->count > 1 ? learn_several_prompt(turns, batch->count, arena)
				   : learn_facts_prompt(&turns[0], arena);
}

bool learn_batch_ask(struct learn_batch *batch, struct learn_prompt *prompt, struct arena *arena)
{
	const struct learn_turn turn = turn_of(batch, 0);
	const bool forgets = (batch->questions & LEARN_ASK_FORGET) != 0;
	if (batch->questions == 0)
		return false;
	batch->questions &= ~(unsigned)(forgets ? LEARN_ASK_FORGET : LEARN_ASK_FACTS);
	if (forgets)
		*prompt = learn_forget_prompt(&turn, arena);
	else
		ask_several(batch, prompt, arena);
	return true;
}

void learn_batch_note_answer(struct learn_batch *batch, struct slice answer)
{
	batch->answers[batch->answer_count++] = answer;
}

bool learn_batch_take(struct learn_batch *batch, struct arena *arena)
{
	const struct learn_turn turn = turn_of(batch, batch->at);
	if (batch->entries == NULL)
		batch->entries = learn_answers_parse(batch->answers, batch->answer_count, arena);
	if (batch->entries != NULL)
		learn_from_entries(&turn, batch->entries, &batch->learning, arena);
	return batch->entries != NULL;
}

bool learn_batch_read_anew(struct learn_batch *batch, struct arena *arena)
{
	return read_inputs(batch, batch->at, 1, arena) > 0;
}

static void count_learned(struct learn_batch *batch)
{
	const struct learning *learning = &batch->learning;
	metrics_count(METRIC_LEARNED_FACTS, 1);
	metrics_count(METRIC_MODEL_EMPTY, learning->is_empty);
	metrics_count(METRIC_MODEL_MISSED, learning->is_missed);
	for (size_t i = 0; i < learning->change_count; i++)
		metrics_count(METRIC_FACTS_STORED, learning->changes[i].kind == CHANGE_ADD);
	batch->kept += learning->kept;
}

/* An entry that one exchange bears out is not rejected because the others do not. */
static void count_rejected(const struct learn_batch *batch)
{
	const size_t entries = batch->learning.kept + batch->learning.rejected;
	metrics_count(METRIC_FACTS_REJECTED, entries > batch->kept ? entries - batch->kept : 0);
}

/* The facts may have changed since the exchange was read for the prompt: by the exchanges before
 * it, or by the user while the model worked. */
bool learn_batch_next(struct learn_batch *batch, bool is_stored, struct arena *arena)
{
	if (is_stored)
		count_learned(batch);
	while (++batch->at < batch->count) {
		if (learn_batch_read_anew(batch, arena))
			return true;
	}
	count_rejected(batch);
	return false;
}
