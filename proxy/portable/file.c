/* The file of a memory before its elements are read: where its lists stand. */
#include "proxy/portable/forms.h"

struct portable_list portable_list_of(struct slice text, struct json_value array)
{
	return (struct portable_list){.text = text, .walk = json_walk(text, array)};
}

static bool next_line(struct portable_list *list, struct slice *line)
{
	*line = (struct slice){0};
	while (line->size == 0 && list->at < list->text.size) {
		const size_t end = slice_find(list->text, SLICE("\n"), list->at);
		*line = slice_trim(slice_part(list->text, list->at, end));
		list->at = end + 1;
	}
	return line->size > 0;
}

bool portable_next(struct portable_list *list, struct slice *element)
{
	if (list->is_lines)
		return next_line(list, element);
	if (list->is_whole) {
		*element = list->text;
		list->is_whole = false;
		list->walk = (struct json_walk){0};
		return true;
	}
	if (!json_next(&list->walk))
		return false;
	*element = slice_part(list->text, list->walk.value.begin, list->walk.value.end);
	return true;
}

static bool are_objects(struct portable_list lines)
{
	struct slice line;
	struct json_value value;
	bool any = false;
	while (next_line(&lines, &line)) {
		if (!json_scan(line, &value) || value.type != JSON_TYPE_OBJECT)
			return false;
		any = true;
	}
	return any;
}

/* The first of the members that hold others' elements. */
static void find_list(struct portable_file *file, const struct json_value *members, size_t count)
{
	for (size_t i = 0; i < count && !file->has_list; i++) {
		file->has_list = members[i].type == JSON_TYPE_ARRAY;
		if (file->has_list)
			file->list = portable_list_of(file->text, members[i]);
	}
}

bool portable_look(struct slice text, struct portable_file *file)
{
	static const char *const names[] = {"results", "memories", "conversations", "history",
					    "format"};
	enum { LISTS = 3, HISTORY = 3, FORMAT, MEMBERS };
	const struct slice mark = SLICE("\xef\xbb\xbf");
	struct json_value found[MEMBERS] = {{0}};
	if (slice_starts_with(text, mark))
		text = slice_part(text, mark.size, text.size);
	*file = (struct portable_file){.text = text};
	if (!json_scan(text, &file->document)) {
		file->list = (struct portable_list){.text = text, .is_lines = true};
		file->has_list = are_objects(file->list);
		return file->has_list;
	}
	if (file->document.type == JSON_TYPE_ARRAY)
		find_list(file, &file->document, 1);
	if (file->document.type != JSON_TYPE_OBJECT)
		return true;
	(void)JSON_PICK(text, file->document, names, found);
	file->format = found[FORMAT];
	file->history = found[HISTORY];
	find_list(file, found, LISTS);
	return true;
}
