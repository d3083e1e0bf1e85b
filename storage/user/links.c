#include "storage/user/links.h"

static struct key link_key(const struct memory *memory, struct slice id)
{
	return key_digest(key_of_user(memory->user), id);
}

bool links_find(const struct memory *memory, struct slice id, struct chain_link *link)
{
	*link = (struct chain_link){0};
	if (id.size > 0 && table_read(memory->transaction, TABLE_LINKS, link_key(memory, id),
				      stored_link_fields, link, memory->arena))
		return true;
	*link = (struct chain_link){0};
	return false;
}

void links_put(const struct memory *memory, struct slice id, const struct chain_link *link)
{
	struct chain_link put = *link;
	if (id.size > 0)
		table_write(memory->transaction, TABLE_LINKS, link_key(memory, id),
			    stored_link_fields, &put);
}

void links_delete(const struct memory *memory, uint32_t conversation)
{
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin(&scan, memory->transaction, TABLE_LINKS, key_of_user(memory->user), FORWARD);
	while (scan_next(&scan, &key, &value)) {
		struct chain_link link = {0};
		if (!table_decode(memory->transaction, value, stored_link_fields, &link, NULL) ||
		    link.conversation == conversation)
			scan_delete(&scan);
	}
	scan_end(&scan);
}

void links_drop_pending(const struct memory *memory, int64_t until)
{
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin(&scan, memory->transaction, TABLE_LINKS, key_of_user(memory->user), FORWARD);
	while (scan_next(&scan, &key, &value)) {
		struct chain_link link = {0};
		if (!table_decode(memory->transaction, value, stored_link_fields, &link,
				  memory->arena) ||
		    !link.is_pending || link.started_at > until)
			continue;
		link.is_pending = false;
		link.user_text = (struct slice){0};
		table_write(memory->transaction, TABLE_LINKS, scan.key, stored_link_fields, &link);
	}
	scan_end(&scan);
}
