#include "tests/unit/store_calls.h"

#include "core/learn/learn.h"
#include "tests/unit/branch_fixture.h"
#include "tests/unit/failing_allocator.h"
#include "tests/unit/store_picture.h"

bool place_open(struct place *place)
{
	char error[512] = "";
	struct store_options options = {.path = place->folder,
					.map_size = PLACE_MAP,
					.receipts = 2,
					.master = fixture_master()};
	place->store = store_open(&options, error, sizeof(error));
	TRIAL_EXPECT((place->store == NULL) == (error[0] != '\0'));
	/* Want of memory is not want of room. */
	TRIAL_EXPECT(place->store == NULL || store_has_room(place->store));
	return place->store != NULL;
}

void place_close(struct place *place)
{
	store_close(place->store);
	place->store = NULL;
	buffer_finish(&place->read);
}

void place_look(struct place *place, struct buffer *out)
{
	buffer_init(out, SIZE_MAX);
	TRIAL_EXPECT(store_picture(place->store, out) == STORE_OK);
	store_picture_counts(place->store, out);
}

bool place_looks_like(struct place *place, const struct buffer *expected)
{
	struct buffer now;
	place_look(place, &now);
	bool same = slice_equal(buffer_slice(&now), buffer_slice(expected));
	buffer_finish(&now);
	return same;
}

/* ---- the calls ---- */

/* Check's assertions allocate, so these have none. */
static void take_done(void *cookie, enum store_result result)
{
	*(struct fixture_wait *)cookie = (struct fixture_wait){.done = true, .result = result};
}

static enum store_result await(struct place *place, const struct fixture_wait *wait)
{
	while (!wait->done)
		fixture_loop_turn(&place->loop);
	return wait->result;
}

#define WRITE(place, function, ...)                                                                \
	struct fixture_wait wait = {0};                                                            \
	(void)function((place)->store, __VA_ARGS__,                                                \
		       (struct store_waiter){&(place)->loop.loop, take_done, &wait});              \
	return await(place, &wait)

enum store_result call_append(struct place *place)
{
	struct append append = fixture_exchange("I like green tea", "So do I", 400);
	const uint64_t ids[] = {1, 2};
	struct replay replay = {.ordinal = 3,
				.user_hash = append.user_hash,
				.text = SLICE("recalled"),
				.receipt_items = SLICE("[]"),
				.turns = ids,
				.turn_count = 2};
	struct frozen frozen = {.mode = MODE_HYBRID,
				.block = SLICE("the block"),
				.receipt_items = SLICE("[]"),
				.facts = ids,
				.fact_count = 2};
	append.session = SLICE("chat");
	append.ordinal = 3;
	append.replay = &replay;
	append.frozen = &frozen;
	append.receipt.id = 72;
	append.receipt.text = SLICE("{\"why\":1}");
	WRITE(place, store_append, &append);
}

/* The second turn is asked otherwise: it, what follows, and the fact from it are taken back. */
enum store_result call_append_branch(struct place *place)
{
	struct append append = fixture_exchange("I moved to Rome last year", "a4", 400);
	append.session = SLICE("chat");
	append.ordinal = 1;
	append.carries_history = true;
	append.supersede = true;
	WRITE(place, store_append, &append);
}

enum store_result call_append_with_history(struct place *place)
{
	const struct imported_turn adopted[] = {
		{.role = ROLE_USER, .text = SLICE("before you"), .hash = 11, .created_at = 5},
		{.role = ROLE_ASSISTANT, .text = SLICE("I see"), .hash = 12, .created_at = 6}};
	struct append append = fixture_exchange("and now?", "a5", 400);
	append.ordinal = 1;
	append.carries_history = true;
	append.history = adopted;
	append.history_count = 2;
	WRITE(place, store_append, &append);
}

enum store_result call_import(struct place *place)
{
	const struct fixture_turn turns[] = {
		{.role = ROLE_USER, .text = SLICE("tea from Assam"), .hash = 21, .created_at = 5},
		{.role = ROLE_ASSISTANT, .text = SLICE("strong"), .hash = 22, .created_at = 6},
		{.role = ROLE_USER, .text = SLICE("yes"), .hash = 23, .created_at = 7}};
	WRITE(place, fixture_begin_import, SLICE("shared"), SLICE("alex"), turns, 3, true, 500);
}

enum store_result call_keep_receipt(struct place *place)
{
	WRITE(place, store_keep_receipt, fixture_key("alex"), UINT64_MAX,
	      &(struct receipt){.id = 72, .text = SLICE("{}")});
}

enum store_result call_forget(struct place *place)
{
	WRITE(place, store_forget, fixture_key("alex"), 0, NULL);
}

/* The first two exchanges go, with the summary and the first fact. */
enum store_result call_expire(struct place *place)
{
	static struct expired_count count;
	const struct expiry expiry = {.now = 1000, .turns_until = 250, .facts_until = 150};
	WRITE(place, store_expire, fixture_key("alex"), &expiry, &count);
}

enum store_result call_learned(struct place *place)
{
	const struct change changes[] = {city("Rome", 5, 299), superseded(2, 199, 0)};
	WRITE(place, store_learned, fixture_key("alex"),
	      &(struct learned){5, UINT64_MAX, changes, 2, false, 1000});
}

enum store_result call_learned_to_forget(struct place *place)
{
	const struct change changes[] = {
		{.kind = CHANGE_FORGET, .fact = {.id = 2}, .replaced_by = -1},
		{.kind = CHANGE_HIDE,
		 .fact = {.value = SLICE("Paris"), .observed_at = 1000},
		 .replaced_by = -1}};
	WRITE(place, store_learned, fixture_key("alex"),
	      &(struct learned){5, UINT64_MAX, changes, 2, true, 1000});
}

enum store_result call_summarized(struct place *place)
{
	const struct summary summary = {
		.text = SLICE("Tea."), .covers = 6, .updated_at = 9, .model = SLICE("model")};
	WRITE(place, store_summarized, fixture_key("alex"), UINT64_MAX, &summary, 4);
}

enum store_result call_postpone(struct place *place)
{
	const struct job job = {.kind = JOB_FACTS, .exchange = 5, .tries = 3, .not_before = 900};
	WRITE(place, store_postpone, fixture_key("alex"), &job);
}

enum store_result call_unpark(struct place *place)
{
	size_t count;
	WRITE(place, store_unpark, NULL, &count);
}

enum store_result call_embedded(struct place *place)
{
	static const int8_t vector[] = {3, 127};
	const struct embedded_turn turns[] = {{5, vector}, {6, NULL}};
	WRITE(place, store_embedded, fixture_key("alex"), SLICE("embedder"), sizeof(vector), turns,
	      2);
}

enum store_result call_open_again(struct place *place)
{
	place_close(place);
	return place_open(place) ? STORE_OK : STORE_FAILED;
}

enum store_result call_read_everything(struct place *place)
{
	buffer_finish(&place->read);
	buffer_init(&place->read, SIZE_MAX);
	return store_picture(place->store, &place->read);
}
