/* What the store does when memory runs out, in every one of its calls and at every allocation in
 * it, LMDB's own included: the call fails, or the process ends clearly; either way the store holds
 * all that the call writes or nothing of it, and the same call then goes well. */
#include "core/learn.h"
#include "storage/lmdb_table.h"
#include "tests/unit/branch_fixture.h"
#include "tests/unit/failing_allocator.h"
#include "tests/unit/store_picture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAP = 64 * 1024 * 1024 };

/* ---- a store that is opened for one trial ---- */

struct place {
	char folder[64];
	struct store *store; /* NULL: not open, or it could not be opened */
	struct fixture_loop loop;
	struct buffer read; /* by read_everything() */
};

static bool open_place(struct place *place)
{
	char error[512] = "";
	struct store_options options = {place->folder, MAP, 2};
	place->store = store_open(&options, error, sizeof(error));
	TRIAL_EXPECT((place->store == NULL) == (error[0] != '\0'));
	return place->store != NULL;
}

static void close_place(struct place *place)
{
	store_close(place->store);
	place->store = NULL;
	buffer_finish(&place->read);
}

static void look(struct place *place, struct buffer *out)
{
	buffer_init(out, SIZE_MAX);
	TRIAL_EXPECT(store_picture(place->store, out) == STORE_OK);
	store_picture_counts(place->store, out);
}

static bool looks_like(struct place *place, const struct buffer *expected)
{
	struct buffer now;
	look(place, &now);
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
	(void)function((place)->store, __VA_ARGS__, &(place)->loop.loop, take_done, &wait);        \
	return await(place, &wait)

static enum store_result append(struct place *place)
{
	struct append append = fixture_exchange("I like green tea", "So do I", 400);
	const uint64_t ids[] = {1, 2};
	struct replay replay = {.ordinal = 3,
				.user_hash = append.user_hash,
				.text = SLICE("recalled"),
				.account = SLICE("[]"),
				.turns = ids,
				.turn_count = 2};
	struct frozen frozen = {.mode = MODE_HYBRID,
				.block = SLICE("the block"),
				.account = SLICE("[]"),
				.facts = ids,
				.fact_count = 2};
	append.session = SLICE("chat");
	append.ordinal = 3;
	append.replay = &replay;
	append.frozen = &frozen;
	append.receipt = 72;
	append.receipt_text = SLICE("{\"why\":1}");
	WRITE(place, store_append, &append);
}

/* The second turn is asked otherwise: it, what follows, and the fact from it are taken back. */
static enum store_result append_branch(struct place *place)
{
	struct append append = fixture_exchange("I moved to Rome last year", "a4", 400);
	append.session = SLICE("chat");
	append.ordinal = 1;
	append.carries_history = true;
	append.supersede = true;
	WRITE(place, store_append, &append);
}

static enum store_result append_adopting(struct place *place)
{
	const struct imported_turn adopted[] = {
		{.role = ROLE_USER, .text = SLICE("before you"), .hash = 11, .created_at = 5},
		{.role = ROLE_ASSISTANT, .text = SLICE("I see"), .hash = 12, .created_at = 6}};
	struct append append = fixture_exchange("and now?", "a5", 400);
	append.ordinal = 1;
	append.carries_history = true;
	append.adopted = adopted;
	append.adopted_count = 2;
	WRITE(place, store_append, &append);
}

static enum store_result import(struct place *place)
{
	const struct imported_turn turns[] = {
		{.role = ROLE_USER, .text = SLICE("tea from Assam"), .hash = 21, .created_at = 5},
		{.role = ROLE_ASSISTANT, .text = SLICE("strong"), .hash = 22, .created_at = 6},
		{.role = ROLE_USER, .text = SLICE("yes"), .hash = 23, .created_at = 7}};
	WRITE(place, store_import, SLICE("shared"), SLICE("alex"), turns, 3, true, SLICE("model"),
	      500);
}

static enum store_result keep_receipt(struct place *place)
{
	WRITE(place, store_keep_receipt, fixture_key("alex"), UINT64_MAX, 72, SLICE("{}"));
}

static enum store_result forget(struct place *place)
{
	WRITE(place, store_forget, fixture_key("alex"));
}

static enum store_result learned(struct place *place)
{
	const struct change changes[] = {city("Rome", 5, 299), superseded(2, 199, 0)};
	WRITE(place, store_learned, fixture_key("alex"), 5, changes, 2, false, 1000);
}

static enum store_result learned_to_forget(struct place *place)
{
	const struct change changes[] = {
		{.kind = CHANGE_FORGET, .fact = {.id = 2}, .replaced_by = -1},
		{.kind = CHANGE_HIDE, .fact = {.value = SLICE("Paris")}, .replaced_by = -1}};
	WRITE(place, store_learned, fixture_key("alex"), 5, changes, 2, true, 1000);
}

static enum store_result summarized(struct place *place)
{
	const struct summary summary = {
		.text = SLICE("Tea."), .covers = 6, .updated_at = 9, .model = SLICE("model")};
	WRITE(place, store_summarized, fixture_key("alex"), &summary, 4);
}

static enum store_result postpone(struct place *place)
{
	const struct job job = {.kind = JOB_FACTS, .exchange = 5, .tries = 3, .not_before = 900};
	WRITE(place, store_postpone, fixture_key("alex"), &job);
}

static enum store_result unpark(struct place *place)
{
	WRITE(place, store_unpark, NULL);
}

static enum store_result embedded(struct place *place)
{
	static const int8_t vector[] = {3, 127};
	const struct embedded_turn turns[] = {{5, vector}, {6, NULL}};
	WRITE(place, store_embedded, fixture_key("alex"), SLICE("embedder"), sizeof(vector), turns,
	      2);
}

static enum store_result open_again(struct place *place)
{
	close_place(place);
	return open_place(place) ? STORE_OK : STORE_FAILED;
}

static enum store_result read_everything(struct place *place)
{
	buffer_finish(&place->read);
	buffer_init(&place->read, SIZE_MAX);
	return store_picture(place->store, &place->read);
}

/* ---- one call, without each of its allocations ---- */

typedef enum store_result store_function(struct place *place);

struct attempt {
	store_function *call;
	struct slice file; /* the store's, before the call; empty: there is none yet */
	struct buffer before, after, read;
	struct place place;
	size_t clear, failed;
};

/* In memory if the system has such a folder: nothing here waits for a disk. */
static void set_up(struct attempt *attempt)
{
	struct place *place = &attempt->place;
	const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : P_tmpdir;
	(void)snprintf(place->folder, sizeof(place->folder), "%s/recalld-store-XXXXXX", folder);
	ck_assert_ptr_nonnull(mkdtemp(place->folder));
	fixture_loop_init(&place->loop);
}

static void name_file(const struct attempt *attempt, const char *name, char path[96])
{
	(void)snprintf(path, 96, "%s/%s", attempt->place.folder, name);
}

static void lay_out(const struct attempt *attempt)
{
	char path[96];
	name_file(attempt, "lock.mdb", path);
	(void)unlink(path);
	name_file(attempt, "data.mdb", path);
	(void)unlink(path);
	if (attempt->file.size == 0)
		return;
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, attempt->file.data, attempt->file.size),
			 (ssize_t)attempt->file.size);
	(void)close(file);
}

static void tear_down(struct attempt *attempt)
{
	char path[96];
	const char *const names[] = {"data.mdb", "lock.mdb", "recalld.lock"};
	for (size_t i = 0; i < 3; i++) {
		name_file(attempt, names[i], path);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(attempt->place.folder), 0);
	fixture_loop_finish(&attempt->place.loop);
	buffer_finish(&attempt->before);
	buffer_finish(&attempt->after);
	buffer_finish(&attempt->read);
}

/* As it goes when there is memory; gives how many allocations the call makes. */
static size_t go_well(struct attempt *attempt)
{
	struct place *place = &attempt->place;
	lay_out(attempt);
	ck_assert(open_place(place));
	look(place, &attempt->before);
	if (attempt->file.size == 0) {
		close_place(place);
		lay_out(attempt);
	}
	allocator_count();
	enum store_result result = attempt->call(place);
	allocator_fail(0);
	ck_assert_int_eq(result, STORE_OK);
	look(place, &attempt->after);
	attempt->read = place->read;
	place->read = (struct buffer){0};
	close_place(place);
	return allocator_counted();
}

/* The call was made, and failed or did not; now there is memory. */
static void try_again(struct attempt *attempt, enum store_result result)
{
	struct place *place = &attempt->place;
	TRIAL_EXPECT(result == STORE_OK || result == STORE_FAILED);
	if (place->store == NULL)
		TRIAL_EXPECT(open_place(place));
	if (result == STORE_FAILED) {
		TRIAL_EXPECT(looks_like(place, &attempt->before));
		TRIAL_EXPECT(attempt->call(place) == STORE_OK);
	}
	TRIAL_EXPECT(slice_equal(buffer_slice(&place->read), buffer_slice(&attempt->read)));
	TRIAL_EXPECT(looks_like(place, &attempt->after));
	close_place(place);
	TRIAL_EXPECT(open_place(place));
	TRIAL_EXPECT(looks_like(place, &attempt->after));
	close_place(place);
}

static void try_without(struct attempt *attempt, size_t nth)
{
	struct place *place = &attempt->place;
	long live = allocator_live();
	if (attempt->file.size > 0)
		TRIAL_EXPECT(open_place(place));
	allocator_fail(nth);
	enum store_result result = attempt->call(place);
	bool failed = allocator_has_failed();
	allocator_fail(0);
	try_again(attempt, result);
	TRIAL_EXPECT(allocator_live() == live);
	trial_end(failed);
}

/* What a process left that ended in the midst of the call. */
static void look_after(struct attempt *attempt)
{
	struct place *place = &attempt->place;
	ck_assert(open_place(place));
	bool is_done = looks_like(place, &attempt->after);
	ck_assert(is_done || looks_like(place, &attempt->before));
	if (!is_done)
		ck_assert_int_eq(attempt->call(place), STORE_OK);
	ck_assert(looks_like(place, &attempt->after));
	close_place(place);
}

static void try_each(struct attempt *attempt)
{
	set_up(attempt);
	size_t allocations = go_well(attempt);
	ck_assert_uint_gt(allocations, 0);
	for (size_t nth = 1; nth <= allocations; nth++) {
		bool failed;
		lay_out(attempt);
		if (trial_begin())
			try_without(attempt, nth);
		enum trial trial = trial_result(&failed);
		ck_assert_msg(trial != TRIAL_ENDED_BADLY, "allocation %zu of %zu", nth,
			      allocations);
		if (trial == TRIAL_ENDED_CLEARLY)
			look_after(attempt);
		attempt->clear += trial == TRIAL_ENDED_CLEARLY;
		attempt->failed += failed;
	}
	ck_assert_uint_gt(attempt->failed, 0);
	tear_down(attempt);
}

/* ---- the store that the calls are made to ---- */

static void read_file(struct fixture *fixture, struct slice *file)
{
	char path[96];
	struct stat status;
	(void)snprintf(path, sizeof(path), "%s/data.mdb", fixture->path);
	int handle = open(path, O_RDONLY);
	ck_assert_int_eq(fstat(handle, &status), 0);
	char *bytes = xmalloc((size_t)status.st_size);
	ck_assert_int_eq(read(handle, bytes, (size_t)status.st_size), status.st_size);
	(void)close(handle);
	*file = (struct slice){bytes, (size_t)status.st_size};
}

static void fill(struct fixture *fixture)
{
	chat_three(fixture);
	learn_cities(fixture);
	ck_assert_int_eq(fixture_summarized(fixture, "Paris, then Bonn.", 4, 0), STORE_OK);

	for (uint64_t id = 70; id < 72; id++) {
		struct fixture_wait wait = {0};
		(void)store_keep_receipt(fixture->store, fixture_key("alex"), UINT64_MAX, id,
					 SLICE("{}"), &fixture->loop.loop, fixture_done, &wait);
		ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
	}
	static const int8_t vector[] = {127, 9};
	const struct embedded_turn turns[] = {{1, vector}, {3, vector}};
	struct fixture_wait wait = {0};
	(void)store_embedded(fixture->store, fixture_key("alex"), SLICE("embedder"), 2, turns, 2,
			     &fixture->loop.loop, fixture_done, &wait);
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
}

static void park_summary(struct fixture *fixture)
{
	const struct job job = {.kind = JOB_SUMMARY, .tries = 9, .unusable = 9, .parked = true};
	struct fixture_wait wait = {0};
	(void)store_postpone(fixture->store, fixture_key("alex"), &job, &fixture->loop.loop,
			     fixture_done, &wait);
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
}

/* As an older recalld left it: the next opening builds its index anew. */
static void outdate_index(struct fixture *fixture)
{
	struct transaction transaction;
	uint64_t version = 1;
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	table_write(&transaction, TABLE_META, key_of_name("index_version"), stored_number_fields,
		    &version);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
}

static void try_to_make_one(void)
{
	struct attempt attempt = {.call = open_again};
	try_each(&attempt);
}

static void try_call(store_function *call, void (*prepare)(struct fixture *fixture))
{
	struct fixture fixture;
	struct attempt attempt = {.call = call};
	fill(&fixture);
	if (prepare != NULL)
		prepare(&fixture);
	store_close(fixture.store);
	fixture.store = NULL;
	read_file(&fixture, &attempt.file);
	try_each(&attempt);
	free((void *)(uintptr_t)attempt.file.data);
	fixture_finish(&fixture);
}

START_TEST(a_store_is_made_or_says_why_not)
{
	try_to_make_one();
}
END_TEST

#define WITHOUT_MEMORY(name, call, prepare)                                                        \
	START_TEST(name)                                                                           \
	{                                                                                          \
		try_call(call, prepare);                                                           \
	}                                                                                          \
	END_TEST

WITHOUT_MEMORY(an_append_is_whole_or_not_at_all, append, NULL)
WITHOUT_MEMORY(a_branch_is_taken_whole_or_not_at_all, append_branch, NULL)
WITHOUT_MEMORY(an_adoption_is_whole_or_not_at_all, append_adopting, NULL)
WITHOUT_MEMORY(an_import_is_whole_or_not_at_all, import, NULL)
WITHOUT_MEMORY(a_receipt_is_kept_whole_or_not_at_all, keep_receipt, NULL)
WITHOUT_MEMORY(a_user_is_forgotten_whole_or_not_at_all, forget, NULL)
WITHOUT_MEMORY(what_is_learned_is_kept_whole_or_not_at_all, learned, NULL)
WITHOUT_MEMORY(what_is_to_be_forgotten_goes_whole_or_not_at_all, learned_to_forget, NULL)
WITHOUT_MEMORY(a_summary_is_kept_whole_or_not_at_all, summarized, NULL)
WITHOUT_MEMORY(a_job_is_postponed_or_stays_as_it_was, postpone, NULL)
WITHOUT_MEMORY(parked_jobs_go_again_or_stay_parked, unpark, park_summary)
WITHOUT_MEMORY(vectors_are_kept_whole_or_not_at_all, embedded, NULL)
WITHOUT_MEMORY(a_store_opens_or_says_why_not, open_again, NULL)
WITHOUT_MEMORY(an_index_is_renewed_or_the_store_says_why_not, open_again, outdate_index)
WITHOUT_MEMORY(a_read_gives_all_or_fails, read_everything, park_summary)

UNIT_MAIN("allocation_store", an_append_is_whole_or_not_at_all,
	  a_branch_is_taken_whole_or_not_at_all, an_adoption_is_whole_or_not_at_all,
	  an_import_is_whole_or_not_at_all, a_receipt_is_kept_whole_or_not_at_all,
	  a_user_is_forgotten_whole_or_not_at_all, what_is_learned_is_kept_whole_or_not_at_all,
	  what_is_to_be_forgotten_goes_whole_or_not_at_all, a_summary_is_kept_whole_or_not_at_all,
	  a_job_is_postponed_or_stays_as_it_was, parked_jobs_go_again_or_stay_parked,
	  a_store_is_made_or_says_why_not, vectors_are_kept_whole_or_not_at_all,
	  a_store_opens_or_says_why_not, an_index_is_renewed_or_the_store_says_why_not,
	  a_read_gives_all_or_fails)
