/* store_append(): journals an exchange, its jobs, and what its request was given.
 * store_keep_receipt(): a request that leaves nothing else behind. Both copy their caller's data,
 * because the writer runs on its own thread. */
#include "core/memory/position.h"
#include "storage/files/erasures.h"
#include "storage/lmdb/writer.h"
#include "storage/user/branch.h"
#include "storage/user/erase.h"
#include "storage/user/memory.h"

/* One run of an append. */
struct appending {
	const struct memory *memory;
	const struct append *append;
	bool learn;          /* something is learned from this exchange */
	bool may_keep_given; /* nothing of it was hidden or taken back since it was loaded */
	bool superseded;
	bool is_new;            /* it begins the conversation */
	bool is_twin;           /* another reply to the same turn arrived since it was loaded */
	uint64_t same_exchange; /* the exchange whose user turn is being asked again; 0: none */
	struct job like;        /* the jobs made for it are like this one */
	struct stored_user user;
	uint32_t conversation_id;
	uint32_t ordinal;
	struct past_conversation conversation;
	struct stored_turn user_turn;
	struct stored_exchange exchange;
	uint64_t covers; /* of the summary */
	size_t came;     /* turns that it does not cover yet */
	size_t went;
};

/* A client may ask two models at once: the second answer then finds the first one's user turn in
 * its place. */
static void find_twin(struct appending *appending)
{
	const struct memory *memory = appending->memory;
	const struct append *append = appending->append;
	uint32_t conversation = appending->conversation_id;
	if (!append->journal || append->same_exchange != 0 || append->user_text.size == 0)
		return;
	if (conversation == 0 && append->session.size > 0)
		conversation = memory_session(memory, append->session);
	/* The load saw all records from before the request, but perhaps none from the same
	 * millisecond. */
	if (!memory_conversation(memory, conversation, &appending->conversation) ||
	    appending->conversation.last_active < append->started_at)
		return;
	const struct past_exchange *twin = exchanges_find(
		exchanges_read(memory, conversation, append->ordinal, append->ordinal),
		append->ordinal, append->user_hash, TURN_CURRENT);
	appending->is_twin = twin != NULL;
	appending->same_exchange = twin == NULL ? 0 : twin->id;
}

/* Finds the exchange whose user turn is being asked again. False: it was hidden, or is gone. */
static bool find_same_exchange(struct appending *appending)
{
	const struct memory *memory = appending->memory;
	struct stored_turn *turn = &appending->user_turn;
	if (!memory_turn(memory, appending->same_exchange, turn) ||
	    turn->turn.state == TURN_HIDDEN || turn->turn.role != ROLE_USER ||
	    !memory_exchange(memory, &turn->turn, &appending->exchange))
		return false;
	appending->conversation_id = turn->turn.conversation;
	appending->ordinal = turn->turn.ordinal;
	return true;
}

/* Works the branch out again, since others may have appended since the request was loaded. A turn
 * being asked again that another branch took back meanwhile also comes back. */
static void take_back(struct appending *appending)
{
	const struct memory *memory = appending->memory;
	const struct append *append = appending->append;
	struct branch branch = {0};
	for (size_t i = 0; i < append->kept_count; i++)
		id_list_add(&branch.kept, memory->arena, append->kept[i]);
	for (size_t i = 0; i < append->carried_count; i++)
		id_list_add(&branch.carried, memory->arena, append->carried[i]);
	if (appending->same_exchange != 0)
		id_list_add(&branch.kept, memory->arena, appending->same_exchange);
	if (appending->conversation_id == 0 || branch.kept.count + append->supersede == 0 ||
	    !branch_find(&branch, memory, appending->conversation_id,
			 append->supersede ? append->branch_from : UINT32_MAX))
		return;
	supersede(memory, &appending->user, &branch, append->started_at, &appending->like);
	appending->superseded = true;
	if (appending->same_exchange != 0)
		(void)find_same_exchange(appending); /* it may just have come back */
}

static bool find_conversation(struct appending *appending)
{
	return appending->conversation_id != 0 &&
	       memory_conversation(appending->memory, appending->conversation_id,
				   &appending->conversation);
}

static void open_conversation(struct appending *appending)
{
	const struct memory *memory = appending->memory;
	const struct append *append = appending->append;
	struct past_conversation *conversation = &appending->conversation;
	if (find_conversation(appending))
		return;
	/* None was asked for, or it has expired since. */
	if (append->session.size > 0) {
		appending->conversation_id = memory_session(memory, append->session);
		if (find_conversation(appending)) {
			/* Another first request of the session was stored before: this one follows
			 * it. */
			if (conversation->answers > appending->ordinal)
				appending->ordinal = conversation->answers;
			return;
		}
	}
	appending->conversation_id =
		memory_begin_conversation(memory, &appending->user, append->session);
	*conversation = (struct past_conversation){.session = append->session};
	appending->is_new = true;
}

static struct stored_turn new_turn(const struct appending *appending, enum role role)
{
	return (struct stored_turn){
		.turn = {.conversation = appending->conversation_id,
			 .ordinal = appending->ordinal,
			 .role = role},
		.learn = appending->learn,
	};
}

static void add_user_turn(struct appending *appending)
{
	const struct append *append = appending->append;
	struct stored_turn *turn = &appending->user_turn;
	*turn = new_turn(appending, ROLE_USER);
	turn->turn.complete = true;
	turn->turn.created_at = append->started_at;
	turn->turn.utc_offset = append->utc_offset;
	turn->turn.hash = append->user_hash;
	turn->turn.text = append->user_text;
	journal_add_turn(appending->memory, &appending->user, turn);
	appending->came += appending->learn;
	appending->exchange = (struct stored_exchange){.user_hash = append->user_hash};
}

/* Learns from a turn that was first asked where nothing is learned. */
static void learn_user_turn(struct appending *appending)
{
	struct stored_turn *turn = &appending->user_turn;
	if (!appending->learn || turn->learn)
		return;
	turn->learn = true;
	memory_put_turn(appending->memory, turn);
	appending->came += turn->turn.id > appending->covers;
}

static void supersede_answer(struct appending *appending)
{
	struct stored_turn earlier = {0};
	if (appending->exchange.answer == 0 ||
	    !memory_turn(appending->memory, appending->exchange.answer, &earlier))
		return;
	if (earlier.turn.state == TURN_CURRENT)
		appending->went += earlier.learn && earlier.turn.id > appending->covers;
	earlier.turn.state = TURN_SUPERSEDED;
	memory_put_turn(appending->memory, &earlier);
	const struct leaving leaving = {.turns = &earlier.turn.id, .turn_count = 1};
	(void)withdraw_derived(appending->memory, &leaving);
	appending->conversation.branched = true;
}

static void add_answer(struct appending *appending)
{
	const struct append *append = appending->append;
	struct stored_turn turn = new_turn(appending, ROLE_ASSISTANT);
	/* A reply that broke off before its first word says nothing. */
	if (!append->complete && append->answer_text.size == 0)
		return;
	supersede_answer(appending);
	/* Nothing is kept of an answer in a response_format, but it replaces an earlier one. */
	if (append->answer_text.size == 0)
		return;
	turn.turn.exchange = appending->user_turn.turn.id;
	turn.turn.complete = append->complete;
	turn.turn.created_at = append->now;
	turn.turn.utc_offset = append->utc_offset;
	turn.turn.hash = append->answer_hash;
	turn.turn.text = append->answer_text;
	turn.learn = appending->learn && append->complete;
	turn.earlier = appending->exchange.answer;
	journal_add_turn(appending->memory, &appending->user, &turn);
	appending->exchange.answer = turn.turn.id;
	appending->came += turn.learn;
}

static void fingerprint(const struct appending *appending, uint64_t hash)
{
	const struct stored_answer answer = {.user_hash = appending->append->user_hash,
					     .tool_calls = !appending->append->journal};
	journal_fingerprint_answer(appending->memory, hash, appending->conversation_id,
				   appending->ordinal, answer);
}

static void advance_conversation(struct appending *appending)
{
	const struct append *append = appending->append;
	struct past_conversation *conversation = &appending->conversation;
	/* If an answer broke off, the client resends the part that it has. */
	fingerprint(appending, append->answer_hash);
	/* Clients join the two, or send them one by one. */
	fingerprint(appending, append->rest_hash);
	/* An incomplete reply is not kept by the provider. */
	if (append->complete)
		fingerprint(appending, append->item_hash);
	conversation_advance(conversation, append, appending->ordinal, appending->superseded);
	memory_put_conversation(appending->memory, appending->conversation_id, conversation);
}

static void make_jobs(struct appending *appending)
{
	const struct memory *memory = appending->memory;
	const struct append *append = appending->append;
	if (appending->learn && (!append->explicit_mode || mode_uses_facts(append->mode)))
		journal_release_jobs(memory, &appending->user);
	if (appending->learn && !appending->exchange.queued) {
		struct job job = appending->like;
		job.forgets = append->forgets;
		journal_add_job(memory, &appending->user, appending->user_turn.turn.id, &job);
		appending->exchange.queued = true;
	}
	journal_count_uncovered(memory, appending->came, appending->went,
				appending->learn ? &appending->like : NULL);
}

/* A summary that covers the replaced answer may contain what it said. */
static void look_at_summary(struct appending *appending)
{
	const struct memory *memory = appending->memory;
	const struct leaving leaving = {.changed_from = appending->exchange.answer};
	struct summary summary;
	(void)memory_summary(memory, &summary);
	appending->covers = summary.covers;
	if (leaving.changed_from == 0 || !summary_covers(&summary, leaving.changed_from))
		return;
	(void)withdraw_derived(memory, &leaving);
	memory_recount_uncovered(memory, &appending->like);
	appending->covers = 0;
}

/* Nobody knows when a history was said: what was ever erased of it stays erased. */
static bool was_erased(const struct appending *appending, const struct imported_turn *turn)
{
	const struct memory *memory = appending->memory;
	return erasures_hold_turn(memory->transaction->store->erasures, memory->user, turn->hash,
				  INT64_MIN);
}

static struct stored_turn past_turn(const struct appending *appending,
				    const struct imported_turn *imported, uint32_t ordinal,
				    bool is_erased)
{
	struct stored_turn past = new_turn(appending, imported->role);
	past.turn.ordinal = ordinal;
	past.turn.complete = true;
	past.turn.created_at = imported->created_at;
	past.turn.utc_offset = imported->utc_offset;
	past.turn.hash = imported->hash;
	past.learn &= !is_erased;
	if (is_erased)
		past.turn.state = TURN_HIDDEN;
	else
		past.turn.text = imported->text;
	return past;
}

/* An exchange that was erased keeps its place, without its texts. Returns how many turns have
 * one. */
static size_t import_exchange(struct appending *appending, const struct imported_turn *asked,
			      const struct imported_turn *answered, uint32_t ordinal)
{
	const struct memory *memory = appending->memory;
	const bool is_erased = was_erased(appending, asked) || was_erased(appending, answered);
	struct stored_turn user_turn = past_turn(appending, asked, ordinal, is_erased);
	struct stored_turn answer = past_turn(appending, answered, ordinal, is_erased);
	journal_add_turn(memory, &appending->user, &user_turn);
	answer.turn.exchange = user_turn.turn.id;
	journal_add_turn(memory, &appending->user, &answer);
	struct stored_exchange exchange = {.answer = answer.turn.id, .user_hash = asked->hash};
	memory_put_exchange(memory, &user_turn.turn, &exchange);
	journal_fingerprint_answer(memory, answered->hash, appending->conversation_id, ordinal,
				   (struct stored_answer){.user_hash = asked->hash});
	return is_erased ? 0 : 2;
}

/* A history that memory does not hold yet goes before the exchange that brings it, as the
 * conversation's first exchanges, from which no facts are learned. */
static void import_history(struct appending *appending)
{
	const struct append *append = appending->append;
	size_t came = 0;
	for (size_t i = 0; appending->is_new && i + 1 < append->history_count; i += 2)
		came += import_exchange(appending, &append->history[i], &append->history[i + 1],
					(uint32_t)(i / 2));
	appending->came += appending->learn ? came : 0;
}

static void journal_exchange(struct appending *appending)
{
	look_at_summary(appending);
	import_history(appending);
	if (appending->same_exchange == 0)
		add_user_turn(appending);
	else
		learn_user_turn(appending);
	add_answer(appending);
	make_jobs(appending);
	memory_put_exchange(appending->memory, &appending->user_turn.turn, &appending->exchange);
}

/* Stores what the request was given, unless that may contain something that the user has since
 * asked to forget or taken back. Of two replies to one turn, the first one's context stands. */
static void keep_what_was_given(struct appending *appending)
{
	const struct memory *memory = appending->memory;
	const struct append *append = appending->append;
	if (memory_passed_epoch(memory, EPOCH_HIDDEN, append->forget_epoch))
		return;
	if (append->receipt.id != 0)
		memory_put_receipt(memory, &append->receipt);
	if (!appending->may_keep_given || appending->is_twin)
		return;
	if (append->frozen != NULL) {
		struct frozen frozen = *append->frozen;
		struct key key = memory_conversation_key(memory, appending->conversation_id);
		memory_write(memory, TABLE_FROZEN, key, stored_frozen_fields, &frozen);
		if (!append->keeps_replays)
			replays_delete(memory, appending->conversation_id);
	}
	if (append->replay != NULL) {
		struct replay replay = *append->replay;
		replay.ordinal = appending->ordinal;
		replays_put(memory, appending->conversation_id, &replay);
	}
}

/* Whether the conversation at the provider still waits for the reply that was fetched. */
static bool waits_for_it(const struct appending *appending, struct slice conversation)
{
	const struct append *append = appending->append;
	struct chain_link link;
	return links_find(appending->memory, conversation, &link) &&
	       link.conversation == appending->conversation_id &&
	       link.next_ordinal == appending->ordinal && link.user_hash == append->user_hash;
}

/* Stores where a request continues that continues from this reply, now that its place is
 * certain. */
static void keep_links(const struct appending *appending)
{
	const struct memory *memory = appending->memory;
	const struct append *append = appending->append;
	if (append->link == NULL)
		return;
	struct chain_link link = *append->link;
	link.conversation = appending->conversation_id;
	link.next_ordinal = appending->ordinal + (append->journal ? 1 : 0);
	/* The turn may hold what the user asked to forget meanwhile, or not to keep at all. */
	if (conversation_is_declined(memory, appending->conversation_id) ||
	    memory_passed_epoch(memory, EPOCH_HIDDEN, append->forget_epoch)) {
		link.is_pending = false;
		link.user_text = (struct slice){0};
	}
	if (!append->is_fetched || waits_for_it(appending, append->link_ids[1]))
		links_put(memory, append->link_ids[1], &link);
	links_put(memory, append->link_ids[0], &link);
	if (append->journal)
		links_drop_some_pending(memory, append->now - LINK_PENDING_MS,
					appending->user.next_turn);
}

static enum store_result run(struct appending *appending)
{
	const struct memory *memory = appending->memory;
	const struct append *append = appending->append;
	if (memory_passed_epoch(memory, EPOCH_FORGOTTEN, append->forget_epoch))
		return STORE_STALE;
	if (!memory_settings(memory).learn)
		return STORE_STALE; /* since its request came, the user wants nothing kept */
	find_twin(appending);
	if (append->journal && appending->same_exchange != 0 && !find_same_exchange(appending))
		return STORE_STALE;
	appending->may_keep_given =
		!memory_passed_epoch(memory, EPOCH_TAKEN_BACK, append->forget_epoch);
	journal_open_user(memory, append->tenant, append->user, append->started_at,
			  &appending->user);
	if (append->journal)
		take_back(appending);
	if (append->now > appending->user.last_seen)
		appending->user.last_seen = append->now;
	open_conversation(appending);
	if (append->declines)
		decline_conversation(memory, appending->conversation_id, append->now,
				     &appending->like);
	const bool is_kept = !conversation_is_declined(memory, appending->conversation_id);
	if (append->journal && is_kept)
		journal_exchange(appending);
	advance_conversation(appending);
	if (is_kept)
		keep_what_was_given(appending);
	keep_links(appending);
	const struct leaves leaves = {memory->user, append->receipt.id, appending->conversation_id};
	memory_make_room(memory, &leaves, append->receipt.user_limit, append->now);
	memory_put_user(memory, &appending->user);
	return STORE_OK;
}

/* May be undone and run again, so `append` is not changed. */
static enum store_result append_exchange(const struct memory *memory, const struct append *append)
{
	struct appending appending = {
		.memory = memory,
		.append = append,
		.learn = append->learn && append->journal,
		.conversation_id = append->conversation,
		.ordinal = append->ordinal,
		.same_exchange = append->same_exchange,
		.like = {.model = append->model,
			 .explicit_mode = append->explicit_mode,
			 .mode = append->mode,
			 .client_key = append->client_key,
			 .last_active = append->now},
	};
	return run(&appending);
}

/* ---- the operation ---- */

struct append_operation {
	struct operation operation;
	struct append append;
	struct frozen frozen;
	struct replay replay;
	struct chain_link link;
};

static enum store_result run_append(struct operation *operation, const struct memory *memory)
{
	struct append_operation *own = (struct append_operation *)operation;
	return append_exchange(memory, &own->append);
}

static struct receipt copy_receipt(struct operation *operation, const struct receipt *receipt)
{
	struct receipt copy = *receipt;
	copy.text = operation_slice(operation, receipt->text);
	copy.turns = operation_copy(operation, receipt->turns,
				    receipt->turn_count * sizeof(*receipt->turns));
	copy.facts = operation_copy(operation, receipt->facts,
				    receipt->fact_count * sizeof(*receipt->facts));
	return copy;
}

static void copy_history(struct append_operation *own)
{
	struct operation *operation = &own->operation;
	size_t count = own->append.history_count;
	struct imported_turn *copies =
		operation_copy(operation, own->append.history, count * sizeof(*copies));
	for (size_t i = 0; i < count; i++)
		copies[i].text = operation_slice(operation, copies[i].text);
	own->append.history = copies;
}

static void copy_frozen(struct append_operation *own)
{
	struct operation *operation = &own->operation;
	own->frozen = *own->append.frozen;
	own->frozen.block = operation_slice(operation, own->frozen.block);
	own->frozen.turns = operation_slice(operation, own->frozen.turns);
	own->frozen.chat_turns = operation_slice(operation, own->frozen.chat_turns);
	own->frozen.receipt_items = operation_slice(operation, own->frozen.receipt_items);
	own->frozen.facts = operation_copy(operation, own->frozen.facts,
					   own->frozen.fact_count * sizeof(*own->frozen.facts));
	own->frozen.given = operation_copy(operation, own->frozen.given,
					   own->frozen.given_count * sizeof(*own->frozen.given));
	own->frozen.ended = operation_copy(operation, own->frozen.ended,
					   own->frozen.ended_count * sizeof(*own->frozen.ended));
	own->append.frozen = &own->frozen;
}

static void copy_replay(struct append_operation *own)
{
	struct operation *operation = &own->operation;
	own->replay = *own->append.replay;
	own->replay.text = operation_slice(operation, own->replay.text);
	own->replay.receipt_items = operation_slice(operation, own->replay.receipt_items);
	own->replay.turns = operation_copy(operation, own->replay.turns,
					   own->replay.turn_count * sizeof(*own->replay.turns));
	own->replay.facts = operation_copy(operation, own->replay.facts,
					   own->replay.fact_count * sizeof(*own->replay.facts));
	own->append.replay = &own->replay;
}

static void copy_link(struct append_operation *own)
{
	struct operation *operation = &own->operation;
	own->link = *own->append.link;
	own->link.user_text = operation_slice(operation, own->link.user_text);
	own->link.model = operation_slice(operation, own->link.model);
	own->link.provider_conversation =
		operation_slice(operation, own->link.provider_conversation);
	own->link.turns = operation_copy(operation, own->link.turns,
					 own->link.turn_count * sizeof(*own->link.turns));
	own->link.facts = operation_copy(operation, own->link.facts,
					 own->link.fact_count * sizeof(*own->link.facts));
	own->append.link = &own->link;
	for (size_t i = 0; i < sizeof(own->append.link_ids) / sizeof(own->append.link_ids[0]); i++)
		own->append.link_ids[i] = operation_slice(operation, own->append.link_ids[i]);
}

struct store_call *store_append(struct store *store, const struct append *append,
				struct store_waiter waiter)
{
	const struct user_key user = store_user_key(append->tenant, append->user);
	struct append_operation *own = operation_create(sizeof(*own), run_append, &user);
	struct operation *operation = &own->operation;
	operation->grows = !append->promised;
	operation->promised = append->promised;
	own->append = *append;
	own->append.tenant = operation_slice(operation, append->tenant);
	own->append.user = operation_slice(operation, append->user);
	own->append.session = operation_slice(operation, append->session);
	own->append.user_text = operation_slice(operation, append->user_text);
	own->append.answer_text = operation_slice(operation, append->answer_text);
	own->append.model = operation_slice(operation, append->model);
	own->append.receipt = copy_receipt(operation, &append->receipt);
	if (append->history_count > 0)
		copy_history(own);
	if (append->frozen != NULL)
		copy_frozen(own);
	if (append->replay != NULL)
		copy_replay(own);
	if (append->link != NULL)
		copy_link(own);
	own->append.kept =
		operation_copy(operation, append->kept, append->kept_count * sizeof(*append->kept));
	own->append.carried = operation_copy(operation, append->carried,
					     append->carried_count * sizeof(*append->carried));
	return writer_submit(store->writer, operation, waiter);
}

/* ---- a receipt alone ---- */

struct receipt_operation {
	struct operation operation;
	uint64_t forget_epoch;
	struct receipt receipt;
};

static enum store_result run_keep_receipt(struct operation *operation, const struct memory *memory)
{
	struct receipt_operation *own = (struct receipt_operation *)operation;
	const struct leaves leaves = {memory->user, own->receipt.id, 0};
	if (!memory_settings(memory).learn ||
	    memory_passed_epoch(memory, EPOCH_FORGOTTEN, own->forget_epoch) ||
	    memory_passed_epoch(memory, EPOCH_HIDDEN, own->forget_epoch))
		return STORE_STALE;
	memory_put_receipt(memory, &own->receipt);
	memory_make_room(memory, &leaves, own->receipt.user_limit,
			 (int64_t)(own->receipt.id >> RECEIPT_TIME_SHIFT));
	return STORE_OK;
}

struct store_call *store_keep_receipt(struct store *store, struct user_key user,
				      uint64_t forget_epoch, const struct receipt *receipt,
				      struct store_waiter waiter)
{
	struct receipt_operation *own = operation_create(sizeof(*own), run_keep_receipt, &user);
	own->operation.grows = true;
	own->forget_epoch = forget_epoch;
	own->receipt = copy_receipt(&own->operation, receipt);
	return writer_submit(store->writer, &own->operation, waiter);
}
