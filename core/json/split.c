#include "core/json/split.h"

#include "core/base/find_either.h"
#include "core/json/parts.h"

enum { KEPT = 1 << 20 }; /* bytes of room that are not given back after a value */

enum expects { VALUE, VALUE_OR_END, KEY, KEY_OR_END, COLON, COMMA_OR_END };

void json_split_init(struct json_split *split, size_t limit)
{
	*split = (struct json_split){.limit = limit};
	buffer_init(&split->held, SIZE_MAX);
}

void json_split_finish(struct json_split *split)
{
	buffer_finish(&split->held);
}

void json_split_feed(struct json_split *split, struct slice piece)
{
	split->piece = piece;
	split->at = split->begin = 0;
}

bool json_split_may_end(const struct json_split *split)
{
	return split->level == 0 && split->outermost > 0 && split->depth == 0 && !split->in_string;
}

/* ---- one value ---- */

/* Passes over a string's bytes. True: the string has ended. */
static bool pass_string(struct json_split *split)
{
	const struct slice piece = split->piece;
	while (split->at < piece.size) {
		if (split->is_escaped) {
			split->is_escaped = false;
			split->at++;
			continue;
		}
		split->at = find_either(piece.data, split->at, piece.size, '"', '\\');
		if (split->at == piece.size)
			break;
		split->is_escaped = piece.data[split->at] == '\\';
		split->in_string = split->is_escaped;
		split->at++;
		if (!split->in_string)
			return true;
	}
	return false;
}

/* Takes one byte outside of strings. True: the value has ended, with it or before it. */
static bool pass_byte(struct json_split *split, char byte)
{
	const bool is_end = byte == '}' || byte == ']';
	if (split->depth == 0 && (is_end || byte == ',' || byte_is_blank(byte)))
		return true; /* behind a number or a word */
	split->at++;
	split->in_string = byte == '"';
	split->depth += byte == '{' || byte == '[';
	split->depth -= is_end;
	return is_end && split->depth == 0;
}

static bool pass_value(struct json_split *split)
{
	while (split->at < split->piece.size) {
		if (!split->in_string) {
			if (pass_byte(split, split->piece.data[split->at]))
				return true;
		} else if (pass_string(split) && split->depth == 0) {
			return true;
		}
	}
	return false;
}

static void drop_held(struct json_split *split)
{
	buffer_finish(&split->held);
	buffer_init(&split->held, SIZE_MAX);
}

static size_t limit_of(const struct json_split *split)
{
	return split->is_key ? JSON_SPLIT_NAME + sizeof("\"\"") : split->limit;
}

/* Keeps what the piece has of the value. */
static void hold(struct json_split *split)
{
	const struct slice rest = slice_part(split->piece, split->begin, split->at);
	split->is_long |= rest.size > limit_of(split) - split->held.size;
	if (split->is_long)
		drop_held(split);
	else
		(void)buffer_append(&split->held, rest);
	split->begin = split->at;
}

/* The whole value; `is_long` tells that there is none. */
static struct slice value_of(struct json_split *split)
{
	const struct slice here = slice_part(split->piece, split->begin, split->at);
	if (split->held.size == 0 && !split->is_long) {
		split->is_long = here.size > limit_of(split);
		return split->is_long ? (struct slice){0} : here;
	}
	hold(split);
	return split->is_long ? (struct slice){0} : buffer_slice(&split->held);
}

static void begin_value(struct json_split *split, bool is_key)
{
	if (split->held.capacity > KEPT)
		drop_held(split);
	buffer_clear(&split->held);
	split->in_value = true;
	split->is_key = is_key;
	split->is_long = false;
	split->begin = split->at;
}

/* ---- what values stand in ---- */

static void enter(struct json_split *split, bool is_object)
{
	split->in_object[split->level] = is_object;
	split->names[split->level][0] = '\0';
	split->level++;
	split->expects = is_object ? KEY_OR_END : VALUE_OR_END;
	split->at++;
}

static void leave_value(struct json_split *split)
{
	split->outermost += split->level == 0;
	split->expects = split->level == 0 ? VALUE : COMMA_OR_END;
}

static struct slice list_of(const struct json_split *split)
{
	return slice_of(split->level > 0 && split->in_object[0] ? split->names[0] : "");
}

/* Whether the value that begins here is no part, but holds parts. */
static bool is_entered(const struct json_split *split, char first)
{
	const unsigned level = split->level;
	const char *name = level > 0 ? split->names[level - 1] : "";
	if (level == 0)
		return !split->is_lines && (first == '{' || first == '[');
	if (split->in_object[0] && level == 1)
		return first == '[';
	if (split->open == NULL || !split->in_object[0] ||
	    strcmp(split->names[0], split->open) != 0)
		return false;
	return (level == 2 && first == '{') ||
	       (level == 3 && first == '[' && strcmp(name, split->inner) == 0);
}

static enum json_part_kind kind_of(const struct json_split *split)
{
	if (split->level == 1 && split->in_object[0])
		return JSON_PART_MEMBER;
	if (split->level < 3)
		return JSON_PART_ELEMENT;
	return split->level == 3 ? JSON_PART_INNER_MEMBER : JSON_PART_INNER_ELEMENT;
}

/* True: there is a part that tells of it. */
static bool enter_value(struct json_split *split, char first, struct json_part *part)
{
	const bool is_told = (first == '[' && split->level < 2) || split->level == 2;
	*part = (struct json_part){.kind = first == '[' ? JSON_PART_LIST : JSON_PART_OPENED,
				   .list = list_of(split)};
	enter(split, first == '{');
	return is_told;
}

/* A name that is empty or too long is no other part's: the outermost array has the empty one. */
static void take_key(struct json_split *split)
{
	char *name = split->names[split->level - 1];
	const struct slice key = value_of(split);
	const size_t size = split->is_long ? 0 : key.size - 2;
	name[0] = '"';
	name[1] = '\0';
	if (size > 0 && size <= JSON_SPLIT_NAME) {
		memcpy(name, key.data + 1, size);
		name[size] = '\0';
	}
	split->expects = COLON;
}

static void take_part(struct json_split *split, struct json_part *part)
{
	const unsigned level = split->level;
	*part = (struct json_part){.kind = kind_of(split),
				   .list = list_of(split),
				   .name = slice_of(level == 3 ? split->names[2] : ""),
				   .text = value_of(split)};
	part->is_too_long = split->is_long;
	leave_value(split);
}

/* The brackets, commas and colons between values. False: it is none that may stand here. */
static bool take_mark(struct json_split *split, char byte)
{
	const bool in_object = split->level > 0 && split->in_object[split->level - 1];
	const bool may_end = split->level > 0 &&
			     (split->expects == COMMA_OR_END || split->expects == KEY_OR_END ||
			      split->expects == VALUE_OR_END);
	split->at++;
	if (byte == (in_object ? '}' : ']') && may_end) {
		split->level--;
		leave_value(split);
		return true;
	}
	if (byte == ':' && split->expects == COLON)
		split->expects = VALUE;
	else if (byte == ',' && split->expects == COMMA_OR_END)
		split->expects = in_object ? KEY : VALUE;
	else
		return false;
	return true;
}

static bool is_mark(char byte)
{
	return byte == '}' || byte == ']' || byte == ',' || byte == ':';
}

/* Begins at a byte that is no white space. */
static bool begin(struct json_split *split, char first)
{
	const bool is_key = split->expects == KEY || split->expects == KEY_OR_END;
	const bool is_value = split->expects == VALUE || split->expects == VALUE_OR_END;
	const bool is_line = split->is_lines ? first == '{' : split->outermost == 0;
	if ((split->level == 0 && !is_line) || !(is_key ? first == '"' : is_value))
		return false;
	begin_value(split, is_key);
	return true;
}

enum json_split_found json_split_next(struct json_split *split, struct json_part *part)
{
	while (split->at < split->piece.size) {
		const char byte = split->piece.data[split->at];
		if (split->in_value) {
			if (!pass_value(split))
				break;
			split->in_value = false;
			if (split->is_key) {
				take_key(split);
				continue;
			}
			take_part(split, part);
			return JSON_SPLIT_PART;
		}
		if (byte_is_blank(byte)) {
			split->at++;
		} else if (is_mark(byte)) {
			if (!take_mark(split, byte))
				return JSON_SPLIT_BROKEN;
		} else if (!begin(split, byte)) {
			return JSON_SPLIT_BROKEN;
		} else if (!split->is_key && is_entered(split, byte)) {
			split->in_value = false;
			if (enter_value(split, byte, part))
				return JSON_SPLIT_PART;
		}
	}
	if (split->in_value)
		hold(split);
	return JSON_SPLIT_MORE;
}
