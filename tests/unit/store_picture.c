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

static void take_view(void *cookie, enum store_result result, struct memory_view *view)
{
	struct picture *picture = cookie;
	if (!take(picture, result, "view"))
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
	(void)store_load(picture->store, &load, &picture->arena, take_view, picture);
	load.session = (struct slice){0}; /* to be found by its answers */
	load.newest_turns = 0;
	load.uncovered_text = 0;
	(void)store_load(picture->store, &load, &picture->arena, take_view, picture);
}

static void take_recalled(void *cookie, enum store_result result, struct recall_result *recalled)
{
	struct picture *picture = cookie;
	if (!take(picture, result, "recall"))
		return;
	put(picture, "of ", recalled->ranked, (struct slice){0});
	for (size_t i = 0; i < recalled->count; i++)
		put(picture, "score ", (uint64_t)(recalled->scores[i].score * 1e6F),
		    recalled->turns[i].text);
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
	(void)store_recall(picture->store, &recall, &picture->arena, take_recalled, picture);
}

static void take_unembedded(void *cookie, enum store_result result, struct turn *turns,
			    size_t count)
{
	if (take(cookie, result, "unembedded"))
		put_turns(cookie, turns, count);
}

static void take_jobs(void *cookie, enum store_result result, struct job_list *list)
{
	struct picture *picture = cookie;
	if (!take(picture, result, "jobs"))
		return;
	put(picture, "of ", list->next_after, list->user);
	for (size_t i = 0; i < list->count; i++) {
		const struct job *job = &list->jobs[i];
		put(picture, "job ", job->kind * 1000 + job->exchange, job->model);
		put(picture, " tries ", job->tries * 10 + job->parked, (struct slice){0});
		put(picture, " uncovered ", job->uncovered, (struct slice){0});
	}
}

static void take_users(void *cookie, enum store_result result, struct user_key *users, size_t count)
{
	if (!take(cookie, result, "users with jobs"))
		return;
	for (size_t i = 0; i < count; i++)
		put(cookie, "user ", users[i].bytes[0], (struct slice){0});
}

static void take_input(void *cookie, enum store_result result, struct job_input *input)
{
	struct picture *picture = cookie;
	if (!take(picture, result, "input"))
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
	struct store *store = picture->store;
	struct arena *arena = &picture->arena;
	(void)store_unembedded(store, picture->user, SLICE("embedder"), 3, arena, take_unembedded,
			       picture);
	(void)store_user_jobs(store, picture->user, 0, 100, arena, take_jobs, picture);
	(void)store_users_with_jobs(store, NULL, 10, arena, take_users, picture);
	(void)store_job_input(store, picture->user, JOB_FACTS, 5, arena, take_input, picture);
	(void)store_job_input(store, picture->user, JOB_SUMMARY, 0, arena, take_input, picture);
}

static void take_memory(void *cookie, enum store_result result, struct user_memory *memory)
{
	struct picture *picture = cookie;
	if (!take(picture, result, "memory"))
		return;
	put(picture, "of ", 0, memory->user);
	put_summary(picture, memory->has_summary, &memory->summary);
	put_facts(picture, memory->facts, memory->fact_count);
	put_turns(picture, memory->turns, memory->turn_count);
}

static void take_receipt(void *cookie, enum store_result result, struct slice text,
			 struct user_key user)
{
	if (take(cookie, result, "receipt"))
		put(cookie, "of ", user.bytes[0], text);
}

static void read_for_people(struct picture *picture)
{
	struct store *store = picture->store;
	(void)store_read_user(store, picture->user, 1000, 1000, &picture->arena, take_memory,
			      picture);
	for (uint64_t id = 70; id < 73; id++)
		(void)store_read_receipt(store, id, &picture->arena, take_receipt, picture);
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
