/* Terms: hidden, waiting beside their block, and moved into the postings; and reading them back. */
#include "core/base/ids.h"
#include "storage/index/index.h"

#include <stdlib.h>
#include <string.h>

/* ---- hidden terms ---- */

/* An encrypted store keeps a term as a hash with the user's key: without it, nobody can test
 * whether the user said a word. */
static bool has_keys(struct sealer *sealer, struct user_key user, bool stores)
{
	const struct user_key hidden = sealer_hide(sealer, user);
	return stores ? sealer_begin_new(sealer, hidden) : sealer_begin(sealer, hidden);
}

/* Many at once: for a single one, the call of the cipher takes longer than the cipher. */
static void hash_terms(struct sealer *sealer, const struct term *terms, size_t count,
		       struct term *hidden)
{
	uint64_t hashes[SEAL_HASHES];
	for (size_t i = 0; i < count; i++)
		hashes[i] = terms[i].hash;
	sealer_hash(sealer, hashes, count);
	for (size_t i = 0; i < count; i++) {
		hidden[i] = terms[i];
		hidden[i].hash = hashes[i];
	}
}

struct term_list terms_hidden(const struct memory *memory, const struct term_list *terms,
			      bool stores, struct arena *arena)
{
	struct sealer *sealer = memory->transaction->sealer;
	if (sealer == NULL || terms->count == 0)
		return *terms;
	struct term_list hidden = {0};
	if (!has_keys(sealer, memory->user, stores)) {
		if (stores)
			transaction_fail(memory->transaction);
		return hidden;
	}
	hidden = *terms;
	hidden.terms = (struct term *)arena_bytes(arena, terms->count * sizeof(*hidden.terms));
	for (size_t i = 0; i < terms->count; i += SEAL_HASHES) {
		const size_t left = terms->count - i;
		hash_terms(sealer, terms->terms + i, left < SEAL_HASHES ? left : SEAL_HASHES,
			   hidden.terms + i);
	}
	if (stores)
		qsort(hidden.terms, hidden.count, sizeof(*hidden.terms), ids_compare);
	return hidden;
}

/* ---- lists on disk ---- */

static void put_number(struct buffer *out, uint32_t value)
{
	for (; value >= 0x80; value >>= 7)
		(void)buffer_append_byte(out, (char)(unsigned char)(0x80 | (value & 0x7f)));
	(void)buffer_append_byte(out, (char)(unsigned char)value);
}

void postings_write(struct buffer *out, const struct recall_posting *postings, size_t count)
{
	uint32_t next = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t gap = postings[i].document - next;
		bool often = postings[i].count > 1;
		put_number(out, gap << 1 | often);
		if (often)
			put_number(out, postings[i].count);
		next = postings[i].document + 1;
	}
}

/* A truncated number reads as the part that is there; bits beyond the 32nd are lost. */
static inline uint32_t take_number(const unsigned char **at, const unsigned char *end)
{
	uint32_t value = 0;
	/* Most numbers take one byte. */
	if (*at < end && **at < 0x80)
		return *(*at)++;
	for (unsigned shift = 0; *at < end; shift += 7) {
		uint32_t byte = *(*at)++;
		if (shift < 32)
			value |= (byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	return value;
}

size_t postings_read(struct slice value, uint32_t first, uint32_t end,
		     struct recall_posting *postings)
{
	const unsigned char *at = (const unsigned char *)value.data;
	size_t count = 0;
	if (value.size == 0)
		return 0;
	const unsigned char *value_end = at + value.size;
	for (uint32_t place = 0; at < value_end; place++) {
		uint32_t number = take_number(&at, value_end);
		uint32_t times = (number & 1) != 0 ? take_number(&at, value_end) : 1;
		/* damaged data must not lead outside the span */
		if (number >> 1 >= POSTINGS_SPAN - place)
			break;
		place += number >> 1;
		postings[count] = (struct recall_posting){first + place, times};
		count += first + place < end;
	}
	return count;
}

/* ---- lists ---- */

static void occurrences_add(struct occurrences *occurrences, struct occurrence occurrence)
{
	occurrences->list = xgrow(occurrences->list, occurrences->count, &occurrences->capacity,
				  sizeof(*occurrences->list));
	occurrences->list[occurrences->count++] = occurrence;
}

static int compare(const void *left, const void *right)
{
	const struct occurrence *a = left;
	const struct occurrence *b = right;
	int order = (a->hash > b->hash) - (a->hash < b->hash);
	return order != 0 ? order : (a->turn > b->turn) - (a->turn < b->turn);
}

static void sort(struct occurrences *occurrences)
{
	if (occurrences->count > 0)
		qsort(occurrences->list, occurrences->count, sizeof(*occurrences->list), compare);
}

static void finish(struct occurrences *occurrences)
{
	free(occurrences->list);
	*occurrences = (struct occurrences){0};
}

static uint64_t span_of(const struct occurrence *occurrence)
{
	return occurrence->turn / POSTINGS_SPAN;
}

static uint32_t place_of(const struct occurrence *occurrence)
{
	return (uint32_t)(occurrence->turn % POSTINGS_SPAN);
}

/* How many at the beginning belong to one list. */
static size_t count_of_list(const struct occurrence *first, size_t left)
{
	size_t count = 1;
	while (count < left && first[count].hash == first->hash &&
	       span_of(&first[count]) == span_of(first))
		count++;
	return count;
}

static struct key lists_key(const struct memory *memory, uint64_t turn, uint64_t hash)
{
	return key_u64(memory_id_key(memory, turn / POSTINGS_SPAN), hash);
}

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
		(void)memory_delete(memory, TABLE_POSTINGS, key);
}

static void put_in_list(const struct memory *memory, const struct occurrence *added, size_t count)
{
	struct recall_posting list[POSTINGS_SPAN];
	struct key key = lists_key(memory, added->turn, added->hash);
	size_t length = get_list(memory, key, list);
	for (size_t i = 0; i < count; i++) {
		const uint32_t place = place_of(&added[i]);
		if (length == 0 || list[length - 1].document < place)
			list[length++] = (struct recall_posting){place, added[i].count};
	}
	put_list(memory, key, list, length);
}

/* Both ascend. */
static void erase_from_list(const struct memory *memory, const struct occurrence *gone,
			    size_t count)
{
	struct recall_posting list[POSTINGS_SPAN];
	struct key key = lists_key(memory, gone->turn, gone->hash);
	size_t length = get_list(memory, key, list);
	size_t kept = 0;
	for (size_t i = 0, next = 0; i < length; i++) {
		while (next < count && place_of(&gone[next]) < list[i].document)
			next++;
		if (next == count || place_of(&gone[next]) != list[i].document)
			list[kept++] = list[i];
	}
	if (kept < length)
		put_list(memory, key, list, kept);
}

static void change_lists(const struct memory *memory, struct occurrences *occurrences,
			 void (*change)(const struct memory *memory,
					const struct occurrence *occurrence, size_t count))
{
	sort(occurrences);
	for (size_t i = 0; i < occurrences->count;) {
		const struct occurrence *first = &occurrences->list[i];
		const size_t count = count_of_list(first, occurrences->count - i);
		change(memory, first, count);
		i += count;
	}
	finish(occurrences);
}

/* The turns that go in are newer than all in the lists. Frees the occurrences. */
static void lists_put(const struct memory *memory, struct occurrences *occurrences)
{
	change_lists(memory, occurrences, put_in_list);
}

void lists_erase(const struct memory *memory, struct occurrences *occurrences)
{
	change_lists(memory, occurrences, erase_from_list);
}

/* ---- terms that wait beside their block ---- */

/* A turn's waiting terms are a row of entries in ascending order of hash. */
enum {
	ENTRY_HASH = 8,
	ENTRY = 12, /* the hash, then the count in 4 bytes */
};

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
	table_put(memory->transaction, TABLE_TERMS, memory_id_key(memory, turn), buffer_slice(out));
}

static void take_entries(struct occurrences *list, uint64_t turn, struct slice entries)
{
	for (size_t i = 0; i < entries.size / ENTRY; i++) {
		struct term term = read_entry(entries, i);
		occurrences_add(list, (struct occurrence){term.hash, turn, term.count});
	}
}

void terms_move(const struct memory *memory, uint64_t first_of_block)
{
	struct occurrences list = {0};
	struct scan scan;
	scan_begin(&scan, memory->transaction, TABLE_TERMS, memory_key(memory), FORWARD);
	while (scan_step(&scan) && key_read_u64(scan.at, KEY_ID_AT) < first_of_block) {
		take_entries(&list, key_read_u64(scan.at, KEY_ID_AT), scan.value);
		scan_delete(&scan);
	}
	scan_end(&scan);
	lists_put(memory, &list);
}

void terms_put(const struct memory *memory, uint64_t turn, const struct term_list *terms)
{
	struct arena scratch = {0};
	const struct term_list hidden = terms_hidden(memory, terms, true, &scratch);
	if (hidden.count > 0)
		put_entries(memory, turn, &hidden);
	arena_finish(&scratch);
}

bool terms_waits(const struct memory *memory, uint64_t turn)
{
	struct slice value;
	return table_get(memory->transaction, TABLE_TERMS, memory_id_key(memory, turn), &value);
}

void terms_take_out(const struct memory *memory, uint64_t turn, const struct term_list *terms,
		    struct occurrences *gone)
{
	if (memory_delete(memory, TABLE_TERMS, memory_id_key(memory, turn)))
		return;
	struct arena scratch = {0};
	const struct term_list hidden = terms_hidden(memory, terms, false, &scratch);
	for (size_t i = 0; i < hidden.count; i++)
		occurrences_add(gone, (struct occurrence){hidden.terms[i].hash, turn, 0});
	arena_finish(&scratch);
}

void terms_erase(const struct memory *memory, uint64_t turn, const struct term_list *terms)
{
	struct occurrences gone = {0};
	terms_take_out(memory, turn, terms, &gone);
	lists_erase(memory, &gone);
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
	waiting->count = 0;
	scan_begin(&scan, memory->transaction, TABLE_TERMS, memory_key(memory), FORWARD);
	for (size_t i = 0; i < DOCUMENT_BLOCK && scan_step(&scan); i++) {
		waiting->turns[i] = key_read_u64(scan.at, KEY_ID_AT);
		waiting->entries[i] = scan.value;
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

/* Limit for all terms together, or for one term: a few tenths of a millisecond. A memory of which
 * all documents are ranked may have more. */
enum {
	MOST_POSTINGS = 32 * 1024,
	MOST_OF_LONG = 8 * 1024,
	SAMPLED_SPANS = 8,
};

static size_t most_postings(const struct documents *documents)
{
	return documents->total > NARROW_FROM ? MOST_OF_LONG : MOST_POSTINGS;
}

/* The lists of each term in the map, one for each span of the documents. */
struct lists {
	uint64_t first_span; /* the turn that it starts with */
	size_t spans;
	struct slice *values; /* the lists of one term in a row */
	size_t most;          /* postings to read */
	size_t *sizes; /* bytes of each term's lists together: about the number of postings */
};

/* The terms of a short memory have not been moved into lists yet. */
static bool has_lists(const struct documents *documents, const struct waiting_turns *waiting)
{
	return waiting->count == 0 ||
	       documents->first < waiting->turns[0] / DOCUMENT_BLOCK * DOCUMENT_BLOCK;
}

static void lists_begin(struct lists *lists, const struct documents *documents, size_t terms,
			struct arena *arena)
{
	uint64_t end = documents->first + documents->total;
	lists->first_span = documents->first / POSTINGS_SPAN * POSTINGS_SPAN;
	lists->spans = (size_t)((end - lists->first_span + POSTINGS_SPAN - 1) / POSTINGS_SPAN);
	lists->values = arena_alloc(arena, terms * lists->spans * sizeof(*lists->values));
}

/* Finds the lists of every `step`th span, and of the terms chosen (NULL: of all), which gives about
 * their sizes. */
static void find_lists(const struct memory *memory, const struct term_list *terms,
		       const bool *chosen, size_t step, struct lists *lists)
{
	struct scan scan;
	memset(lists->sizes, 0, terms->count * sizeof(*lists->sizes));
	scan_begin(&scan, memory->transaction, TABLE_POSTINGS, memory_key(memory), FORWARD);
	for (size_t span = step / 2; span < lists->spans; span += step) {
		uint64_t turn = lists->first_span + span * POSTINGS_SPAN;
		for (size_t i = 0; i < terms->count; i++) {
			if ((chosen != NULL && !chosen[i]) ||
			    !scan_find(&scan, lists_key(memory, turn, terms->terms[i].hash)))
				continue;
			lists->values[i * lists->spans + span] = scan.value;
			lists->sizes[i] += scan.value.size * step;
		}
	}
	scan_end(&scan);
}

/* In a memory of many spans, some of them tell which terms are too common to be read, so that their
 * other lists need not be found. */
static void choose_lists(const struct memory *memory, const struct recall_question *question,
			 const struct term_list *terms, bool *chosen, struct lists *lists)
{
	size_t step = lists->spans / SAMPLED_SPANS;
	find_lists(memory, terms, NULL, step < 1 ? 1 : step, lists);
	recall_choose_terms(question, lists->sizes, lists->most, chosen, memory->arena);
	if (step > 1)
		find_lists(memory, terms, chosen, 1, lists);
}

/* A term's postings while they are read. */
struct gathering {
	const struct documents *documents;
	const struct waiting_turns *waiting;
	struct lists lists;
	struct recall_posting *postings;
	size_t count;
};

/* The first span to read a term's list of: the spans before it have more than it may have. */
static size_t first_of_most(const struct slice *values, size_t spans, size_t most)
{
	size_t sum = 0;
	size_t span = spans;
	while (span > 0 && sum + values[span - 1].size <= most)
		sum += values[--span].size;
	return span;
}

static void gather_lists(struct gathering *gathering, size_t term)
{
	const struct documents *documents = gathering->documents;
	const struct lists *lists = &gathering->lists;
	const struct slice *values = lists->values + term * lists->spans;
	for (size_t span = first_of_most(values, lists->spans, lists->most); span < lists->spans;
	     span++) {
		uint64_t turn = lists->first_span + span * POSTINGS_SPAN;
		gathering->count += postings_read(values[span], (uint32_t)(turn - documents->first),
						  (uint32_t)documents->total,
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
		if (count > 0 && document < documents->total)
			gathering->postings[gathering->count++] =
				(struct recall_posting){(uint32_t)document, count};
	}
}

/* A posting takes at least a byte of its list; reading may write one beyond the last. */
static struct recall_postings gather(struct gathering *gathering, size_t term, uint64_t hash,
				     struct arena *arena)
{
	size_t size = gathering->lists.sizes[term];
	size_t most = size + gathering->waiting->count + 1;
	gathering->count = 0;
	gathering->postings =
		(struct recall_posting *)arena_bytes(arena, most * sizeof(*gathering->postings));
	if (size > 0)
		gather_lists(gathering, term);
	gather_waiting(gathering, hash);
	size_t found = size > gathering->lists.most ? size : gathering->count;
	return (struct recall_postings){gathering->postings, gathering->count, found, false};
}

struct recall_postings *postings_of(const struct memory *memory, const struct documents *documents,
				    const struct recall_question *question)
{
	const struct term_list *terms = &question->terms;
	const struct term_list hidden = terms_hidden(memory, terms, false, memory->arena);
	struct waiting_turns waiting;
	struct recall_postings *all = arena_alloc(memory->arena, terms->count * sizeof(*all));
	bool *chosen = arena_alloc(memory->arena, terms->count * sizeof(*chosen));
	struct gathering gathering = {.documents = documents, .waiting = &waiting};
	gathering.lists.most = most_postings(documents);
	gathering.lists.sizes = arena_alloc(memory->arena, terms->count * sizeof(size_t));
	read_waiting(memory, &waiting);
	if (has_lists(documents, &waiting))
		lists_begin(&gathering.lists, documents, terms->count, memory->arena);
	choose_lists(memory, question, &hidden, chosen, &gathering.lists);
	for (size_t i = 0; i < hidden.count; i++) {
		if (chosen[i])
			all[i] = gather(&gathering, i, hidden.terms[i].hash, memory->arena);
		else
			all[i].is_left_out = true;
	}
	return all;
}
