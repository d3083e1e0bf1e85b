#include "core/recall/date_words.h"

#include "core/base/word_map.h"
#include "date_words_map.h"

#include <string.h>

enum { LONGEST = 32 };

/* The number of the word's row, from 1; 0: it is in none. */
static uint32_t row_of(struct slice word)
{
	uint32_t row = word_map_find(&date_words_maps[0], word_hash(word));
	if (row != 0 || word.size == 0 || !date_words_open[(unsigned char)word.data[0]])
		return row;
	char open[LONGEST + 1];
	for (size_t size = 1; row == 0 && size <= word.size && size <= LONGEST; size++) {
		memcpy(open, word.data, size);
		open[size] = '*';
		row = word_map_find(&date_words_maps[0], word_hash((struct slice){open, size + 1}));
	}
	return row;
}

bool date_word_find(struct slice word, struct date_token *token)
{
	uint32_t row = row_of(word);
	if (row == 0)
		return false;
	*token = (struct date_token){date_rows[row - 1].kind, date_rows[row - 1].value};
	return true;
}
