#include "core/conversation.h"

/* A run while it is followed, and what it is compared by. */
struct run {
	const struct answer_hit *first;
	const struct answer_hit *last;
	size_t messages;
	size_t answers;
	size_t matching_users;
};

static uint32_t ordinal_after(const struct answer_hit *hit)
{
	return hit->tool_calls || hit->ordinal == UINT32_MAX ? hit->ordinal : hit->ordinal + 1;
}

static void run_take(struct run *run, const struct answer_hit *hit)
{
	run->last = hit;
	run->messages++;
	run->answers += hit->tool_calls ? 0 : 1;
	run->matching_users += hit->user_matches ? 1 : 0;
}

static bool goes_on(const struct run *run, const struct answer_hit *hit)
{
	return hit->mark == run->last->mark + 1 && hit->conversation == run->last->conversation &&
	       hit->ordinal == ordinal_after(run->last);
}

static struct run run_from(const struct answer_hit *hits, size_t count, size_t at)
{
	struct run run = {.first = &hits[at]};
	run_take(&run, &hits[at]);
	for (size_t i = at + 1; i < count && hits[i].mark <= run.last->mark + 1; i++) {
		if (goes_on(&run, &hits[i]))
			run_take(&run, &hits[i]);
	}
	return run;
}

static bool is_better(const struct run *run, const struct run *best)
{
	if (run->messages != best->messages)
		return run->messages > best->messages;
	if (run->matching_users != best->matching_users)
		return run->matching_users > best->matching_users;
	if (run->last->mark != best->last->mark)
		return run->last->mark > best->last->mark;
	return run->first->conversation > best->first->conversation;
}

struct conversation_match conversation_match(const struct answer_hit *hits, size_t count)
{
	struct run best = {0};
	for (size_t i = 0; i < count; i++) {
		struct run run = run_from(hits, count, i);
		if (best.messages == 0 || is_better(&run, &best))
			best = run;
	}
	if (best.messages == 0)
		return (struct conversation_match){0};
	return (struct conversation_match){
		.conversation = best.first->conversation,
		.first_ordinal = best.first->ordinal,
		.next_ordinal = ordinal_after(best.last),
		.answers = best.answers,
	};
}
