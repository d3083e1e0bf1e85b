#include "core/memory/position.h"

enum {
	ASKED_AGAIN_WITHIN = 60 * 60 * 1000, /* milliseconds */
	MOST_WORDINGS = 16, /* wordings of one place that are compared with the newest */
	FIRST_EDITS = 4,    /* edits of a first turn, before there is any history */
};

/* ---- what stands where ---- */

/* The index after the last exchange at or before the ordinal. */
static size_t end_of(struct past_exchanges in, uint32_t ordinal)
{
	size_t low = 0;
	size_t high = in.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (in.exchanges[middle].ordinal <= ordinal)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct past_exchange *exchanges_find(struct past_exchanges in, uint32_t ordinal,
					   uint64_t user_hash, enum turn_state state)
{
	if (user_hash == 0)
		return NULL;
	for (size_t i = end_of(in, ordinal); i > 0; i--) {
		const struct past_exchange *exchange = &in.exchanges[i - 1];
		if (exchange->ordinal != ordinal)
			return NULL;
		if (exchange->user_hash == user_hash && exchange->state == state)
			return exchange;
	}
	return NULL;
}

const struct past_exchange *exchanges_find_any(struct past_exchanges in, uint32_t ordinal,
					       uint64_t user_hash)
{
	static const enum turn_state states[] = {TURN_CURRENT, TURN_SUPERSEDED, TURN_HIDDEN};
	const struct past_exchange *found = NULL;
	for (size_t i = 0; found == NULL && i < sizeof(states) / sizeof(states[0]); i++)
		found = exchanges_find(in, ordinal, user_hash, states[i]);
	return found;
}

/* The newest current exchange at the ordinal for which `matches` holds. */
static const struct past_exchange *
find_text(struct past_exchanges in, uint32_t ordinal, struct slice newest,
	  bool (*matches)(struct slice stored, struct slice newest))
{
	size_t end = end_of(in, ordinal);
	for (size_t i = end; i > 0 && end - i < MOST_WORDINGS; i--) {
		const struct past_exchange *exchange = &in.exchanges[i - 1];
		if (exchange->ordinal != ordinal)
			return NULL;
		if (exchange->state == TURN_CURRENT && matches(exchange->text, newest))
			return exchange;
	}
	return NULL;
}

static bool is_wrapped(struct slice stored, struct slice newest)
{
	return conversation_is_wrapped(newest, stored);
}

const struct past_exchange *exchanges_find_wrapped(struct past_exchanges in, uint32_t ordinal,
						   struct slice newest)
{
	return find_text(in, ordinal, newest, is_wrapped);
}

/* Where a user turn was said, if at one ordinal only. False: nowhere, or at several. */
static bool find_only(struct past_exchanges in, uint64_t user_hash, uint32_t *ordinal)
{
	bool found = false;
	for (size_t i = 0; i < in.count && user_hash != 0; i++) {
		if (in.exchanges[i].user_hash != user_hash ||
		    (found && in.exchanges[i].ordinal == *ordinal))
			continue;
		if (found)
			return false;
		*ordinal = in.exchanges[i].ordinal;
		found = true;
	}
	return found;
}

static bool is_said_at(struct past_exchanges in, uint64_t user_hash, uint32_t ordinal)
{
	for (size_t i = 0; i < in.count && user_hash != 0; i++) {
		if (in.exchanges[i].user_hash == user_hash && in.exchanges[i].ordinal == ordinal)
			return true;
	}
	return false;
}

/* ---- which conversation ---- */

bool load_begins_anew(const struct load *load)
{
	return load->session.size == 0 && load->fingerprint_count == 0 &&
	       load->earlier_answers == 0 && load->open == NULL && load->newest_text.size > 0;
}

bool conversation_may_be_asked_again(const struct past_conversation *conversation,
				     const struct load *load)
{
	return conversation->session.size == 0 && conversation->answers == 0 &&
	       !conversation->carries_history &&
	       load->now - conversation->last_active < ASKED_AGAIN_WITHIN;
}

/* ---- going on from a reply ---- */

bool load_goes_on(const struct load *load, const struct chain_link *link)
{
	return load->newest_text.size == 0 && link->is_pending &&
	       load->now - link->started_at < LINK_PENDING_MS;
}

struct load load_going_on(const struct load *load, const struct chain_link *link)
{
	struct load going_on = *load;
	if (load_goes_on(load, link)) {
		going_on.newest_text = link->user_text;
		going_on.newest_hash = link->user_hash;
	}
	return going_on;
}

/* ---- where in it ---- */

/* The number of answers in the request's history from fingerprint `first` on. */
static size_t count_answers(const struct load *load, size_t first)
{
	size_t count = 0;
	for (size_t i = first; i < load->fingerprint_count; i++)
		count += !load->fingerprints[i].tool_calls;
	return count;
}

static size_t count_sent(const struct load *load)
{
	return load->earlier_answers + count_answers(load, 0);
}

static uint32_t as_ordinal(uint64_t number)
{
	return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX - 1;
}

/* Placed by its user turns: none of its answers is known. */
static bool needs_asked_turns(const struct position_known *known)
{
	return known->load->session.size > 0 && known->match.conversation == 0 &&
	       count_sent(known->load) > 0;
}

static bool count_from_asked_turns(struct position *position, const struct position_known *known)
{
	const struct load *load = known->load;
	size_t behind = 0;
	for (size_t i = load->fingerprint_count; i > 0; i--) {
		uint32_t ordinal;
		if (load->fingerprints[i - 1].tool_calls)
			continue;
		behind++;
		if (!find_only(known->asked, load->fingerprints[i - 1].user_hash, &ordinal))
			continue;
		position->next_ordinal = as_ordinal((uint64_t)ordinal + behind);
		return true;
	}
	return false;
}

/* Returns whether its history is found where its answers are counted to be. */
static bool count(struct position *position, const struct position_known *known)
{
	const struct load *load = known->load;
	const struct conversation_match *match = &known->match;
	const size_t sent = count_sent(load);
	bool is_anchored = false;
	/* A client that sends only its newest message continues where the conversation stands. */
	position->next_ordinal = known->conversation.answers;
	if (match->conversation != 0)
		position->next_ordinal = as_ordinal((uint64_t)match->next_ordinal +
						    count_answers(load, match->last_mark + 1));
	else if (needs_asked_turns(known) && count_from_asked_turns(position, known))
		is_anchored = true;
	else if (sent > position->next_ordinal)
		position->next_ordinal = as_ordinal(sent);
	position->carried_from =
		position->next_ordinal > sent ? position->next_ordinal - (uint32_t)sent : 0;
	if (sent == 0 && (match->conversation == 0 || load->open == NULL))
		position->carried_from = UINT32_MAX;
	if (load->is_compacted && known->conversation.answers > 0)
		position->carried_from = 0; /* in the compaction */
	return is_anchored;
}

/* All that came before is carried by the provider. */
static bool follows_link(const struct position_known *known)
{
	return known->conversation_id != 0 && known->link != NULL &&
	       known->link->conversation == known->conversation_id;
}

static bool may_be_first(const struct position_known *known)
{
	return known->conversation_id != 0 && !follows_link(known) &&
	       count_sent(known->load) == 0 && known->match.conversation == 0 &&
	       known->load->session.size > 0 &&
	       (known->conversation.carries_history || known->conversation.answers == 1);
}

/* Whether the request asks the turn at the ordinal again, or rewords it. */
static bool asks_first(const struct position_known *known, uint32_t ordinal,
		       struct past_exchanges there)
{
	const struct load *load = known->load;
	return exchanges_find(there, ordinal, load->newest_hash, TURN_CURRENT) != NULL ||
	       (known->conversation.carries_history &&
		(exchanges_find_any(there, ordinal, load->newest_hash) != NULL ||
		 find_text(there, ordinal, load->newest_text, conversation_is_edit) != NULL));
}

static bool find_first(struct position *position, const struct position_known *known)
{
	uint32_t ordinal = 0;
	if (!may_be_first(known))
		return false;
	if (known->first != UINT32_MAX && asks_first(known, known->first, known->at_first))
		ordinal = known->first;
	else if (known->first == 0 || !asks_first(known, 0, known->at_begin))
		return false;
	position->next_ordinal = position->carried_from = ordinal;
	return true;
}

/* ---- what it takes back ---- */

static bool may_be_certain(const struct load *load)
{
	return load->session.size > 0 && load->newest_text.size > 0 && !load->is_compacted;
}

/* Whether there are answers after the last one found again. */
static bool has_unmatched(const struct position_known *known)
{
	return known->match.answers > 0 &&
	       count_answers(known->load, known->match.last_mark + 1) > 0;
}

unsigned position_reads(const struct position_known *known)
{
	const bool asked =
		needs_asked_turns(known) || (may_be_certain(known->load) && has_unmatched(known));
	if (known->conversation_id == 0)
		return 0;
	return (asked ? POSITION_READS_ASKED : 0U) |
	       (may_be_first(known) ? POSITION_READS_FIRST : 0U);
}

/* Whether what follows the last answer found again may stand where it is counted to be. */
static bool is_anchored(const struct position_known *known, uint32_t ordinal)
{
	const struct load *load = known->load;
	if (known->match.answers == 0)
		return false;
	for (size_t i = load->fingerprint_count; i > known->match.last_mark + 1 && ordinal > 0;
	     i--) {
		const struct answer_fingerprint *fingerprint = &load->fingerprints[i - 1];
		uint32_t elsewhere;
		if (fingerprint->tool_calls)
			continue;
		ordinal--;
		if (!is_said_at(known->asked, fingerprint->user_hash, ordinal) &&
		    find_only(known->asked, fingerprint->user_hash, &elsewhere))
			return false;
	}
	return true;
}

/* The ordinal of the history's oldest answer, counted back from the newest, that the conversation
 * can hold. */
static uint32_t oldest_carried(const struct position *position, const struct load *load)
{
	size_t answers = count_answers(load, 0);
	return answers < position->next_ordinal ? position->next_ordinal - (uint32_t)answers : 0;
}

static void find_differences(struct position *position, const struct position_known *known)
{
	const struct past_conversation *conversation = &known->conversation;
	const size_t sent = count_sent(known->load);
	position->may_differ = conversation->branched || known->match.answers < sent;
	position->was_first_edited =
		!conversation->carries_history && sent == 1 && known->match.answers == 1 &&
		position->next_ordinal == conversation->answers && position->carried_from > 0 &&
		position->carried_from <= FIRST_EDITS;
	if (position->may_differ || position->was_first_edited)
		position->compared_from = oldest_carried(position, known->load);
}

struct position position_find(const struct position_known *known)
{
	struct position position = {.is_linked = follows_link(known)};
	bool anchored = count(&position, known);
	if (position.is_linked) {
		position.next_ordinal = known->link->next_ordinal;
		position.carried_from = 0;
	}
	const bool is_first = find_first(&position, known);
	if (known->conversation_id == 0 || !may_be_certain(known->load))
		position.is_certain = false;
	else if (position.is_linked)
		position.is_certain = true;
	else if (count_sent(known->load) == 0)
		position.is_certain = known->conversation.carries_history && is_first;
	else
		position.is_certain = anchored || is_anchored(known, position.next_ordinal);
	position.compared_from = position.next_ordinal;
	if (position.is_certain)
		find_differences(&position, known);
	return position;
}

const struct past_exchange *position_same_exchange(const struct position *position,
						   const struct load *load,
						   struct past_exchanges there)
{
	const uint32_t ordinal = position->next_ordinal;
	const struct past_exchange *same =
		exchanges_find(there, ordinal, load->newest_hash, TURN_CURRENT);
	if (same == NULL && position->is_certain) /* the document around it was removed */
		same = find_text(there, ordinal, load->newest_text, conversation_is_wrapped);
	if (same == NULL && position->is_certain)
		same = exchanges_find(there, ordinal, load->newest_hash, TURN_SUPERSEDED);
	return same;
}
