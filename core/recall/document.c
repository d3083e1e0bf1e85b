#include "core/base/word_map.h"
#include "core/recall/rank.h"
#include "core/text/text.h"

uint32_t recall_speaker(uint64_t hash)
{
	uint32_t speaker = (uint32_t)(hash >> 33);
	return speaker == 0 ? 1 : speaker;
}

static bool take_first(void *cookie, struct slice word)
{
	*(uint64_t *)cookie = word_hash(word);
	return false;
}

/* The label that begins a line of dialogue is short and ends in a colon. */
static uint32_t read_speaker(struct slice text)
{
	enum { LONGEST = 40 };
	size_t end = slice_find(slice_part(text, 0, text.size < LONGEST ? text.size : LONGEST),
				SLICE(": "), 0);
	struct slice label = slice_part(text, 0, end);
	if (end == 0 || end >= LONGEST || end + 2 >= text.size ||
	    slice_find(label, SLICE("\n"), 0) < end)
		return 0;
	uint64_t hash = 0;
	text_words(label, take_first, &hash);
	return hash == 0 ? 0 : recall_speaker(hash);
}

bool recall_asks(struct slice text)
{
	static const char *const marks[] = {"?", "？", "؟", NULL};
	return slice_has_any(text, marks);
}

void recall_describe(const struct turn *turn, struct recall_document *document,
		     struct term_list *terms, struct arena *arena)
{
	terms_read(turn->text, terms, arena);
	*document = (struct recall_document){
		.created_at = turn->created_at,
		.conversation = turn->conversation,
		.ordinal = turn->ordinal,
		.speaker = read_speaker(turn->text) & 0x7FFFFFFF,
		.asks = recall_asks(turn->text),
		.words = terms->words < UINT16_MAX ? (uint16_t)terms->words : UINT16_MAX,
		.role = (uint8_t)turn->role,
		.is_live = turn->state == TURN_CURRENT,
		.says_i = terms->says_i,
	};
}
