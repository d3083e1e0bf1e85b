#include "core/facts/deletion.h"

#include "core/text/text.h"

#include <string.h>

/* The bytes of a quote that are hashed. Shorter quotes have a slot of their own, the last. */
enum { BEGIN = 8, SLOTS_OF_QUOTE = 4 };
#define NO_QUOTE UINT32_MAX

static size_t short_slot(const struct quotes *quotes)
{
	return (size_t)1 << quotes->bits;
}

static size_t slot_of(const struct quotes *quotes, const char *text)
{
	uint64_t begin;
	memcpy(&begin, text, sizeof(begin));
	return (size_t)(begin * 0x9E3779B97F4A7C15 >> (64 - quotes->bits));
}

void quotes_init(struct quotes *quotes, const struct slice *list, size_t count, struct arena *arena)
{
	*quotes = (struct quotes){.quotes = list, .bits = 1};
	while ((size_t)1 << quotes->bits < SLOTS_OF_QUOTE * count)
		quotes->bits++;
	const size_t slots = short_slot(quotes) + 1;
	quotes->first = (uint32_t *)arena_bytes(arena, slots * sizeof(*quotes->first));
	quotes->next = (uint32_t *)arena_bytes(arena, (count + 1) * sizeof(*quotes->next));
	quotes->texts = arena_alloc(arena, slots * sizeof(*quotes->texts));
	memset(quotes->first, UINT8_MAX, slots * sizeof(*quotes->first));
	for (size_t i = 0; i < count; i++) {
		const struct slice quote = list[i];
		if (quote.size == 0)
			continue;
		const size_t slot =
			quote.size < BEGIN ? short_slot(quotes) : slot_of(quotes, quote.data);
		quotes->next[i] = quotes->first[slot];
		quotes->first[slot] = (uint32_t)i;
		quotes->left++;
	}
}

/* Takes those of a slot that the text holds, and looks once in each text, however often they may
 * begin there: in all of the text, as other bytes may have the same hash before those that a quote
 * begins with. */
static size_t take_slot(struct quotes *quotes, size_t place, struct slice text, uint32_t *found)
{
	size_t count = 0;
	if (quotes->texts[place] == quotes->text)
		return 0;
	quotes->texts[place] = quotes->text;
	for (uint32_t *slot = &quotes->first[place]; *slot != NO_QUOTE;) {
		const uint32_t quote = *slot;
		/* "My car is A1" is not said by "My car is A12". */
		if (text_comparable_says(text, quotes->quotes[quote])) {
			found[count++] = quote;
			*slot = quotes->next[quote];
		} else {
			slot = &quotes->next[quote];
		}
	}
	quotes->left -= count;
	return count;
}

size_t quotes_take(struct quotes *quotes, struct slice text, uint32_t *found)
{
	quotes->text++;
	size_t count = take_slot(quotes, short_slot(quotes), text, found);
	for (size_t at = 0; at + BEGIN <= text.size; at++) {
		const size_t slot = slot_of(quotes, text.data + at);
		if (quotes->first[slot] != NO_QUOTE)
			count += take_slot(quotes, slot, text, found + count);
	}
	return count;
}
