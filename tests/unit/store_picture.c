#include "tests/unit/store_picture.h"

#include "core/text/text.h"

#include <inttypes.h>

struct picture {
	struct store *store;
	struct user_key user;
	struct arena arena;
	struct buffer *out;
	enum store_result result;
};

/* Whether there is something to write out. */
static bool take(struct picture *picture, enum store_result result, const char *name)
{
	if (result != STORE_OK && result != STORE_NOT_FOUND && picture->result == STORE_OK)
		picture->result = result;
	(void)buffer_append(picture->out, slice_of(name));
	(void)buffer_append(picture->out, slice_of(result == STORE_OK ? "\n" : ": nothing\n"));
	return result == STORE_OK;
}

static void put(struct picture *picture, const char *name, uint64_t number, struct slice text)
{
	char digits[24];
	char *digit = digits + sizeof(digits);
	do {
		*--digit = (char)('0' + number % 10);
	} while ((number /= 10) > 0);
	(void)buffer_append(picture->out, slice_of(name));
	(void)buffer_append(picture->out,
			    (struct slice){digit, (size_t)(digits + sizeof(digits) - digit)});
	(void)buffer_append_byte(picture->out, ' ');
	(void)buffer_append(picture->out, text);
	(void)buffer_append_byte(picture->out, '\n');
}

static void put_turns(struct picture *picture, const struct turn *turns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		put(picture, "turn ", turns[i].id, turns[i].text);
		put(picture, " of ", turns[i].exchange, turns[i].session);
		put(picture, " in ", turns[i].conversation * 1000 + turns[i].ordinal,
		    slice_of(role_name(turns[i].role)));
	}
}

static void put_facts(struct picture *picture, const struct fact *facts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		put(picture, "fact ", facts[i].id, facts[i].key);
		put(picture, " is ", facts[i].state, facts[i].value);
		put(picture, " by ", facts[i].superseded_by, facts[i].quote);
		put(picture, " ended ", (uint64_t)facts[i].ended_at, facts[i].entity);
	}
}

static void put_summary(struct picture *picture, bool is_there, const struct summary *summary)
{
	if (is_there)
		put(picture, "summary ", summary->covers, summary->text);
}

static void put_view(struct picture *picture, const struct load *load)
{
	struct memory_view read;
	const struct memory_view *view = &read;
	if (!take(picture, store_load(picture->store, load, &read, &picture->arena), "view"))
		return;
	put(picture, "conversation ", view->conversation, view->frozen.block);
	put(picture, "next ", view->next_ordinal, view->frozen.receipt_items);
	put(picture, "asked again ", view->same_exchange, (struct slice){0});
	put(picture, "conversations ", view->conversations, (struct slice){0});
	put(picture, "branches ", view->branches, (struct slice){0});
	for (size_t i = 0; i < view->replay_count; i++)
		put(picture, "replay ", view->replays[i].ordinal, view->replays[i].text);
	put_summary(picture, view->has_summary, &view->summary);
	put_facts(picture, view->facts, view->fact_count);
	put_turns(picture, view->turns, view->turn_count);
}

static void load(struct picture *picture)
{
	const struct answer_fingerprint marks[] = {
		{.hash = text_hash(SLICE("a1")), .user_hash = text_hash(SLICE("I live in Paris"))},
		{.hash = text_hash(SLICE("a2"))}};
	struct load load = {.user = picture->user,
			    .session = SLICE("chat"),
			    .fingerprints = marks,
			    .fingerprint_count = 2,
			    .newest_hash = text_hash(SLICE("I like green tea")),
			    .newest_text = SLICE("I like green tea"),
			    .newest_turns = 100,
			    .uncovered_text = SIZE_MAX,
			    .facts = true,
			    .past_facts = true,
			    .now = 1000};
	put_view(picture, &load);
	load.session = (struct slice){0}; /* to be found by its answers */
	load.newest_turns = 0;
	load.uncovered_text = 0;
	put_view(picture, &load);
}

static void recall(struct picture *picture)
{
	static const int8_t vector[] = {127, -3};
	struct recall_question question;
	recall_read_question(SLICE("Where did I live, Paris or Bonn, and the tea?"), 1000,
			     &question, &picture->arena);
	question.vector = vector;
	question.dimensions = sizeof(vector);
	const struct recall recall = {.user = picture->user,
				      .question = &question,
				      .carried_from = UINT32_MAX,
				      .text_limit = SIZE_MAX};
	struct recall_result recalled;
	if (!take(picture, store_recall(picture->store, &recall, &recalled, &picture->arena),
		  "recall"))
		return;
	put(picture, "of ", recalled.ranked, (struct slice){0});
	for (size_t i = 0; i < recalled.count; i++)
		put(picture, "score ", (uint64_t)(recalled.scores[i].score * 1e6F),
		    recalled.turns[i].text);
}

static void put_unembedded(struct picture *picture)
{
	struct unembedded unembedded;
	if (take(picture,
		 store_unembedded(picture->store, picture->user, SLICE("embedder"), 3, &unembedded,
				  &picture->arena),
		 "unembedded"))
		put_turns(picture, unembedded.turns, unembedded.count);
}

static void put_jobs(struct picture *picture)
{
	struct job_list list;
	if (!take(picture,
		  store_user_jobs(picture->store, picture->user, 0, 100, &list, &picture->arena),
		  "jobs"))
		return;
	put(picture, "of ", list.next_after, list.user);
	for (size_t i = 0; i < list.count; i++) {
		const struct job *job = &list.jobs[i];
		put(picture, "job ", job->kind * 1000 + job->exchange, job->model);
		put(picture, " tries ", job->tries * 10 + job->parked, (struct slice){0});
		put(picture, " uncovered ", job->uncovered, (struct slice){0});
	}
}

static void put_users(struct picture *picture)
{
	struct user_page page;
	if (!take(picture, store_users_with_jobs(picture->store, NULL, 10, &page, &picture->arena),
		  "users with jobs"))
		return;
	for (size_t i = 0; i < page.count; i++)
		put(picture, "user ", page.users[i].bytes[0], (struct slice){0});
}

static void put_input(struct picture *picture, enum job_kind kind, uint64_t exchange)
{
	struct job_input read;
	const struct job_input *input = &read;
	size_t count = 1;
	if (!take(picture,
		  kind == JOB_FACTS ? store_facts_inputs(picture->store, picture->user, &exchange,
							 &count, &read, &picture->arena)
				    : store_summary_input(picture->store, picture->user, &read,
							  &picture->arena),
		  "input"))
		return;
	put(picture, "user ", input->user.id, input->user.text);
	put(picture, "assistant ", input->assistant.id, input->assistant.text);
	put_turns(picture, input->before, input->before_count);
	put_facts(picture, input->facts, input->fact_count);
	put_summary(picture, input->has_summary, &input->summary);
	put_turns(picture, input->uncovered, input->uncovered_count);
}

static void read_jobs(struct picture *picture)
{
	put_unembedded(picture);
	put_jobs(picture);
	put_users(picture);
	put_input(picture, JOB_FACTS, 5);
	put_input(picture, JOB_SUMMARY, 0);
}

static void put_memory(struct picture *picture)
{
	struct user_memory memory;
	if (!take(picture,
		  store_read_user(picture->store, picture->user, 1000, 1000, &memory,
				  &picture->arena),
		  "memory"))
		return;
	put(picture, "of ", 0, memory.user);
	put_summary(picture, memory.has_summary, &memory.summary);
	put_facts(picture, memory.facts, memory.fact_count);
	put_turns(picture, memory.turns, memory.turn_count);
}

static void put_receipt(struct picture *picture, uint64_t id)
{
	struct kept_receipt receipt;
	if (take(picture, store_read_receipt(picture->store, id, &receipt, &picture->arena),
		 "receipt"))
		put(picture, "of ", receipt.user.bytes[0], receipt.text);
}

static void read_for_people(struct picture *picture)
{
	put_memory(picture);
	for (uint64_t id = 70; id < 73; id++)
		put_receipt(picture, id);
}

enum store_result store_picture(struct store *store, struct buffer *out)
{
	struct picture picture = {
		.store = store, .user = store_user_key(SLICE("shared"), SLICE("alex")), .out = out};
	load(&picture);
	recall(&picture);
	read_jobs(&picture);
	read_for_people(&picture);
	arena_finish(&picture.arena);
	return picture.result;
}

void store_picture_counts(struct store *store, struct buffer *out)
{
	struct picture picture = {.out = out};
	struct store_statistics statistics;
	store_statistics(store, &statistics);
	put(&picture, "users ", statistics.users, (struct slice){0});
	put(&picture, "turns ", statistics.turns, (struct slice){0});
	put(&picture, "facts ", statistics.facts, (struct slice){0});
	put(&picture, "jobs ", statistics.jobs, (struct slice){0});
	put(&picture, "parked ", statistics.parked, (struct slice){0});
	put(&picture, "receipts ", statistics.receipts, (struct slice){0});
	put(&picture, "unreadable ", statistics.unreadable, (struct slice){0});
}
