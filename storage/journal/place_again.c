/* A client that names no session shows by its history which conversation it goes on. There is none
 * yet when the reply to the first turn broke off and is asked for again. */
#include "storage/journal/position.h"

enum {
	ASKED_AGAIN_WITHIN = 60 * 60 * 1000,
	MOST_CONVERSATIONS = 64, /* the newest are looked at */
	CONVERSATION_OFFSET = 16,
	ORDINAL_OFFSET = 20, /* of an exchange's ordinal in its key */
};

static bool begins_anew(const struct load *load)
{
	return load->session.size == 0 && load->fingerprint_count == 0 &&
	       load->earlier_answers == 0 && load->open == NULL && load->newest_text.size > 0;
}

static bool holds_one_turn(const struct memory *memory, uint32_t conversation)
{
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES,
		   key_u32(key_of_user(memory->user), conversation), BACKWARD);
	bool is_one = scan_next(&scan, &key, &value) && key_read_u32(key, ORDINAL_OFFSET) == 0;
	scan_end(&scan);
	return is_one;
}

static bool asks_it_again(struct placing *placing, uint32_t id,
			  const struct past_conversation *conversation)
{
	const struct load *load = placing->load;
	if (conversation->session.size > 0 || conversation->answers > 0 ||
	    conversation->carries_history ||
	    load->now - conversation->last_active >= ASKED_AGAIN_WITHIN ||
	    !holds_one_turn(placing->memory, id))
		return false;
	placing->place->conversation_id = id;
	return placing_find_exchange(placing, 0, load->newest_hash, TURN_CURRENT) != 0;
}

uint32_t placing_find_broken_first(struct placing *placing)
{
	const struct memory *memory = placing->memory;
	struct scan scan;
	struct slice key;
	struct slice value;
	uint32_t found = 0;
	if (!begins_anew(placing->load))
		return 0;
	scan_begin(&scan, memory->transaction, TABLE_CONVERSATIONS, key_of_user(memory->user),
		   BACKWARD);
	for (unsigned i = 0; i < MOST_CONVERSATIONS && found == 0; i++) {
		struct past_conversation conversation = {0};
		if (!scan_next(&scan, &key, &value))
			break;
		uint32_t id = key_read_u32(key, CONVERSATION_OFFSET);
		if (table_decode(memory->transaction, value, stored_conversation_fields,
				 &conversation, memory->arena) &&
		    asks_it_again(placing, id, &conversation))
			found = id;
	}
	scan_end(&scan);
	return found;
}
