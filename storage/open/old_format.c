#include "storage/open/old_format.h"

#include <limits.h>
#include <string.h>

enum { TABLE_AT = sizeof(struct user_key) };

static const struct old_format old_formats[] = {
	{
		.number = 4, /* users and facts had their own trees */
		.trees = {{"meta", TABLE_META},
			  {"receipt", TABLE_RECEIPTS},
			  {"receipt_age", TABLE_RECEIPT_AGES},
			  {"user", TABLE_USERS},
			  {"turn", TABLE_TURNS},
			  {"fact", TABLE_FACTS},
			  {"job", TABLE_JOBS},
			  {"parked", TABLE_PARKED},
			  {"of_user", TABLE_COUNT}},
		.shared = {TABLE_TURN_TIMES, TABLE_USER_RECEIPTS, TABLE_EXCHANGES, TABLE_REPLAYS,
			   TABLE_CONVERSATIONS, TABLE_FROZEN, TABLE_SESSIONS, TABLE_ANSWERS,
			   TABLE_SUMMARIES, TABLE_DOCUMENTS, TABLE_TERMS, TABLE_POSTINGS,
			   TABLE_VECTORS, TABLE_EMBEDDINGS},
		.shared_count = 14,
		.falling = {TABLE_USER_RECEIPTS, TABLE_REPLAYS, TABLE_FROZEN},
		.falling_count = 3,
	},
	{
		.number = STORE_FORMAT, /* only to be encrypted */
		.trees = {{"meta", TABLE_META},
			  {"receipt", TABLE_RECEIPTS},
			  {"receipt_age", TABLE_RECEIPT_AGES},
			  {"audit", TABLE_AUDIT},
			  {"turn", TABLE_TURNS},
			  {"job", TABLE_JOBS},
			  {"parked", TABLE_PARKED},
			  {"of_user", TABLE_COUNT}},
		.shared = {TABLE_FACTS,         TABLE_SUMMARIES, TABLE_USERS,
			   TABLE_TURN_TIMES,    TABLE_EXCHANGES, TABLE_REPLAYS,
			   TABLE_CONVERSATIONS, TABLE_FROZEN,    TABLE_SESSIONS,
			   TABLE_ANSWERS,       TABLE_DOCUMENTS, TABLE_TERMS,
			   TABLE_USER_RECEIPTS, TABLE_POSTINGS,  TABLE_VECTORS,
			   TABLE_EMBEDDINGS,    TABLE_LINKS,     TABLE_TOMBSTONES,
			   TABLE_SETTINGS,      TABLE_DECLINED},
		.shared_count = TABLE_COUNT - FIRST_SHARED_TABLE,
		.falling = {TABLE_TURN_TIMES, TABLE_USER_RECEIPTS, TABLE_REPLAYS, TABLE_FROZEN},
		.falling_count = 4,
	},
};

const struct old_format *old_format_find(uint64_t number)
{
	for (size_t i = 0; i < sizeof(old_formats) / sizeof(old_formats[0]); i++) {
		if (old_formats[i].number == number)
			return &old_formats[i];
	}
	return NULL;
}

static bool fell(const struct old_format *format, enum table table)
{
	for (size_t i = 0; i < format->falling_count; i++) {
		if (format->falling[i] == table)
			return true;
	}
	return false;
}

bool old_format_read_key(const struct old_format *format, const struct old_tree *tree,
			 struct slice stored, enum table *table, struct key *key)
{
	const unsigned char *bytes = (const unsigned char *)stored.data;
	bool is_shared = tree->table == TABLE_COUNT;
	*table = tree->table;
	key->size = stored.size - is_shared;
	if (stored.size > KEY_MAX || (is_shared && stored.size <= TABLE_AT))
		return false;
	if (!is_shared) {
		memcpy(key->bytes, bytes, key->size);
		return true;
	}
	if (bytes[TABLE_AT] >= format->shared_count)
		return false;
	*table = format->shared[bytes[TABLE_AT]];
	memcpy(key->bytes, bytes, TABLE_AT);
	memcpy(key->bytes + TABLE_AT, bytes + TABLE_AT + 1, key->size - TABLE_AT);
	for (size_t i = TABLE_AT; fell(format, *table) && i < key->size; i++)
		key->bytes[i] ^= UCHAR_MAX;
	return true;
}
