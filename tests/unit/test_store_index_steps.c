/* The index against one built anew from the turns, in a store that is full, and damaged. */
#include "storage/index/index.h"
#include "storage/record/key.h"
#include "tests/unit/random.h"
#include "tests/unit/store_oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAP = 64 * 1024 * 1024, DIMENSIONS = 8 };

static struct random chance = {77};

/* ---- what the index holds, however it lies in its tables ---- */

struct entry {
	unsigned char user[16];
	uint64_t turn;
	uint64_t hash; /* of a term; 0: its document */
	uint64_t value;
	struct recall_document document;
};

struct dump {
	struct entry *entries;
	size_t count;
	size_t capacity;
};

static struct entry *add_entry(struct dump *dump, struct slice key, uint64_t turn, uint64_t hash,
			       uint64_t value)
{
	if (dump->count == dump->capacity) {
		dump->capacity = 2 * dump->capacity + 1000;
		dump->entries = xrealloc(dump->entries, dump->capacity * sizeof(*dump->entries));
	}
	struct entry *entry = &dump->entries[dump->count++];
	memset(entry, 0, sizeof(*entry));
	memcpy(entry->user, key.data, sizeof(entry->user));
	entry->turn = turn;
	entry->hash = hash;
	entry->value = value;
	return entry;
}

static void add_documents(struct dump *dump, struct slice key, struct slice value)
{
	for (size_t i = 0; i < value.size / sizeof(struct recall_document); i++) {
		struct recall_document document;
		memcpy(&document, value.data + i * sizeof(document), sizeof(document));
		if (document.conversation == 0)
			continue;
		uint64_t turn = key_read_u64(key, 16) * DOCUMENT_BLOCK + i;
		add_entry(dump, key, turn, 0, 1)->document = document;
	}
}

static void add_waiting(struct dump *dump, struct slice key, struct slice value)
{
	for (size_t at = 0; at + 12 <= value.size; at += 12) {
		uint64_t hash;
		uint32_t count;
		memcpy(&hash, value.data + at, sizeof(hash));
		memcpy(&count, value.data + at + sizeof(hash), sizeof(count));
		(void)add_entry(dump, key, key_read_u64(key, 16), hash, count);
	}
}

static void add_postings(struct dump *dump, struct slice key, struct slice value)
{
	struct recall_posting list[POSTINGS_SPAN + 1];
	size_t count = postings_read(value, 0, POSTINGS_SPAN, list);
	ck_assert_uint_gt(count, 0);
	for (size_t i = 0; i < count; i++)
		(void)add_entry(dump, key, key_read_u64(key, 16) * POSTINGS_SPAN + list[i].document,
				key_read_u64(key, 24), list[i].count);
}

static void dump_table(struct dump *dump, struct transaction *transaction, enum table table,
		       void (*add)(struct dump *dump, struct slice key, struct slice value))
{
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin(&scan, transaction, table, key_empty(), FORWARD);
	while (scan_next(&scan, &key, &value))
		add(dump, key, value);
	scan_end(&scan);
}

static int compare_entries(const void *left, const void *right)
{
	return memcmp(left, right, offsetof(struct entry, value));
}

static struct dump dump_index(struct fixture *fixture)
{
	struct transaction transaction;
	struct dump dump = {0};
	ck_assert(transaction_begin_read(&transaction, fixture->store));
	dump_table(&dump, &transaction, TABLE_DOCUMENTS, add_documents);
	dump_table(&dump, &transaction, TABLE_TERMS, add_waiting);
	dump_table(&dump, &transaction, TABLE_POSTINGS, add_postings);
	ck_assert_int_eq(transaction.result, STORE_OK);
	transaction_abort(&transaction);
	if (dump.count > 0)
		qsort(dump.entries, dump.count, sizeof(*dump.entries), compare_entries);
	return dump;
}

static void build_anew(struct fixture *fixture)
{
	struct transaction transaction;
	ck_assert(transaction_begin_write(&transaction, fixture->store));
	(void)table_delete(&transaction, TABLE_META, key_of_name("index_version"));
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
	fixture_reopen(fixture);
}

/* Gives how many entries it has. */
static size_t assert_in_step(struct fixture *fixture)
{
	struct dump kept = dump_index(fixture);
	build_anew(fixture);
	struct dump anew = dump_index(fixture);
	size_t count = kept.count;
	ck_assert_uint_eq(kept.count, anew.count);
	for (size_t i = 0; i < count; i++)
		ck_assert_mem_eq(&kept.entries[i], &anew.entries[i], sizeof(*kept.entries));
	free(kept.entries);
	free(anew.entries);
	return count;
}

/* ---- what happens to turns ---- */

static const char *const names[] = {"alex", "ben", "carla"};
enum { NAMES = 3 };

static const char *say(struct fixture *fixture)
{
	struct buffer out;
	size_t words = random_below(&chance, 12);
	buffer_init(&out, SIZE_MAX);
	for (size_t i = 0; i < words; i++)
		buffer_printf(&out, "word%c%c ", 'a' + (char)random_below(&chance, 20),
			      'a' + (char)random_below(&chance, 20));
	const char *text = arena_string(&fixture->arena, buffer_slice(&out));
	buffer_finish(&out);
	return text;
}

static const char *pick_name(void)
{
	return names[random_below(&chance, NAMES)];
}

static struct memory_view look(struct fixture *fixture, const char *name, unsigned turns)
{
	struct load load = {
		.user = fixture_key(name), .session = SLICE("chat"), .newest_turns = turns};
	return fixture_load(fixture, &load);
}

/* One of the user's newest; 0: there is none. */
static struct turn pick_turn(struct fixture *fixture, const char *name, enum role role)
{
	struct memory_view view = look(fixture, name, 300);
	for (int tries = 0; view.turn_count > 0 && tries < 20; tries++) {
		struct turn *turn = &view.turns[random_below(&chance, view.turn_count)];
		if (turn->role == role)
			return *turn;
	}
	return (struct turn){0};
}

static void append_at(struct fixture *fixture, const char *name, int64_t now, bool supersede)
{
	struct append append = fixture_exchange(say(fixture), say(fixture), now);
	struct memory_view view = look(fixture, name, 0);
	uint64_t kept[8];
	append.user = slice_of(name);
	append.session = SLICE("chat");
	append.conversation = view.conversation;
	append.ordinal = view.next_ordinal;
	append.forget_epoch = view.forget_epoch;
	append.complete = random_below(&chance, 8) != 0;
	append.kept = kept;
	if (supersede && view.conversation != 0) {
		append.supersede = true;
		append.ordinal = (uint32_t)random_below(&chance, view.next_ordinal + 1);
		/* Also ones that are superseded: these come back. */
		for (; append.kept_count < random_below(&chance, 8); append.kept_count++)
			kept[append.kept_count] = 1 + random_below(&chance, 400);
	}
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

static void ask_again(struct fixture *fixture, const char *name, int64_t now)
{
	struct turn turn = pick_turn(fixture, name, ROLE_USER);
	if (turn.id == 0)
		return;
	struct append append = fixture_exchange("", say(fixture), now);
	append.user = slice_of(name);
	append.user_text = turn.text;
	append.user_hash = turn.hash;
	append.same_exchange = turn.id;
	append.conversation = turn.conversation;
	append.ordinal = turn.ordinal;
	append.forget_epoch = look(fixture, name, 0).forget_epoch;
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

static void import_some(struct fixture *fixture, const char *name)
{
	struct fixture_turn turns[90];
	struct fixture_wait wait = {0};
	size_t count = 1 + random_below(&chance, 90);
	for (size_t i = 0; i < count; i++) {
		const char *text = say(fixture);
		turns[i] = (struct fixture_turn){
			.role = random_below(&chance, 3) == 0 ? ROLE_USER : ROLE_ASSISTANT,
			.text = slice_of(text),
			.hash = fixture_hash(text),
			.created_at = 20000 + (int64_t)random_below(&chance, 9000)};
	}
	(void)fixture_begin_import(fixture->store, SLICE("shared"), slice_of(name), turns, count,
				   true, 30000,
				   (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
}

/* "forget this", answered for one of the exchanges that wait to be learned from. */
static void hide_some(struct fixture *fixture, const char *name)
{
	const struct change change = {
		.kind = CHANGE_HIDE,
		.fact = {.value = pick_turn(fixture, name, ROLE_USER).text, .observed_at = 6000}};
	uint64_t exchange = pick_turn(fixture, name, ROLE_USER).id;
	struct fixture_wait wait = {0};
	(void)store_learned(fixture->store, fixture_key(name),
			    &(struct learned){exchange, UINT64_MAX, &change,
					      change.fact.value.size > 0, true, 7},
			    (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	(void)fixture_await(&fixture->loop, &wait);
}

static void do_something(struct fixture *fixture, int64_t now)
{
	const char *name = pick_name();
	switch (random_below(&chance, 16)) {
	case 0:
		if (random_below(&chance, 6) == 0)
			(void)fixture_forget(fixture, name);
		return;
	case 1:
	case 2:
		hide_some(fixture, name);
		return;
	case 3:
	case 4:
	case 5:
		ask_again(fixture, name, now);
		return;
	case 6:
		import_some(fixture, name);
		return;
	case 7:
	case 8:
	case 9:
		append_at(fixture, name, now, true);
		return;
	default:
		append_at(fixture, name, now, false);
	}
}

START_TEST(whatever_happened_the_index_is_what_one_built_anew_is)
{
	struct fixture fixture;
	size_t entries = 0;
	fixture_init(&fixture, MAP);
	for (int round = 0; round < 12; round++) {
		for (int i = 0; i < 40; i++)
			do_something(&fixture, round * 1000 + i);
		entries += assert_in_step(&fixture);
		arena_finish(&fixture.arena);
	}
	ck_assert_uint_gt(entries, 20000);
	fixture_finish(&fixture);
}
END_TEST

/* ---- a full store ---- */

START_TEST(a_store_that_fills_up_within_the_index_is_in_step_and_can_be_opened_again)
{
	struct fixture fixture;
	fixture_init(&fixture, 3 * 1024 * 1024);
	enum store_result result = STORE_OK;
	for (int64_t now = 1; result == STORE_OK && now < 5000; now++) {
		const char *text = say(&fixture);
		struct append append = fixture_exchange(text, "fine", now);
		result = fixture_append(&fixture, &append);
		arena_finish(&fixture.arena);
	}
	ck_assert_int_eq(result, STORE_FULL);
	/* Deletes go on, and after an opening too: until there is nothing left. */
	fixture_reopen(&fixture);
	for (uint64_t id = 1; id < 400; id += 2)
		ck_assert_int_eq(fixture_learned(&fixture, id, NULL, 0, true), STORE_OK);
	(void)assert_in_step(&fixture);
	ck_assert_int_eq(fixture_forget(&fixture, "alex"), STORE_OK);
	ck_assert_uint_eq(assert_in_step(&fixture), 0);
	fixture_finish(&fixture);
}
END_TEST

/* Writes until nothing more fits, past the head-room that the writer leaves for deletes. */
static void fill_to_the_brim(struct fixture *fixture)
{
	static char filling[2000];
	for (uint64_t i = 0;; i++) {
		struct transaction transaction;
		ck_assert(transaction_begin_write(&transaction, fixture->store));
		table_put(&transaction, TABLE_RECEIPTS, key_u64(key_empty(), i + 1000000),
			  (struct slice){filling, sizeof(filling)});
		if (transaction_commit(&transaction) != STORE_OK)
			return;
	}
}

START_TEST(a_store_without_a_free_page_can_be_opened)
{
	struct fixture fixture;
	fixture_init(&fixture, 1024 * 1024);
	append_at(&fixture, "alex", 1, false);
	fill_to_the_brim(&fixture);
	fixture_reopen(&fixture);
	ck_assert_uint_eq(look(&fixture, "alex", 10).turn_count, 2);
	fixture_finish(&fixture);
}
END_TEST

/* ---- damage ---- */

static const enum table index_tables[] = {TABLE_DOCUMENTS, TABLE_TERMS, TABLE_POSTINGS,
					  TABLE_VECTORS, TABLE_EMBEDDINGS};
enum { INDEX_TABLES = sizeof(index_tables) / sizeof(index_tables[0]) };

static void embed_all(struct fixture *fixture, const char *name)
{
	struct embedded_turn turns[400];
	int8_t vector[DIMENSIONS] = {127, 3, 9};
	struct memory_view view = look(fixture, name, 400);
	struct fixture_wait wait = {0};
	for (size_t i = 0; i < view.turn_count; i++)
		turns[i] = (struct embedded_turn){view.turns[i].id, i % 5 == 0 ? NULL : vector};
	(void)store_embedded(fixture->store, fixture_key(name), SLICE("model"), DIMENSIONS, turns,
			     view.turn_count,
			     (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	(void)fixture_await(&fixture->loop, &wait);
}

/* Another value, or another key's number, for some of a table's records. */
static void damage(struct transaction *transaction, enum table table)
{
	struct scan scan;
	struct slice key;
	struct slice value;
	struct key keys[64];
	size_t count = 0;
	scan_begin(&scan, transaction, table, key_empty(), FORWARD);
	while (count < 64 && scan_next(&scan, &key, &value)) {
		keys[count].size = key.size;
		memcpy(keys[count].bytes, key.data, key.size);
		count += random_below(&chance, 3) == 0;
	}
	scan_end(&scan);
	for (size_t i = 0; i < count; i++) {
		char bytes[4000];
		size_t size = random_below(&chance, random_below(&chance, sizeof(bytes)) + 1);
		size_t highest = 1 + random_below(&chance, 256);
		for (size_t k = 0; k < size; k++)
			bytes[k] = (char)(unsigned char)random_below(&chance, highest);
		if (keys[i].size >= 24 && random_below(&chance, 8) == 0)
			memset(keys[i].bytes + 16, (int)random_below(&chance, 256),
			       1 + random_below(&chance, 7));
		table_put(transaction, table, keys[i], (struct slice){bytes, size});
	}
}

static void read_all(struct fixture *fixture, const char *name)
{
	const int8_t vector[DIMENSIONS] = {127, 1};
	size_t limit = 50;
	struct recall_question question =
		fixture_question(fixture, "what of wordaa, wordab, wordac, wordbd, wordce?");
	question.vector = vector;
	question.dimensions = DIMENSIONS;
	struct recall recall = {.user = fixture_key(name),
				.question = &question,
				.carried_from = UINT32_MAX,
				.text_limit = SIZE_MAX};
	struct recall_result recalled = fixture_recall(fixture, &recall);
	for (size_t i = 0; i < recalled.count; i++)
		ck_assert_int_eq(recalled.turns[i].state, TURN_CURRENT);
	struct unembedded unembedded;
	ck_assert_int_eq(store_unembedded(fixture->store, fixture_key(name), SLICE("model"), limit,
					  &unembedded, &fixture->arena),
			 STORE_OK);
	ck_assert_uint_le(unembedded.count, limit);
}

START_TEST(a_damaged_index_leads_nowhere_else)
{
	struct fixture fixture;
	fixture_init(&fixture, MAP);
	for (int round = 0; round < 40; round++) {
		struct transaction transaction;
		for (int i = 0; i < 6; i++)
			do_something(&fixture, round * 100 + i);
		embed_all(&fixture, pick_name());
		ck_assert(transaction_begin_write(&transaction, fixture.store));
		damage(&transaction, index_tables[random_below(&chance, INDEX_TABLES)]);
		ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
		for (int i = 0; i < NAMES; i++)
			read_all(&fixture, names[i]);
		arena_finish(&fixture.arena);
	}
	/* It is made good by building it anew. */
	build_anew(&fixture);
	(void)assert_in_step(&fixture);
	fixture_finish(&fixture);
}
END_TEST

UNIT_MAIN("store_index_steps", whatever_happened_the_index_is_what_one_built_anew_is,
	  a_store_that_fills_up_within_the_index_is_in_step_and_can_be_opened_again,
	  a_store_without_a_free_page_can_be_opened, a_damaged_index_leads_nowhere_else)
