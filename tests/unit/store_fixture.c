#include "tests/unit/store_fixture.h"

#include "core/text/text.h"

#include <dirent.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture_post {
	struct fixture_post *next;
	void (*run)(void *cookie);
	void *cookie;
};

static void loop_post(struct store_loop *store_loop, void (*run)(void *cookie), void *cookie)
{
	struct fixture_loop *loop = (struct fixture_loop *)store_loop;
	struct fixture_post *post = xmalloc(sizeof(*post));
	*post = (struct fixture_post){.run = run, .cookie = cookie};
	pthread_mutex_lock(&loop->lock);
	*loop->last = post;
	loop->last = &post->next;
	pthread_cond_signal(&loop->posted);
	pthread_mutex_unlock(&loop->lock);
}

void fixture_loop_init(struct fixture_loop *loop)
{
	*loop = (struct fixture_loop){.loop.post = loop_post, .last = &loop->first};
	pthread_mutex_init(&loop->lock, NULL);
	pthread_cond_init(&loop->posted, NULL);
}

static struct fixture_post *loop_take(struct fixture_loop *loop, bool wait)
{
	pthread_mutex_lock(&loop->lock);
	while (wait && loop->first == NULL)
		pthread_cond_wait(&loop->posted, &loop->lock);
	struct fixture_post *posts = loop->first;
	loop->first = NULL;
	loop->last = &loop->first;
	pthread_mutex_unlock(&loop->lock);
	return posts;
}

static void run_posts(struct fixture_post *post)
{
	while (post != NULL) {
		struct fixture_post *next = post->next;
		post->run(post->cookie);
		free(post);
		post = next;
	}
}

void fixture_loop_turn(struct fixture_loop *loop)
{
	run_posts(loop_take(loop, true));
}

size_t fixture_loop_pending(struct fixture_loop *loop)
{
	size_t count = 0;
	pthread_mutex_lock(&loop->lock);
	for (struct fixture_post *post = loop->first; post != NULL; post = post->next)
		count++;
	pthread_mutex_unlock(&loop->lock);
	return count;
}

void fixture_loop_finish(struct fixture_loop *loop)
{
	run_posts(loop_take(loop, false));
	pthread_cond_destroy(&loop->posted);
	pthread_mutex_destroy(&loop->lock);
}

void fixture_done(void *cookie, enum store_result result)
{
	struct fixture_wait *wait = cookie;
	ck_assert(!wait->done);
	*wait = (struct fixture_wait){.done = true, .result = result};
}

enum store_result fixture_await(struct fixture_loop *loop, struct fixture_wait *wait)
{
	while (!wait->done)
		fixture_loop_turn(loop);
	return wait->result;
}

const unsigned char *fixture_master(void)
{
	static const unsigned char master[STORE_KEY_SIZE] = "a key that all the tests share";
	return getenv("ENCRYPTED") == NULL ? NULL : master;
}

static void open_store(struct fixture *fixture)
{
	char error[512] = "";
	struct store_options options = {.path = fixture->path,
					.map_size = fixture->map_size,
					.receipts = fixture->receipts,
					.master = fixture_master()};
	fixture->store = store_open(&options, error, sizeof(error));
	ck_assert_msg(fixture->store != NULL, "%s", error);
}

void fixture_init(struct fixture *fixture, uint64_t map_size)
{
	*fixture =
		(struct fixture){.map_size = map_size, .receipts = 100, .forget_epoch = UINT64_MAX};
	unit_folder(fixture->path);
	fixture_loop_init(&fixture->loop);
	open_store(fixture);
}

/* ---- the account of space ---- */

/* The bytes that one record takes in LMDB's file. */
static int64_t space_of_record(size_t tree, size_t key, size_t value)
{
	const size_t node = 8 + key + value;
	const bool is_large = node > 2038;
	const size_t on_leaf = (is_large ? 16 + key : node) + 2 + (tree == TABLE_RECEIPTS ? 28 : 0);
	return (int64_t)(on_leaf * 3 / 2 + (is_large ? (16 + value + 4095) / 4096 * 4096 : 0));
}

/* A receipt's user stands at its beginning. */
static const unsigned char *owner_of(bool is_sealed, size_t tree, MDB_val key, MDB_val value)
{
	const unsigned char *bytes = value.mv_data;
	if (tree >= FIRST_USER_TABLE)
		return key.mv_data;
	if (is_sealed)
		return value.mv_size >= 16 ? bytes : NULL;
	return value.mv_size >= 18 && bytes[1] == 16 ? bytes + 2 : NULL;
}

static bool is_given(size_t tree, MDB_val key)
{
	const size_t table =
		tree + (tree < FIRST_SHARED_TABLE ? 0 : ((unsigned char *)key.mv_data)[16]);
	return table == TABLE_RECEIPTS || table == TABLE_USER_RECEIPTS || table == TABLE_FROZEN ||
	       table == TABLE_REPLAYS;
}

/* Takes what the account has of each user off again, record by record: nothing is left. */
static void take_tree(struct transaction *transaction, size_t tree, struct digest_table *all,
		      struct digest_table *given)
{
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	ck_assert_int_eq(
		mdb_cursor_open(transaction->handle, transaction->store->trees[tree], &cursor), 0);
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
		const unsigned char *owner =
			owner_of(transaction->sealer != NULL, tree, key, value);
		if (owner == NULL)
			continue;
		const int64_t bytes = space_of_record(tree, key.mv_size, value.mv_size);
		ck_assert_int_ne(digest_table_find(all, owner), DIGEST_NONE);
		digest_table_put(all, owner, digest_table_find(all, owner) - bytes);
		if (is_given(tree, key))
			digest_table_put(given, owner, digest_table_find(given, owner) - bytes);
	}
	mdb_cursor_close(cursor);
}

static void assert_none(const struct digest_table *table)
{
	const struct digest_entry *entry;
	size_t place = 0;
	while ((entry = digest_table_next(table, &place)) != NULL)
		ck_assert_int_eq(entry->value, 0);
}

void fixture_check_space(struct fixture *fixture)
{
	struct transaction transaction;
	MDB_cursor *cursor;
	MDB_val user;
	MDB_val value;
	struct digest_table all;
	struct digest_table given;
	digest_table_init(&all);
	digest_table_init(&given);
	ck_assert(transaction_begin_read(&transaction, fixture->store));
	ck_assert(space_counts_all(&transaction));
	ck_assert_int_eq(
		mdb_cursor_open(transaction.handle, fixture->store->trees[TREE_SPACE], &cursor), 0);
	while (mdb_cursor_get(cursor, &user, &value, MDB_NEXT) == 0) {
		struct space space;
		memcpy(&space, value.mv_data, sizeof(space));
		ck_assert(space.is_whole);
		digest_table_put(&all, user.mv_data, space.all);
		digest_table_put(&given, user.mv_data, space.given);
	}
	mdb_cursor_close(cursor);
	take_tree(&transaction, TABLE_RECEIPTS, &all, &given);
	for (size_t tree = FIRST_USER_TABLE; tree <= FIRST_SHARED_TABLE; tree++)
		take_tree(&transaction, tree, &all, &given);
	transaction_abort(&transaction);
	assert_none(&all);
	assert_none(&given);
	digest_table_finish(&all);
	digest_table_finish(&given);
}

/* Of a store that no test has damaged. */
static void check_and_close(struct fixture *fixture)
{
	if (fixture->store != NULL && !fixture->is_damaged && !store_is_broken(fixture->store) &&
	    !store_is_stuck(fixture->store))
		fixture_check_space(fixture);
	store_close(fixture->store);
}

void fixture_reopen(struct fixture *fixture)
{
	check_and_close(fixture);
	fixture->forget_epoch = UINT64_MAX;
	open_store(fixture);
}

void fixture_finish(struct fixture *fixture)
{
	check_and_close(fixture);
	fixture_loop_finish(&fixture->loop);
	arena_finish(&fixture->arena);
	DIR *folder = opendir(fixture->path);
	ck_assert_ptr_nonnull(folder);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		(void)unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	ck_assert_int_eq(rmdir(fixture->path), 0);
}

struct user_key fixture_key(const char *user)
{
	return store_user_key(SLICE("shared"), slice_of(user));
}

uint64_t fixture_hash(const char *text)
{
	return text_hash(slice_of(text));
}

struct append fixture_exchange(const char *user_text, const char *answer, int64_t now)
{
	return (struct append){
		.tenant = SLICE("shared"),
		.user = SLICE("alex"),
		.started_at = now - 1,
		.now = now,
		.forget_epoch = UINT64_MAX,
		.journal = true,
		.complete = true,
		.learn = true,
		.user_text = slice_of(user_text),
		.user_hash = fixture_hash(user_text),
		.answer_text = slice_of(answer),
		.answer_hash = fixture_hash(answer),
		.model = SLICE("model"),
		.mode = MODE_HYBRID,
	};
}

enum store_result fixture_append(struct fixture *fixture, const struct append *append)
{
	struct fixture_wait wait = {0};
	(void)store_append(fixture->store, append,
			   (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	return fixture_await(&fixture->loop, &wait);
}

struct importing {
	struct portable_memory memory;
	struct take_in_count count;
	struct store_waiter waiter;
};

static void on_taken_in(void *cookie, enum store_result result)
{
	struct importing *importing = cookie;
	const struct store_waiter waiter = importing->waiter;
	free(importing->memory.turns);
	free(importing->memory.conversations);
	free(importing);
	waiter.callback(waiter.cookie, result);
}

static struct portable_conversation *conversation_of(struct portable_memory *memory,
						     struct slice session)
{
	struct portable_conversation *one = memory->conversations;
	for (; one < memory->conversations + memory->conversation_count; one++) {
		if (slice_equal(one->conversation.session, session))
			return one;
	}
	memory->conversation_count++;
	*one = (struct portable_conversation){
		.id = (uint32_t)memory->conversation_count,
		.conversation = {.session = session, .last_active = INT64_MIN}};
	return one;
}

static void add_message(struct portable_memory *memory, const struct fixture_turn *from, bool learn)
{
	struct portable_conversation *one = conversation_of(memory, from->session);
	const bool is_user = from->role == ROLE_USER;
	const uint64_t id = memory->turn_count + 1;
	if (!is_user && one->unanswered != 0)
		memory->turns[one->unanswered - 1].answer = id;
	memory->turns[memory->turn_count++] = (struct portable_turn){
		.turn = {.id = id,
			 .exchange = is_user ? id : one->unanswered,
			 .conversation = (uint32_t)one->id,
			 .ordinal = one->conversation.answers,
			 .role = from->role,
			 .complete = true,
			 .created_at = from->created_at,
			 .utc_offset = from->utc_offset,
			 .hash = from->hash,
			 .text = from->text},
		.own_hash = is_user ? from->hash : 0,
		.learn = learn,
		.learning = is_user && learn ? PORTABLE_PENDING : PORTABLE_NOT_LEARNED,
	};
	one->unanswered = is_user ? id : 0;
	one->conversation.answers += !is_user;
	if (from->created_at > one->conversation.last_active)
		one->conversation.last_active = from->created_at;
}

struct store_call *fixture_begin_import(struct store *store, struct slice tenant, struct slice user,
					const struct fixture_turn *turns, size_t count, bool learn,
					int64_t now, struct store_waiter waiter)
{
	struct importing *importing = xcalloc(1, sizeof(*importing));
	struct portable_memory *memory = &importing->memory;
	importing->waiter = waiter;
	*memory = (struct portable_memory){
		.tenant = tenant,
		.user = user,
		.turns = xcalloc(count + 1, sizeof(*memory->turns)),
		.conversations = xcalloc(count + 1, sizeof(*memory->conversations)),
		.appends = true,
	};
	for (size_t i = 0; i < count; i++)
		add_message(memory, &turns[i], learn);
	return store_take_in(store, memory, now, &importing->count,
			     (struct store_waiter){waiter.loop, on_taken_in, importing});
}

enum store_result fixture_import(struct fixture *fixture, const struct fixture_turn *turns,
				 size_t count, bool learn)
{
	struct fixture_wait wait = {0};
	int64_t now = 0;
	for (size_t i = 0; i < count; i++)
		now = turns[i].created_at > now ? turns[i].created_at : now;
	(void)fixture_begin_import(fixture->store, SLICE("shared"), SLICE("alex"), turns, count,
				   learn, now,
				   (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	return fixture_await(&fixture->loop, &wait);
}

enum store_result fixture_forget(struct fixture *fixture, const char *user)
{
	struct fixture_wait wait = {0};
	(void)store_forget(fixture->store, fixture_key(user), 0, NULL,
			   (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	return fixture_await(&fixture->loop, &wait);
}

enum store_result fixture_learned(struct fixture *fixture, uint64_t exchange,
				  const struct change *changes, size_t count, bool hide)
{
	struct fixture_wait wait = {0};
	(void)store_learned(
		fixture->store, fixture_key("alex"),
		&(struct learned){exchange, fixture->forget_epoch, changes, count, hide, 1000},
		(struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	return fixture_await(&fixture->loop, &wait);
}

enum store_result fixture_summarized(struct fixture *fixture, const char *text, uint64_t covers,
				     uint64_t previous_covers)
{
	struct fixture_wait wait = {0};
	struct summary summary = {
		.text = slice_of(text), .covers = covers, .updated_at = 7, .model = SLICE("model")};
	(void)store_summarized(fixture->store, fixture_key("alex"), fixture->forget_epoch, &summary,
			       previous_covers,
			       (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	return fixture_await(&fixture->loop, &wait);
}

struct memory_view fixture_load(struct fixture *fixture, const struct load *load)
{
	struct memory_view view;
	ck_assert_int_eq(store_load(fixture->store, load, &view, &fixture->arena), STORE_OK);
	return view;
}

struct portable_memory fixture_memory(struct fixture *fixture, const char *user)
{
	struct portable_memory memory;
	ck_assert_int_eq(
		store_read_memory(fixture->store, fixture_key(user), &memory, &fixture->arena),
		STORE_OK);
	return memory;
}

enum store_result fixture_take_in(struct fixture *fixture, const struct portable_memory *memory,
				  int64_t now, struct take_in_count *count)
{
	struct fixture_wait wait = {0};
	*count = (struct take_in_count){0};
	(void)store_take_in(fixture->store, memory, now, count,
			    (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	return fixture_await(&fixture->loop, &wait);
}

struct memory_view fixture_view(struct fixture *fixture, const char *session)
{
	struct load load = {.user = fixture_key("alex"),
			    .session = slice_of(session),
			    .newest_turns = 100,
			    .facts = true,
			    .conversations = 100,
			    .now = 1000};
	return fixture_load(fixture, &load);
}

enum store_result fixture_jobs(struct fixture *fixture, struct job_list *list)
{
	return store_user_jobs(fixture->store, fixture_key("alex"), 0, 1000, list, &fixture->arena);
}

enum store_result fixture_input(struct fixture *fixture, enum job_kind kind, uint64_t exchange,
				struct job_input *input)
{
	const struct user_key alex = fixture_key("alex");
	size_t count = 1;
	enum store_result result =
		kind == JOB_FACTS
			? store_facts_inputs(fixture->store, alex, &exchange, &count, input,
					     &fixture->arena)
			: store_summary_input(fixture->store, alex, input, &fixture->arena);
	fixture->forget_epoch = input->forget_epoch;
	return result;
}

enum store_result fixture_receipt(struct fixture *fixture, uint64_t id, struct slice *text)
{
	struct kept_receipt receipt;
	enum store_result result =
		store_read_receipt(fixture->store, id, &receipt, &fixture->arena);
	*text = receipt.text;
	return result;
}

size_t fixture_spoil(struct fixture *fixture, enum table table, struct slice value)
{
	struct transaction transaction;
	struct scan scan;
	struct slice key;
	struct slice old;
	struct key from = key_empty();
	size_t count = 0;
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	for (;; count++) {
		scan_begin_at(&scan, &transaction, table, key_empty(), from, FORWARD);
		bool found = scan_next(&scan, &key, &old);
		if (found) {
			from.size = key.size;
			memcpy(from.bytes, key.data, key.size);
		}
		scan_end(&scan);
		if (!found)
			break;
		table_put(&transaction, table, from, value);
		from = key_byte(from, 0); /* the next key there can be */
	}
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
	return count;
}

void fixture_put(struct fixture *fixture, enum table table, struct key key, struct slice value)
{
	struct transaction transaction;
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	table_put(&transaction, table, key, value);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
}

void fixture_put_format(const char *path, struct slice format)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val at = {strlen("format"), "format"};
	MDB_val in = {format.size, (void *)(uintptr_t)format.data};
	ck_assert_int_eq(mdb_env_create(&env), 0);
	ck_assert_int_eq(mdb_env_set_maxdbs(env, 32), 0);
	ck_assert_int_eq(mdb_env_open(env, path, 0, 0600), 0);
	ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
	ck_assert_int_eq(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
	ck_assert_int_eq(mdb_put(txn, dbi, &at, &in, 0), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

void fixture_put_file(const struct fixture *fixture, const char *name)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/%s", fixture->path, name);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	(void)fclose(file);
}
