/* Prints a receipt as a table for people. */
#include "proxy/ctl/tool/ctl.h"

#include <string.h>

enum { MOST_COLUMNS = 20, LEAST_TEXT = 20, CELL_SIZE = 64 };

/* ---- its head ---- */

static bool has(json_t *object, const char *name)
{
	json_t *member = json_object_get(object, name);
	return member != NULL && !json_is_null(member);
}

static long long number(json_t *object, const char *name)
{
	return (long long)json_integer_value(json_object_get(object, name));
}

/* "mode hybrid", or how it was chosen: "mode auto: hybrid, for the user has 3 conversations". */
static void print_mode(json_t *receipt)
{
	json_t *branch = json_object_get(receipt, "branch");
	if (!has(receipt, "mode"))
		return;
	(void)fputs("  mode     ", stdout);
	ctl_print(ctl_text(receipt, "mode"), 0);
	if (has(branch, "mode"))
		(void)fputs(": ", stdout);
	ctl_print(ctl_text(branch, "mode"), 0);
	if (has(branch, "because"))
		(void)fputs(", for ", stdout);
	ctl_print(ctl_text(branch, "because"), 0);
	(void)putchar('\n');
}

static void print_title(json_t *receipt)
{
	const char *id = ctl_text(receipt, "id");
	(void)fputs(id[0] == '\0' ? "Preview" : "Receipt ", stdout);
	ctl_print(id, 0);
	if (has(receipt, "user"))
		(void)fputs(" · user ", stdout);
	ctl_print(ctl_text(receipt, "user"), 0);
	if (has(receipt, "status"))
		(void)fputs(" · ", stdout);
	ctl_print(ctl_text(receipt, "status"), 0);
	(void)putchar('\n');
}

static void print_figures(json_t *receipt)
{
	json_t *history = json_object_get(receipt, "history");
	if (has(receipt, "tokens") && has(receipt, "budget"))
		(void)printf("  memory   %lld of %lld tokens\n", number(receipt, "tokens"),
			     number(receipt, "budget"));
	else if (has(receipt, "tokens"))
		(void)printf("  memory   %lld tokens\n", number(receipt, "tokens"));
	if (json_is_object(history))
		(void)printf("  history  %lld messages taken out, %lld tokens saved\n",
			     number(history, "messages_removed"),
			     number(history, "tokens_removed"));
	if (has(receipt, "bytes_in") || has(receipt, "bytes_out"))
		(void)printf("  request  %lld bytes in, %lld bytes out\n",
			     number(receipt, "bytes_in"), number(receipt, "bytes_out"));
	if (has(receipt, "elapsed_us"))
		(void)printf("  took     %.3f ms", (double)number(receipt, "elapsed_us") / 1000.0);
	if (has(receipt, "elapsed_us") && has(receipt, "ranked"))
		(void)printf(", %lld turns ranked", number(receipt, "ranked"));
	if (has(receipt, "elapsed_us"))
		(void)putchar('\n');
}

/* ---- its items ---- */

enum { COLUMN_COUNT = 5 };

struct column {
	const char *title;
	const char *member;
	bool to_the_right;
	int decimals;
};

#define COMMON_COLUMNS                                                                             \
	{"kind", "kind", false, 0}, {"score", "score", true, 3}, {"tokens", "tokens", true, 0},    \
	{                                                                                          \
		"source", "source", true, 0                                                        \
	}

static const struct column of_given[COLUMN_COUNT] = {COMMON_COLUMNS, {"where", "place", false, 0}};
static const struct column of_left_out[COLUMN_COUNT] = {COMMON_COLUMNS,
							{"why", "because", false, 0}};

/* The member as shown; "-": there is none. */
static const char *cell(json_t *item, const struct column *column, char room[CELL_SIZE])
{
	json_t *member = json_object_get(item, column->member);
	if (json_is_string(member) && json_string_length(member) > 0)
		return json_string_value(member);
	if (json_is_number(member))
		(void)snprintf(room, CELL_SIZE, "%.*f", column->decimals,
			       json_number_value(member));
	else
		(void)snprintf(room, CELL_SIZE, "-");
	return room;
}

struct table {
	size_t widths[COLUMN_COUNT];
	size_t text; /* columns left for it; 0: unlimited */
};

static void widen(struct table *table, const struct column *columns, json_t *items)
{
	char room[CELL_SIZE];
	size_t i;
	json_t *item;
	json_array_foreach(items, i, item)
	{
		for (size_t c = 0; c < COLUMN_COUNT; c++) {
			size_t width = ctl_width(cell(item, &columns[c], room));
			width = width > MOST_COLUMNS ? MOST_COLUMNS : width;
			if (table->widths[c] < width)
				table->widths[c] = width;
		}
	}
}

static void lay_out(struct table *table, const struct column *columns, json_t *items)
{
	size_t used = 0, terminal = ctl_columns();
	for (size_t c = 0; c < COLUMN_COUNT; c++)
		table->widths[c] = strlen(columns[c].title);
	widen(table, columns, items);
	for (size_t c = 0; c < COLUMN_COUNT; c++)
		used += 2 + table->widths[c];
	used += 2;
	if (terminal > 0)
		table->text = terminal > used + LEAST_TEXT ? terminal - used : LEAST_TEXT;
}

static void print_row(const struct table *table, const struct column *columns, json_t *item)
{
	char room[CELL_SIZE];
	for (size_t c = 0; c < COLUMN_COUNT; c++) {
		const char *shown = item == NULL ? columns[c].title : cell(item, &columns[c], room);
		(void)fputs("  ", stdout);
		ctl_print_cell(shown, table->widths[c], columns[c].to_the_right);
	}
	(void)fputs("  ", stdout);
	ctl_print(item == NULL ? "text" : ctl_text(item, "text"), table->text);
	(void)putchar('\n');
}

static void print_items(const char *title, const struct column *columns, json_t *items)
{
	struct table table = {0};
	size_t i;
	json_t *item;
	if (json_array_size(items) == 0)
		return;
	(void)printf("\n%s\n", title);
	lay_out(&table, columns, items);
	print_row(&table, columns, NULL);
	json_array_foreach(items, i, item) print_row(&table, columns, item);
}

void ctl_print_receipt(json_t *receipt)
{
	print_title(receipt);
	print_mode(receipt);
	print_figures(receipt);
	print_items("Given", of_given, json_object_get(receipt, "items"));
	print_items("Left out", of_left_out, json_object_get(receipt, "dropped"));
}
