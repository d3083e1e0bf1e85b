/* Which event ends a stream, if events have names. */
#include "core/dialect/dialect.h"

/* The beginning of an object's JSON while its members are searched. */
struct members {
	struct slice json;
	size_t at;
};

/* The next byte that is not white space; '\0' at the end of what has arrived. */
static char next_byte(struct members *members)
{
	while (members->at < members->json.size && byte_is_blank(members->json.data[members->at]))
		members->at++;
	return members->at < members->json.size ? members->json.data[members->at] : '\0';
}

static bool take_byte(struct members *members, char byte)
{
	bool is_there = next_byte(members) == byte;
	members->at += is_there;
	return is_there;
}

/* The inside of a string; `is_whole`: its end has arrived. */
static struct slice take_string(struct members *members, bool *is_whole)
{
	size_t begin = members->at + 1;
	size_t end = begin;
	while (end < members->json.size && members->json.data[end] != '"')
		end += members->json.data[end] == '\\' ? 2 : 1;
	*is_whole = end < members->json.size;
	end = *is_whole ? end : members->json.size;
	members->at = *is_whole ? end + 1 : end;
	return slice_part(members->json, begin < end ? begin : end, end);
}

static void skip_plain(struct members *members)
{
	while (members->at < members->json.size && members->json.data[members->at] != ',' &&
	       members->json.data[members->at] != '}')
		members->at++;
}

static enum terminal match_word(struct slice word, bool may_go_on, const struct slice *names,
				size_t count)
{
	bool begins_one = false;
	for (size_t i = 0; i < count; i++) {
		if (!may_go_on && slice_equal(names[i], word))
			return TERMINAL_YES;
		begins_one |= slice_starts_with(names[i], word);
	}
	return may_go_on && begins_one ? TERMINAL_MAYBE : TERMINAL_NO;
}

/* The member "type" among those that have arrived; not searched for after an object or a list. */
static enum terminal match_type(struct members members, const struct slice *names, size_t count)
{
	bool is_whole;
	if (!take_byte(&members, '{'))
		return next_byte(&members) == '\0' ? TERMINAL_MAYBE : TERMINAL_NO;
	do {
		if (next_byte(&members) != '"')
			break;
		struct slice key = take_string(&members, &is_whole);
		if (!is_whole || !take_byte(&members, ':'))
			break;
		char first = next_byte(&members);
		if (first == '{' || first == '[')
			return TERMINAL_NO;
		if (first != '"') {
			skip_plain(&members);
			continue;
		}
		struct slice value = take_string(&members, &is_whole);
		if (slice_equal(key, SLICE("type")))
			return match_word(value, !is_whole, names, count);
	} while (take_byte(&members, ','));
	return next_byte(&members) == '\0' ? TERMINAL_MAYBE : TERMINAL_NO;
}

enum terminal event_is_named(const struct event_head *head, const struct slice *names, size_t count)
{
	if (head->name.size > 0 || !head->has_data)
		return match_word(head->name, head->name_may_go_on, names, count);
	enum terminal match = match_type((struct members){.json = head->data}, names, count);
	bool may_come = head->data_may_go_on && head->data.size < EVENT_HEAD;
	return match == TERMINAL_MAYBE && !may_come ? TERMINAL_NO : match;
}
