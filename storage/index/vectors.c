#include "storage/index/index.h"

#include "core/recall/recall.h"

#include <string.h>

enum { BLOCK = 16 };

/* A slot holds a vector's length, then the vector. */
enum { LENGTH = sizeof(float) };
static const float nothing_yet = 0;
static const float gets_none = -1;

void stored_embedding_fields(struct record *record, void *noun)
{
	struct stored_embedding *embedding = noun;
	embedding->model = record_slice(record, embedding->model);
	embedding->dimensions =
		(uint32_t)record_number(record, embedding->dimensions, VECTOR_MAX_DIMENSIONS);
	embedding->next = record_number(record, embedding->next, UINT64_MAX);
}

bool vectors_embedding(const struct memory *memory, struct stored_embedding *embedding)
{
	*embedding = (struct stored_embedding){0};
	return memory_read(memory, TABLE_EMBEDDINGS, memory_key(memory), stored_embedding_fields,
			   embedding);
}

void vectors_put_embedding(const struct memory *memory, struct stored_embedding *embedding)
{
	memory_write(memory, TABLE_EMBEDDINGS, memory_key(memory), stored_embedding_fields,
		     embedding);
}

void vectors_miss(const struct memory *memory, uint64_t turn)
{
	struct stored_embedding embedding;
	if (!vectors_embedding(memory, &embedding) || embedding.next <= turn)
		return;
	embedding.next = turn;
	vectors_put_embedding(memory, &embedding);
}

static struct key block_key(const struct memory *memory, uint64_t turn)
{
	return memory_id_key(memory, turn / BLOCK);
}

static size_t slot_size(size_t dimensions)
{
	return LENGTH + dimensions;
}

/* False: there is no block of such vectors. */
static bool find_block(const struct memory *memory, uint64_t turn, size_t dimensions,
		       struct slice *block)
{
	return table_get(memory->transaction, TABLE_VECTORS, block_key(memory, turn), block) &&
	       block->size == BLOCK * slot_size(dimensions);
}

static float slot_length(const char *slot)
{
	float length;
	memcpy(&length, slot, LENGTH);
	return length;
}

bool vectors_have(const struct memory *memory, uint64_t turn, size_t dimensions)
{
	struct slice block;
	return find_block(memory, turn, dimensions, &block) &&
	       slot_length(block.data + turn % BLOCK * slot_size(dimensions)) != nothing_yet;
}

static void put_slot(const struct memory *memory, uint64_t turn, size_t dimensions, float length,
		     const int8_t *vector)
{
	char bytes[BLOCK * (LENGTH + VECTOR_MAX_DIMENSIONS)];
	struct slice block;
	size_t size = BLOCK * slot_size(dimensions);
	if (find_block(memory, turn, dimensions, &block))
		memcpy(bytes, block.data, size);
	else
		memset(bytes, 0, size);
	char *slot = bytes + turn % BLOCK * slot_size(dimensions);
	memcpy(slot, &length, LENGTH);
	if (vector != NULL)
		memcpy(slot + LENGTH, vector, dimensions);
	else
		memset(slot + LENGTH, 0, dimensions);
	table_put(memory->transaction, TABLE_VECTORS, block_key(memory, turn),
		  (struct slice){bytes, size});
}

void vectors_put(const struct memory *memory, uint64_t turn, const int8_t *vector,
		 size_t dimensions)
{
	float length = vector == NULL ? 0 : vector_length(vector, dimensions);
	if (length > 0)
		put_slot(memory, turn, dimensions, length, vector);
	else
		put_slot(memory, turn, dimensions, gets_none, NULL);
}

static void delete_block_if_empty(const struct memory *memory, uint64_t turn, size_t dimensions)
{
	uint64_t first = turn / BLOCK * BLOCK;
	for (uint64_t i = 0; i < BLOCK; i++) {
		if (vectors_have(memory, first + i, dimensions))
			return;
	}
	(void)memory_delete(memory, TABLE_VECTORS, block_key(memory, turn));
}

void vectors_erase(const struct memory *memory, uint64_t turn)
{
	struct slice block;
	if (!table_get(memory->transaction, TABLE_VECTORS, block_key(memory, turn), &block) ||
	    block.size < BLOCK * slot_size(0) ||
	    block.size > BLOCK * slot_size(VECTOR_MAX_DIMENSIONS))
		return;
	size_t dimensions = block.size / BLOCK - LENGTH;
	put_slot(memory, turn, dimensions, nothing_yet, NULL);
	delete_block_if_empty(memory, turn, dimensions);
}

/* ---- comparing ---- */

struct comparing {
	size_t dimensions;
	int16_t question[VECTOR_MAX_DIMENSIONS];
	float length; /* of the question's vector */
	const struct documents *documents;
	float *similarities;
};

static void compare_block(const struct comparing *comparing, uint64_t first, struct slice block)
{
	size_t dimensions = comparing->dimensions;
	for (size_t i = 0; i < BLOCK; i++) {
		const char *slot = block.data + i * slot_size(dimensions);
		float length = slot_length(slot);
		uint64_t document = first + i - comparing->documents->first;
		if (!(length > 0) || document >= comparing->documents->count)
			continue;
		int32_t dot =
			vector_dot(comparing->question, (const int8_t *)slot + LENGTH, dimensions);
		comparing->similarities[document] = (float)dot / (length * comparing->length);
	}
}

static void compare_blocks(const struct memory *memory, const struct comparing *comparing)
{
	size_t size = BLOCK * slot_size(comparing->dimensions);
	struct scan scan;
	memory_scan(memory, &scan, TABLE_VECTORS);
	while (scan_step(&scan)) {
		if (scan.value.size == size)
			compare_block(comparing, key_read_u64(scan.at, KEY_ID_AT) * BLOCK,
				      scan.value);
	}
	scan_end(&scan);
}

bool vectors_can_compare(const struct memory *memory, const struct recall_question *question)
{
	struct stored_embedding embedding;
	return question->vector != NULL && vectors_embedding(memory, &embedding) &&
	       embedding.dimensions == question->dimensions && embedding.dimensions > 0;
}

const float *vectors_compare(const struct memory *memory, const struct recall_question *question,
			     const struct documents *documents)
{
	if (!vectors_can_compare(memory, question))
		return NULL;
	struct comparing comparing = {
		.dimensions = question->dimensions,
		.length = vector_length(question->vector, question->dimensions),
		.documents = documents,
		.similarities =
			(float *)arena_bytes(memory->arena, documents->count * sizeof(float))};
	if (comparing.length == 0)
		return NULL;
	vector_widen(question->vector, question->dimensions, comparing.question);
	for (size_t i = 0; i < documents->count; i++)
		comparing.similarities[i] = -2;
	compare_blocks(memory, &comparing);
	return comparing.similarities;
}
