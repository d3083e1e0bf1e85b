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

bool places_find_only(struct user_turn_places in, uint64_t user_hash, uint32_t *ordinal)
{
	bool found = false;
	for (size_t i = 0; i < in.count && user_hash != 0; i++) {
		if (in.places[i].user_hash != user_hash ||
		    (found && in.places[i].ordinal == *ordinal))
			continue;
		if (found)
			return false;
		*ordinal = in.places[i].ordinal;
		found = true;
	}
	return found;
}

static bool is_said_at(struct user_turn_places in, uint64_t user_hash, uint32_t ordinal)
{
	for (size_t i = 0; i < in.count && user_hash != 0; i++) {
		if (in.places[i].user_hash == user_hash && in.places[i].ordinal == ordinal)
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

bool position_needs_places(const struct load *load, const struct conversation_match *match)
{
	return load->session.size > 0 && match->conversation == 0 && count_sent(load) > 0;
}

static bool count_from_user_turns(struct request_position *position, const struct load *load,
				  struct user_turn_places places)
{
	size_t behind = 0;
	for (size_t i = load->fingerprint_count; i > 0; i--) {
		uint32_t ordinal;
		if (load->fingerprints[i - 1].tool_calls)
			continue;
		behind++;
		if (!places_find_only(places, load->fingerprints[i - 1].user_hash, &ordinal))
			continue;
		position->next_ordinal = as_ordinal((uint64_t)ordinal + behind);
		return true;
	}
	return false;
}

void position_count(struct request_position *position, const struct load *load,
		    const struct past_conversation *conversation,
		    const struct conversation_match *match, struct user_turn_places places)
{
	const size_t sent = count_sent(load);
	*position = (struct request_position){.answers_sent = sent};
	/* A client that sends only its newest message continues where the conversation stands. */
	position->next_ordinal = conversation->answers;
	if (match->conversation != 0)
		position->next_ordinal = as_ordinal((uint64_t)match->next_ordinal +
						    count_answers(load, match->last_mark + 1));
	else if (position_needs_places(load, match) &&
		 count_from_user_turns(position, load, places))
		position->is_anchored = true;
	else if (sent > position->next_ordinal)
		position->next_ordinal = as_ordinal(sent);
	position->carried_from =
		position->next_ordinal > sent ? position->next_ordinal - (uint32_t)sent : 0;
	if (sent == 0 && (match->conversation == 0 || load->open == NULL))
		position->carried_from = UINT32_MAX;
	if (load->is_compacted && conversation->answers > 0)
		position->carried_from = 0; /* in the compaction */
}

void position_follow(struct request_position *position, uint32_t conversation,
		     const struct chain_link *link)
{
	if (conversation == 0 || link->conversation != conversation)
		return;
	position->next_ordinal = link->next_ordinal;
	position->carried_from = 0;
	position->is_linked = true;
}

bool position_may_be_first(const struct request_position *position, const struct load *load,
			   const struct past_conversation *conversation,
			   const struct conversation_match *match)
{
	return !position->is_linked && position->answers_sent == 0 && match->conversation == 0 &&
	       load->session.size > 0 &&
	       (conversation->carries_history || conversation->answers == 1);
}

bool position_try_first(struct request_position *position, const struct load *load,
			const struct past_conversation *conversation, uint32_t ordinal,
			struct past_exchanges there)
{
	bool is_asked =
		exchanges_find(there, ordinal, load->newest_hash, TURN_CURRENT) != NULL ||
		(conversation->carries_history &&
		 (exchanges_find_any(there, ordinal, load->newest_hash) != NULL ||
		  find_text(there, ordinal, load->newest_text, conversation_is_edit) != NULL));
	if (!is_asked)
		return false;
	position->next_ordinal = ordinal;
	position->carried_from = ordinal;
	position->is_first = true;
	return true;
}

/* ---- what it takes back ---- */

bool position_may_be_certain(const struct load *load)
{
	return load->session.size > 0 && load->newest_text.size > 0;
}

bool position_has_unmatched(const struct load *load, const struct conversation_match *match)
{
	return match->answers > 0 && count_answers(load, match->last_mark + 1) > 0;
}

static bool is_anchored(const struct request_position *position, const struct load *load,
			const struct conversation_match *match, struct user_turn_places places)
{
	uint32_t ordinal = position->next_ordinal;
	if (match->answers == 0)
		return false;
	for (size_t i = load->fingerprint_count; i > match->last_mark + 1 && ordinal > 0; i--) {
		const struct answer_fingerprint *fingerprint = &load->fingerprints[i - 1];
		uint32_t elsewhere;
		if (fingerprint->tool_calls)
			continue;
		ordinal--;
		if (!is_said_at(places, fingerprint->user_hash, ordinal) &&
		    places_find_only(places, fingerprint->user_hash, &elsewhere))
			return false;
	}
	return true;
}

bool position_is_certain(struct request_position *position, const struct load *load,
			 const struct past_conversation *conversation,
			 const struct conversation_match *match, struct user_turn_places places)
{
	if (!position_may_be_certain(load))
		return false;
	if (position->is_linked)
		return true;
	if (position->answers_sent == 0)
		return conversation->carries_history && position->is_first;
	if (!position->is_anchored)
		position->is_anchored = is_anchored(position, load, match, places);
	return position->is_anchored;
}

const struct past_exchange *position_same_exchange(const struct request_position *position,
						   const struct load *load, bool is_certain,
						   struct past_exchanges there)
{
	const uint32_t ordinal = position->next_ordinal;
	const struct past_exchange *same =
		exchanges_find(there, ordinal, load->newest_hash, TURN_CURRENT);
	if (same == NULL && is_certain) /* the document around it was removed */
		same = find_text(there, ordinal, load->newest_text, conversation_is_wrapped);
	if (same == NULL && is_certain)
		same = exchanges_find(there, ordinal, load->newest_hash, TURN_SUPERSEDED);
	return same;
}

bool position_may_differ(const struct request_position *position,
			 const struct past_conversation *conversation,
			 const struct conversation_match *match)
{
	return conversation->branched || match->answers < position->answers_sent;
}

bool position_was_first_edited(const struct request_position *position,
			       const struct past_conversation *conversation,
			       const struct conversation_match *match)
{
	return !conversation->carries_history && position->answers_sent == 1 &&
	       match->answers == 1 && position->next_ordinal == conversation->answers &&
	       position->carried_from > 0 && position->carried_from <= FIRST_EDITS;
}

uint32_t position_oldest_carried(const struct request_position *position, const struct load *load)
{
	size_t answers = count_answers(load, 0);
	return answers < position->next_ordinal ? position->next_ordinal - (uint32_t)answers : 0;
}
