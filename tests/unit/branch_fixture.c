#include "tests/unit/branch_fixture.h"

#include "tests/unit/learn_reading.h"

enum { MAP = 64 * 1024 * 1024 };

struct memory_view view_for(struct fixture *fixture, struct request request, const char *session)
{
	struct answer_fingerprint marks[16];
	for (size_t i = 0; i < request.count; i++)
		marks[i] = (struct answer_fingerprint){
			.hash = fixture_hash(request.history[i].answer),
			.user_hash = fixture_hash(request.history[i].user)};
	struct load load = {.user = fixture_key("alex"),
			    .session = slice_of(session),
			    .fingerprints = marks,
			    .fingerprint_count = request.count,
			    .newest_hash = fixture_hash(request.newest),
			    .newest_text = slice_of(request.newest),
			    .newest_turns = 100,
			    .uncovered_text = SIZE_MAX,
			    .facts = true,
			    .now = 1000};
	return fixture_load(fixture, &load);
}

struct append append_for(const struct memory_view *view, struct request request, const char *answer,
			 int64_t now)
{
	struct append append = fixture_exchange(request.newest, answer, now);
	append.session = SLICE("chat");
	append.forget_epoch = view->forget_epoch;
	append.conversation = view->conversation;
	append.ordinal = view->next_ordinal;
	append.same_exchange = view->same_exchange;
	append.supersede = view->branches;
	append.kept = view->kept;
	append.kept_count = view->kept_count;
	append.branch_from = view->branch_from;
	append.carried = view->carried;
	append.carried_count = view->carried_count;
	append.carries_history = request.count > 0;
	return append;
}

struct memory_view chat(struct fixture *fixture, struct request request, const char *answer,
			int64_t now)
{
	struct memory_view view = view_for(fixture, request, "chat");
	struct append append = append_for(&view, request, answer, now);
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
	return view;
}

const char *const one = "I live in Paris";
const char *const two = "I moved to Bonn last year";
const char *const three = "I like tea";

/* Three exchanges with the ids 1, 3 and 5. */
void chat_three(struct fixture *fixture)
{
	fixture_init(fixture, MAP);
	(void)chat(fixture, ASK_FIRST(one), "a1", 100);
	(void)chat(fixture, ASK(two, {one, "a1"}), "a2", 200);
	(void)chat(fixture, ASK(three, {one, "a1"}, {two, "a2"}), "a3", 300);
}

/* The texts of the current turns, joined by spaces. */
struct slice standing(struct fixture *fixture)
{
	struct memory_view view = fixture_view(fixture, "chat");
	struct buffer out;
	buffer_init(&out, 4096);
	for (size_t i = 0; i < view.turn_count; i++) {
		if (i > 0)
			buffer_append(&out, SLICE(" / "));
		buffer_append(&out, view.turns[i].text);
	}
	struct slice text = arena_copy(&fixture->arena, buffer_slice(&out));
	buffer_finish(&out);
	return text;
}

struct change city(const char *value, uint64_t exchange, int64_t observed_at)
{
	return (struct change){
		.kind = CHANGE_ADD,
		.fact = {.entity = SLICE("user"),
			 .kind = SLICE("user"),
			 .key = SLICE("city"),
			 .value = slice_of(value),
			 .quote = slice_of(value),
			 .confidence = 0.9,
			 .exchange = exchange,
			 .observed_at = observed_at},
		.replaced_by = -1,
	};
}

struct change superseded(uint64_t id, int64_t observed_at, int by)
{
	return (struct change){.kind = CHANGE_UPDATE,
			       .fact = {.id = id,
					.state = FACT_SUPERSEDED,
					.ended_at = 199,
					.observed_at = observed_at},
			       .replaced_by = by};
}

void learn(struct fixture *fixture, uint64_t exchange, const struct change *changes, size_t count)
{
	ck_assert_int_eq(fixture_learned(fixture, exchange, changes, count, false), STORE_OK);
}

/* Paris (fact 1) from the first exchange, then Bonn (fact 2) from the second. */
void learn_cities(struct fixture *fixture)
{
	struct change paris = city("Paris", 1, 99);
	struct change bonn[] = {city("Bonn", 3, 199), superseded(1, 99, 0)};
	learn(fixture, 1, &paris, 1);
	learn(fixture, 3, bonn, 2);
}

void assert_city(struct fixture *fixture, const char *value)
{
	struct memory_view view = fixture_view(fixture, "chat");
	ck_assert_uint_eq(view.fact_count, value != NULL);
	if (value != NULL)
		unit_assert_slice(view.facts[0].value, value);
}

struct job_list jobs_of(struct fixture *fixture)
{
	struct job_list jobs = {0};
	(void)fixture_jobs(fixture, &jobs);
	return jobs;
}

/* Learns from an exchange as the learner does, with this answer of the memory model. */
void learn_answer(struct fixture *fixture, uint64_t exchange, const char *answer)
{
	struct job_input input;
	struct learning learning = {0};
	ck_assert_int_eq(fixture_input(fixture, JOB_FACTS, exchange, &input), STORE_OK);
	struct learn_turn turn = {.exchange = exchange,
				  .created_at = input.user.created_at,
				  .user = input.user.text,
				  .facts = input.facts,
				  .fact_count = input.fact_count,
				  .min_confidence = 0.5};
	ck_assert(learn_facts_read(&turn, slice_of(answer), &learning, &fixture->arena));
	ck_assert_int_eq(fixture_learned(fixture, exchange, learning.changes, learning.change_count,
					 learning.hide_exchange),
			 STORE_OK);
}
