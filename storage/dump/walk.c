#include "storage/dump/walk.h"

#include <string.h>

enum { USERS_PASSED = 32, SINGLE_BITS = 7, BITS_AT_ONCE = 8 };

static struct key first_key(const struct dump_table *table)
{
	struct key key = {.size = dump_key_size(table)};
	return key;
}

void walk_begin_table(struct progress *progress, size_t table)
{
	progress->table = table;
	progress->next = table < DUMP_TABLES ? first_key(&dump_tables[table]) : key_empty();
	progress->in_hole = false;
	progress->passes_user = false;
}

bool walk_is_key(const struct progress *progress, struct slice key)
{
	return key.size == progress->next.size &&
	       memcmp(key.data, progress->next.bytes, key.size) >= 0;
}

bool walk_pass_user(struct walk *walk, const struct dump_table *table)
{
	struct progress *progress = walk->progress;
	enum table other = table->table == TABLE_TURNS ? TABLE_USERS : TABLE_TURNS;
	struct key user = key_of_user(key_read_user(
		(struct slice){(const char *)progress->next.bytes, progress->next.size}));
	struct scan scan;
	struct slice key;
	struct slice value;
	if (!walk->reader.has_tree[engine_tree_of(other)])
		return false;
	scan_begin_at(&scan, &walk->reader.transaction, other, key_empty(), key_after(user),
		      FORWARD);
	bool found = scan_next(&scan, &key, &value) && key.size >= user.size &&
		     memcmp(key.data, user.bytes, user.size) > 0;
	if (found) {
		progress->next = first_key(table);
		memcpy(progress->next.bytes, key.data, user.size);
		progress->passes_user = false;
		progress->hole = progress->next;
		progress->bit = WALK_NO_SKIP;
		progress->reached = 0;
	}
	scan_end(&scan);
	return found;
}

/* ---- holes ---- */

static void begin_hole(struct progress *progress)
{
	progress->report.tables[progress->table].holes++;
	progress->in_hole = true;
	progress->hole = progress->next;
	progress->bit = WALK_NO_SKIP;
	progress->reached = 0;
	progress->users = 0;
}

/* Longer and longer skips, and once one is enough, the shortest that is, by halves. */
static int next_bit(const struct progress *progress)
{
	int failed = progress->failed;
	if (progress->reached > failed + 1)
		return failed + (progress->reached - failed) / 2;
	if (progress->reached > failed || failed < SINGLE_BITS)
		return failed + 1;
	return failed + BITS_AT_ONCE;
}

/* Whether the next try can start there; if not, the key is past the table or past its user. */
static bool aim(struct progress *progress)
{
	const struct dump_table *table = &dump_tables[progress->table];
	bool stays = table->is_of_user && progress->users < USERS_PASSED;
	progress->bit = next_bit(progress);
	progress->next = progress->hole;
	return key_add(&progress->next, (unsigned)progress->bit) &&
	       (!stays ||
		memcmp(progress->next.bytes, progress->hole.bytes, sizeof(struct user_key)) == 0);
}

/* Skips damage of unknown extent within the user's keys, and then at the next user's. After many
 * users, or if no other is known, within the table's. */
void walk_skip(struct progress *progress)
{
	if (!progress->in_hole)
		begin_hole(progress);
	if (progress->passes_user) {
		progress->users = USERS_PASSED;
		progress->passes_user = false;
		progress->reached = 0;
	} else {
		progress->failed = progress->bit;
	}
	while (!aim(progress)) {
		bool is_nearest = progress->bit == progress->failed + 1;
		progress->reached = progress->bit;
		if (!is_nearest)
			continue;
		progress->passes_user =
			dump_tables[progress->table].is_of_user && progress->users++ < USERS_PASSED;
		if (!progress->passes_user)
			walk_begin_table(progress, progress->table + 1);
		return;
	}
}

/* Whether a record can be read from the next position on, or none is there. */
static bool reads(struct walk *walk, const struct dump_table *table)
{
	struct transaction *transaction = &walk->reader.transaction;
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin_at(&scan, transaction, table->table, key_empty(), walk->progress->next, FORWARD);
	bool is_sound = !scan_next(&scan, &key, &value) || walk_is_key(walk->progress, key);
	scan_end(&scan);
	return is_sound && transaction->result == STORE_OK;
}

/* A skip that is enough may be longer than it must be. */
bool walk_narrow(struct walk *walk, const struct dump_table *table)
{
	struct progress *progress = walk->progress;
	while (progress->in_hole && progress->bit > progress->failed + 1) {
		if (!reads(walk, table))
			return false;
		progress->reached = progress->bit;
		if (!aim(progress))
			return false;
	}
	return true;
}
