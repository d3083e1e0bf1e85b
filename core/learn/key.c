#include "core/learn/entry.h"
#include "core/learn/names.h"

#include "core/text/text.h"

#include <errno.h>
#include <stdlib.h>
#include <unicase.h>

/* A fast path: most names and keys are ASCII, and each turn that is learned from folds all of a
 * user's. False: this one is not ASCII. */
static bool fold_ascii(struct slice text, char *folded)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if ((unsigned char)c >= 0x80)
			return false;
		folded[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	return true;
}

struct slice learn_fold(struct slice text, struct arena *arena)
{
	size_t size = 0;
	if (text.size == 0)
		return text;
	char *plain = arena_bytes(arena, text.size);
	if (fold_ascii(text, plain))
		return (struct slice){plain, text.size};
	uint8_t *folded =
		u8_casefold((const uint8_t *)text.data, text.size, NULL, NULL, NULL, &size);
	if (folded == NULL && errno == ENOMEM)
		out_of_memory();
	if (folded == NULL) /* not UTF-8 */
		return text;
	struct slice copy = arena_copy(arena, (struct slice){(const char *)folded, size});
	free(folded);
	return copy;
}

static bool joins_words(char c)
{
	return c == ' ' || c == '_' || c == '-' || c == '.';
}

/* Joins the words of a key with `joint`; 0 joins them directly. */
static struct slice join_words(struct slice text, char joint, struct arena *arena)
{
	char *joined = arena_alloc(arena, text.size + 1);
	size_t size = 0;
	bool between = false;
	for (size_t i = 0; i < text.size; i++) {
		if (joins_words(text.data[i])) {
			between = size > 0;
			continue;
		}
		if (between && joint != 0)
			joined[size++] = joint;
		joined[size++] = text.data[i];
		between = false;
	}
	return (struct slice){joined, size};
}

struct slice learn_key(struct slice text, struct arena *arena)
{
	struct slice folded = learn_fold(text_one_line(text, LEARN_MAX_VALUE, arena), arena);
	return join_words(text_one_line(folded, LEARN_MAX_KEY, arena), '_', arena);
}

struct slice learn_bare_key(struct slice key, struct arena *arena)
{
	return learn_common_key(join_words(learn_fold(key, arena), 0, arena), arena);
}
