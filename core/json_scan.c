/* The scanner: json_scan() and json_scan_and_pick(). */
#include "core/json_parts.h"
#include "core/json_plain.h"
#include "core/utf8.h"

#include <string.h>

/* One pass over a document. Instead of recursing it keeps one bit for each open container, so that
 * its own memory does not depend on what it reads. */
struct scanner {
	const char *data;
	size_t size;
	size_t at;
	size_t key_end; /* behind the last key */
	unsigned depth;
	uint64_t is_object[JSON_MAX_DEPTH / 64];
};

/* What the grammar allows next. */
enum expect {
	EXPECT_VALUE,
	EXPECT_KEY,
	EXPECT_FIRST_VALUE, /* or the end of the array */
	EXPECT_FIRST_KEY,   /* or the end of the object */
	EXPECT_AFTER_VALUE, /* a comma or the end of the container; at depth 0, the document's end
			     */
	EXPECT_NOTHING,     /* what came was not allowed */
};

/* False: the document ends there. */
static inline bool skip_space(struct scanner *scanner)
{
	while (scanner->at < scanner->size && json_is_space(scanner->data[scanner->at]))
		scanner->at++;
	return scanner->at < scanner->size;
}

static inline bool take_byte(struct scanner *scanner, char byte)
{
	if (scanner->at == scanner->size || scanner->data[scanner->at] != byte)
		return false;
	scanner->at++;
	return true;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The length of the escape that begins there; 0 when it is none. */
static size_t escape_length(const char *escape, size_t left)
{
	if (left < 2 || escape[1] == '\0')
		return 0;
	if (strchr("\"\\/bfnrt", escape[1]) != NULL)
		return 2;
	bool is_unicode = left >= 6 && escape[1] == 'u' && is_hex(escape[2]) && is_hex(escape[3]) &&
			  is_hex(escape[4]) && is_hex(escape[5]);
	return is_unicode ? 6 : 0;
}

/* Where the run of characters beyond ASCII ends; at a byte that begins none if there is one. */
static size_t wide_end(const char *data, size_t at, size_t size)
{
	while (at < size && (signed char)data[at] < 0) {
		size_t length = utf8_length(data + at, size - at);
		if (length == 0)
			break;
		at += length;
	}
	return at;
}

/* The closing quote of a string, from a byte on that is not plain; `size` when it is no string. By
 * value, as all that is called: so the scanner can stay in registers. */
static size_t closing_quote(const char *data, size_t at, size_t size)
{
	while (at < size && data[at] != '"') {
		at = wide_end(data, at, size);
		if (at == size || (signed char)data[at] < ' ')
			return size;
		if (data[at] == '\\') {
			size_t length = escape_length(data + at, size - at);
			if (length == 0)
				return size;
			at += length;
		}
		at = json_plain_end(data, at, size);
	}
	return at;
}

/* Most strings are one plain run, and then a call costs more. */
static inline bool scan_string(struct scanner *scanner)
{
	if (!take_byte(scanner, '"'))
		return false;
	scanner->at = json_plain_end(scanner->data, scanner->at, scanner->size);
	if (take_byte(scanner, '"'))
		return true;
	scanner->at = closing_quote(scanner->data, scanner->at, scanner->size);
	return take_byte(scanner, '"');
}

static bool scan_digits(struct scanner *scanner)
{
	size_t begin = scanner->at;
	while (scanner->at < scanner->size && scanner->data[scanner->at] >= '0' &&
	       scanner->data[scanner->at] <= '9')
		scanner->at++;
	return scanner->at > begin;
}

static bool scan_number(struct scanner *scanner)
{
	(void)take_byte(scanner, '-');
	if (!take_byte(scanner, '0') && !scan_digits(scanner))
		return false;
	if (take_byte(scanner, '.') && !scan_digits(scanner))
		return false;
	if (take_byte(scanner, 'e') || take_byte(scanner, 'E')) {
		if (!take_byte(scanner, '+'))
			(void)take_byte(scanner, '-');
		return scan_digits(scanner);
	}
	return true;
}

static bool scan_word(struct scanner *scanner, struct slice word)
{
	struct slice rest = {scanner->data + scanner->at, scanner->size - scanner->at};
	if (!slice_starts_with(rest, word))
		return false;
	scanner->at += word.size;
	return true;
}

static enum expect open_container(struct scanner *scanner, bool is_object)
{
	if (scanner->depth == JSON_MAX_DEPTH)
		return EXPECT_NOTHING;
	uint64_t bit = UINT64_C(1) << scanner->depth % 64;
	uint64_t *word = &scanner->is_object[scanner->depth / 64];
	*word = is_object ? *word | bit : *word & ~bit;
	scanner->depth++;
	scanner->at++;
	return is_object ? EXPECT_FIRST_KEY : EXPECT_FIRST_VALUE;
}

static bool in_object(const struct scanner *scanner)
{
	unsigned innermost = scanner->depth - 1;
	return (scanner->is_object[innermost / 64] >> innermost % 64 & 1) != 0;
}

static enum expect scan_value(struct scanner *scanner)
{
	bool valid = false;
	switch (json_type_of(scanner->data[scanner->at])) {
	case JSON_TYPE_OBJECT:
		return open_container(scanner, true);
	case JSON_TYPE_ARRAY:
		return open_container(scanner, false);
	case JSON_TYPE_STRING:
		valid = scan_string(scanner);
		break;
	case JSON_TYPE_NUMBER:
		valid = scan_number(scanner);
		break;
	case JSON_TYPE_TRUE:
		valid = scan_word(scanner, SLICE("true"));
		break;
	case JSON_TYPE_FALSE:
		valid = scan_word(scanner, SLICE("false"));
		break;
	case JSON_TYPE_NULL:
		valid = scan_word(scanner, SLICE("null"));
		break;
	}
	return valid ? EXPECT_AFTER_VALUE : EXPECT_NOTHING;
}

static enum expect scan_key(struct scanner *scanner)
{
	if (!scan_string(scanner))
		return EXPECT_NOTHING;
	scanner->key_end = scanner->at;
	if (!skip_space(scanner) || !take_byte(scanner, ':') || !skip_space(scanner))
		return EXPECT_NOTHING;
	return EXPECT_VALUE;
}

static bool take_closer(struct scanner *scanner)
{
	if (!take_byte(scanner, in_object(scanner) ? '}' : ']'))
		return false;
	scanner->depth--;
	return true;
}

static enum expect scan_step(struct scanner *scanner, enum expect expect)
{
	switch (expect) {
	case EXPECT_FIRST_VALUE:
		if (take_closer(scanner))
			return EXPECT_AFTER_VALUE;
		/* fall through */
	case EXPECT_VALUE:
		return scan_value(scanner);
	case EXPECT_FIRST_KEY:
		if (take_closer(scanner))
			return EXPECT_AFTER_VALUE;
		/* fall through */
	case EXPECT_KEY:
		return scan_key(scanner);
	case EXPECT_AFTER_VALUE:
		if (take_closer(scanner))
			return EXPECT_AFTER_VALUE;
		if (take_byte(scanner, ','))
			return in_object(scanner) ? EXPECT_KEY : EXPECT_VALUE;
		return EXPECT_NOTHING;
	case EXPECT_NOTHING:
		break;
	}
	return EXPECT_NOTHING;
}

/* The outermost object's members, as the scanner comes by them. */
struct outermost {
	struct picking picking;
	struct json_value key;
	size_t begin; /* of the value */
};

/* Behind a step from `from` on, after which the scanner is so deep as the members are. */
static void note_member(struct outermost *outermost, const struct scanner *scanner, size_t from,
			enum expect expect)
{
	struct slice document = {scanner->data, scanner->size};
	if (expect == EXPECT_VALUE) {
		outermost->key = json_value_of(document, from, scanner->key_end);
		outermost->begin = scanner->at;
	} else if (expect == EXPECT_AFTER_VALUE) {
		struct json_value value = json_value_of(document, outermost->begin, scanner->at);
		json_picking_take(&outermost->picking, document, outermost->key, value);
	}
}

static bool scan(struct slice document, struct json_value *value, struct outermost *outermost)
{
	struct scanner scanner = {.data = document.data, .size = document.size};
	if (document.size > UINT32_MAX || !skip_space(&scanner))
		return false;
	size_t begin = scanner.at;
	bool is_object = document.data[begin] == '{';
	enum expect expect = EXPECT_VALUE;
	do {
		if (!skip_space(&scanner))
			return false;
		size_t from = scanner.at;
		expect = scan_step(&scanner, expect);
		if (expect == EXPECT_NOTHING)
			return false;
		if (scanner.depth == 1 && is_object && outermost != NULL)
			note_member(outermost, &scanner, from, expect);
	} while (expect != EXPECT_AFTER_VALUE || scanner.depth > 0);
	*value = json_value_of(document, begin, scanner.at);
	return !skip_space(&scanner);
}

bool json_scan(struct slice document, struct json_value *value)
{
	return scan(document, value, NULL);
}

bool json_scan_and_pick(struct slice document, const char *const *names, size_t count,
			struct json_value *values, unsigned *repeated)
{
	struct outermost outermost = {.picking = json_picking_begin(names, count, values)};
	struct json_value value;
	bool is_valid = scan(document, &value, &outermost);
	*repeated = outermost.picking.repeated;
	return is_valid;
}
