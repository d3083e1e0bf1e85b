#include "core/memory/said_turns.h"

void said_turns_add(struct buffer *out, enum role role, struct slice text)
{
	buffer_append_number(out, (uint64_t)role);
	buffer_append_byte(out, ' ');
	buffer_append_number(out, text.size);
	buffer_append_byte(out, ':');
	buffer_append(out, text);
}

/* Takes the number before `end` off the list, and `end` with it. */
static bool take_number(struct slice *list, char end, size_t most, size_t *number)
{
	size_t at = 0;
	*number = 0;
	for (; at < list->size && list->data[at] >= '0' && list->data[at] <= '9'; at++) {
		*number = *number * 10 + (size_t)(list->data[at] - '0');
		if (*number > most)
			return false;
	}
	if (at == 0 || at == list->size || list->data[at] != end)
		return false;
	*list = slice_part(*list, at + 1, list->size);
	return true;
}

bool said_turns_take(struct slice *list, enum role *role, struct slice *text)
{
	size_t number;
	size_t size;
	if (!take_number(list, ' ', ROLE_OTHER, &number) ||
	    !take_number(list, ':', list->size, &size) || size > list->size)
		return false;
	*role = (enum role)number;
	*text = slice_part(*list, 0, size);
	*list = slice_part(*list, size, list->size);
	return true;
}
