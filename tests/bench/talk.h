/* The bench's users: made-up talk with a Zipf vocabulary, each turn following from its seed alone.
 * Every second turn states something that the memory model can learn: "I now use WORD for NAME",
 * where NAME is one of twenty. */
#ifndef RECALLD_TESTS_BENCH_TALK_H
#define RECALLD_TESTS_BENCH_TALK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TALK_SYSTEM                                                                                \
	"You are a helpful assistant. Answer in the language of the question, briefly and to the " \
	"point, and say so when you do not know. Do not invent sources. Use lists where they "     \
	"help."
#define TALK_STATEMENT "I now use "

struct text {
	char *data;
	size_t size;
	size_t room;
};

static inline void text_append_bytes(struct text *text, const char *bytes, size_t size)
{
	if (text->size + size > text->room) {
		text->room = (text->size + size) * 2;
		text->data = realloc(text->data, text->room);
		if (text->data == NULL)
			abort();
	}
	memcpy(text->data + text->size, bytes, size);
	text->size += size;
}

static inline void text_append(struct text *text, const char *string)
{
	text_append_bytes(text, string, strlen(string));
}

static inline uint64_t talk_next(uint64_t *state)
{
	*state += UINT64_C(0x9E3779B97F4A7C15);
	uint64_t mixed = *state;
	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
	return mixed ^ (mixed >> 31);
}

/* Rank 1 to 4096, each doubling of the rank as likely as the next: Zipf's law, nearly. */
static inline void talk_word(struct text *text, uint64_t *state)
{
	static const char *const parts[] = {"ba", "ce", "di", "fo", "gu", "la", "me", "ni",
					    "po", "ru", "sa", "te", "vi", "wo", "zu", "ka"};
	static const char *const common[] = {"the", "to",   "and", "of",   "is",   "that",
					     "for", "with", "in",  "have", "this", "we"};
	if (talk_next(state) % 3 == 0) {
		text_append(text, common[talk_next(state) % 12]);
		return;
	}
	unsigned level = (unsigned)(talk_next(state) % 12);
	uint64_t rank = (UINT64_C(1) << level) + talk_next(state) % (UINT64_C(1) << level);
	uint64_t mixed = rank * UINT64_C(0x9E3779B97F4A7C15);
	for (int i = 0; i < 3; i++, mixed >>= 4)
		text_append(text, parts[mixed >> 60 ^ (mixed & 15)]);
}

static inline void talk_words(struct text *text, uint64_t *state, int count)
{
	for (int i = 0; i < count; i++) {
		talk_word(text, state);
		text_append(text, i + 1 < count ? " " : ". ");
	}
}

static inline void talk_turn(struct text *text, uint64_t seed, unsigned number)
{
	static const char *const names[] = {"editor", "phone",  "bank",   "car",     "desk",
					    "lamp",   "shoes",  "camera", "printer", "keyboard",
					    "oven",   "router", "bike",   "tent",    "guitar",
					    "laptop", "watch",  "boiler", "piano",   "drill"};
	uint64_t state = seed;
	talk_words(text, &state, 8);
	if (number % 2 == 0) {
		text_append(text, TALK_STATEMENT);
		talk_word(text, &state);
		text_append(text, " for my ");
		text_append(text, names[talk_next(&state) % 20]);
		text_append(text, ". ");
	}
	text_append(text, "What ");
	talk_words(text, &state, 6);
	text->data[text->size - 2] = '?';
	text->size--;
}

#endif
