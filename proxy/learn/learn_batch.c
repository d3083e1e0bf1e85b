#include "proxy/learn/learn_batch.h"

#include "proxy/runtime/metrics.h"

static bool read_input(const struct learn_batch *batch, size_t index, struct job_input *input,
		       struct arena *arena)
{
	return store_job_input(batch->store, batch->user, JOB_FACTS, batch->exchanges[index], input,
			       arena) == STORE_OK;
}

static struct learn_turn turn_of(const struct learn_batch *batch, size_t index,
				 const struct job_input *input)
{
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
		.pii = (enum pii)batch->config->retention.pii,
		.mask_secrets = batch->settings->secrets_redact,
	};
}

static unsigned questions_about(const struct learn_turn *turn, struct arena *arena)
{
	return slice_trim(turn->user).size == 0 ? 0 : learn_questions(turn, arena);
}

/* What asks to forget has questions of its own. */
static bool is_plain(const struct learn_batch *batch, size_t index, struct arena *arena)
{
	struct job_input input;
	if (!read_input(batch, index, &input, arena))
		return false;
	const struct learn_turn turn = turn_of(batch, index, &input);
	return questions_about(&turn, arena) == LEARN_ASK_FACTS;
}

bool learn_batch_read(struct learn_batch *batch, struct arena *arena)
{
	size_t plain = 1;
	if (!read_input(batch, 0, &batch->input, arena))
		return false;
	const struct learn_turn turn = turn_of(batch, 0, &batch->input);
	batch->questions = questions_about(&turn, arena);
	while (batch->questions == LEARN_ASK_FACTS && plain < batch->count &&
	       is_plain(batch, plain, arena))
		plain++;
	batch->count = plain;
	return true;
}

static void ask_several(struct learn_batch *batch, struct learn_prompt *prompt, struct arena *arena)
{
	struct learn_turn turns[LEARN_BATCH_MOST];
	struct job_input input;
	size_t count = 1;
	turns[0] = turn_of(batch, 0, &batch->input);
	while (count < batch->count && read_input(batch, count, &input, arena)) {
		turns[count] = turn_of(batch, count, &input);
		count++;
	}
	batch->count = learn_together(turns, count);
	*prompt = batch->count > 1 ? learn_several_prompt(turns, batch->count, arena)
				   : learn_facts_prompt(&turns[0], arena);
}

bool learn_batch_ask(struct learn_batch *batch, struct learn_prompt *prompt, struct arena *arena)
{
	const struct learn_turn turn = turn_of(batch, 0, &batch->input);
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
	const struct learn_turn turn = turn_of(batch, batch->at, &batch->input);
	return learn_answers_read(&turn, batch->answers, batch->answer_count, &batch->learning,
				  arena);
}

bool learn_batch_read_anew(struct learn_batch *batch, struct arena *arena)
{
	return read_input(batch, batch->at, &batch->input, arena);
}

static void count_learned(struct learn_batch *batch)
{
	const struct learning *learning = &batch->learning;
	metrics_count(METRIC_LEARNED_FACTS, 1);
	metrics_count(METRIC_MODEL_EMPTY, learning->is_empty);
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
