/* Moves terms into the postings and reads them back. */
#include "storage/record/postings.h"
#include "storage/index/index.h"

#include <stdlib.h>
#include <string.h>

/* A turn's waiting terms are a row of entries in ascending order of hash. */
enum {
	ENTRY_HASH = 8,
	ENTRY = 12, /* the hash, then the count in 4 bytes */
};

static struct key terms_key(const struct memory *memory, uint64_t turn)
{
	return key_u64(key_of_user(memory->user), turn);
}

static struct key postings_key(const struct memory *memory, uint64_t turn, uint64_t hash)
{
	return key_u64(key_u64(key_of_user(memory->user), turn / POSTINGS_SPAN), hash);
}

static struct term read_entry(struct slice entries, size_t index)
{
	struct term term = {0};
	memcpy(&term.hash, entries.data + index * ENTRY, sizeof(term.hash));
	memcpy(&term.count, entries.data + index * ENTRY + ENTRY_HASH, sizeof(term.count));
	return term;
}

static void put_entries(const struct memory *memory, uint64_t turn, const struct term_list *terms)
{
	struct buffer *out = &memory->transaction->scratch;
	buffer_clear(out);
	for (size_t i = 0; i < terms->count; i++) {
		const struct term *term = &terms->terms[i];
		(void)buffer_append(out, (struct slice){(const char *)&term->hash, ENTRY_HASH});
		(void)buffer_append(out,
				    (struct slice){(const char *)&term->count, ENTRY - ENTRY_HASH});
	}
	table_put(memory->transaction, TABLE_TERMS, terms_key(memory, turn), buffer_slice(out));
}

/* ---- the lists of one user and span ---- */

static size_t get_list(const struct memory *memory, struct key key,
		       struct recall_posting list[POSTINGS_SPAN])
{
	struct slice value;
	if (!table_get(memory->transaction, TABLE_POSTINGS, key, &value))
		return 0;
	return postings_read(value, 0, POSTINGS_SPAN, list);
}

static void put_list(const struct memory *memory, struct key key, const struct recall_posting *list,
		     size_t count)
{
	struct buffer *out = &memory->transaction->scratch;
	buffer_clear(out);
	postings_write(out, list, count);
	if (count > 0)
		table_put(memory->transaction, TABLE_POSTINGS, key, buffer_slice(out));
	else
		(void)table_delete(memory->transaction, TABLE_POSTINGS, key);
}

/* ---- the terms of a full block ---- */

struct waiting {
	uint64_t hash;
	uint64_t turn;
	uint32_t count;
};

struct waiting_list {
	struct waiting *waiting;
	size_t count;
	size_t capacity;
};

static void take_entries(struct waiting_list *list, uint64_t turn, struct slice entries)
{
	size_t count = entries.size / ENTRY;
	if (list->capacity - list->count < count) {
		list->capacity = 2 * list->capacity + count;
		list->waiting = xrealloc(list->waiting, list->capacity * sizeof(*list->waiting));
	}
	for (size_t i = 0; i < count; i++) {
		struct term term = read_entry(entries, i);
		list->waiting[list->count++] = (struct waiting){term.hash, turn, term.count};
	}
}

static int compare_waiting(const void *left, const void *right)
{
	const struct waiting *a = left;
	const struct waiting *b = right;
	int order = (a->hash > b->hash) - (a->hash < b->hash);
	return order != 0 ? order : (a->turn > b->turn) - (a->turn < b->turn);
}

/* The waiting turns of a term are newer than all in its list. */
static size_t add_to_list(const struct memory *memory, const struct waiting *waiting, size_t count)
{
	struct recall_posting list[POSTINGS_SPAN];
	struct key key = postings_key(memory, waiting->turn, waiting->hash);
	size_t length = get_list(memory, key, list);
	size_t added = 0;
	for (; added < count && waiting[added].hash == waiting->hash; added++) {
		uint32_t place = (uint32_t)(waiting[added].turn % POSTINGS_SPAN);
		if (length == 0 || list[length - 1].document < place)
			list[length++] = (struct recall_posting){place, waiting[added].count};
	}
	put_list(memory, key, list, length);
	return added;
}

void terms_move(const struct memory *memory, uint64_t first_of_block)
{
	struct waiting_list list = {0};
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin(&scan, memory->transaction, TABLE_TERMS, key_of_user(memory->user), FORWARD);
	while (scan_next(&scan, &key, &value) && key_read_u64(key, 16) < first_of_block) {
		take_entries(&list, key_read_u64(key, 16), value);
		scan_delete(&scan);
	}
	scan_end(&scan);
	if (list.count > 0)
		qsort(list.waiting, list.count, sizeof(*list.waiting), compare_waiting);
	for (size_t i = 0; i < list.count;)
		i += add_to_list(memory, list.waiting + i, list.count - i);
	free(list.waiting);
}

void terms_put(const struct memory *memory, uint64_t turn, const struct term_list *terms)
{
	if (terms->count > 0)
		put_entries(memory, turn, terms);
}

static void erase_from_list(const struct memory *memory, uint64_t turn, uint64_t hash)
{
	struct recall_posting list[POSTINGS_SPAN];
	struct key key = postings_key(memory, turn, hash);
	size_t length = get_list(memory, key, list);
	size_t kept = 0;
	for (size_t i = 0; i < length; i++) {
		if (list[i].document != turn % POSTINGS_SPAN)
			list[kept++] = list[i];
	}
	if (kept < length)
		put_list(memory, key, list, kept);
}

void terms_erase(const struct memory *memory, uint64_t turn, const struct term_list *terms)
{
	if (table_delete(memory->transaction, TABLE_TERMS, terms_key(memory, turn)))
		return;
	for (size_t i = 0; i < terms->count; i++)
		erase_from_list(memory, turn, terms->terms[i].hash);
}

/* ---- reading ---- */

/* Waiting terms in the map. Most turns lack the term searched for; 256 bits per turn rule out most
 * of them. */
enum { SIEVE_WORDS = 4 };

struct waiting_turns {
	uint64_t turns[DOCUMENT_BLOCK];
	struct slice entries[DOCUMENT_BLOCK];
	uint64_t sieves[DOCUMENT_BLOCK][SIEVE_WORDS];
	size_t count;
};

static size_t sieve_word(uint64_t hash)
{
	return (hash >> 6) % SIEVE_WORDS;
}

static uint64_t sieve_bit(uint64_t hash)
{
	return UINT64_C(1) << (hash % 64);
}

static void fill_sieve(uint64_t sieve[SIEVE_WORDS], struct slice entries)
{
	memset(sieve, 0, SIEVE_WORDS * sizeof(*sieve));
	for (size_t i = 0; i < entries.size / ENTRY; i++) {
		uint64_t hash = read_entry(entries, i).hash;
		sieve[sieve_word(hash)] |= sieve_bit(hash);
	}
}

static void read_waiting(const struct memory *memory, struct waiting_turns *waiting)
{
	struct scan scan;
	struct slice key;
	waiting->count = 0;
	scan_begin(&scan, memory->transaction, TABLE_TERMS, key_of_user(memory->user), FORWARD);
	for (size_t i = 0; i < DOCUMENT_BLOCK && scan_next(&scan, &key, &waiting->entries[i]);
	     i++) {
		waiting->turns[i] = key_read_u64(key, 16);
		fill_sieve(waiting->sieves[i], waiting->entries[i]);
		waiting->count++;
	}
	scan_end(&scan);
}

static uint32_t count_in(struct slice entries, uint64_t hash)
{
	size_t low = 0;
	size_t high = entries.size / ENTRY;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct term term = read_entry(entries, middle);
		if (term.hash == hash)
			return term.count;
		if (term.hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* Limit for all terms together, or for one term: a few tenths of a millisecond. */
enum { MOST_POSTINGS = 32 * 1024 };

/* The lists of each term in the map, one for each span of the documents. */
struct lists {
	uint64_t first_span; /* the turn that it starts with */
	size_t spans;
	struct slice *values; /* the lists of one term in a row */
	size_t *sizes; /* bytes of each term's lists together: about the number of postings */
};

/* The terms of a short memory have not been moved into lists yet. */
static bool has_lists(const struct documents *documents, const struct waiting_turns *waiting)
{
	return waiting->count == 0 ||
	       documents->first < waiting->turns[0] / DOCUMENT_BLOCK * DOCUMENT_BLOCK;
}

/* The terms come in ascending order of hash, as the lists of a span are stored. */
static void find_lists(const struct memory *memory, const struct documents *documents,
		       const struct term_list *terms, struct lists *lists)
{
	struct scan scan;
	uint64_t end = documents->first + documents->count;
	lists->first_span = documents->first / POSTINGS_SPAN * POSTINGS_SPAN;
	lists->spans = (size_t)((end - lists->first_span + POSTINGS_SPAN - 1) / POSTINGS_SPAN);
	lists->values =
		arena_alloc(memory->arena, terms->count * lists->spans * sizeof(*lists->values));
	scan_begin(&scan, memory->transaction, TABLE_POSTINGS, key_of_user(memory->user), FORWARD);
	for (size_t span = 0; span < lists->spans; span++) {
		uint64_t turn = lists->first_span + span * POSTINGS_SPAN;
		for (size_t i = 0; i < terms->count; i++) {
			struct slice *value = &lists->values[i * lists->spans + span];
			if (scan_find(&scan, postings_key(memory, turn, terms->terms[i].hash),
				      value))
				lists->sizes[i] += value->size;
		}
	}
	scan_end(&scan);
}

/* A term's postings while they are read. */
struct gathering {
	const struct documents *documents;
	const struct waiting_turns *waiting;
	struct lists lists;
	struct recall_posting *postings;
	size_t count;
};

static void gather_lists(struct gathering *gathering, size_t term)
{
	const struct documents *documents = gathering->documents;
	const struct lists *lists = &gathering->lists;
	for (size_t span = 0; span < lists->spans; span++) {
		uint64_t turn = lists->first_span + span * POSTINGS_SPAN;
		gathering->count += postings_read(lists->values[term * lists->spans + span],
						  (uint32_t)(turn - documents->first),
						  (uint32_t)documents->count,
						  gathering->postings + gathering->count);
	}
}

static void gather_waiting(struct gathering *gathering, uint64_t hash)
{
	const struct waiting_turns *waiting = gathering->waiting;
	const struct documents *documents = gathering->documents;
	for (size_t i = 0; i < waiting->count; i++) {
		if ((waiting->sieves[i][sieve_word(hash)] & sieve_bit(hash)) == 0)
			continue;
		uint32_t count = count_in(waiting->entries[i], hash);
		uint64_t document = waiting->turns[i] - documents->first;
		if (count > 0 && document < documents->count)
			gathering->postings[gathering->count++] =
				(struct recall_posting){(uint32_t)document, count};
	}
}

struct recall_postings *postings_of(const struct memory *memory, const struct documents *documents,
				    const struct recall_question *question)
{
	const struct term_list *terms = &question->terms;
	struct waiting_turns waiting;
	struct recall_postings *all = arena_alloc(memory->arena, terms->count * sizeof(*all));
	bool *chosen = arena_alloc(memory->arena, terms->count * sizeof(*chosen));
	size_t room = documents->count + DOCUMENT_BLOCK + 1;
	struct gathering gathering = {.documents = documents, .waiting = &waiting};
	struct recall_posting *gathered = xmalloc(room * sizeof(*gathered));
	gathering.postings = gathered;
	gathering.lists.sizes = arena_alloc(memory->arena, terms->count * sizeof(size_t));
	read_waiting(memory, &waiting);
	if (has_lists(documents, &waiting))
		find_lists(memory, documents, terms, &gathering.lists);
	recall_choose_terms(question, gathering.lists.sizes, MOST_POSTINGS, chosen, memory->arena);
	for (size_t i = 0; i < terms->count; i++) {
		gathering.count = 0;
		if (chosen[i]) {
			gather_lists(&gathering, i);
			gather_waiting(&gathering, terms->terms[i].hash);
		}
		size_t size = gathering.count * sizeof(*gathered);
		struct recall_posting *kept =
			(struct recall_posting *)arena_bytes(memory->arena, size);
		memcpy(kept, gathered, size);
		all[i] = (struct recall_postings){kept, gathering.count, !chosen[i]};
	}
	free(gathered);
	return all;
}
