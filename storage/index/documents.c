#include "core/base/ids.h"
#include "storage/index/index.h"

#include <string.h>

static struct key block_key(const struct memory *memory, uint64_t turn)
{
	return memory_id_key(memory, turn / DOCUMENT_BLOCK);
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
		(void)memory_delete(memory, TABLE_DOCUMENTS, key);
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
	bool found = scan_first(&scan, memory->transaction, TABLE_DOCUMENTS, memory_key(memory),
				direction);
	if (found) {
		*number = key_read_u64(scan.at, KEY_ID_AT);
		scan.value.size = scan_opened_size(&scan, scan.value);
		*count = block_size(scan.value) / sizeof(struct recall_document);
	}
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
		uint64_t place =
			key_read_u64(scan.at, KEY_ID_AT) * DOCUMENT_BLOCK - documents->first;
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

/* ---- some of a long memory ---- */

/* Reads a part of a long memory's documents: those around some turns, and their postings. */

enum {
	REACH = 3, /* what ranking looks at before and after a document */
	SAMPLED_BLOCKS = 16,
};

/* Blocks are read in ascending order, each once. */
struct reading {
	struct scan scan;
	const struct memory *memory;
	uint64_t number; /* of the block in `value` */
	struct slice value;
	bool begun;
};

static struct slice block_of(struct reading *reading, uint64_t turn)
{
	uint64_t number = turn / DOCUMENT_BLOCK;
	if (reading->begun && reading->number == number)
		return reading->value;
	reading->begun = true;
	reading->number = number;
	struct key key = key_u64(key_of_user(reading->memory->user), number);
	reading->value = scan_find(&reading->scan, key) ? reading->scan.value : (struct slice){0};
	return reading->value;
}

/* One that is not stored is zeroed. */
static struct recall_document document_of(struct reading *reading, uint64_t turn)
{
	struct recall_document document = {0};
	struct slice value = block_of(reading, turn);
	size_t at = (size_t)(turn % DOCUMENT_BLOCK) * sizeof(document);
	/* Copied, since it may lie at any address. */
	if (value.data != NULL && value.size >= at + sizeof(document))
		memcpy(&document, value.data + at, sizeof(document));
	return document;
}

static void read_near(struct reading *reading, uint64_t turn, struct documents *documents)
{
	uint64_t end = documents->first + documents->total;
	uint64_t from = turn < documents->first + REACH ? documents->first : turn - REACH;
	if (turn < documents->first || turn >= end)
		return;
	if (documents->count > 0 && documents->turns[documents->count - 1] >= from)
		from = documents->turns[documents->count - 1] + 1;
	for (uint64_t at = from; at < end && at <= turn + REACH; at++) {
		size_t place = documents->count++;
		documents->turns[place] = at;
		documents->documents[place] = document_of(reading, at);
		documents->live += documents->documents[place].is_live;
	}
}

/* Whole blocks, at equal distances. */
static void read_sample(struct reading *reading, struct documents *documents)
{
	size_t blocks = documents->total / DOCUMENT_BLOCK + 1;
	size_t step = blocks / SAMPLED_BLOCKS + 1;
	documents->sample = (struct recall_document *)arena_bytes(
		reading->memory->arena,
		SAMPLED_BLOCKS * DOCUMENT_BLOCK * sizeof(*documents->sample));
	for (size_t block = step / 2; block < blocks; block += step) {
		uint64_t turn = documents->first + block * DOCUMENT_BLOCK;
		for (size_t i = 0; i < DOCUMENT_BLOCK; i++)
			documents->sample[documents->sample_count++] =
				document_of(reading, turn + i);
	}
}

void documents_read_near(const struct memory *memory, const uint64_t *turns, size_t count,
			 struct documents *documents)
{
	struct reading reading = {.memory = memory};
	size_t most = count * (2 * REACH + 1);
	documents->count = 0;
	documents->live = 0;
	documents->turns = (uint64_t *)arena_bytes(memory->arena, most * sizeof(*documents->turns));
	documents->documents = (struct recall_document *)arena_bytes(
		memory->arena, most * sizeof(*documents->documents));
	scan_begin(&reading.scan, memory->transaction, TABLE_DOCUMENTS, memory_key(memory),
		   FORWARD);
	for (size_t i = 0; i < count; i++)
		read_near(&reading, turns[i], documents);
	if (documents->sample == NULL)
		read_sample(&reading, documents);
	scan_end(&reading.scan);
}

uint64_t documents_turn(const struct documents *documents, size_t place)
{
	return documents->turns != NULL ? documents->turns[place] : documents->first + place;
}

bool documents_place(const struct documents *documents, uint64_t turn, size_t *place)
{
	*place = (size_t)(turn - documents->first);
	if (documents->turns == NULL)
		return turn >= documents->first && turn - documents->first < documents->count;
	*place = ids_first_from(documents->turns, documents->count, sizeof(turn), turn);
	return *place < documents->count && documents->turns[*place] == turn;
}

/* ---- postings ---- */

/* Which of all documents were read: a bit for each, and how many bits come before each word. */
struct marks {
	uint64_t *bits;
	uint32_t *before;
};

static struct marks mark_read(const struct documents *documents, struct arena *arena)
{
	size_t words = documents->total / 64 + 1;
	struct marks marks = {arena_alloc(arena, words * sizeof(*marks.bits)),
			      arena_alloc(arena, words * sizeof(*marks.before))};
	for (size_t i = 0; i < documents->count; i++) {
		uint64_t document = documents->turns[i] - documents->first;
		marks.bits[document / 64] |= UINT64_C(1) << document % 64;
	}
	for (size_t i = 1; i < words; i++)
		marks.before[i] =
			marks.before[i - 1] + (uint32_t)__builtin_popcountll(marks.bits[i - 1]);
	return marks;
}

static struct recall_postings narrow(const struct recall_postings *all, const struct marks *marks,
				     const struct documents *documents, struct arena *arena)
{
	struct recall_postings narrowed = *all;
	size_t most = all->count < documents->count ? all->count : documents->count;
	struct recall_posting *kept =
		(struct recall_posting *)arena_bytes(arena, most * sizeof(*kept));
	narrowed.postings = kept;
	narrowed.count = 0;
	for (size_t i = 0; i < all->count && narrowed.count < most; i++) {
		struct recall_posting posting = all->postings[i];
		size_t word = posting.document / 64;
		uint64_t bit = UINT64_C(1) << posting.document % 64;
		if ((marks->bits[word] & bit) == 0)
			continue;
		posting.document = marks->before[word] +
				   (uint32_t)__builtin_popcountll(marks->bits[word] & (bit - 1));
		kept[narrowed.count++] = posting;
	}
	return narrowed;
}

struct recall_postings *postings_narrow(const struct recall_postings *postings, size_t terms,
					const struct documents *documents, struct arena *arena)
{
	const struct marks marks = mark_read(documents, arena);
	struct recall_postings *narrowed = arena_alloc(arena, terms * sizeof(*narrowed));
	for (size_t i = 0; i < terms; i++)
		narrowed[i] = narrow(&postings[i], &marks, documents, arena);
	return narrowed;
}
