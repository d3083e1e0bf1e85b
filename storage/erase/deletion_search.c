#include "storage/erase/deletion_search.h"

#include "core/facts/change.h"
#include "core/facts/facts.h"
#include "core/text/terms.h"

/* All words that a text must say for its turn or fact to match. */
struct wanted {
	struct slice about;
	struct slice entity;
	/* Or one of these facts. */
	const struct fact_saying *sayings;
	size_t saying_count;
	bool any; /* texts matter at all */
};

static bool is_said(const struct wanted *wanted, struct slice text)
{
	if (!wanted->any || text.size == 0)
		return false;
	for (size_t i = 0; i < wanted->saying_count; i++) {
		if (fact_is_said(&wanted->sayings[i], text))
			return true;
	}
	return wanted->saying_count == 0 &&
	       (wanted->about.size == 0 || terms_say(text, wanted->about)) &&
	       (wanted->entity.size == 0 || terms_say(text, wanted->entity));
}

static bool is_named(const struct wanted *wanted, struct slice text)
{
	for (size_t i = 0; text.size > 0 && i < wanted->saying_count; i++) {
		if (fact_is_named(&wanted->sayings[i], text))
			return true;
	}
	return false;
}

static struct wanted topic_of(const struct deletion *deletion)
{
	struct wanted wanted = {.about = deletion->about, .entity = deletion->entity};
	if (deletion->kind != DELETION_TOPIC || !deletion_reads_texts(deletion))
		return (struct wanted){0};
	wanted.any = wanted.about.size + wanted.entity.size > 0;
	return wanted;
}

/* Looks for the first values of a long chain only. */
static struct wanted facts_of(const struct deletion_search *search, const struct deletion *deletion,
			      struct arena *arena)
{
	enum { MOST = 32 };
	struct fact_saying *sayings = arena_alloc(arena, MOST * sizeof(*sayings));
	struct wanted wanted = {.sayings = sayings};
	for (size_t i = 0; i < search->fact_count && wanted.saying_count < MOST; i++) {
		const struct fact *fact = search->facts[i].fact;
		if (ids_hold(search->plan.facts.ids, search->plan.facts.count, fact->id))
			sayings[wanted.saying_count++] = fact_saying_read(fact, arena);
	}
	wanted.any = deletion->with_source && wanted.saying_count > 0;
	return wanted;
}

/* ---- reading ---- */

static void add_turn(struct deletion_search *search, size_t *capacity, struct arena *arena,
		     const struct deletable_turn *turn)
{
	search->turns = arena_grow(arena, search->turns, search->turn_count, capacity,
				   sizeof(*search->turns));
	search->turns[search->turn_count++] = *turn;
}

static void read_turns(struct deletion_search *search, const struct memory *memory,
		       const struct wanted *wanted)
{
	struct stored_turn stored;
	struct scan scan;
	size_t capacity = 0;
	search->turns = NULL;
	search->turn_count = 0;
	memory_scan(memory, &scan, TABLE_TURNS);
	while (scan_turn(&scan, &stored, NULL)) {
		const struct turn *turn = &stored.turn;
		add_turn(search, &capacity, memory->arena,
			 &(struct deletable_turn){.id = turn->id,
						  .exchange = turn->exchange,
						  .conversation = turn->conversation,
						  .is_user = turn->role == ROLE_USER,
						  .is_hidden = turn->state == TURN_HIDDEN,
						  .says = is_said(wanted, turn->text),
						  .names = is_named(wanted, turn->text),
						  .created_at = turn->created_at});
	}
	scan_end(&scan);
}

static bool fact_says(const struct wanted *wanted, const struct fact *fact)
{
	return wanted->about.size == 0 || terms_say(fact->value, wanted->about) ||
	       terms_say(fact->quote, wanted->about) || terms_say(fact->entity, wanted->about) ||
	       terms_say(fact->key, wanted->about);
}

static uint64_t token_of_facts(const struct fact *facts, size_t count)
{
	struct deletion_plan all = {0};
	struct arena scratch = {0};
	for (size_t i = 0; i < count; i++) {
		id_list_add(&all.facts, &scratch, facts[i].id);
		id_list_add(&all.facts, &scratch, facts[i].exchange);
		id_list_add(&all.facts, &scratch, facts[i].state);
	}
	uint64_t token = deletion_token(&all);
	arena_finish(&scratch);
	return token;
}

static const struct fact *read_facts(struct deletion_search *search, const struct memory *memory,
				     const struct deletion *deletion)
{
	const struct fact *subject = NULL;
	struct fact *facts = memory_facts(memory, fact_is_known, 0, &search->fact_count);
	search->facts = arena_alloc(memory->arena, search->fact_count * sizeof(*search->facts));
	search->facts_token = token_of_facts(facts, search->fact_count);
	for (size_t i = 0; i < search->fact_count; i++) {
		search->facts[i] = (struct deletable_fact){.fact = &facts[i]};
		if (deletion->kind == DELETION_FACT && facts[i].id == deletion->id)
			subject = &facts[i];
	}
	return subject;
}

/* ---- facts that other words support, too ---- */

static bool stays(const struct deletion_plan *plan, const struct turn *turn)
{
	return turn->state == TURN_CURRENT && turn->role == ROLE_USER &&
	       !ids_hold(plan->exchanges.ids, plan->exchanges.count, turn->exchange);
}

/* The facts whose source goes, and their quotes. */
struct orphans {
	struct deletable_fact **facts;
	struct slice *quotes;
	uint32_t *found; /* room */
	size_t count;
};

static void list_orphans(struct orphans *orphans, const struct deletion_search *search,
			 struct arena *arena)
{
	orphans->facts = arena_alloc(arena, search->fact_count * sizeof(struct deletable_fact *));
	orphans->quotes = arena_alloc(arena, search->fact_count * sizeof(*orphans->quotes));
	orphans->found = arena_alloc(arena, search->fact_count * sizeof(*orphans->found));
	for (size_t i = 0; i < search->fact_count; i++) {
		struct deletable_fact *fact = &search->facts[i];
		if (!deletion_takes_source(&search->plan, fact->fact))
			continue;
		orphans->facts[orphans->count] = fact;
		orphans->quotes[orphans->count++] = fact->fact->quote;
	}
}

/* The newest turn that holds a quote counts. */
static void find_elsewhere(struct deletion_search *search, const struct memory *memory)
{
	struct orphans orphans = {0};
	struct quotes quotes;
	struct stored_turn stored;
	struct scan scan;
	list_orphans(&orphans, search, memory->arena);
	quotes_init(&quotes, orphans.quotes, orphans.count, memory->arena);
	scan_begin(&scan, memory->transaction, TABLE_TURNS, memory_key(memory), BACKWARD);
	scan_let_go(&scan);
	while (quotes.left > 0 && scan_turn(&scan, &stored, NULL)) {
		if (!stays(&search->plan, &stored.turn))
			continue;
		const size_t count = quotes_take(&quotes, stored.turn.text, orphans.found);
		for (size_t i = 0; i < count; i++)
			orphans.facts[orphans.found[i]]->elsewhere = stored.turn.exchange;
	}
	scan_end(&scan);
}

/* The exchange on which a fact of plan.moved rests from now on. */
uint64_t deletion_search_elsewhere(const struct deletion_search *search, uint64_t fact)
{
	for (size_t i = 0; i < search->fact_count; i++) {
		if (search->facts[i].fact->id == fact)
			return search->facts[i].elsewhere;
	}
	return 0;
}

/* ---- all of it ---- */

static void list_conversations(struct deletion_search *search, struct arena *arena)
{
	const struct id_list *turns = &search->plan.turns;
	struct id_list all = {0};
	for (size_t i = 0; i < search->turn_count; i++) {
		if (ids_hold(turns->ids, turns->count, search->turns[i].id))
			id_list_add(&all, arena, search->turns[i].conversation);
	}
	ids_sort(all.ids, all.count);
	for (size_t i = 0; i < all.count; i++) {
		if (i == 0 || all.ids[i] != all.ids[i - 1])
			id_list_add(&search->conversations, arena, all.ids[i]);
	}
}

/* A conversation that does not exist takes nothing. */
static void check_conversation(struct deletion_plan *plan, const struct memory *memory)
{
	struct past_conversation conversation = {0};
	if (plan->conversation != 0 &&
	    !memory_conversation(memory, plan->conversation, &conversation))
		plan->conversation = 0;
}

/* A session that nobody knows leads to no conversation. */
static struct deletion resolve(const struct deletion *deletion, const struct memory *memory)
{
	struct deletion resolved = *deletion;
	if (deletion->session.size > 0)
		resolved.id = memory_session(memory, deletion->session);
	return resolved;
}

static void count_still_said(struct deletion_search *search)
{
	const struct id_list *exchanges = &search->plan.exchanges;
	for (size_t i = 0; i < search->turn_count; i++) {
		const struct deletable_turn *turn = &search->turns[i];
		const uint64_t exchange = turn->exchange != 0 ? turn->exchange : turn->id;
		const bool says = turn->names || turn->says ||
				  (turn->is_user && id_list_has(&search->plan.sources, exchange));
		search->still_said += says && !turn->is_hidden &&
				      !ids_hold(exchanges->ids, exchanges->count, exchange);
	}
}

/* Somebody might restore it. */
static bool says_the_same(const struct fact *subject, const struct fact *fact, struct arena *arena)
{
	if (subject == NULL || fact->state == FACT_CURRENT)
		return false;
	const struct known named = known_of(subject, arena);
	const struct known known = known_of(fact, arena);
	return known_says(&known, &named);
}

bool deletion_search_run(struct deletion_search *search, const struct memory *memory,
			 const struct deletion *asked)
{
	const struct deletion resolved = resolve(asked, memory);
	const struct deletion *deletion = &resolved;
	struct stored_user user;
	*search = (struct deletion_search){.forget_epoch = search->forget_epoch};
	if (!memory_user(memory, &user))
		return false;
	search->next_turn = user.next_turn;
	const struct fact *subject = read_facts(search, memory, deletion);
	const struct wanted topic = topic_of(deletion);
	search->matches = subject == NULL || fact_matches(subject, deletion->match);
	for (size_t i = 0; i < search->fact_count; i++) {
		struct deletable_fact *fact = &search->facts[i];
		fact->says = fact_says(&topic, fact->fact);
		fact->is_double = says_the_same(subject, fact->fact, memory->arena);
	}
	struct deletion_plan *plan = &search->plan;
	deletion_take_named(plan, deletion, search->facts, search->fact_count, memory->arena);
	const struct wanted facts = facts_of(search, deletion, memory->arena);
	read_turns(search, memory, deletion->kind == DELETION_FACT ? &facts : &topic);
	deletion_take_turns(plan, deletion, search->turns, search->turn_count, memory->arena);
	if (deletion->kind == DELETION_FACT)
		count_still_said(search);
	check_conversation(plan, memory);
	find_elsewhere(search, memory);
	deletion_take_facts(plan, deletion, search->facts, search->fact_count, memory->arena);
	(void)memory_summary(memory, &search->summary);
	list_conversations(search, memory->arena);
	const struct leaving leaving = deletion_leaving(plan);
	receipt_search_run(&search->receipts, memory, &leaving);
	return true;
}

bool deletion_search_stands(const struct deletion_search *search, const struct memory *memory)
{
	struct stored_user user;
	struct summary summary;
	size_t count;
	if (!memory_user(memory, &user) || user.next_turn != search->next_turn ||
	    memory_passed_epoch(memory, EPOCH_HIDDEN, search->forget_epoch) ||
	    memory_passed_epoch(memory, EPOCH_TAKEN_BACK, search->forget_epoch))
		return false;
	(void)memory_summary(memory, &summary);
	if (summary.covers != search->summary.covers)
		return false;
	const struct fact *facts = memory_facts(memory, fact_is_known, 0, &count);
	return token_of_facts(facts, count) == search->facts_token;
}
