/* Lets memory run out in each of the store's calls and at each allocation in it, LMDB's own
 * included: the call fails, or the process ends clearly; either way the store holds all that the
 * call writes or nothing of it, and the same call then goes well. */
#include "storage/lmdb/table.h"
#include "tests/unit/branch_fixture.h"
#include "tests/unit/failing_allocator.h"
#include "tests/unit/store_calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- one call, without each of its allocations ---- */

struct attempt {
	store_function *call;
	struct slice file; /* the store's, before the call; empty: there is none yet */
	struct buffer before, after, read;
	struct place place;
	size_t clear, failed;
};

static void set_up(struct attempt *attempt)
{
	struct place *place = &attempt->place;
	unit_folder(place->folder);
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
	const char *const names[] = {"data.mdb", "lock.mdb", "recalld.lock", "data.mdb.unfinished",
				     "erasures", "making"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
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
	ck_assert(place_open(place));
	place_look(place, &attempt->before);
	if (attempt->file.size == 0) {
		place_close(place);
		lay_out(attempt);
	}
	allocator_count();
	enum store_result result = attempt->call(place);
	allocator_fail(0);
	ck_assert_int_eq(result, STORE_OK);
	place_look(place, &attempt->after);
	attempt->read = place->read;
	place->read = (struct buffer){0};
	place_close(place);
	return allocator_counted();
}

/* The call was made, and failed or did not; now there is memory. */
static void try_again(struct attempt *attempt, enum store_result result)
{
	struct place *place = &attempt->place;
	TRIAL_EXPECT(result == STORE_OK || result == STORE_FAILED);
	if (place->store == NULL)
		TRIAL_EXPECT(place_open(place));
	if (result == STORE_FAILED) {
		TRIAL_EXPECT(place_looks_like(place, &attempt->before));
		TRIAL_EXPECT(attempt->call(place) == STORE_OK);
	}
	TRIAL_EXPECT(slice_equal(buffer_slice(&place->read), buffer_slice(&attempt->read)));
	TRIAL_EXPECT(place_looks_like(place, &attempt->after));
	place_close(place);
	TRIAL_EXPECT(place_open(place));
	TRIAL_EXPECT(place_looks_like(place, &attempt->after));
	place_close(place);
}

static void try_without(struct attempt *attempt, size_t nth)
{
	struct place *place = &attempt->place;
	long live = allocator_live();
	if (attempt->file.size > 0)
		TRIAL_EXPECT(place_open(place));
	allocator_fail(nth);
	enum store_result result = attempt->call(place);
	bool failed = allocator_has_failed();
	allocator_fail(0);
	try_again(attempt, result);
	TRIAL_EXPECT(allocator_live() == live);
	trial_end(failed);
}

/* The files of a process that ended in the middle of the call. */
static void look_after(struct attempt *attempt)
{
	struct place *place = &attempt->place;
	ck_assert(place_open(place));
	bool is_done = place_looks_like(place, &attempt->after);
	ck_assert(is_done || place_looks_like(place, &attempt->before));
	if (!is_done)
		ck_assert_int_eq(attempt->call(place), STORE_OK);
	ck_assert(place_looks_like(place, &attempt->after));
	place_close(place);
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
		const struct receipt receipt = {.id = id, .text = SLICE("{}")};
		(void)store_keep_receipt(
			fixture->store, fixture_key("alex"), UINT64_MAX, &receipt,
			(struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
		ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
	}
	static const int8_t vector[] = {127, 9};
	const struct embedded_turn turns[] = {{1, vector}, {3, vector}};
	struct fixture_wait wait = {0};
	(void)store_embedded(fixture->store, fixture_key("alex"), SLICE("embedder"), 2, turns, 2,
			     (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
}

static void park_summary(struct fixture *fixture)
{
	const struct job job = {.kind = JOB_SUMMARY, .tries = 9, .unusable = 9, .parked = true};
	struct fixture_wait wait = {0};
	(void)store_postpone(fixture->store, fixture_key("alex"), &job,
			     (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
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
	struct attempt attempt = {.call = call_open_again};
	try_each(&attempt);
}
END_TEST

#define WITHOUT_MEMORY(name, call, prepare)                                                        \
	START_TEST(name)                                                                           \
	{                                                                                          \
		try_call(call, prepare);                                                           \
	}                                                                                          \
	END_TEST

WITHOUT_MEMORY(an_append_is_whole_or_not_at_all, call_append, NULL)
WITHOUT_MEMORY(a_branch_is_taken_whole_or_not_at_all, call_append_branch, NULL)
WITHOUT_MEMORY(an_adoption_is_whole_or_not_at_all, call_append_with_history, NULL)
WITHOUT_MEMORY(an_import_is_whole_or_not_at_all, call_import, NULL)
WITHOUT_MEMORY(a_receipt_is_kept_whole_or_not_at_all, call_keep_receipt, NULL)
WITHOUT_MEMORY(a_user_is_forgotten_whole_or_not_at_all, call_forget, NULL)
WITHOUT_MEMORY(what_is_past_its_time_goes_whole_or_not_at_all, call_expire, NULL)
WITHOUT_MEMORY(what_is_learned_is_kept_whole_or_not_at_all, call_learned, NULL)
WITHOUT_MEMORY(what_is_to_be_forgotten_goes_whole_or_not_at_all, call_learned_to_forget, NULL)
WITHOUT_MEMORY(a_summary_is_kept_whole_or_not_at_all, call_summarized, NULL)
WITHOUT_MEMORY(a_job_is_postponed_or_stays_as_it_was, call_postpone, NULL)
WITHOUT_MEMORY(parked_jobs_go_again_or_stay_parked, call_unpark, park_summary)
WITHOUT_MEMORY(vectors_are_kept_whole_or_not_at_all, call_embedded, NULL)
WITHOUT_MEMORY(a_store_opens_or_says_why_not, call_open_again, NULL)
WITHOUT_MEMORY(an_index_is_renewed_or_the_store_says_why_not, call_open_again, outdate_index)
WITHOUT_MEMORY(a_read_gives_all_or_fails, call_read_everything, park_summary)

UNIT_MAIN("allocation_store", an_append_is_whole_or_not_at_all,
	  a_branch_is_taken_whole_or_not_at_all, an_adoption_is_whole_or_not_at_all,
	  an_import_is_whole_or_not_at_all, a_receipt_is_kept_whole_or_not_at_all,
	  a_user_is_forgotten_whole_or_not_at_all, what_is_past_its_time_goes_whole_or_not_at_all,
	  what_is_learned_is_kept_whole_or_not_at_all,
	  what_is_to_be_forgotten_goes_whole_or_not_at_all, a_summary_is_kept_whole_or_not_at_all,
	  a_job_is_postponed_or_stays_as_it_was, parked_jobs_go_again_or_stay_parked,
	  a_store_is_made_or_says_why_not, vectors_are_kept_whole_or_not_at_all,
	  a_store_opens_or_says_why_not, an_index_is_renewed_or_the_store_says_why_not,
	  a_read_gives_all_or_fails)
