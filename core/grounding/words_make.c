#include "core/grounding/words_rows.h"

int main(void)
{
	return word_maps_print("words", LEXICON_OTHER + 1, word_rows,
			       sizeof(word_rows) / sizeof(word_rows[0]));
}
