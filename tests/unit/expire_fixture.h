/* Memories of "alex" of which something is past its time. */
#ifndef RECALLD_TESTS_EXPIRE_FIXTURE_H
#define RECALLD_TESTS_EXPIRE_FIXTURE_H

#include "storage/lmdb/table.h"
#include "tests/unit/branch_fixture.h"
#include "tests/unit/store_talk.h"

#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAP = 64 * 1024 * 1024 };

static const struct expiry never = {
	.now = 1000, .turns_until = INT64_MIN, .facts_until = INT64_MIN};

static inline struct expiry turns_until(int64_t until)
{
	struct expiry expiry = never;
	expiry.turns_until = until;
	return expiry;
}

/* Until nothing is left to be taken out. */
static inline struct expired_count expire(struct fixture *fixture, struct expiry expiry)
{
	struct expired_count total = {0};
	for (;;) {
		struct fixture_wait wait = {0};
		struct expired_count count;
		(void)store_expire(fixture->store, fixture_key("alex"), &expiry, &count,
				   (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
		if (fixture_await(&fixture->loop, &wait) != STORE_OK)
			break;
		total.exchanges += count.exchanges;
		total.facts += count.facts;
		total.more |= count.more;
	}
	return total;
}

static inline void say(struct fixture *fixture, const char *session, const char *text, int64_t now)
{
	struct append append = fixture_exchange(text, session, now);
	append.session = slice_of(session);
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

static inline void learn_city(struct fixture *fixture, uint64_t exchange, const char *value,
			      int64_t at, bool pii)
{
	struct change change = city(value, exchange, at);
	change.fact.pii = pii;
	change.fact.many = true;
	ck_assert_int_eq(fixture_learned(fixture, exchange, &change, 1, false), STORE_OK);
}

/* Whether the best of what is recalled for a word has it. */
static inline bool recalls(struct fixture *fixture, const char *word)
{
	struct recall_question question = fixture_question(fixture, word);
	const struct recall recall = {
		.user = fixture_key("alex"), .question = &question, .text_limit = 100000};
	struct recall_result result = fixture_recall(fixture, &recall);
	return result.count > 0 &&
	       slice_find(result.turns[0].text, slice_of(word), 0) < result.turns[0].text.size;
}

static inline struct store_statistics count(struct fixture *fixture)
{
	struct store_statistics statistics;
	store_statistics(fixture->store, &statistics);
	return statistics;
}

/* Whether the text is anywhere in the store, but on pages that are free. */
static inline bool store_has(struct fixture *fixture, const char *text)
{
	char folder[80];
	char file[96];
	(void)snprintf(folder, sizeof(folder), "%s-copy", fixture->path);
	(void)snprintf(file, sizeof(file), "%s/data.mdb", folder);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	ck_assert_int_eq(mdb_env_copy2(fixture->store->env, folder, MDB_CP_COMPACT), MDB_SUCCESS);
	FILE *copy = fopen(file, "rb");
	ck_assert_ptr_nonnull(copy);
	static char bytes[MAP];
	size_t size = fread(bytes, 1, sizeof(bytes), copy);
	(void)fclose(copy);
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	return memmem(bytes, size, text, strlen(text)) != NULL;
}

#endif
