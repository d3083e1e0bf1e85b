#include "core/base/word_map_make.h"
#include "core/text/lexicon_words.h"

enum { COUNT = sizeof(lexicon_words) / sizeof(lexicon_words[0]) };

int main(void)
{
	struct word_row rows[COUNT];
	for (size_t i = 0; i < COUNT; i++)
		rows[i] = (struct word_row){0, 1U << i, lexicon_words[i]};
	return word_maps_print("lexicon", 1, rows, COUNT);
}
