/* Prints answers as commands.txt has them. In a text's braces stand
 *
 *	{member}         the member; "a.b" is the member b of the object a. Behind it may stand
 *	    <40          cut to so many columns
 *	    =8           in a cell of so many columns
 *	    |16          so many of its first bytes, in such a cell
 *	    ~44          cut to what the terminal's line has beside so many columns
 *	    %2           a number with so many decimals; of a list, the number of its elements
 *	    #jobs        a number, and of what, by default the member's name: "1 job", "2 jobs"
 *	    /-           what stands for an empty one
 *	    ^            byte for byte, unless to a terminal
 *	{?member}...{/}  if it says something: it is neither absent, null, false, 0 nor empty
 *	{!member}...{/}  if it does not
 *	{&member}...{/}  if it is there, and not null
 *	{=member word}   if it is this word; {!=member word}: if it is another, or none
 *	{@member}...{/}  inside that object, or inside each object of that list
 *	{+member words, member #words|none}
 *	                 those of the numbers that are not 0: "3 refused, 1 fact"
 *	{:member columns}
 *	                 a list as a table. A column is TITLE or TITLE=MEMBER and may end with ">":
 *	                 to the right, with so many decimals as follow; "~": takes the room that is
 *	                 left, else the first does; "?": left out if nothing has it
 *	{::member columns}
 *	                 the same indented, with short cells
 *	{*bold}          a style
 */
#include "proxy/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CELL_SIZE = 64,
	NAME_SIZE = 48,
	LINE_COLUMNS = 90, /* without a terminal */
	LEAST_COLUMNS = 20,
	LEAST_FIRST = 8,
	MOST_SHORT = 20, /* columns of a short cell */
	MOST_COLUMNS = 12,
	GAP = 2,
};

/* ---- members ---- */

const char *ctl_text(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text == NULL ? "" : text;
}

json_int_t ctl_number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static json_t *find(json_t *object, const char *path, size_t size)
{
	char name[NAME_SIZE];
	const char *end = path + size;
	while (path < end) {
		const char *dot = memchr(path, '.', (size_t)(end - path));
		const char *stop = dot == NULL ? end : dot;
		(void)snprintf(name, sizeof(name), "%.*s", (int)(stop - path), path);
		object = json_object_get(object, name);
		path = stop + 1;
	}
	return object;
}

static bool says_something(json_t *value)
{
	const char *name;
	json_t *member;
	json_object_foreach(value, name, member)
	{
		if (says_something(member))
			return true;
	}
	return json_is_true(value) || json_string_length(value) > 0 ||
	       json_number_value(value) != 0 || json_array_size(value) > 0;
}

static double number_of(json_t *value)
{
	return json_is_array(value) ? (double)json_array_size(value) : json_number_value(value);
}

static const char *text_of(json_t *value, char room[CELL_SIZE])
{
	room[0] = '\0';
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_integer(value))
		(void)snprintf(room, CELL_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		return json_is_true(value) ? "true" : "false";
	return room;
}

/* "1 user", "2 users": drops the name's last letter if there is one. */
static void print_count(double count, const char *name, size_t size)
{
	(void)printf("%.0f %.*s", count, (int)size - (count == 1), name);
}

static size_t columns_beside(size_t used)
{
	size_t terminal = ctl_columns();
	if (terminal == 0)
		return LINE_COLUMNS;
	return terminal > used + LEAST_COLUMNS ? terminal - used : LEAST_COLUMNS;
}

/* Byte for byte, so that it can be compared, except that nothing may drive a terminal. */
static void print_bytes(json_t *value)
{
	if (isatty(STDOUT_FILENO))
		ctl_print(stdout, json_string_value(value), 0);
	else
		(void)fwrite(json_string_value(value), 1, json_string_length(value), stdout);
}

static void print_member(json_t *object, const char *tag)
{
	char room[CELL_SIZE], start[CELL_SIZE];
	const size_t size = strcspn(tag, "<=|~%#/^");
	json_t *value = find(object, tag, size);
	const char *text = text_of(value, room);
	const char *how = tag + size;
	const size_t number = *how == '\0' ? 0 : strtoul(how + 1, NULL, 10);
	switch (*how) {
	case '=':
		ctl_print_cell(text, number, false);
		break;
	case '|':
		(void)snprintf(start, sizeof(start), "%.*s", (int)number, text);
		ctl_print_cell(start, number, false);
		break;
	case '%':
		(void)printf("%.*f", (int)number, number_of(value));
		break;
	case '#':
		print_count(number_of(value), how[1] == '\0' ? tag : how + 1,
			    how[1] == '\0' ? size : strlen(how + 1));
		break;
	case '^':
		print_bytes(value);
		break;
	default:
		ctl_print(stdout, *text == '\0' && *how == '/' ? how + 1 : text,
			  *how == '~' ? columns_beside(number) : number);
	}
}

static void print_parts(json_t *object, const char *parts)
{
	const char *comma = "", *end = parts + strcspn(parts, "|");
	while (parts < end) {
		const size_t size = strcspn(parts, ",|"), name = strcspn(parts, " ");
		const double count = number_of(find(object, parts, name));
		const char *words = parts + name + 1;
		const size_t length = size - name - 1;
		parts += size + (parts[size] == ',' ? 2 : 0);
		if (count == 0)
			continue;
		(void)fputs(comma, stdout);
		comma = ", ";
		if (*words == '#')
			print_count(count, words + 1, length - 1);
		else
			(void)printf("%.0f %.*s", count, (int)length, words);
	}
	if (*comma == '\0' && *end == '|')
		(void)fputs(end + 1, stdout);
}

/* ---- tables ---- */

struct column {
	char title[NAME_SIZE];
	char member[NAME_SIZE];
	const char *none; /* stands for a member that is no text and no number */
	bool shows_empty; /* an empty text is shown as it is */
	bool to_the_right;
	bool is_flexible; /* takes the room that is left */
	int decimals;
	size_t most, width; /* columns of the terminal */
};

/* Reads "TITLE=MEMBER>2". False: the column may be left out, and no row has it. */
static bool read_column(struct column *column, const char *text, bool is_nested, json_t *rows)
{
	const size_t title = strcspn(text, "=>~?,");
	const char *member = text[title] == '=' ? text + title + 1 : text;
	const size_t size = strcspn(member, ">~?,");
	const char how = member[size];
	const bool is_short = is_nested && how != '~';
	bool has_any = how != '?';
	for (size_t i = 0; i < json_array_size(rows) && !has_any; i++)
		has_any = says_something(find(json_array_get(rows, i), member, size));
	*column = (struct column){
		.none = is_nested && !is_short ? "" : "-",
		.shows_empty = !is_short,
		.to_the_right = how == '>',
		.is_flexible = how == '~',
		.decimals = how == '>' ? (int)strtol(member + size + 1, NULL, 10) : 0,
		.most = is_short ? MOST_SHORT : SIZE_MAX,
	};
	(void)snprintf(column->title, NAME_SIZE, "%.*s", (int)title, text);
	(void)snprintf(column->member, NAME_SIZE, "%.*s", (int)size, member);
	return has_any;
}

/* The row's member as shown; without a row the title. */
static const char *cell(const struct column *column, json_t *row, char room[CELL_SIZE])
{
	json_t *member = find(row, column->member, strlen(column->member));
	if (row == NULL)
		return column->title;
	if (json_is_string(member) && (column->shows_empty || json_string_length(member) > 0))
		return json_string_value(member);
	if (!json_is_number(member))
		return column->none;
	(void)snprintf(room, CELL_SIZE, "%.*f", column->decimals, json_number_value(member));
	return room;
}

static size_t width_of(const struct column *column, json_t *rows)
{
	char room[CELL_SIZE];
	size_t widest = strlen(column->title);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) widest =
		size_max(widest, ctl_print(NULL, cell(column, row, room), 0));
	return size_min(widest, column->most);
}

/* On a terminal that is too narrow one column is cut. */
static void lay_out(struct column *columns, size_t count, size_t indent, json_t *rows)
{
	struct column *flexible = &columns[0];
	size_t others = indent;
	const size_t terminal = ctl_columns();
	for (size_t i = 0; i < count; i++) {
		columns[i].width = width_of(&columns[i], rows);
		others += columns[i].width + (i == 0 ? 0 : GAP);
		flexible = columns[i].is_flexible ? &columns[i] : flexible;
	}
	const size_t least = flexible->is_flexible ? LEAST_COLUMNS : LEAST_FIRST;
	if (terminal == 0 || others <= terminal)
		return;
	others -= flexible->width;
	flexible->width = terminal > others + least ? terminal - others : least;
}

static void print_row(const struct column *columns, size_t count, size_t indent, json_t *row)
{
	char room[CELL_SIZE];
	for (size_t i = 0; i < count; i++) {
		const struct column *column = &columns[i];
		const char *text = cell(column, row, room);
		(void)printf("%*s", i == 0 ? (int)indent : GAP, "");
		if (i + 1 == count && !column->to_the_right)
			ctl_print(stdout, text, column->width); /* no blanks behind it */
		else
			ctl_print_cell(text, column->width, column->to_the_right);
	}
	(void)putchar('\n');
}

static void print_table(json_t *object, const char *tag)
{
	struct column columns[MOST_COLUMNS] = {0};
	const bool is_nested = *tag == ':';
	const size_t indent = is_nested ? GAP : 0;
	size_t count = 0, i;
	json_t *row;
	tag += is_nested;
	json_t *rows = find(object, tag, strcspn(tag, " "));
	for (tag = strchr(tag, ' '); tag != NULL; tag = strchr(tag, ',')) {
		tag += strspn(tag, ", ");
		count += read_column(&columns[count], tag, is_nested, rows);
	}
	lay_out(columns, count, indent, rows);
	print_row(columns, count, indent, NULL);
	json_array_foreach(rows, i, row) print_row(columns, count, indent, row);
}

/* ---- texts ---- */

static void print_part(const struct ctl *ctl, const char **at, json_t *object, bool applies);

static bool holds(json_t *object, const char *tag)
{
	char room[CELL_SIZE];
	const size_t size = strcspn(tag + 1, " ");
	json_t *value = find(object, tag + 1, size);
	if (*tag == '?')
		return says_something(value);
	if (*tag == '@')
		return json_is_object(value);
	if (*tag == '&')
		return value != NULL && !json_is_null(value);
	if (*tag == '=')
		return strcmp(text_of(value, room), tag + 1 + size + (tag[1 + size] == ' ')) == 0;
	return tag[1] == '=' ? !holds(object, tag + 1) : !says_something(value); /* "!" */
}

static void print_section(const struct ctl *ctl, const char *tag, const char **at, json_t *object,
			  bool applies)
{
	json_t *inner = *tag == '@' ? find(object, tag + 1, strlen(tag + 1)) : object;
	const char *begin = *at;
	const size_t count = *tag == '@' ? json_array_size(inner) : 0;
	if (count == 0)
		print_part(ctl, at, inner, applies && holds(object, tag));
	for (size_t i = 0; i < count; i++) {
		*at = begin;
		print_part(ctl, at, json_array_get(inner, i), applies);
	}
}

/* Prints up to the end of the section, and moves `*at` behind it. */
static void print_part(const struct ctl *ctl, const char **at, json_t *object, bool applies)
{
	char tag[CTL_TAG_SIZE];
	for (;;) {
		size_t size = strcspn(*at, "{");
		if (applies)
			(void)fwrite(*at, 1, size, stdout);
		*at += size;
		if (**at == '\0')
			return;
		size = strcspn(*at, "}");
		(void)snprintf(tag, sizeof(tag), "%.*s", (int)size - 1, *at + 1);
		*at += size + 1;
		if (*tag == '/')
			return;
		if (strchr("?!&=@", *tag) != NULL)
			print_section(ctl, tag, at, object, applies);
		else if (!applies)
			continue;
		else if (*tag == '*')
			(void)fputs(ctl_style(ctl, tag + 1), stdout);
		else if (*tag == '+')
			print_parts(object, tag + 1);
		else if (*tag == ':')
			print_table(object, tag + 1);
		else
			print_member(object, tag);
	}
}

void ctl_print_text(const struct ctl *ctl, const char *text, json_t *object)
{
	print_part(ctl, &text, object, true);
}

bool ctl_print_json(json_t *answer)
{
	(void)json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	(void)putchar('\n');
	json_decref(answer);
	return true;
}

static bool has_needed(const struct ctl *ctl, json_t *answer)
{
	const char *name = ctl->command->needs;
	json_t *member = name == NULL ? NULL : json_object_get(answer, name);
	return name == NULL || ctl->given.json || json_string_length(member) > 0 ||
	       json_is_integer(member) || json_is_object(member);
}

bool ctl_show(struct ctl *ctl, json_t *answer)
{
	if (answer == NULL && ctl->fault != NULL)
		return false;
	if (answer == NULL || !has_needed(ctl, answer))
		return ctl_fail_to_read(ctl, answer);
	if (ctl->given.json)
		return ctl_print_json(answer);
	if (ctl->command->fill != NULL)
		ctl->command->fill(ctl, answer);
	ctl_print_text(ctl, ctl->command->text, answer);
	json_decref(answer);
	return true;
}

bool ctl_finish(struct ctl *ctl, int status, json_t *answer)
{
	return status == ctl->command->status
		       ? ctl_show(ctl, answer)
		       : ctl_fail(ctl, status, answer, ctl->command->unknown);
}
