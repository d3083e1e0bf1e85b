#include "storage/record/postings.h"

static void put_number(struct buffer *out, uint32_t value)
{
	for (; value >= 0x80; value >>= 7)
		(void)buffer_append_byte(out, (char)(unsigned char)(0x80 | (value & 0x7f)));
	(void)buffer_append_byte(out, (char)(unsigned char)value);
}

void postings_write(struct buffer *out, const struct recall_posting *postings, size_t count)
{
	uint32_t next = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t gap = postings[i].document - next;
		bool often = postings[i].count > 1;
		put_number(out, gap << 1 | often);
		if (often)
			put_number(out, postings[i].count);
		next = postings[i].document + 1;
	}
}

/* A truncated number reads as the part that is there; bits beyond the 32nd are lost. */
static inline uint32_t take_number(const unsigned char **at, const unsigned char *end)
{
	uint32_t value = 0;
	/* Most numbers take one byte. */
	if (*at < end && **at < 0x80)
		return *(*at)++;
	for (unsigned shift = 0; *at < end; shift += 7) {
		uint32_t byte = *(*at)++;
		if (shift < 32)
			value |= (byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	return value;
}

size_t postings_read(struct slice value, uint32_t first, uint32_t end,
		     struct recall_posting *postings)
{
	const unsigned char *at = (const unsigned char *)value.data;
	size_t count = 0;
	if (value.size == 0)
		return 0;
	const unsigned char *value_end = at + value.size;
	for (uint32_t place = 0; at < value_end; place++) {
		uint32_t number = take_number(&at, value_end);
		uint32_t times = (number & 1) != 0 ? take_number(&at, value_end) : 1;
		/* damaged data must not lead outside the span */
		if (number >> 1 >= POSTINGS_SPAN - place)
			break;
		place += number >> 1;
		postings[count] = (struct recall_posting){first + place, times};
		count += first + place < end;
	}
	return count;
}
