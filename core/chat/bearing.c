/* Picks items that bear on the question, and those that are always given. */
#include "core/chat/pick.h"

/* A word of the question in three, weighed by its kind: a text of many words holds some by chance.
 */
static const float least_coverage = 0.3f;

bool text_bears(const struct context_input *input, struct slice text, struct arena *arena)
{
	const struct recall_question *question = input->question;
	return question == NULL || question->is_broad ||
	       recall_coverage(question, text, arena) >= least_coverage;
}

bool summary_is_wanted(const struct context_input *input, struct arena *arena)
{
	bool is_sent = input->carried_from == 0 || input->conversation == 0;
	if (input->summary == NULL || !input->has_floor || input->cut_before > 0 || !is_sent)
		return true;
	return text_bears(input, input->summary->text, arena);
}
