#include "core/pii/pii_words_table.h"

int main(void)
{
	return word_maps_print("pii_words", 1, pii_word_rows,
			       sizeof(pii_word_rows) / sizeof(pii_word_rows[0]));
}
