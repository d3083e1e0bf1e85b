/* Prints how much of tests/fixtures/pii/lines.tsv core/pii finds, per class and language, and how
 * often it finds something where nothing is.
 *
 *     pii-table [tune|hold] [--missed] [FILE]
 *
 * A datum counts as found if its class is reported over each of its digits, or over all of it if it
 * has none. Exits with 1 below 95 % of any class, or with more than 1 % of lines wrong. */
#include "core/pii/pii.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LANGUAGES = 13, COLUMN = 8 };

static const char *const languages[LANGUAGES] = {"en", "de", "fr", "es", "pt", "it", "nl",
						 "tr", "ru", "ar", "zh", "ja", "pl"};

struct cell {
	unsigned lines;
	unsigned hits;
};

static struct cell found[PII_CLASSES][LANGUAGES];
static struct cell wrong[LANGUAGES];
static bool shows_missed;

static size_t language_of(struct slice name)
{
	for (size_t i = 0; i < LANGUAGES; i++) {
		if (slice_equal(name, slice_of(languages[i])))
			return i;
	}
	(void)fprintf(stderr, "pii-table: unknown language %.*s\n", SLICE_PRINT(name));
	exit(2);
}

static bool is_covered(const struct pii_span *spans, size_t count, enum pii_class class, size_t at)
{
	for (size_t i = 0; i < count; i++) {
		if (spans[i].class == class && spans[i].begin <= at && at < spans[i].end)
			return true;
	}
	return false;
}

/* Takes the marks out; returns the text, and what stood between them. */
static struct slice unmark(struct slice line, size_t *begin, size_t *end, struct arena *arena)
{
	const struct slice open = SLICE("\u27e6");
	const struct slice close = SLICE("\u27e7");
	*begin = slice_find(line, open, 0);
	size_t closed = slice_find(line, close, 0);
	if (*begin == line.size) {
		*end = *begin;
		return line;
	}
	const struct slice parts[] = {slice_part(line, 0, *begin),
				      slice_part(line, *begin + open.size, closed),
				      slice_part(line, closed + close.size, line.size)};
	*end = *begin + parts[1].size;
	return arena_join(arena, parts, 3);
}

static bool is_found(struct slice text, size_t begin, size_t end, enum pii_class class,
		     const struct pii_span *spans, size_t count)
{
	bool has_digit = false;
	bool is_all = true;
	bool is_digits = true;
	for (size_t at = begin; at < end; at++) {
		bool is_digit = text.data[at] >= '0' && text.data[at] <= '9';
		bool is_hit = is_covered(spans, count, class, at);
		has_digit |= is_digit;
		is_all &= is_hit;
		is_digits &= is_hit || !is_digit;
	}
	return has_digit ? is_digits : is_all;
}

static void take_line(struct slice language, struct slice class_name, struct slice line)
{
	struct arena arena = {0};
	enum pii_class class;
	size_t begin;
	size_t end;
	size_t count;
	size_t column = language_of(language);
	struct slice text = unmark(line, &begin, &end, &arena);
	const struct pii_span *spans = pii_find(text, &count, &arena);
	bool has_class = pii_read(class_name, &class);
	struct cell *cell = has_class ? &found[class][column] : &wrong[column];
	bool is_hit = has_class ? is_found(text, begin, end, class, spans, count) : count > 0;
	cell->lines++;
	cell->hits += is_hit;
	if (shows_missed && is_hit != has_class) {
		printf("%.*s %s: %.*s\n", SLICE_PRINT(language),
		       has_class ? pii_name(class) : "none", SLICE_PRINT(line));
		for (size_t i = 0; i < count; i++)
			printf("    %s \"%.*s\"\n", pii_name(spans[i].class),
			       (int)(spans[i].end - spans[i].begin), text.data + spans[i].begin);
	}
	arena_finish(&arena);
}

static struct slice next_field(struct slice *line)
{
	size_t tab = slice_find(*line, SLICE("\t"), 0);
	struct slice field = slice_part(*line, 0, tab);
	*line = slice_part(*line, tab < line->size ? tab + 1 : tab, line->size);
	return field;
}

static void take_file(const char *path, const char *half)
{
	FILE *file = fopen(path, "r");
	char *bytes = NULL;
	size_t room = 0;
	if (file == NULL) {
		perror(path);
		exit(2);
	}
	while (getline(&bytes, &room, file) > 0) {
		struct slice line = slice_trim(slice_of(bytes));
		bool is_wanted = slice_equal(next_field(&line), slice_of(half));
		struct slice language = next_field(&line);
		struct slice class = next_field(&line);
		if (is_wanted)
			take_line(language, class, line);
	}
	free(bytes);
	(void)fclose(file);
}

/* Prints a row; returns the share of hits. */
static double print_row(const char *name, const struct cell *cells)
{
	struct cell all = {0};
	printf("%-12s", name);
	for (size_t i = 0; i < LANGUAGES; i++) {
		if (cells[i].lines == 0)
			printf("%*s", COLUMN, "-");
		else
			printf("%*u/%u", COLUMN - 3 - (cells[i].lines < 10 ? -1 : 0), cells[i].hits,
			       cells[i].lines);
		all.lines += cells[i].lines;
		all.hits += cells[i].hits;
	}
	double share = all.lines == 0 ? 0 : (double)all.hits / all.lines;
	printf("%6u/%-5u %5.1f %%\n", all.hits, all.lines, 100 * share);
	return share;
}

int main(int argc, char **argv)
{
	const char *half = "hold";
	const char *path = FIXTURES "/pii/lines.tsv";
	bool is_fine = true;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--missed") == 0)
			shows_missed = true;
		else if (strcmp(argv[i], "tune") == 0 || strcmp(argv[i], "hold") == 0)
			half = argv[i];
		else
			path = argv[i];
	}
	take_file(path, half);
	printf("%-12s", "found");
	for (size_t i = 0; i < LANGUAGES; i++)
		printf("%*s", COLUMN, languages[i]);
	printf("%9s\n", "all");
	for (size_t i = PII_FIRST_WITH_FORMAT; i <= PII_LAST_WITH_FORMAT; i++)
		is_fine &= print_row(pii_name((enum pii_class)i), found[i]) >= 0.95;
	is_fine &= print_row("false", wrong) <= 0.01;
	return is_fine ? 0 : 1;
}
