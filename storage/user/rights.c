#include "storage/user/memory.h"

#include "core/facts/tombstone.h"

enum { TOMBSTONES_LIMIT = 10000 };

static struct slice salt_of(const struct memory *memory)
{
	return (struct slice){(const char *)memory->user.bytes, sizeof(memory->user.bytes)};
}

/* ---- tombstones ---- */

static struct key tombstone_key(const struct memory *memory, uint64_t value, uint64_t subject)
{
	return key_u64(memory_id_key(memory, value), subject);
}

static bool is_hidden(const struct fact *fact, int64_t now)
{
	(void)now;
	return fact->state == FACT_HIDDEN;
}

struct tombstones memory_tombstones(const struct memory *memory)
{
	struct tombstones tombstones = {.salt = salt_of(memory)};
	struct tombstone *list = NULL;
	struct tombstone tombstone;
	size_t capacity = 0;
	size_t count;
	struct scan scan;
	tombstones.salt = arena_copy(memory->arena, tombstones.salt);
	scan_begin(&scan, memory->transaction, TABLE_TOMBSTONES, memory_key(memory), FORWARD);
	while (tombstones.count < TOMBSTONES_LIMIT &&
	       scan_read(&scan, stored_tombstone_fields, &tombstone, sizeof(tombstone),
			 memory->arena)) {
		tombstone.value = key_read_u64(scan.at, KEY_ID_AT);
		list = arena_grow(memory->arena, list, tombstones.count, &capacity, sizeof(*list));
		list[tombstones.count++] = tombstone;
	}
	scan_end(&scan);
	tombstones.list = list;
	const struct fact *hidden = memory_facts(memory, is_hidden, 0, &count);
	tombstones_add_hidden(&tombstones, hidden, count, memory->arena);
	return tombstones;
}

void memory_put_tombstone(const struct memory *memory, uint64_t value, uint64_t subject,
			  struct tombstone *tombstone)
{
	memory_write(memory, TABLE_TOMBSTONES, tombstone_key(memory, value, subject),
		     stored_tombstone_fields, tombstone);
}

static void bury(const struct memory *memory, const struct fact *fact, bool never_again, int64_t at)
{
	const struct slice salt = salt_of(memory);
	struct tombstone tombstone = tombstone_of(fact, never_again, at, salt, memory->arena);
	const uint64_t subject =
		tombstone_subject(salt, tombstone.entity, tombstone.key, memory->arena);
	if (fact->value.size > 0)
		memory_put_tombstone(memory, tombstone.value, subject, &tombstone);
}

void memory_bury(const struct memory *memory, const struct fact *fact, int64_t at)
{
	bury(memory, fact, false, at);
}

void memory_bury_chain(const struct memory *memory, const struct id_list *facts, uint64_t id,
		       int64_t at)
{
	struct id_list chain = {0};
	for (size_t i = facts->count; i-- > 0;) {
		struct fact fact;
		if (!memory_read_fact(memory, facts->ids[i], &fact) ||
		    (fact.id != id && !id_list_has(&chain, fact.superseded_by)))
			continue;
		id_list_add(&chain, memory->arena, fact.id);
		bury(memory, &fact, true, at);
	}
}

void memory_bury_all(const struct memory *memory, const struct id_list *facts, int64_t at)
{
	for (size_t i = 0; i < facts->count; i++) {
		struct fact fact;
		if (memory_read_fact(memory, facts->ids[i], &fact))
			bury(memory, &fact, true, at);
	}
}

static void lift(const struct memory *memory, const struct fact *fact, uint64_t hash)
{
	struct id_list subjects = {0};
	struct tombstone tombstone;
	struct scan scan;
	scan_begin(&scan, memory->transaction, TABLE_TOMBSTONES, memory_id_key(memory, hash),
		   FORWARD);
	while (scan_read(&scan, stored_tombstone_fields, &tombstone, sizeof(tombstone),
			 memory->arena)) {
		tombstone.value = hash;
		if (tombstone_is_lifted(&tombstone, fact, memory->arena))
			id_list_add(&subjects, memory->arena,
				    key_read_u64(scan.at, KEY_SUBJECT_AT));
	}
	scan_end(&scan);
	for (size_t i = 0; i < subjects.count; i++)
		(void)memory_delete(memory, TABLE_TOMBSTONES,
				    tombstone_key(memory, hash, subjects.ids[i]));
}

void memory_lift(const struct memory *memory, const struct fact *fact)
{
	const struct slice salt = salt_of(memory);
	lift(memory, fact, tombstone_hash(salt, fact->value, memory->arena));
	lift(memory, fact, tombstone_loose_hash(salt, fact->value, memory->arena));
}

/* ---- settings ---- */

struct user_settings memory_settings(const struct memory *memory)
{
	struct user_settings settings = settings_default();
	struct slice value;
	if (!table_get(memory->transaction, TABLE_SETTINGS, memory_key(memory), &value) ||
	    table_decode(memory->transaction, value, stored_settings_fields, &settings,
			 memory->arena))
		return settings;
	/* Nobody is remembered against their will because a record cannot be read. */
	settings = settings_default();
	settings.is_stored = true;
	settings.learn = settings.inject = false;
	return settings;
}

void memory_put_settings(const struct memory *memory, const struct user_settings *settings)
{
	struct user_settings put = *settings;
	if (settings_are_default(settings))
		(void)memory_delete(memory, TABLE_SETTINGS, memory_key(memory));
	else
		memory_write(memory, TABLE_SETTINGS, memory_key(memory), stored_settings_fields,
			     &put);
}

void memory_forget_settings(const struct memory *memory)
{
	const struct user_settings settings = memory_settings(memory);
	const struct user_settings bare = settings_bare(&settings);
	if (!settings.is_stored)
		return;
	memory->transaction->leaves_clear = true;
	memory_put_settings(memory, &bare);
	memory->transaction->leaves_clear = false;
}
