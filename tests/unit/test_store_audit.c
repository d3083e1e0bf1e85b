/* The audit log: entries ride on the writes they tell of, and any tampering shows. */
#include "storage/audit.h"

#include "storage/deletions.h"
#include "storage/rights.h"
#include "tests/unit/store_fixture.h"

#include <stdio.h>
#include <string.h>

enum { MAP = 64 * 1024 * 1024 };

static struct fixture fixture;

static void begin(void)
{
	fixture_init(&fixture, MAP);
}

static void end(void)
{
	fixture_finish(&fixture);
}

static struct audit_entry entry_of(const char *user, const char *action, int64_t at)
{
	return (struct audit_entry){.by = "admin",
				    .from = SLICE("192.0.2.1"),
				    .action = action,
				    .target = "fact",
				    .item = SLICE("12"),
				    .tenant = SLICE("shared"),
				    .has_user = true,
				    .user = fixture_key(user),
				    .result = 200,
				    .at = at};
}

/* Writes settings, which always succeeds, and waits; entries queued before are written then, too.
 */
static void settle(const struct audit_entry *entry)
{
	struct fixture_wait wait = {0};
	struct user_settings settings = settings_default();
	fixture.loop.loop.audit = entry;
	(void)store_put_settings(fixture.store, fixture_key("alex"), &settings,
				 (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	fixture.loop.loop.audit = NULL;
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
}

static struct audit_query all(void)
{
	return (struct audit_query){.since = INT64_MIN, .until = INT64_MAX, .limit = 1000};
}

static struct audit_page read_page(struct audit_query query)
{
	struct audit_page page;
	ck_assert_int_eq(store_read_audit(fixture.store, &query, &page, &fixture.arena), STORE_OK);
	return page;
}

/* As recallctl audit --verify does. */
static bool is_whole(const struct audit_page *page)
{
	char hash[AUDIT_HASH_SIZE + 1];
	memcpy(hash, page->ends.before, sizeof(hash));
	for (size_t i = 0; i < page->count; i++) {
		if (!unit_has(page->lines[i], hash))
			return false;
		audit_hash(page->lines[i], hash);
	}
	return strcmp(hash, page->ends.head) == 0;
}

START_TEST(an_empty_log_has_no_entry)
{
	begin();
	struct audit_page page = read_page(all());
	ck_assert_uint_eq(page.count, 0);
	ck_assert_uint_eq(page.ends.first, 1);
	ck_assert_uint_eq(page.ends.last, 0);
	ck_assert(!page.more && is_whole(&page));
	end();
}
END_TEST

START_TEST(entries_are_chained_and_name_nobody)
{
	begin();
	struct audit_entry first = entry_of("alex", "read", 1000);
	struct audit_entry second = entry_of("alex", "settings", 2000);
	store_audit(fixture.store, &first);
	settle(&second);
	first.item = SLICE("a text, not an id");
	char tenant[1000];
	memset(tenant, 't', sizeof(tenant));
	first.tenant = (struct slice){tenant, sizeof(tenant)};
	first.from = (struct slice){0};
	first.has_user = false;
	store_audit(fixture.store, &first);
	settle(NULL);
	struct audit_page page = read_page(all());
	ck_assert_uint_eq(page.count, 3);
	ck_assert(is_whole(&page));
	ck_assert(unit_has(page.lines[0], "\"action\":\"read\"") &&
		  unit_has(page.lines[0], "\"id\":\"12\""));
	ck_assert(unit_has(page.lines[1], "\"action\":\"settings\"") &&
		  unit_has(page.lines[1], "\"result\":200"));
	ck_assert(unit_has(page.lines[0], "\"from\":\"192.0.2.1\"") &&
		  unit_has(page.lines[0], "\"tenant\":\"shared\"") && page.lines[2].size < 600);
	ck_assert(!unit_has(page.lines[2], "a text") && !unit_has(page.lines[2], "\"of\""));
	for (size_t i = 0; i < page.count; i++)
		ck_assert(!unit_has(page.lines[i], "alex"));
	end();
}
END_TEST

START_TEST(entries_are_found_by_user_time_and_action)
{
	begin();
	struct audit_entry entries[] = {entry_of("alex", "read", 1000),
					entry_of("maria", "read", 5000),
					entry_of("alex", "export", 9000)};
	for (size_t i = 0; i < 3; i++)
		store_audit(fixture.store, &entries[i]);
	settle(NULL);
	struct audit_query query = all();
	query.has_user = true;
	query.user = fixture_key("alex");
	ck_assert_uint_eq(read_page(query).count, 2);
	query.action = SLICE("export");
	ck_assert_uint_eq(read_page(query).count, 1);
	query = all();
	query.since = 5000;
	ck_assert_uint_eq(read_page(query).count, 2);
	query.until = 9000;
	ck_assert_uint_eq(read_page(query).count, 1);
	query = all();
	query.limit = 2;
	struct audit_page page = read_page(query);
	ck_assert(page.count == 2 && page.more && page.last == 2);
	query.after = page.last;
	page = read_page(query);
	ck_assert(page.count == 1 && !page.more);
	end();
}
END_TEST

START_TEST(a_write_that_fails_leaves_no_entry_and_a_correction_tells_its_result)
{
	begin();
	struct audit_entry entry = entry_of("alex", "correct", 1000);
	struct fixture_wait wait = {0};
	struct correction_outcome outcome;
	struct correction correction = {.kind = CORRECTION_PATCH, .id = 7, .now = 1};
	fixture.loop.loop.audit = &entry;
	(void)store_correct(fixture.store, SLICE("shared"), SLICE("alex"), &correction, &outcome,
			    (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	fixture.loop.loop.audit = NULL;
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_NOT_FOUND);
	ck_assert_uint_eq(read_page(all()).count, 0);
	const struct append append = fixture_exchange("I like tea.", "Good.", 100);
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	fixture.loop.loop.audit = &entry;
	(void)store_correct(fixture.store, SLICE("shared"), SLICE("alex"), &correction, &outcome,
			    (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	fixture.loop.loop.audit = NULL;
	wait = (struct fixture_wait){0};
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	struct audit_page page = read_page(all());
	ck_assert(page.count == 1 && unit_has(page.lines[0], "\"result\":404"));
	end();
}
END_TEST

START_TEST(a_deletion_tells_what_it_took)
{
	begin();
	struct audit_entry entry = entry_of("alex", "delete", 1000);
	struct deletion_report report;
	struct fixture_wait wait = {0};
	const struct append append = fixture_exchange("I like tea.", "Good.", 100);
	entry.has_counts = true;
	ck_assert_int_eq(fixture_append(&fixture, &append), STORE_OK);
	fixture.loop.loop.audit = &entry;
	(void)store_forget(fixture.store, fixture_key("alex"), 2000, &report,
			   (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	fixture.loop.loop.audit = NULL;
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_OK);
	struct audit_page page = read_page(all());
	ck_assert_uint_eq(page.count, 1);
	ck_assert(unit_has(page.lines[0], "\"turns\":2,\"conversations\":1"));
	end();
}
END_TEST

/* Puts a text in an entry's place, as somebody with the file could. */
static void spoil(uint64_t number, struct slice text)
{
	struct transaction transaction;
	ck_assert(transaction_begin_write(&transaction, fixture.store));
	if (text.size == 0)
		(void)table_delete(&transaction, TABLE_AUDIT, key_of_number(number));
	else
		table_write(&transaction, TABLE_AUDIT, key_of_number(number), stored_audit_fields,
			    &text);
	ck_assert_int_eq(transaction_commit(&transaction), STORE_OK);
}

static void tamper(int how)
{
	struct audit_page page = read_page(all());
	switch (how) {
	case 0: /* changed */
		spoil(2, SLICE("{\"seq\":2}"));
		break;
	case 1: /* removed */
		spoil(2, (struct slice){0});
		break;
	case 2: /* reordered */
		spoil(2, page.lines[2]);
		spoil(3, page.lines[1]);
		break;
	case 3: /* cut off */
		spoil(4, (struct slice){0});
		break;
	default: /* cut off at the front */
		spoil(1, (struct slice){0});
		break;
	}
}

START_TEST(tampering_shows)
{
	struct audit_entry entry = entry_of("alex", "read", 1000);
	for (int how = 0; how < 5; how++) {
		begin();
		for (int i = 0; i < 4; i++)
			store_audit(fixture.store, &entry);
		settle(NULL);
		struct audit_page page = read_page(all());
		ck_assert(page.count == 4 && is_whole(&page));
		tamper(how);
		page = read_page(all());
		ck_assert(!is_whole(&page));
		end();
	}
}
END_TEST

static enum store_result trim(int64_t until, bool *more)
{
	struct fixture_wait wait = {0};
	(void)store_trim_audit(fixture.store, until, more,
			       (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	return fixture_await(&fixture.loop, &wait);
}

START_TEST(old_entries_go_and_the_rest_stays_whole)
{
	begin();
	bool more = true;
	ck_assert_int_eq(trim(5000, &more), STORE_NOT_FOUND);
	for (int64_t at = 1000; at <= 9000; at += 1000) {
		struct audit_entry entry = entry_of("alex", "read", at);
		store_audit(fixture.store, &entry);
	}
	settle(NULL);
	ck_assert_int_eq(trim(5000, &more), STORE_OK);
	ck_assert(!more);
	fixture_reopen(&fixture);
	struct audit_page page = read_page(all());
	ck_assert_uint_eq(page.ends.first, 5);
	ck_assert_uint_eq(page.ends.last, 9);
	ck_assert(page.count == 5 && is_whole(&page));
	ck_assert_int_eq(trim(5000, &more), STORE_NOT_FOUND);
	ck_assert_int_eq(trim(INT64_C(1) << 40, &more), STORE_OK);
	page = read_page(all());
	ck_assert(page.count == 0 && page.ends.first == 10 && is_whole(&page));
	struct audit_entry entry = entry_of("alex", "read", 1000);
	store_audit(fixture.store, &entry);
	settle(NULL);
	page = read_page(all());
	ck_assert(page.count == 1 && is_whole(&page));
	ck_assert_uint_eq(store_audit_dropped(fixture.store), 0);
	end();
}
END_TEST

static char heard[4][2048];
static size_t heard_count;

static void hear(struct slice line)
{
	(void)snprintf(heard[heard_count++ % 4], sizeof(heard[0]), "%.*s", SLICE_PRINT(line));
}

START_TEST(a_listener_hears_each_committed_entry_as_it_stands)
{
	begin();
	struct audit_entry entry = entry_of("alex", "read", 1000);
	struct fixture_wait wait = {0};
	struct correction_outcome outcome;
	struct correction correction = {.kind = CORRECTION_PATCH, .id = 7, .now = 1};
	heard_count = 0;
	settle(&entry);
	store_listen_to_audit(fixture.store, hear);
	settle(NULL);
	ck_assert_uint_eq(heard_count, 0);
	fixture.loop.loop.audit = &entry;
	(void)store_correct(fixture.store, SLICE("shared"), SLICE("alex"), &correction, &outcome,
			    (struct store_waiter){&fixture.loop.loop, fixture_done, &wait});
	fixture.loop.loop.audit = NULL;
	ck_assert_int_eq(fixture_await(&fixture.loop, &wait), STORE_NOT_FOUND);
	ck_assert_uint_eq(heard_count, 0);
	store_audit(fixture.store, &entry);
	settle(&entry);
	settle(NULL);
	struct audit_page page = read_page(all());
	ck_assert(heard_count == 2 && page.count == 3);
	for (size_t i = 0; i < heard_count; i++)
		ck_assert(slice_equal(slice_of(heard[i]), page.lines[i + 1]));
	store_listen_to_audit(fixture.store, NULL);
	settle(&entry);
	ck_assert_uint_eq(heard_count, 2);
	end();
}
END_TEST

START_TEST(a_store_without_room_drops_entries_and_counts_them)
{
	begin();
	struct audit_entry entry = entry_of("alex", "read", 1000);
	atomic_store(&fixture.store->has_room, false);
	store_audit(fixture.store, &entry);
	ck_assert_uint_eq(store_audit_dropped(fixture.store), 1);
	end();
}
END_TEST

UNIT_MAIN("store_audit", an_empty_log_has_no_entry, entries_are_chained_and_name_nobody,
	  entries_are_found_by_user_time_and_action,
	  a_write_that_fails_leaves_no_entry_and_a_correction_tells_its_result,
	  a_listener_hears_each_committed_entry_as_it_stands, a_deletion_tells_what_it_took,
	  tampering_shows, old_entries_go_and_the_rest_stays_whole,
	  a_store_without_room_drops_entries_and_counts_them)
