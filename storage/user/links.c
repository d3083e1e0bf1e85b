#include "storage/user/memory.h"

static struct key link_key(const struct memory *memory, struct slice id)
{
	return key_digest(memory_key(memory), id);
}

bool links_find(const struct memory *memory, struct slice id, struct chain_link *link)
{
	*link = (struct chain_link){0};
	if (id.size > 0 &&
	    memory_read(memory, TABLE_LINKS, link_key(memory, id), stored_link_fields, link))
		return true;
	*link = (struct chain_link){0};
	return false;
}

void links_put(const struct memory *memory, struct slice id, const struct chain_link *link)
{
	struct chain_link put = *link;
	if (id.size > 0)
		memory_write(memory, TABLE_LINKS, link_key(memory, id), stored_link_fields, &put);
}

void links_delete(const struct memory *memory, const struct id_list *conversations)
{
	struct scan scan;
	if (conversations->count == 0)
		return;
	ids_sort(conversations->ids, conversations->count);
	memory_scan(memory, &scan, TABLE_LINKS);
	while (scan_step(&scan)) {
		struct chain_link link = {0};
		if (!table_decode(memory->transaction, scan.value, stored_link_fields, &link,
				  NULL) ||
		    ids_hold(conversations->ids, conversations->count, link.conversation))
			scan_delete(&scan);
	}
	scan_end(&scan);
}

/* Of at most `limit` links from the key on. How many there are. */
static size_t drop_pending(const struct memory *memory, struct key from, int64_t until,
			   size_t limit)
{
	struct scan scan;
	size_t count = 0;
	scan_begin_at(&scan, memory->transaction, TABLE_LINKS, memory_key(memory), from, FORWARD);
	while (count < limit && scan_step(&scan)) {
		struct chain_link link = {0};
		count++;
		if (!table_decode(memory->transaction, scan.value, stored_link_fields, &link,
				  memory->arena) ||
		    !link.is_pending || link.started_at > until)
			continue;
		link.is_pending = false;
		link.user_text = (struct slice){0};
		memory_write(memory, TABLE_LINKS, scan.key, stored_link_fields, &link);
	}
	scan_end(&scan);
	return count;
}

void links_drop_pending(const struct memory *memory, int64_t until)
{
	(void)drop_pending(memory, memory_key(memory), until, SIZE_MAX);
}

void links_drop_some_pending(const struct memory *memory, int64_t until, uint64_t step)
{
	enum { LOOKED_AT = 32 };
	const uint64_t golden = 0x9E3779B97F4A7C15; /* its multiples leave no wide gap */
	const struct key user = memory_key(memory);
	size_t count = drop_pending(memory, key_u64(user, step * golden), until, LOOKED_AT);
	if (count < LOOKED_AT)
		(void)drop_pending(memory, user, until, LOOKED_AT - count);
}
