/* store_append(): an exchange goes into the journal. */
#include "storage/lmdb_journal.h"
#include "storage/writer.h"

#include <string.h>

struct append_operation {
	struct operation operation;
	struct user_key user;
	struct append append;
	struct frozen frozen;
};

/* One run of it. */
struct appending {
	struct memory memory;
	const struct append *append;
	bool learn; /* this exchange teaches something */
	struct stored_user user;
	uint32_t conversation_id;
	uint32_t ordinal;
	struct stored_conversation conversation;
	struct stored_turn user_turn;
	struct stored_exchange exchange;
	uint64_t covers; /* the summary's */
	size_t came;     /* turns that it does not cover yet */
	size_t went;
};

/* The exchange whose user turn is asked again. False: it was hidden, or is gone. */
static bool find_same_exchange(struct appending *appending)
{
	const struct memory *memory = &appending->memory;
	struct stored_turn *turn = &appending->user_turn;
	if (!memory_turn(memory, appending->append->same_exchange, turn) ||
	    turn->turn.state != TURN_CURRENT || turn->turn.role != ROLE_USER ||
	    !memory_exchange(memory, &turn->turn, &appending->exchange))
		return false;
	appending->conversation_id = turn->turn.conversation;
	appending->ordinal = turn->turn.ordinal;
	return true;
}

static void open_conversation(struct appending *appending)
{
	const struct memory *memory = &appending->memory;
	const struct append *append = appending->append;
	struct stored_conversation *conversation = &appending->conversation;
	bool asked_for = appending->conversation_id != 0;
	if (!asked_for && append->session.size > 0)
		appending->conversation_id = memory_session(memory, append->session);
	if (appending->conversation_id != 0 &&
	    memory_conversation(memory, appending->conversation_id, conversation)) {
		/* Another first request of the session came in before: this one is behind it. */
		if (!asked_for && conversation->answers > appending->ordinal)
			appending->ordinal = conversation->answers;
		return;
	}
	appending->conversation_id =
		memory_begin_conversation(memory, &appending->user, append->session);
	*conversation = (struct stored_conversation){.session = append->session};
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
	turn->turn.hash = append->user_hash;
	turn->turn.text = append->user_text;
	journal_add_turn(&appending->memory, &appending->user, turn);
	appending->came += appending->learn;
	appending->exchange = (struct stored_exchange){.user_hash = append->user_hash};
}

/* A turn whose first answer broke off is learned from with its second. */
static void learn_user_turn(struct appending *appending)
{
	struct stored_turn *turn = &appending->user_turn;
	if (!appending->learn || turn->learn)
		return;
	turn->learn = true;
	memory_put_turn(&appending->memory, turn);
	appending->came += turn->turn.id > appending->covers;
}

static void supersede_answer(struct appending *appending)
{
	struct stored_turn earlier = {0};
	if (appending->exchange.answer == 0 ||
	    !memory_turn(&appending->memory, appending->exchange.answer, &earlier))
		return;
	appending->went += earlier.learn && earlier.turn.id > appending->covers;
	earlier.turn.state = TURN_SUPERSEDED;
	memory_put_turn(&appending->memory, &earlier);
}

static void add_answer(struct appending *appending)
{
	const struct append *append = appending->append;
	struct stored_turn turn = new_turn(appending, ROLE_ASSISTANT);
	/* A reply that broke off before its first word says nothing. */
	if (!append->complete && append->answer_text.size == 0)
		return;
	supersede_answer(appending);
	turn.turn.exchange = appending->user_turn.turn.id;
	turn.turn.complete = append->complete;
	turn.turn.created_at = append->now;
	turn.turn.hash = append->answer_hash;
	turn.turn.text = append->answer_text;
	turn.earlier = appending->exchange.answer;
	journal_add_turn(&appending->memory, &appending->user, &turn);
	appending->exchange.answer = turn.turn.id;
	appending->came += turn.learn;
}

static void advance_conversation(struct appending *appending)
{
	const struct append *append = appending->append;
	struct stored_conversation *conversation = &appending->conversation;
	struct stored_answer answer = {.user_hash = append->user_hash,
				       .tool_calls = !append->journal};
	if (append->complete || !append->journal)
		journal_mark_answer(&appending->memory, append->answer_hash,
				    appending->conversation_id, appending->ordinal, answer);
	if (append->complete && append->journal && conversation->answers <= appending->ordinal)
		conversation->answers = appending->ordinal + 1;
	if (append->now > conversation->last_active)
		conversation->last_active = append->now;
	memory_put_conversation(&appending->memory, appending->conversation_id, conversation);
}

static void make_jobs(struct appending *appending)
{
	const struct memory *memory = &appending->memory;
	const struct append *append = appending->append;
	const struct job like = {.model = append->model,
				 .explicit_mode = append->explicit_mode,
				 .mode = append->mode,
				 .client_key = append->client_key,
				 .last_active = append->now};
	if (appending->learn && (!append->explicit_mode || mode_uses_facts(append->mode)))
		journal_release_jobs(memory, &appending->user);
	if (appending->learn && !appending->exchange.queued) {
		journal_add_job(memory, &appending->user, appending->user_turn.turn.id, &like);
		appending->exchange.queued = true;
	}
	journal_count_uncovered(memory, appending->came, appending->went,
				appending->learn ? &like : NULL);
}

static void journal_exchange(struct appending *appending)
{
	struct summary summary;
	(void)memory_summary(&appending->memory, &summary);
	appending->covers = summary.covers;
	if (appending->append->same_exchange == 0)
		add_user_turn(appending);
	else
		learn_user_turn(appending);
	add_answer(appending);
	make_jobs(appending);
	memory_put_exchange(&appending->memory, &appending->user_turn.turn, &appending->exchange);
}

/* What the request was given; not when it may hold what the user asked to forget meanwhile. */
static void keep_what_was_given(struct appending *appending)
{
	const struct memory *memory = &appending->memory;
	const struct append *append = appending->append;
	if (tickets_marked_since(memory->transaction->store->hidden, memory->user, append->ticket))
		return;
	if (append->frozen != NULL) {
		struct frozen frozen = *append->frozen;
		struct key key = key_u32(key_of_user(memory->user), appending->conversation_id);
		table_write(memory->transaction, TABLE_FROZEN, key, stored_frozen_fields, &frozen);
	}
	if (append->receipt != 0)
		memory_put_receipt(memory, append->receipt, append->receipt_text);
}

static enum store_result append_exchange(struct appending *appending)
{
	const struct memory *memory = &appending->memory;
	const struct append *append = appending->append;
	if (tickets_marked_since(memory->transaction->store->forgotten, memory->user,
				 append->ticket))
		return STORE_STALE;
	if (append->journal && append->same_exchange != 0 && !find_same_exchange(appending))
		return STORE_STALE;
	journal_open_user(memory, append->tenant, append->user, append->started_at,
			  &appending->user);
	if (append->now > appending->user.last_seen)
		appending->user.last_seen = append->now;
	open_conversation(appending);
	if (append->journal)
		journal_exchange(appending);
	advance_conversation(appending);
	keep_what_was_given(appending);
	memory_put_user(memory, &appending->user);
	return STORE_OK;
}

static enum store_result run_append(struct operation *operation, struct transaction *transaction)
{
	struct append_operation *own = (struct append_operation *)operation;
	struct arena scratch = {0};
	struct appending appending = {
		.memory = {transaction, own->user, &scratch},
		.append = &own->append,
		.learn = own->append.learn && own->append.complete && own->append.journal,
		.conversation_id = own->append.conversation,
		.ordinal = own->append.ordinal,
	};
	enum store_result result = append_exchange(&appending);
	arena_finish(&scratch);
	return result;
}

static void copy_frozen(struct append_operation *own)
{
	struct operation *operation = &own->operation;
	own->frozen = *own->append.frozen;
	own->frozen.block = operation_slice(operation, own->frozen.block);
	own->frozen.turns = operation_slice(operation, own->frozen.turns);
	own->frozen.account = operation_slice(operation, own->frozen.account);
	own->frozen.facts = operation_copy(operation, own->frozen.facts,
					   own->frozen.fact_count * sizeof(*own->frozen.facts));
	own->append.frozen = &own->frozen;
}

struct store_call *store_append(struct store *store, const struct append *append,
				struct store_loop *loop, store_done *callback, void *cookie)
{
	struct append_operation *own = operation_create(sizeof(*own), run_append);
	struct operation *operation = &own->operation;
	operation->grows = true;
	own->user = store_user_key(append->tenant, append->user);
	own->append = *append;
	own->append.tenant = operation_slice(operation, append->tenant);
	own->append.user = operation_slice(operation, append->user);
	own->append.session = operation_slice(operation, append->session);
	own->append.user_text = operation_slice(operation, append->user_text);
	own->append.answer_text = operation_slice(operation, append->answer_text);
	own->append.model = operation_slice(operation, append->model);
	own->append.receipt_text = operation_slice(operation, append->receipt_text);
	if (append->frozen != NULL)
		copy_frozen(own);
	return writer_submit(store->writer, operation, loop, callback, cookie);
}
