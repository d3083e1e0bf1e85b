#include "tests/unit/neighbour.h"

#include "storage/lmdb/engine.h"
#include "storage/lmdb/writer.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <unistd.h>

static void post_at_once(struct store_loop *loop, void (*run)(void *cookie), void *cookie)
{
	(void)loop;
	run(cookie);
}

struct store_loop neighbour_loop = {post_at_once};

static enum store_result run_in_vain(struct operation *operation, const struct memory *memory)
{
	(void)operation;
	(void)memory;
	return STORE_FAILED;
}

/* A batch in which one fails is undone, and each of the others runs again. */
static void submit_failure(struct neighbour *neighbour)
{
	static const struct user_key nobody = {{1}};
	struct operation *operation = operation_create(sizeof(*operation), run_in_vain, &nobody);
	(void)writer_submit(neighbour->fixture->store->writer, operation, (struct store_waiter){0});
}

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
	if (neighbour->between != NULL && neighbour->appended == NEIGHBOUR_BEFORE - 1)
		neighbour->between(neighbour);
	if (!neighbour->wait.done) {
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
	(void)store_append(store, &neighbour->append,
			   (struct store_waiter){&neighbour_loop, on_appended, neighbour});
	if (neighbour->with_failures)
		submit_failure(neighbour);
}

static void on_first_appended(void *cookie, enum store_result result)
{
	struct neighbour *neighbour = cookie;
	ck_assert_int_eq(result, STORE_OK);
	neighbour->begin(neighbour);
	append_next(neighbour);
}

void neighbour_run(struct fixture *fixture, struct neighbour *neighbour)
{
	neighbour->fixture = fixture;
	neighbour->append = fixture_exchange("hi", "hello", 100);
	neighbour->append.user = SLICE("ben");
	pthread_mutex_init(&neighbour->lock, NULL);
	pthread_cond_init(&neighbour->ended, NULL);
	(void)store_append(fixture->store, &neighbour->append,
			   (struct store_waiter){&neighbour_loop, on_first_appended, neighbour});
	pthread_mutex_lock(&neighbour->lock);
	while (!neighbour->is_over)
		pthread_cond_wait(&neighbour->ended, &neighbour->lock);
	pthread_mutex_unlock(&neighbour->lock);
	ck_assert_int_eq(neighbour->wait.result, STORE_OK);
}

/* ---- a crash ---- */

static char snapshot[64];

static void take_snapshot(struct neighbour *neighbour)
{
	char from[80];
	char to[80];
	ck_assert_int_eq(mdb_env_copy(neighbour->fixture->store->env, snapshot), 0);
	if (fixture_master() == NULL)
		return;
	/* Erasing keys is overwriting: the second name would lead to the same bytes. */
	(void)snprintf(from, sizeof(from), "%s/keys", neighbour->fixture->path);
	(void)snprintf(to, sizeof(to), "%s/keys", snapshot);
	int in = open(from, O_RDONLY);
	int out = open(to, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_gt(sendfile(out, in, NULL, 1 << 20), 0);
	(void)close(in);
	(void)close(out);
}

void neighbour_crash(struct fixture *crashed, struct fixture *fixture, struct neighbour *neighbour,
		     uint64_t map_size)
{
	char data[80];
	fixture_init(crashed, map_size);
	store_close(crashed->store);
	(void)snprintf(snapshot, sizeof(snapshot), "%s", crashed->path);
	(void)snprintf(data, sizeof(data), "%s/data.mdb", snapshot);
	ck_assert_int_eq(unlink(data), 0);
	(void)snprintf(data, sizeof(data), "%s/keys", snapshot);
	(void)unlink(data);
	neighbour->between = take_snapshot;
	neighbour_run(fixture, neighbour);
	fixture_finish(fixture);
	crashed->store = NULL;
	fixture_reopen(crashed);
}
