#include "storage/index/index.h"

#include <string.h>

static struct key block_key(const struct memory *memory, uint64_t turn)
{
	return key_u64(key_of_user(memory->user), turn / DOCUMENT_BLOCK);
}

static size_t block_size(struct slice value)
{
	size_t size = sizeof(((struct document_block *)NULL)->documents);
	return value.size < size ? value.size : size;
}

void documents_read_block(const struct memory *memory, uint64_t turn, struct document_block *block)
{
	struct slice value;
	*block = (struct document_block){.first = turn / DOCUMENT_BLOCK * DOCUMENT_BLOCK};
	block->is_empty =
		!table_get(memory->transaction, TABLE_DOCUMENTS, block_key(memory, turn), &value) ||
		value.size == 0;
	/* Copied, since it may lie at any address. */
	if (!block->is_empty)
		memcpy(block->documents, value.data, block_size(value));
}

void documents_put_block(const struct memory *memory, const struct document_block *block)
{
	size_t count = DOCUMENT_BLOCK;
	while (count > 0 && block->documents[count - 1].conversation == 0)
		count--;
	struct slice value = {(const char *)block->documents, count * sizeof(*block->documents)};
	struct key key = block_key(memory, block->first);
	if (count > 0)
		table_put(memory->transaction, TABLE_DOCUMENTS, key, value);
	else
		(void)table_delete(memory->transaction, TABLE_DOCUMENTS, key);
}

struct recall_document *documents_of(struct document_block *block, uint64_t turn)
{
	return &block->documents[turn - block->first];
}

/* The number of a user's first or last block, and how many documents it has. */
static bool find_block(const struct memory *memory, enum direction direction, uint64_t *number,
		       size_t *count)
{
	struct scan scan;
	scan_begin(&scan, memory->transaction, TABLE_DOCUMENTS, key_of_user(memory->user),
		   direction);
	scan.opens_none = true;
	bool found = scan_step(&scan);
	if (found) {
		*number = key_read_u64(scan.at, 16);
		scan.value.size = scan_opened_size(&scan, scan.value);
		*count = block_size(scan.value) / sizeof(struct recall_document);
	}
	scan_end(&scan);
	return found;
}

/* A key further away than the user's number of turns is damaged. Usually almost every block exists;
 * where old turns between new ones are gone, the issued ids give the limit. */
static uint64_t most_blocks(const struct memory *memory, uint64_t wanted)
{
	struct stored_user user = {0};
	uint64_t most = table_count(memory->transaction, TABLE_TURNS);
	if (most < wanted && memory_user(memory, &user))
		most = user.next_turn / DOCUMENT_BLOCK;
	return most < UINT32_MAX / DOCUMENT_BLOCK ? most : UINT32_MAX / DOCUMENT_BLOCK - 1;
}

bool documents_range(const struct memory *memory, uint64_t *first, uint64_t *end)
{
	uint64_t first_block;
	uint64_t last_block;
	size_t count;
	if (!find_block(memory, FORWARD, &first_block, &count) ||
	    !find_block(memory, BACKWARD, &last_block, &count) ||
	    last_block >= UINT64_MAX / DOCUMENT_BLOCK ||
	    last_block - first_block > most_blocks(memory, last_block - first_block))
		return false;
	*first = first_block * DOCUMENT_BLOCK;
	*end = last_block * DOCUMENT_BLOCK + count;
	return true;
}

/* Zeroes only what no block covers: the rest is too much to write twice. */
static void copy_blocks(const struct memory *memory, struct documents *documents)
{
	struct scan scan;
	char *out = (char *)documents->documents;
	size_t end = documents->count * sizeof(struct recall_document);
	size_t done = 0;
	memory_scan(memory, &scan, TABLE_DOCUMENTS);
	while (scan_step(&scan)) {
		uint64_t place = key_read_u64(scan.at, 16) * DOCUMENT_BLOCK - documents->first;
		/* a sound table's keys rise from the first block to the last */
		if (place > documents->count || place * sizeof(struct recall_document) < done)
			continue;
		size_t at = (size_t)place * sizeof(struct recall_document);
		memset(out + done, 0, at - done);
		memcpy(out + at, scan.value.data, block_size(scan.value));
		done = at + block_size(scan.value);
	}
	scan_end(&scan);
	if (done < end)
		memset(out + done, 0, end - done);
}

/* Blocks start before the first turn and end after the last. */
static void trim(struct documents *documents)
{
	while (documents->count > 0 && documents->documents[0].conversation == 0) {
		documents->documents++;
		documents->first++;
		documents->count--;
	}
	while (documents->count > 0 && documents->documents[documents->count - 1].conversation == 0)
		documents->count--;
}

void documents_find(const struct memory *memory, struct documents *documents)
{
	uint64_t end;
	*documents = (struct documents){0};
	if (documents_range(memory, &documents->first, &end))
		documents->total = (size_t)(end - documents->first);
}

void documents_read(const struct memory *memory, struct documents *documents)
{
	documents_find(memory, documents);
	documents->count = documents->total;
	if (documents->count == 0)
		return;
	documents->documents = (struct recall_document *)arena_bytes(
		memory->arena,
		(documents->count + DOCUMENT_BLOCK) * sizeof(struct recall_document));
	copy_blocks(memory, documents);
	trim(documents);
	documents->total = documents->count;
	for (size_t i = 0; i < documents->count; i++)
		documents->live += documents->documents[i].is_live;
}
