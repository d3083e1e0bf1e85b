#include "core/learn/repair.h"

#include "core/learn/entry.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_blanks(struct slice text, size_t at)
{
	while (at < text.size && is_blank(text.data[at]))
		at++;
	return at;
}

static bool is_any_of(struct slice text, size_t at, const char *bytes)
{
	return at < text.size && text.data[at] != '\0' && strchr(bytes, text.data[at]) != NULL;
}

/* The offset after the double-quoted string that begins at `at`. */
static size_t end_of_string(struct slice text, size_t at)
{
	for (at++; at < text.size && text.data[at] != '"'; at++) {
		if (text.data[at] == '\\')
			at++;
	}
	return at < text.size ? at + 1 : text.size;
}

/* The quote that closes the single-quoted string at `at`: one that ends a value, unlike an
 * apostrophe. `at` if there is none. */
static size_t end_of_single(struct slice text, size_t at)
{
	enum { LONGEST = 4096 };
	size_t limit = text.size - at > LONGEST ? at + LONGEST : text.size;
	for (size_t end = at + 1; end < limit; end++) {
		if (text.data[end] == '\'' && is_any_of(text, skip_blanks(text, end + 1), ",:]}"))
			return end;
	}
	return at;
}

static size_t append_single(struct buffer *out, struct slice text, size_t at)
{
	size_t end = end_of_single(text, at);
	if (end == at) {
		buffer_append_byte(out, '\'');
		return at + 1;
	}
	buffer_append_byte(out, '"');
	for (size_t i = at + 1; i < end; i++) {
		if (text.data[i] == '"')
			buffer_append_byte(out, '\\');
		if (text.data[i] == '\\' && text.data[i + 1] == '\'')
			continue;
		buffer_append_byte(out, text.data[i]);
	}
	buffer_append_byte(out, '"');
	return end + 1;
}

struct slice learn_repaired(struct slice answer, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	char before = 0; /* the last byte that is not white space */
	for (size_t at = 0; at < answer.size;) {
		size_t begin = at;
		char c = answer.data[at];
		if (c == '"') {
			at = end_of_string(answer, at);
			buffer_append(&out, slice_part(answer, begin, at));
		} else if (c == '\'' && before != 0 && strchr("{[,:", before) != NULL) {
			at = append_single(&out, answer, at);
		} else {
			at++;
			if (c != ',' || !is_any_of(answer, skip_blanks(answer, at), "]}"))
				buffer_append_byte(&out, c);
		}
		if (!is_blank(c))
			before = c;
	}
	return arena_take(arena, &out);
}

bool learn_join_lines(struct slice answer, struct slice *document, struct arena *arena)
{
	struct buffer out;
	size_t count = 0;
	size_t at = slice_find(answer, SLICE("{"), 0);
	buffer_init(&out, SIZE_MAX);
	buffer_append_byte(&out, '[');
	while (is_any_of(answer, at, "{") && count < LEARN_MAX_ENTRIES) {
		size_t end = learn_closing_bracket(answer, at);
		if (end == at)
			break;
		buffer_append(&out, count++ == 0 ? SLICE("") : SLICE(","));
		buffer_append(&out, slice_part(answer, at, end));
		at = skip_blanks(answer, end);
		if (is_any_of(answer, at, ","))
			at = skip_blanks(answer, at + 1);
	}
	buffer_append_byte(&out, ']');
	*document = arena_take(arena, &out);
	return count > 1 && !is_any_of(answer, at, "{[");
}
