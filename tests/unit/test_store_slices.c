/* Operations in slices: what others wait for them, and what a crash between two slices leaves. */
#include "storage/lmdb_engine.h"
#include "storage/writer.h"
#include "tests/unit/store_fixture.h"

#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAP = 256 * 1024 * 1024, TURNS = 20000 };

static void import_many(struct fixture *fixture)
{
	struct imported_turn *turns = xcalloc(TURNS, sizeof(*turns));
	struct slice texts[] = {SLICE("Where did I park the car?"), SLICE("Behind the house.")};
	for (size_t i = 0; i < TURNS; i++)
		turns[i] = (struct imported_turn){.role = i % 2 == 0 ? ROLE_USER : ROLE_ASSISTANT,
						  .text = texts[i % 2],
						  .hash = i + 1,
						  .created_at = (int64_t)i,
						  .session = SLICE("old")};
	ck_assert_int_eq(fixture_import(fixture, turns, TURNS, true), STORE_OK);
	free(turns);
}

/* A loop that runs callbacks at once, on the writer's thread between two commits. So what each of
 * them submits waits when the next batch is taken. */
static void post_at_once(struct store_loop *loop, void (*run)(void *cookie), void *cookie)
{
	(void)loop;
	run(cookie);
}

static struct store_loop at_once = {post_at_once};

struct neighbour {
	struct fixture *fixture;
	struct append append;
	uint64_t submitted_at; /* in commits */
	uint64_t longest_wait;
	size_t appended;
	void (*between)(struct neighbour *neighbour); /* once, after the first slice */
	struct fixture_wait forgotten;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool is_over;
};

static void append_next(struct neighbour *neighbour);

static void on_appended(void *cookie, enum store_result result)
{
	struct neighbour *neighbour = cookie;
	uint64_t waited =
		atomic_load(&neighbour->fixture->store->commits) - neighbour->submitted_at;
	ck_assert_int_eq(result, STORE_OK);
	if (waited > neighbour->longest_wait)
		neighbour->longest_wait = waited;
	neighbour->appended++;
	if (neighbour->between != NULL && neighbour->appended == 2)
		neighbour->between(neighbour);
	if (!neighbour->forgotten.done) {
		append_next(neighbour);
		return;
	}
	pthread_mutex_lock(&neighbour->lock);
	neighbour->is_over = true;
	pthread_cond_signal(&neighbour->ended);
	pthread_mutex_unlock(&neighbour->lock);
}

static void append_next(struct neighbour *neighbour)
{
	struct store *store = neighbour->fixture->store;
	neighbour->submitted_at = atomic_load(&store->commits);
	(void)store_append(store, &neighbour->append, &at_once, on_appended, neighbour);
}

static void on_first_appended(void *cookie, enum store_result result)
{
	struct neighbour *neighbour = cookie;
	struct store *store = neighbour->fixture->store;
	ck_assert_int_eq(result, STORE_OK);
	(void)store_forget(store, fixture_key("alex"), &at_once, fixture_done,
			   &neighbour->forgotten);
	append_next(neighbour);
}

/* Forgets alex while ben appends one exchange after the other. */
static void forget_beside(struct fixture *fixture, struct neighbour *neighbour,
			  void (*between)(struct neighbour *neighbour))
{
	*neighbour = (struct neighbour){.fixture = fixture,
					.append = fixture_exchange("hi", "hello", 100),
					.between = between};
	neighbour->append.user = SLICE("ben");
	pthread_mutex_init(&neighbour->lock, NULL);
	pthread_cond_init(&neighbour->ended, NULL);
	(void)store_append(fixture->store, &neighbour->append, &at_once, on_first_appended,
			   neighbour);
	pthread_mutex_lock(&neighbour->lock);
	while (!neighbour->is_over)
		pthread_cond_wait(&neighbour->ended, &neighbour->lock);
	pthread_mutex_unlock(&neighbour->lock);
	ck_assert_int_eq(neighbour->forgotten.result, STORE_OK);
}

START_TEST(a_long_delete_holds_up_another_user_for_one_commit)
{
	struct fixture fixture;
	struct neighbour neighbour;
	struct store_statistics statistics;
	fixture_init(&fixture, MAP);
	import_many(&fixture);
	forget_beside(&fixture, &neighbour, NULL);
	ck_assert_uint_eq(neighbour.longest_wait, 1);
	/* A turn has two records of its own and a part in others. */
	ck_assert_uint_ge(neighbour.appended, 2 * TURNS / SLICE_STEPS);
	store_statistics(fixture.store, &statistics);
	ck_assert_uint_eq(statistics.users, 1);
	ck_assert_uint_eq(statistics.turns, 2 * (neighbour.appended + 1));
	fixture_finish(&fixture);
}
END_TEST

/* ---- what its own user sees ---- */

static struct fixture_wait own_append;
static struct fixture_wait late_append;

static bool is_known(const struct fixture *fixture, const char *user)
{
	struct transaction transaction;
	struct slice value;
	ck_assert(transaction_begin_read(&transaction, fixture->store));
	bool known = table_get(&transaction, TABLE_USERS, key_of_user(fixture_key(user)), &value);
	transaction_abort(&transaction);
	return known;
}

static void append_own(struct neighbour *neighbour)
{
	struct fixture *fixture = neighbour->fixture;
	struct append append = fixture_exchange("It is me", "Welcome", 100);
	ck_assert(!is_known(fixture, "alex"));
	(void)store_append(fixture->store, &append, &at_once, fixture_done, &own_append);
	/* What has read between two slices may hold what the later ones delete. */
	append.ticket = atomic_load(&fixture->store->ticket);
	(void)store_append(fixture->store, &append, &at_once, fixture_done, &late_append);
}

START_TEST(what_its_own_user_writes_meanwhile_comes_behind_a_delete)
{
	struct fixture fixture;
	struct neighbour neighbour;
	fixture_init(&fixture, MAP);
	import_many(&fixture);
	own_append = late_append = (struct fixture_wait){0};
	forget_beside(&fixture, &neighbour, append_own);
	struct append last = fixture_exchange("again", "yes", 200);
	ck_assert_int_eq(fixture_append(&fixture, &last), STORE_OK);
	ck_assert(own_append.done);
	ck_assert_int_eq(own_append.result, STORE_OK);
	ck_assert_int_eq(late_append.result, STORE_STALE);
	ck_assert_uint_eq(fixture_view(&fixture, "").turn_count, 4);
	fixture_finish(&fixture);
}
END_TEST

/* ---- crashes and failures ---- */

static char snapshot[64];

static void take_snapshot(struct neighbour *neighbour)
{
	ck_assert_int_eq(mdb_env_copy(neighbour->fixture->store->env, snapshot), 0);
}

START_TEST(a_delete_that_a_crash_cut_off_is_finished_at_the_next_start)
{
	struct fixture fixture;
	struct fixture crashed;
	struct neighbour neighbour;
	struct store_statistics statistics;
	fixture_init(&fixture, MAP);
	fixture_init(&crashed, MAP);
	store_close(crashed.store);
	(void)snprintf(snapshot, sizeof(snapshot), "%s", crashed.path);
	char data[80];
	(void)snprintf(data, sizeof(data), "%s/data.mdb", snapshot);
	ck_assert_int_eq(unlink(data), 0);
	import_many(&fixture);
	forget_beside(&fixture, &neighbour, take_snapshot);
	fixture_finish(&fixture);

	crashed.store = NULL;
	fixture_reopen(&crashed);
	ck_assert(!fixture_view(&crashed, "old").known);
	/* A write of the same user waits until it is over. */
	struct append append = fixture_exchange("hi", "hello", 100);
	ck_assert_int_eq(fixture_append(&crashed, &append), STORE_OK);
	append.user = SLICE("ben");
	store_statistics(crashed.store, &statistics);
	ck_assert_uint_eq(statistics.users, 2);
	ck_assert_uint_eq(statistics.turns, 2 + 2 * 3);
	ck_assert_uint_eq(statistics.jobs, 2 + 3 + 1); /* a summary's each */
	/* And is not begun again. */
	fixture_reopen(&crashed);
	ck_assert_int_eq(fixture_append(&crashed, &append), STORE_OK);
	ck_assert_uint_eq(fixture_view(&crashed, "").turn_count, 2);
	fixture_finish(&crashed);
}
END_TEST

/* ---- what is promised ---- */

START_TEST(what_was_promised_is_taken_however_much_waits)
{
	enum { COUNT = 12, SIZE = 16 * 1024 * 1024 };
	struct fixture fixture;
	struct transaction transaction;
	struct fixture_wait waits[COUNT + 2] = {{0}};
	fixture_init(&fixture, (uint64_t)MAP * 4);
	char *large = xcalloc(1, SIZE);
	memset(large, 'x', SIZE - 1);
	struct append append = fixture_exchange("x", large, 100);
	append.promised = true;
	ck_assert(!store_is_behind(fixture.store));
	/* The writer stands as if the disk did. */
	ck_assert(transaction_begin_write(&transaction, fixture.store));
	for (size_t i = 0; i < COUNT; i++)
		(void)store_append(fixture.store, &append, &fixture.loop.loop, fixture_done,
				   &waits[i]);
	ck_assert(store_is_behind(fixture.store));
	append.promised = false;
	(void)store_append(fixture.store, &append, &fixture.loop.loop, fixture_done, &waits[COUNT]);
	(void)store_forget(fixture.store, fixture_key("ben"), &fixture.loop.loop, fixture_done,
			   &waits[COUNT + 1]);
	transaction_abort(&transaction);
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_int_eq(fixture_await(&fixture.loop, &waits[i]), STORE_OK);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[COUNT]), STORE_FAILED);
	ck_assert_int_eq(fixture_await(&fixture.loop, &waits[COUNT + 1]), STORE_NOT_FOUND);
	fixture_reopen(&fixture); /* by then the writer has counted them out */
	ck_assert(!store_is_behind(fixture.store));
	free(large);
	fixture_finish(&fixture);
}
END_TEST

/* ---- tickets ---- */

/* What LMDB calls when all of a commit but its last page is in the file. */
static void (*on_sync)(void);

int fdatasync(int fd)
{
	void (*run)(void) = on_sync;
	on_sync = NULL;
	if (run != NULL)
		run();
	return fsync(fd);
}

static struct fixture *syncing;
static struct memory_view read_while_syncing;

static void read_then(void)
{
	read_while_syncing = fixture_view(syncing, "");
}

START_TEST(what_was_read_while_a_delete_was_being_committed_is_from_before_it)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	struct append append = fixture_exchange("hi", "hello", 100);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	syncing = &fixture;
	on_sync = read_then;
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert_ptr_null(on_sync);
	ck_assert(read_while_syncing.known);
	append.ticket = read_while_syncing.ticket;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_STALE);
	ck_assert(!fixture_view(&fixture, "").known);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_slices", a_long_delete_holds_up_another_user_for_one_commit,
	  what_its_own_user_writes_meanwhile_comes_behind_a_delete,
	  a_delete_that_a_crash_cut_off_is_finished_at_the_next_start,
	  what_was_promised_is_taken_however_much_waits,
	  what_was_read_while_a_delete_was_being_committed_is_from_before_it)
