#include "core/clients/tags.h"

#include <string.h>

enum { LONGEST_NAME = 64, LONGEST_TAG = 4096 };

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || c == ':';
}

static bool has_name(struct slice text, size_t at, struct slice name)
{
	return text.size - at >= name.size &&
	       slice_equal_nocase(slice_part(text, at, at + name.size), name);
}

static size_t end_of_name(struct slice text, size_t at)
{
	size_t limit = text.size - at > LONGEST_NAME ? at + LONGEST_NAME : text.size;
	while (at < limit && is_name_byte(text.data[at]))
		at++;
	return at;
}

/* The offset after the quoted attribute value that begins at `at`; `at`: it is not closed. */
static size_t end_of_quoted(struct slice tag, size_t at)
{
	const char *close = memchr(tag.data + at + 1, tag.data[at], tag.size - at - 1);
	return close == NULL ? at : (size_t)(close - tag.data) + 1;
}

/* The offset after the ">" of a tag whose attributes begin at `at`; 0: it has none, or "/>" comes
 * first. */
static size_t end_of_attributes(struct slice tag, size_t at)
{
	while (at < tag.size && tag.data[at] != '<' && tag.data[at] != '>') {
		bool opens_quote =
			tag.data[at - 1] == '=' && (tag.data[at] == '"' || tag.data[at] == '\'');
		size_t behind = opens_quote ? end_of_quoted(tag, at) : at;
		at = behind > at ? behind : at + 1;
	}
	bool is_closed = at < tag.size && tag.data[at] == '>' && tag.data[at - 1] != '/';
	return is_closed ? at + 1 : 0;
}

bool tag_read_opening(struct slice text, size_t at, struct tag *tag)
{
	struct slice rest = slice_part(text, at, text.size);
	if (rest.size < 3 || rest.data[0] != '<')
		return false;
	size_t end = end_of_name(rest, 1);
	if (end == 1 || end == rest.size)
		return false;
	tag->name = slice_part(rest, 1, end);
	tag->has_attributes = byte_is_blank(rest.data[end]);
	tag->end = at + end + 1;
	if (!tag->has_attributes)
		return rest.data[end] == '>';
	size_t limit = rest.size < LONGEST_TAG ? rest.size : LONGEST_TAG;
	size_t behind = end_of_attributes(slice_part(rest, 0, limit), end);
	tag->end = at + behind;
	return behind > 0;
}

size_t tag_find_opening(struct slice text, struct slice name, size_t from, size_t *inside)
{
	for (size_t at = slice_find(text, SLICE("<"), from); at < text.size;
	     at = slice_find(text, SLICE("<"), at + 1)) {
		struct tag tag;
		/* Checks the name first, since most tags have another. */
		if (!has_name(text, at + 1, name) || !tag_read_opening(text, at, &tag) ||
		    tag.name.size != name.size)
			continue;
		*inside = tag.end;
		return at;
	}
	*inside = text.size;
	return text.size;
}

/* The offset after the closing tag at `at`; `at`: there is none of that name. */
static size_t end_of_closing(struct slice text, struct slice name, size_t at)
{
	enum { MOST_BLANKS = 8 };
	if (!has_name(text, at + 2, name))
		return at;
	size_t behind = at + 2 + name.size;
	size_t limit = text.size - behind > MOST_BLANKS ? behind + MOST_BLANKS : text.size;
	while (behind < limit && byte_is_blank(text.data[behind]))
		behind++;
	return behind < text.size && text.data[behind] == '>' ? behind + 1 : at;
}

size_t tag_find_closing(struct slice text, struct slice name, size_t from, size_t *outside)
{
	for (size_t at = slice_find(text, SLICE("</"), from); at < text.size;
	     at = slice_find(text, SLICE("</"), at + 1)) {
		size_t end = end_of_closing(text, name, at);
		if (end == at)
			continue;
		*outside = end;
		return at;
	}
	*outside = text.size;
	return text.size;
}

size_t tag_end_of_last(struct slice text, struct slice name, size_t from)
{
	size_t end = from;
	size_t outside;
	while (tag_find_closing(text, name, end, &outside) < text.size)
		end = outside;
	return end;
}

size_t tag_end_of_element(struct slice text, struct slice name, size_t inside)
{
	size_t end;
	if (tag_find_closing(text, name, inside, &end) == text.size)
		return inside;
	size_t opened;
	size_t open = tag_find_opening(text, name, end, &opened);
	size_t outside;
	while (tag_find_closing(slice_part(text, 0, open), name, end, &outside) < open)
		end = outside;
	return end;
}
