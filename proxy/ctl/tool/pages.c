/* Lists that the admin address gives in pages, and their tables. */
#include "proxy/ctl/tool/ctl.h"
#include "proxy/http/percent.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_LIMIT = 64 * 1024, PAGE = 1000, CELL_SIZE = 32, GAP = 2, LEAST_FIRST = 8 };

/* ---- fetching ---- */

void ctl_add_query(struct buffer *path, const char *name, const char *value)
{
	if (value == NULL)
		return;
	bool is_first = memchr(path->data, '?', path->size) == NULL;
	buffer_printf(path, "%c%s=", is_first ? '?' : '&', name);
	percent_encode(path, slice_of(value));
}

/* False: it has been reported. */
static bool read_limit(struct ctl *ctl, size_t *limit)
{
	char *end;
	if (ctl->limit == NULL)
		return true;
	unsigned long long number = strtoull(ctl->limit, &end, 10);
	if (ctl->limit[0] < '0' || ctl->limit[0] > '9' || *end != '\0' || number >= SIZE_MAX) {
		ctl_fault(ctl, "--limit must be a whole number; 0: no limit");
		return false;
	}
	*limit = number == 0 ? SIZE_MAX : (size_t)number;
	return true;
}

static int call_for_page(struct ctl *ctl, const struct buffer *path, size_t wanted,
			 const char *after, json_t **page)
{
	char limit[CELL_SIZE];
	struct buffer whole;
	buffer_init(&whole, PATH_LIMIT);
	buffer_append(&whole, buffer_slice(path));
	(void)snprintf(limit, sizeof(limit), "%zu", wanted < PAGE ? wanted : PAGE);
	ctl_add_query(&whole, "limit", limit);
	ctl_add_query(&whole, "after", after);
	buffer_append_byte(&whole, '\0');
	int status = ctl_call(ctl, "GET", whole.data, NULL, page);
	buffer_finish(&whole);
	return status;
}

/* Adds the next page. NULL: it failed, which has been reported; `all` is gone. */
static json_t *add_page(struct ctl *ctl, const struct buffer *path, const char *name, size_t limit,
			json_t *all)
{
	json_t *page = NULL;
	size_t count = json_array_size(json_object_get(all, name));
	const char *after = json_string_value(json_object_get(all, "next"));
	int status = call_for_page(ctl, path, limit - count, after, &page);
	if (status != 200) {
		json_decref(all);
		ctl_fail_of_user(ctl, status, page);
		return NULL;
	}
	json_t *more = json_object_get(page, name);
	const char *next = json_string_value(json_object_get(page, "next"));
	bool leads_back = after != NULL && next != NULL && strcmp(after, next) == 0;
	if (!json_is_array(more) || leads_back) {
		json_decref(all);
		ctl_fail_to_read(ctl, page);
		return NULL;
	}
	if (all == NULL)
		return page;
	json_array_extend(json_object_get(all, name), more);
	json_object_set(all, "next", json_object_get(page, "next"));
	json_decref(page);
	return all;
}

json_t *ctl_collect(struct ctl *ctl, const struct buffer *path, const char *name,
		    size_t usual_limit)
{
	size_t limit = usual_limit;
	json_t *all = NULL;
	if (!read_limit(ctl, &limit))
		return NULL;
	do
		all = add_page(ctl, path, name, limit, all);
	while (all != NULL && json_array_size(json_object_get(all, name)) < limit &&
	       json_is_string(json_object_get(all, "next")));
	return all;
}

/* ---- printing ---- */

static const char *cell(json_t *row, const struct ctl_column *column, char room[CELL_SIZE])
{
	json_t *member = json_object_get(row, column->member);
	if (json_is_string(member))
		return json_string_value(member);
	if (!json_is_number(member))
		return "-";
	(void)snprintf(room, CELL_SIZE, "%.*f", column->decimals,
		       json_number_value(member) * column->factor);
	return room;
}

static size_t width_of(json_t *rows, const struct ctl_column *column)
{
	char room[CELL_SIZE];
	size_t widest = strlen(column->title);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
	{
		size_t width = ctl_width(cell(row, column, room));
		widest = width > widest ? width : widest;
	}
	return widest;
}

static void print_row(json_t *row, const struct ctl_column *columns, const size_t *widths,
		      size_t count)
{
	char room[CELL_SIZE];
	for (size_t i = 0; i < count; i++) {
		const struct ctl_column *column = &columns[i];
		(void)fputs(i == 0 ? "" : "  ", stdout);
		const char *text = row == NULL ? column->title : cell(row, column, room);
		if (i + 1 == count && !column->to_the_right)
			ctl_print(text, widths[i]); /* no blanks behind it */
		else
			ctl_print_cell(text, widths[i], column->to_the_right);
	}
	(void)putchar('\n');
}

void ctl_print_table(json_t *rows, const struct ctl_column *columns, size_t count)
{
	size_t widths[CTL_MAX_COLUMNS] = {0};
	size_t others = 0, terminal = ctl_columns();
	for (size_t i = 0; i < count; i++) {
		widths[i] = width_of(rows, &columns[i]);
		others += i == 0 ? 0 : widths[i] + GAP;
	}
	if (terminal > 0 && others + widths[0] > terminal)
		widths[0] = terminal > others + LEAST_FIRST ? terminal - others : LEAST_FIRST;
	print_row(NULL, columns, widths, count);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) print_row(row, columns, widths, count);
}
