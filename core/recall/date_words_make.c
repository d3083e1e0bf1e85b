#include "core/base/word_map_make.h"
#include "core/recall/date_words_table.h"

#include <stdio.h>

enum { COUNT = sizeof(date_rows) / sizeof(date_rows[0]) };

static void note_open(bool open[256], const char *words)
{
	for (const char *star = strchr(words, '*'); star != NULL; star = strchr(star + 1, '*')) {
		const char *first = star;
		while (first > words && first[-1] != ' ')
			first--;
		open[(unsigned char)*first] = true;
	}
}

/* Prints which first bytes begin a word that may go on. */
static void print_open(void)
{
	bool open[256] = {false};
	for (size_t i = 0; i < COUNT; i++)
		note_open(open, date_rows[i].words);
	printf("static const bool date_words_open[256] = {\n");
	for (size_t i = 0; i < 256; i++) {
		if (open[i])
			printf("\t[%zu] = true,\n", i);
	}
	printf("};\n");
}

/* The map gives the number of each word's row, from 1. */
int main(void)
{
	struct word_row rows[COUNT];
	for (size_t i = 0; i < COUNT; i++)
		rows[i] = (struct word_row){0, (uint32_t)i + 1, date_rows[i].words};
	print_open();
	return word_maps_print("date_words", 1, rows, COUNT);
}
