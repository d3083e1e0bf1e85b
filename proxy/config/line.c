/* Lines of the configuration file: comments, quotes and ${NAME}. */
#include "proxy/config/reader.h"

#include "core/text/text.h"

#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct slice config_without_comment(struct slice line)
{
	for (size_t i = 0; i < line.size; i++) {
		bool mark = line.data[i] == ';' || line.data[i] == '#';
		if (mark && (i == 0 || is_blank(line.data[i - 1])))
			return slice_part(line, 0, i);
	}
	return line;
}

bool config_check_line(struct slice line, struct buffer *why)
{
	if (line.size > CONFIG_MAX_LINE) {
		buffer_append(why, SLICE("the line is longer than 64K; shorten it"));
		return false;
	}
	if (!text_is_utf8(line)) {
		buffer_append(why, SLICE("the line is not UTF-8; save the file in that encoding"));
		return false;
	}
	for (size_t i = 0; i < line.size; i++) {
		unsigned char byte = (unsigned char)line.data[i];
		if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
			buffer_printf(why, "the line holds a %s; remove it",
				      byte == 0 ? "NUL byte" : "control character");
			return false;
		}
	}
	return true;
}

static bool read_quoted(struct slice text, struct slice *value, struct buffer *why)
{
	size_t end = slice_find(text, SLICE("\""), 1);
	if (end == text.size) {
		buffer_append(why, SLICE("has no closing quote; put one after the value"));
		return false;
	}
	struct slice rest = slice_trim(slice_part(text, end + 1, text.size));
	if (config_without_comment(rest).size > 0) {
		buffer_append(why, SLICE("continues after its closing quote; put the whole value "
					 "inside the quotes"));
		return false;
	}
	*value = slice_part(text, 1, end);
	return true;
}

bool config_read_value(struct slice text, struct slice *value, struct buffer *why)
{
	struct slice trimmed = slice_trim(text);
	if (trimmed.size > 0 && trimmed.data[0] == '"')
		return read_quoted(trimmed, value, why);
	*value = slice_trim(config_without_comment(text));
	return true;
}

static bool is_variable_name(struct slice name)
{
	for (size_t i = 0; i < name.size; i++) {
		char c = name.data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return name.size > 0 && name.size < 256;
}

/* Replaces the ${NAME} at the start of `text` and advances `text` past it. */
static bool expand_one(struct slice *text, struct buffer *out, struct buffer *why)
{
	size_t end = slice_find(*text, SLICE("}"), 0);
	struct slice name = slice_part(*text, 2, end == text->size ? 2 : end);
	if (!is_variable_name(name)) {
		buffer_append(why, SLICE("has a ${ without a variable name and a }; write ${NAME}, "
					 "or $${ for a literal ${"));
		return false;
	}
	char terminated[256];
	memcpy(terminated, name.data, name.size);
	terminated[name.size] = '\0';
	const char *content = getenv(terminated);
	if (content == NULL) {
		buffer_printf(why,
			      "needs the environment variable %s, which is not set; set it, or "
			      "write $${ for a literal ${",
			      terminated);
		return false;
	}
	buffer_append(out, slice_of(content));
	*text = slice_part(*text, end + 1, text->size);
	return true;
}

bool config_expand(struct slice text, struct buffer *out, struct buffer *why)
{
	while (text.size > 0) {
		if (slice_starts_with(text, SLICE("$${"))) {
			buffer_append(out, SLICE("${"));
			text = slice_part(text, 3, text.size);
		} else if (slice_starts_with(text, SLICE("${"))) {
			if (!expand_one(&text, out, why))
				return false;
		} else {
			buffer_append_byte(out, text.data[0]);
			text = slice_part(text, 1, text.size);
		}
	}
	if (!out->overflowed && text_is_utf8(buffer_slice(out)))
		return true;
	buffer_printf(why, "is %s; shorten or fix the value that it takes from the environment",
		      out->overflowed ? "longer than 64K" : "not UTF-8");
	return false;
}
