/* store_load(): reads what a request needs to know in one read transaction. */
#include "core/base/ids.h"
#include "core/facts/facts.h"
#include "storage/access/outdated.h"
#include "storage/user/memory.h"
#include "storage/user/request_position.h"

enum { UNCOVERED_LOOKED_AT = 4 * MEMORY_MAX_TURNS, MOST_MISSES = 32 };

struct loading {
	struct memory memory;
	struct stored_user user;
	const struct load *load;
	struct memory_view *view;
	struct load going_on; /* the load, if it continues a pending turn */
	struct request_position position;
};

static void place_request(struct loading *loading)
{
	struct request_position *at = &loading->position;
	struct memory_view *view = loading->view;
	view->has_link = links_find(&loading->memory, loading->load->previous, &view->link);
	if (view->has_link) {
		loading->going_on = load_going_on(loading->load, &view->link);
		loading->load = &loading->going_on;
	}
	request_position_read(at, &loading->memory, loading->load,
			      view->has_link ? &view->link : NULL);
	/* Its target may have expired. */
	view->has_link = view->has_link && at->found.is_linked;
	view->conversation = at->known.conversation_id;
	view->last_active = at->known.conversation.last_active;
	view->answers = at->known.conversation.answers;
	view->next_ordinal = at->found.next_ordinal;
	view->carried_from = at->found.carried_from;
	view->same_exchange = at->same_exchange;
	view->same_learned = at->same_learned;
	view->branches = at->branches;
	view->leaves_out = at->leaves_out;
	view->branch_from = at->branch_from;
	if (at->branches) {
		view->carried = at->branch.carried.ids;
		view->carried_count = at->branch.carried.count;
		view->kept = at->branch.kept.ids;
		view->kept_count = at->branch.kept.count;
	}
}

static void read_frozen(struct loading *loading)
{
	const struct memory *memory = &loading->memory;
	struct memory_view *view = loading->view;
	struct key key = memory_conversation_key(memory, view->conversation);
	view->has_frozen =
		view->conversation != 0 &&
		memory_read(memory, TABLE_FROZEN, key, stored_frozen_fields, &view->frozen);
	if (!view->has_frozen)
		view->frozen = (struct frozen){0};
}

/* ---- what is known ---- */

static bool has_turn(const struct turn *turns, size_t count, uint64_t id)
{
	for (size_t i = 0; i < count; i++) {
		if (turns[i].id == id)
			return true;
	}
	return false;
}

static bool is_sent(const struct memory_view *view, const struct turn *turn)
{
	return turn->conversation == view->conversation && view->carried_from != UINT32_MAX &&
	       turn->ordinal >= view->carried_from;
}

/* The newest turns are mostly among these and are not read again. */
static void add_uncovered(struct turn_list *list, const struct loading *loading)
{
	const struct memory *memory = &loading->memory;
	uint64_t covers = loading->view->summary.covers;
	struct scan scan;
	size_t newest = list->count;
	size_t added = 0;
	size_t left = loading->load->uncovered_text; /* so much text is still wanted */
	unsigned misses = 0; /* consecutive turns that were too long: earlier ones may fit */
	scan_begin(&scan, memory->transaction, TABLE_TURNS, memory_key(memory), BACKWARD);
	for (unsigned i = 0; i < UNCOVERED_LOOKED_AT && added < MEMORY_MAX_TURNS; i++) {
		struct stored_turn stored = {0};
		if (left == 0 || misses == MOST_MISSES || !scan_step(&scan) ||
		    key_read_u64(scan.at, KEY_ID_AT) <= covers)
			break;
		stored.turn.id = key_read_u64(scan.at, KEY_ID_AT);
		bool is_there = has_turn(list->turns, newest, stored.turn.id);
		added += is_there;
		if (is_there ||
		    !table_decode(memory->transaction, scan.value, stored_turn_fields, &stored,
				  memory->arena) ||
		    stored.turn.state != TURN_CURRENT)
			continue;
		if (!turn_list_add(list, memory, &stored.turn))
			break;
		added++;
		if (is_sent(loading->view, &stored.turn))
			continue;
		const bool fits = stored.turn.text.size <= left;
		left -= fits ? stored.turn.text.size : 0;
		misses = fits ? 0 : misses + 1;
	}
	scan_end(&scan);
}

static void read_turns(struct loading *loading)
{
	const struct load *load = loading->load;
	struct memory_view *view = loading->view;
	struct turn_list list = {0};
	unsigned newest = load->newest_turns;
	turn_list_add_newest(&list, &loading->memory,
			     newest > MEMORY_MAX_TURNS ? MEMORY_MAX_TURNS : newest);
	/* If a user was away for a while, the summary covers everything. */
	if (view->summary.covers + 1 < loading->user.next_turn)
		add_uncovered(&list, loading);
	turn_list_sort(&list);
	size_t extra = list.count > MEMORY_MAX_TURNS ? list.count - MEMORY_MAX_TURNS : 0;
	view->turns = list.turns + extra;
	view->turn_count = list.count - extra;
}

/* Turns that a branching request takes back: what was given for them is not given again. */
static void leave_out_gone(struct loading *loading)
{
	struct memory_view *view = loading->view;
	size_t stand = 0;
	if (!view->branches)
		return;
	const struct id_list *gone = &loading->position.branch.gone;
	const struct leaving leaving = {.turns = gone->ids, .turn_count = gone->count};
	if (frozen_holds(&view->frozen, &leaving)) {
		view->has_frozen = false;
		view->frozen = (struct frozen){0};
	}
	for (size_t i = 0; i < view->replay_count; i++) {
		if (!replay_holds(&view->replays[i], &leaving))
			view->replays[stand++] = view->replays[i];
	}
	view->replay_count = stand;
}

/* Gives a branching request a summary only if it cannot contain anything that the request takes
 * back. This applies to the user's summary and to the one frozen with a context. What the first
 * step of a tool-call loop was given contains none of it, and stands. */
static void read_summary(struct loading *loading)
{
	struct memory_view *view = loading->view;
	view->has_summary = memory_summary(&loading->memory, &view->summary);
	if (!view->branches)
		return;
	const struct leaving leaving = {.changed_from = loading->position.branch.first_turn};
	if (view->has_summary && leaving.changed_from > 0 &&
	    summary_covers(&view->summary, leaving.changed_from)) {
		view->has_summary = false;
		view->summary = (struct summary){0};
	}
	if (!frozen_holds(&view->frozen, &leaving))
		return;
	view->has_frozen = false;
	view->frozen = (struct frozen){0};
	view->replays = NULL;
	view->replay_count = 0;
}

/* A superseded fact does not even count as past: it is as if it had never been said. */
static bool is_wanted(const struct loading *loading, const struct fact *fact)
{
	if (fact->state == FACT_CURRENT)
		return fact_is_current(fact, loading->load->now);
	if (fact->state == FACT_SUGGESTED || fact->state == FACT_HIDDEN ||
	    fact->state == FACT_FORGOTTEN || fact_is_dismissed(fact))
		return false; /* it was never held to be true, or is not to be spoken of */
	return loading->load->past_facts &&
	       !branch_is_taken_back(&loading->position.branch, &loading->memory, fact->exchange);
}

static void look_at_begin(struct loading *loading)
{
	const struct memory *memory = &loading->memory;
	struct memory_view *view = loading->view;
	struct key prefix =
		key_u32(memory_conversation_key(memory, view->conversation), view->carried_from);
	struct scan scan;
	bool is_held = false;
	if (!loading->load->trims || view->conversation == 0 || view->has_summary)
		return;
	scan_begin(&scan, memory->transaction, TABLE_EXCHANGES, prefix, FORWARD);
	while (!is_held && scan_step(&scan)) {
		struct stored_turn turn = {0};
		uint64_t id = key_read_u64(scan.at, KEY_EXCHANGE_AT);
		if (id == 0)
			continue; /* a greeting, before any user turn */
		is_held = memory_turn(memory, id, &turn) && turn.turn.state != TURN_HIDDEN;
		view->begin_is_lost = !is_held;
	}
	scan_end(&scan);
}

static void read_facts(struct loading *loading)
{
	const struct memory *memory = &loading->memory;
	const struct load *load = loading->load;
	struct memory_view *view = loading->view;
	size_t known;
	bool *changed;
	if (!load->past_facts && !view->branches) {
		view->facts = memory_facts(memory, fact_is_current, load->now, &view->fact_count);
		return;
	}
	view->facts = view->branches ? branch_facts(&loading->position.branch, memory, load->now,
						    &changed, &known)
				     : memory_facts(memory, fact_is_known, load->now, &known);
	for (size_t i = 0; i < known; i++) {
		if (is_wanted(loading, &view->facts[i]))
			view->facts[view->fact_count++] = view->facts[i];
	}
}

static void add_ended(struct loading *loading, uint64_t id)
{
	const struct memory *memory = &loading->memory;
	struct memory_view *view = loading->view;
	struct fact fact;
	if (!memory_read_fact(memory, id, &fact) || fact.state == FACT_HIDDEN)
		fact = (struct fact){.state = FACT_FORGOTTEN};
	fact.id = id;
	view->ended[view->ended_count++] = fact;
}

/* The provider keeps what was said about these facts: it can only be corrected. */
static void read_ended(struct loading *loading)
{
	struct memory_view *view = loading->view;
	const struct chain_link *link = &view->link;
	struct arena *arena = loading->memory.arena;
	if (!view->has_link || link->fact_count == 0)
		return;
	uint64_t *current = arena_alloc(arena, view->fact_count * sizeof(*current));
	size_t count = 0;
	for (size_t i = 0; i < view->fact_count; i++) {
		if (view->facts[i].state == FACT_CURRENT)
			current[count++] = view->facts[i].id;
	}
	ids_sort(current, count);
	view->ended = arena_alloc(arena, link->fact_count * sizeof(*view->ended));
	for (size_t i = 0; i < link->fact_count; i++) {
		if (!ids_hold(current, count, link->facts[i]))
			add_ended(loading, link->facts[i]);
	}
}

/* Counts, because ids do not tell: a user's ids begin after those of deleted users. */
static size_t count_conversations(const struct loading *loading)
{
	const struct memory *memory = &loading->memory;
	struct scan scan;
	size_t count = 0;
	if (loading->load->conversations == 0)
		return 0;
	scan_begin(&scan, memory->transaction, TABLE_CONVERSATIONS, memory_key(memory), FORWARD);
	while (count < loading->load->conversations && scan_step(&scan))
		count++;
	scan_end(&scan);
	return count;
}

static void read_outdated(struct loading *loading)
{
	struct outdated outdated;
	outdated_read(&loading->memory, &outdated);
	loading->view->outdated = outdated.facts;
	loading->view->outdated_count = outdated.count;
}

static void read_memory(struct loading *loading)
{
	const struct memory *memory = &loading->memory;
	struct memory_view *view = loading->view;
	view->known = memory_user(memory, &loading->user);
	place_request(loading);
	if (!view->known)
		return;
	view->deferred = loading->user.deferred;
	view->conversations = count_conversations(loading);
	read_frozen(loading);
	if (view->conversation != 0)
		view->replays = replays_read(memory, view->conversation, &view->replay_count);
	leave_out_gone(loading);
	read_summary(loading);
	look_at_begin(loading);
	if (loading->load->facts) {
		read_facts(loading);
		read_ended(loading);
	}
	read_turns(loading);
	read_outdated(loading);
}

enum store_result store_load(struct store *store, const struct load *load, struct memory_view *view,
			     struct arena *arena)
{
	struct transaction transaction;
	struct loading loading = {
		.memory = {&transaction, load->user, arena}, .load = load, .view = view};
	/* Reads the forget_epoch first, so that a forgetting in between makes it an old one. */
	*view = (struct memory_view){.forget_epoch = atomic_load(&store->forget_epoch)};
	if (transaction_begin_read(&transaction, store)) {
		read_memory(&loading);
		transaction_abort(&transaction);
	}
	return transaction.result;
}
