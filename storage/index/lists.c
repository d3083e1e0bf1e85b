#include "storage/index/lists.h"

#include "storage/record/postings.h"

#include <stdlib.h>

void occurrences_add(struct occurrences *occurrences, struct occurrence occurrence)
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

struct key lists_key(const struct memory *memory, uint64_t turn, uint64_t hash)
{
	return key_u64(key_u64(key_of_user(memory->user), turn / POSTINGS_SPAN), hash);
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
		(void)table_delete(memory->transaction, TABLE_POSTINGS, key);
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

void lists_put(const struct memory *memory, struct occurrences *occurrences)
{
	change_lists(memory, occurrences, put_in_list);
}

void lists_erase(const struct memory *memory, struct occurrences *occurrences)
{
	change_lists(memory, occurrences, erase_from_list);
}
