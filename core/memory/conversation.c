#include "core/memory/position.h"

#include "core/base/utf8.h"
#include "core/text/text.h"

/* A run in progress, and what it is compared by. */
struct run {
	const struct answer_hit *first;
	const struct answer_hit *last;
	size_t messages;
	size_t answers;
	size_t matching_users;
};

static uint32_t ordinal_after(const struct answer_hit *hit)
{
	return hit->unfinished || hit->ordinal == UINT32_MAX ? hit->ordinal : hit->ordinal + 1;
}

static void run_take(struct run *run, const struct answer_hit *hit)
{
	run->last = hit;
	run->messages++;
	run->answers += hit->unfinished ? 0 : 1;
	run->matching_users += hit->user_matches ? 1 : 0;
}

static bool goes_on(const struct run *run, const struct answer_hit *hit)
{
	return hit->mark == run->last->mark + 1 && hit->conversation == run->last->conversation &&
	       hit->ordinal == ordinal_after(run->last);
}

static struct run run_from(struct answer_hit *hits, size_t count, size_t at)
{
	struct run run = {.first = &hits[at]};
	run_take(&run, &hits[at]);
	for (size_t i = at + 1; i < count && hits[i].mark <= run.last->mark + 1; i++) {
		if (!goes_on(&run, &hits[i]))
			continue;
		hits[i].followed = true;
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
	if (run->first->conversation != best->first->conversation)
		return run->first->conversation > best->first->conversation;
	return run->first->ordinal > best->first->ordinal;
}

struct conversation_match conversation_match(struct answer_hit *hits, size_t count)
{
	struct run best = {0};
	for (size_t i = 0; i < count; i++) {
		if (hits[i].followed)
			continue; /* the run that it continues is longer than one that starts here
				   */
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
		.last_mark = best.last->mark,
	};
}

uint32_t conversation_certain_from(struct past_exchanges carried, uint32_t next_ordinal)
{
	for (size_t i = 0; i < carried.count; i++) {
		if (carried.exchanges[i].id != 0)
			return carried.exchanges[i].ordinal;
	}
	return next_ordinal;
}

void conversation_advance(struct past_conversation *conversation, const struct append *append,
			  uint32_t ordinal, bool branches)
{
	if (branches) {
		conversation->answers = ordinal;
		conversation->branched = true;
	}
	if (append->complete && append->journal && conversation->answers <= ordinal)
		conversation->answers = ordinal + 1;
	conversation->carries_history |= append->carries_history;
	if (append->now > conversation->last_active)
		conversation->last_active = append->now;
}

/* Long texts are compared by their beginnings: folding and comparing a whole megabyte takes a tenth
 * of a second. */
enum { EDIT_WORDS = 256, WRAPPING = 100, COMPARED_WHOLE = 64 * 1024, COMPARED_PART = 32 * 1024 };

struct words {
	uint64_t hashes[EDIT_WORDS];
	size_t count;
};

static bool take_word(void *cookie, struct slice word)
{
	struct words *words = cookie;
	words->hashes[words->count++] = text_hash(word);
	return words->count < EDIT_WORDS;
}

static bool are_half_in(const struct words *words, const struct words *other)
{
	size_t found = 0;
	for (size_t i = 0; i < words->count; i++) {
		size_t at = 0;
		while (at < other->count && other->hashes[at] != words->hashes[i])
			at++;
		found += at < other->count;
	}
	return 2 * found >= words->count;
}

bool conversation_is_edit(struct slice before, struct slice after)
{
	struct words old = {.count = 0};
	struct words new = {.count = 0};
	text_words(before, take_word, &old);
	text_words(after, take_word, &new);
	return old.count > 0 && new.count > 0 && are_half_in(&old, &new) && are_half_in(&new, &old);
}

bool conversation_is_wrapped(struct slice whole, struct slice part)
{
	if (whole.size < part.size || whole.size - part.size < WRAPPING)
		return false;
	return text_contains(utf8_cut(whole, COMPARED_WHOLE), utf8_cut(part, COMPARED_PART));
}
