/* The other reads: jobs for the learner, a user's memory for people. */
#include "core/facts/facts.h"
#include "storage/user/branch.h"
#include "storage/user/memory.h"

enum { TURNS_BEFORE = 6 };

/* ---- jobs ---- */

/* Reads the jobs for facts in one table, in the order of their exchanges. */
static struct job *read_jobs(const struct memory *memory, bool parked, uint64_t after, size_t limit,
			     size_t *count)
{
	struct scan scan;
	struct job job;
	struct job *jobs = NULL;
	size_t capacity = 0; /* grows on demand: most users have few jobs, whatever the limit */
	struct key prefix = key_byte(memory_key(memory), JOB_FACTS);
	*count = 0;
	scan_begin_at(&scan, memory->transaction, parked ? TABLE_PARKED : TABLE_JOBS, prefix,
		      key_u64(prefix, after + 1), FORWARD);
	while (*count < limit && scan_step(&scan)) {
		if (!memory_decode_job(memory, scan.at, scan.value, parked, &job))
			continue;
		jobs = arena_grow(memory->arena, jobs, *count, &capacity, sizeof(job));
		jobs[(*count)++] = job;
	}
	scan_end(&scan);
	return jobs;
}

static void list_jobs(const struct memory *memory, uint64_t after, size_t limit,
		      struct job_list *list)
{
	size_t waiting_count;
	size_t parked_count;
	const struct job *waiting = read_jobs(memory, false, after, limit, &waiting_count);
	const struct job *parked = read_jobs(memory, true, after, limit, &parked_count);
	size_t found = waiting_count + parked_count;
	list->jobs = arena_alloc(memory->arena, (found + 1) * sizeof(*list->jobs));
	for (size_t i = 0, j = 0; list->count < limit && i + j < found;) {
		bool first = j == parked_count ||
			     (i < waiting_count && waiting[i].exchange < parked[j].exchange);
		list->jobs[list->count++] = first ? waiting[i++] : parked[j++];
	}
	if (list->count == limit && limit > 0)
		list->next_after = list->jobs[limit - 1].exchange;
	list->count += memory_job(memory, JOB_SUMMARY, 0, &list->jobs[list->count]);
}

enum store_result store_user_jobs(struct store *store, struct user_key user, uint64_t after,
				  size_t limit, struct job_list *list, struct arena *arena)
{
	struct stored_user stored = {0};
	struct transaction transaction;
	struct memory memory = {&transaction, user, arena};
	*list = (struct job_list){.key = user};
	if (transaction_begin_read(&transaction, store)) {
		if (memory_user(&memory, &stored))
			list_jobs(&memory, after, limit, list);
		transaction_abort(&transaction);
	}
	list->tenant = stored.tenant;
	list->user = stored.user;
	return transaction_outcome(&transaction, list->count > 0);
}

/* Finds the first user after `*user` who has a job, in one seek, however many jobs users have. */
static bool next_user_with_jobs(struct transaction *transaction, const struct user_key *after,
				struct user_key *user)
{
	struct scan scan;
	struct key from = after == NULL ? key_empty() : key_after(key_of_user(*after));
	bool found = scan_first_at(&scan, transaction, TABLE_JOBS, key_empty(), from, FORWARD);
	if (found)
		*user = key_read_user(scan.at);
	return found;
}

enum store_result store_users_with_jobs(struct store *store, const struct user_key *after,
					size_t limit, struct user_page *page, struct arena *arena)
{
	struct transaction transaction;
	*page = (struct user_page){0};
	if (transaction_begin_read(&transaction, store)) {
		uint64_t jobs = table_count(&transaction, TABLE_JOBS);
		size_t most = limit < jobs ? limit : (size_t)jobs;
		page->users = arena_alloc(arena, most * sizeof(*page->users));
		while (page->count < most &&
		       next_user_with_jobs(&transaction, after, &page->users[page->count]))
			after = &page->users[page->count++];
		transaction_abort(&transaction);
	}
	if (page->count > 0)
		page->last = page->users[page->count - 1];
	page->more = page->count == limit;
	return transaction.result;
}

/* ---- what a job works on ---- */

/* Skips an answer that broke off: it teaches and explains nothing. */
static bool read_current(const struct memory *memory, uint64_t id, struct turn *turn)
{
	struct stored_turn stored = {0};
	if (id == 0 || !memory_turn(memory, id, &stored) || stored.turn.state != TURN_CURRENT ||
	    !stored.turn.complete)
		return false;
	*turn = stored.turn;
	return true;
}

/* Reads the turns before one: finds them backward and returns them forward. */
static void read_before(const struct memory *memory, const struct turn *user_turn,
			struct job_input *input)
{
	struct turn found[TURNS_BEFORE];
	struct stored_exchange exchange;
	size_t count = 0;
	struct scan scan;
	struct key prefix = memory_conversation_key(memory, user_turn->conversation);
	struct key from = memory_exchange_key(memory, user_turn->conversation, user_turn->ordinal,
					      user_turn->exchange);
	scan_begin_at(&scan, memory->transaction, TABLE_EXCHANGES, prefix, from, BACKWARD);
	while (count < TURNS_BEFORE &&
	       scan_read(&scan, stored_exchange_fields, &exchange, sizeof(exchange), NULL)) {
		count += read_current(memory, exchange.answer, &found[count]);
		if (count < TURNS_BEFORE)
			count += read_current(memory, key_read_u64(scan.at, KEY_EXCHANGE_AT),
					      &found[count]);
	}
	scan_end(&scan);
	input->before = arena_alloc(memory->arena, count * sizeof(*found));
	input->before_count = count;
	for (size_t i = 0; i < count; i++)
		input->before[i] = found[count - 1 - i];
}

/* Dates what was taken back before everything else: it then excludes nothing that is learned, and
 * can only be forgotten. */
static void put_first_what_was_taken_back(const struct memory *memory, struct fact *facts,
					  size_t count)
{
	const struct branch none = {0};
	for (size_t i = 0; i < count; i++) {
		if (facts[i].state == FACT_CURRENT ||
		    !branch_is_taken_back(&none, memory, facts[i].exchange))
			continue;
		facts[i].observed_at = INT64_MIN;
		facts[i].ended_at = INT64_MIN;
	}
}

static bool read_exchange(const struct memory *memory, uint64_t exchange_id,
			  struct job_input *input)
{
	struct stored_exchange exchange = {0};
	struct past_conversation conversation = {0};
	if (!read_current(memory, exchange_id, &input->user))
		return false;
	(void)memory_conversation(memory, input->user.conversation, &conversation);
	input->user.session = conversation.session;
	if (memory_exchange(memory, &input->user, &exchange))
		(void)read_current(memory, exchange.answer, &input->assistant);
	read_before(memory, &input->user, input);
	return true;
}

/* Nothing is learned from what is hidden. */
static void conceal(const struct facts_hidden *hidden, struct turn *turns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (facts_hide_turn(hidden, &turns[i]))
			turns[i].text = (struct slice){0};
	}
}

/* Reads what is known of the user for all of the inputs. */
static void read_known(const struct memory *memory, struct job_input *inputs, size_t count)
{
	struct job_input known = {.tombstones = memory_tombstones(memory),
				  .settings = memory_settings(memory)};
	known.facts = memory_facts(memory, fact_is_known, 0, &known.fact_count);
	put_first_what_was_taken_back(memory, known.facts, known.fact_count);
	const struct facts_hidden hidden =
		facts_hidden_read(known.facts, known.fact_count, memory->arena);
	for (size_t i = 0; i < count; i++) {
		inputs[i].tombstones = known.tombstones;
		inputs[i].settings = known.settings;
		inputs[i].facts = known.facts;
		inputs[i].fact_count = known.fact_count;
		conceal(&hidden, &inputs[i].user, 1);
		conceal(&hidden, inputs[i].before, inputs[i].before_count);
	}
}

static size_t read_facts_inputs(const struct memory *memory, const uint64_t *exchanges,
				size_t count, struct job_input *inputs)
{
	size_t read = 0;
	while (read < count && read_exchange(memory, exchanges[read], &inputs[read]))
		read++;
	if (read > 0)
		read_known(memory, inputs, read);
	return read;
}

/* Orders turns by id, as the summary covers them. */
static bool read_summary_input(const struct memory *memory, struct job_input *input)
{
	struct turn_list list = {0};
	struct stored_turn stored;
	struct scan scan;
	struct key prefix = memory_key(memory);
	input->has_summary = memory_summary(memory, &input->summary);
	scan_begin_at(&scan, memory->transaction, TABLE_TURNS, prefix,
		      key_u64(prefix, input->summary.covers + 1), FORWARD);
	scan_let_go(&scan);
	while (list.count < MEMORY_MAX_TURNS && scan_turn(&scan, &stored, memory->arena)) {
		if (stored.turn.state != TURN_CURRENT || !stored.learn)
			continue;
		if (!turn_list_add(&list, memory, &stored.turn))
			break;
	}
	scan_end(&scan);
	input->facts = memory_facts(memory, fact_is_known, 0, &input->fact_count);
	const struct facts_hidden hidden =
		facts_hidden_read(input->facts, input->fact_count, memory->arena);
	conceal(&hidden, list.turns, list.count);
	input->uncovered = list.turns;
	input->uncovered_count = list.count;
	return list.count > 0;
}

enum store_result store_facts_inputs(struct store *store, struct user_key user,
				     const uint64_t *exchanges, size_t *count,
				     struct job_input *inputs, struct arena *arena)
{
	struct transaction transaction;
	struct memory memory = {&transaction, user, arena};
	size_t found = 0;
	/* Reads the forget_epoch first, as for a request. */
	const uint64_t forget_epoch = atomic_load(&store->forget_epoch);
	for (size_t i = 0; i < *count; i++)
		inputs[i] = (struct job_input){.forget_epoch = forget_epoch};
	if (transaction_begin_read(&transaction, store)) {
		found = read_facts_inputs(&memory, exchanges, *count, inputs);
		transaction_abort(&transaction);
	}
	*count = found;
	return transaction_outcome(&transaction, found > 0);
}

enum store_result store_summary_input(struct store *store, struct user_key user,
				      struct job_input *input, struct arena *arena)
{
	struct transaction transaction;
	struct memory memory = {&transaction, user, arena};
	bool found = false;
	*input = (struct job_input){.forget_epoch = atomic_load(&store->forget_epoch)};
	if (transaction_begin_read(&transaction, store)) {
		found = read_summary_input(&memory, input);
		transaction_abort(&transaction);
	}
	return transaction_outcome(&transaction, found);
}

/* ---- for people ---- */

static bool read_user(const struct memory *memory, size_t max_turns, int64_t now,
		      struct user_memory *read)
{
	struct stored_user user = {0};
	struct turn_list list = {0};
	if (!memory_user(memory, &user))
		return false;
	read->tenant = user.tenant;
	read->user = user.user;
	read->has_summary = memory_summary(memory, &read->summary);
	read->facts = memory_facts(memory, fact_is_current, now, &read->fact_count);
	turn_list_add_newest(&list, memory, max_turns);
	turn_list_sort(&list);
	read->turns = list.turns;
	read->turn_count = list.count;
	return true;
}

enum store_result store_read_user(struct store *store, struct user_key user, size_t max_turns,
				  int64_t now, struct user_memory *read, struct arena *arena)
{
	struct transaction transaction;
	struct memory memory = {&transaction, user, arena};
	bool found = false;
	*read = (struct user_memory){0};
	if (transaction_begin_read(&transaction, store)) {
		found = read_user(&memory, max_turns, now, read);
		transaction_abort(&transaction);
	}
	return transaction_outcome(&transaction, found);
}
