#include "core/grounding/words_rows.h"

enum { ROWS = sizeof(word_rows) / sizeof(word_rows[0]) };

/* One map for each language, and behind them one that tells in which of them a word is. */
int main(void)
{
	struct word_row rows[2 * ROWS];
	for (size_t i = 0; i < ROWS; i++) {
		rows[i] = word_rows[i];
		rows[ROWS + i] = word_rows[i];
		rows[ROWS + i].map = LEXICON_OTHER + 1;
		rows[ROWS + i].bits = 1U << word_rows[i].map;
	}
	return word_maps_print("words", LEXICON_OTHER + 2, rows, 2 * ROWS);
}
