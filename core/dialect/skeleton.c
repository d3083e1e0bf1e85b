#include "core/dialect/skeleton.h"

#include "core/base/utf8.h"

enum { UNICODE_DIGITS = 4 }; /* behind the \u of an escape */

void skeleton_init(struct skeleton *skeleton, size_t limit)
{
	*skeleton = (struct skeleton){0};
	buffer_init(&skeleton->out, limit);
}

void skeleton_finish(struct skeleton *skeleton)
{
	buffer_finish(&skeleton->out);
}

void skeleton_clear(struct skeleton *skeleton)
{
	struct buffer out = skeleton->out;
	buffer_clear(&out);
	*skeleton = (struct skeleton){.out = out};
}

static void put(struct skeleton *skeleton, char byte)
{
	if (!skeleton->out.overflowed)
		(void)buffer_append_byte(&skeleton->out, byte);
}

/* A long string ends where no character and no escape is cut. */
static void take_in_string(struct skeleton *skeleton, char byte)
{
	bool is_between = skeleton->escape_left == 0;
	bool ends = is_between && byte == '"';
	if (is_between && !ends && skeleton->string_size >= SKELETON_STRING && !utf8_is_tail(byte))
		skeleton->skips = true;
	if (is_between)
		skeleton->escape_left = byte == '\\' ? 1 : 0;
	else if (skeleton->begins_escape && byte == 'u')
		skeleton->escape_left = UNICODE_DIGITS;
	else
		skeleton->escape_left--;
	skeleton->begins_escape = is_between && byte == '\\';
	skeleton->in_string = !ends;
	skeleton->string_size++;
	if (skeleton->depth <= 1 && (ends || !skeleton->skips))
		put(skeleton, byte);
	skeleton->skips &= !ends;
}

static void take_outside(struct skeleton *skeleton, char byte)
{
	bool closes = byte == '}' || byte == ']';
	bool opens = byte == '{' || byte == '[';
	skeleton->depth -= closes && skeleton->depth > 0;
	/* A member's own brackets are its whole. */
	if (skeleton->depth <= 1)
		put(skeleton, byte);
	skeleton->depth += opens;
	skeleton->in_string = byte == '"';
	skeleton->string_size = 0;
}

void skeleton_feed(struct skeleton *skeleton, struct slice bytes)
{
	for (size_t i = 0; i < bytes.size; i++) {
		if (skeleton->in_string)
			take_in_string(skeleton, bytes.data[i]);
		else
			take_outside(skeleton, bytes.data[i]);
	}
}
