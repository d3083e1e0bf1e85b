#include "storage/log/event.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#include <endian.h>
#include <stdlib.h>
#include <zlib.h>

static const struct event_head head = {
	.user = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
	.sequence = 300,
	.flags = EVENT_HIDES | EVENT_ERASES,
};

/* The event of the tests: a record put, one deleted, and one put without key and value. */
static struct slice write_example(struct buffer *out)
{
	size_t start = event_begin(out, &head);
	event_put(out, 3, SLICE("key"), SLICE("a value"));
	event_delete(out, 127, SLICE("gone"));
	event_put(out, 0, SLICE(""), SLICE(""));
	return event_end(out, start);
}

/* Makes the checksum right, so that only what it covers is wrong. */
static void check_again(struct slice event)
{
	uint32_t check = htole32(
		(uint32_t)crc32_z(0, (const unsigned char *)event.data + 4, event.size - 4));
	memcpy((char *)(uintptr_t)event.data, &check, sizeof(check));
}

static bool reads(struct slice event)
{
	struct event_reader reader;
	return event_read(&reader, event);
}

START_TEST(an_event_reads_as_it_was_written)
{
	struct buffer out;
	struct event_reader reader;
	struct event_change change;
	buffer_init(&out, SIZE_MAX);
	buffer_append(&out, SLICE("what was there"));
	ck_assert(event_read(&reader, write_example(&out)));
	ck_assert_mem_eq(&reader.head.user, &head.user, sizeof(head.user));
	ck_assert_uint_eq(reader.head.sequence, 300);
	ck_assert_uint_eq(reader.head.flags, EVENT_HIDES | EVENT_ERASES);
	ck_assert(event_next(&reader, &change));
	ck_assert(change.table == 3 && !change.deleted);
	unit_assert_slice(change.key, "key");
	unit_assert_slice(change.value, "a value");
	ck_assert(event_next(&reader, &change));
	ck_assert(change.table == 127 && change.deleted && change.value.size == 0);
	unit_assert_slice(change.key, "gone");
	ck_assert(event_next(&reader, &change));
	ck_assert(change.table == 0 && !change.deleted && change.key.size == 0);
	ck_assert(!event_next(&reader, &change));
	buffer_finish(&out);
}
END_TEST

START_TEST(large_values_and_sequences_read_as_written)
{
	static char value[100000];
	struct event_head high = {.sequence = UINT64_MAX};
	struct buffer out;
	struct event_reader reader;
	struct event_change change;
	memset(value, 'v', sizeof(value));
	buffer_init(&out, SIZE_MAX);
	size_t start = event_begin(&out, &high);
	event_put(&out, 1, (struct slice){value, EVENT_KEY_MAX},
		  (struct slice){value, sizeof(value)});
	ck_assert(event_read(&reader, event_end(&out, start)));
	ck_assert_uint_eq(reader.head.sequence, UINT64_MAX);
	ck_assert(event_next(&reader, &change));
	ck_assert_uint_eq(change.key.size, EVENT_KEY_MAX);
	ck_assert_uint_eq(change.value.size, sizeof(value));
	buffer_finish(&out);
}
END_TEST

START_TEST(an_event_beyond_the_limit_is_none)
{
	for (size_t limit = 0; limit < 40; limit++) {
		struct buffer out;
		buffer_init(&out, limit);
		struct slice event = write_example(&out);
		ck_assert(out.overflowed);
		ck_assert_uint_eq(event.size, 0);
		ck_assert(!reads(event));
		buffer_finish(&out);
	}
}
END_TEST

START_TEST(each_changed_bit_is_found)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	struct slice event = write_example(&out);
	ck_assert(reads(event));
	for (size_t bit = 0; bit < event.size * 8; bit++) {
		out.data[bit / 8] = (char)(out.data[bit / 8] ^ (1 << bit % 8));
		ck_assert(!reads(event));
		out.data[bit / 8] = (char)(out.data[bit / 8] ^ (1 << bit % 8));
	}
	buffer_finish(&out);
}
END_TEST

START_TEST(an_event_cut_short_is_refused_unless_between_changes)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	struct slice event = write_example(&out);
	/* where the head ends and after each change */
	const size_t ends[] = {24, 37, 43, 46};
	for (size_t size = 4, next = 0; size <= event.size; size++) {
		struct slice cut = {out.data, size};
		check_again(cut);
		bool is_end = size == ends[next];
		ck_assert_msg(reads(cut) == is_end, "%zu bytes", size);
		next += is_end ? 1 : 0;
	}
	for (size_t size = 0; size < 4; size++)
		ck_assert(!reads((struct slice){out.data, size}));
	ck_assert_uint_eq(event.size, ends[3]);
	buffer_finish(&out);
}
END_TEST

START_TEST(another_format_a_long_key_and_an_endless_number_are_refused)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	struct slice event = write_example(&out);
	const struct {
		size_t at;
		const char *bytes;
	} bad[] = {
		{4, "\x02"},                                      /* the format */
		{25, "\x41"},                                     /* a key's size */
		{22, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}, /* the sequence */
		{22, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char kept[64];
		memcpy(kept, event.data, event.size);
		memcpy(out.data + bad[i].at, bad[i].bytes, strlen(bad[i].bytes));
		check_again(event);
		ck_assert(!reads(event));
		memcpy(out.data, kept, event.size);
	}
	ck_assert(reads(event));
	buffer_finish(&out);
}
END_TEST

START_TEST(random_bytes_with_a_right_checksum_never_pass_the_end)
{
	struct random random = {11};
	for (int run = 0; run < 20000; run++) {
		struct event_reader reader;
		struct event_change change;
		size_t size = 5 + random_below(&random, 80);
		/* memory of its own ends where the event does */
		char *bytes = xmalloc(size);
		for (size_t i = 0; i < size; i++)
			bytes[i] =
				(char)(unsigned char)random_below(&random, run % 2 == 0 ? 256 : 8);
		bytes[4] = EVENT_FORMAT;
		struct slice event = {bytes, size};
		check_again(event);
		if (event_read(&reader, event)) {
			size_t end = size - reader.rest.size;
			for (; event_next(&reader, &change); end = size - reader.rest.size)
				ck_assert_uint_ge(size - reader.rest.size, end + 2);
			ck_assert_uint_eq(reader.rest.size, 0);
		}
		free(bytes);
	}
}
END_TEST

UNIT_MAIN("event", an_event_reads_as_it_was_written, large_values_and_sequences_read_as_written,
	  an_event_beyond_the_limit_is_none, each_changed_bit_is_found,
	  an_event_cut_short_is_refused_unless_between_changes,
	  another_format_a_long_key_and_an_endless_number_are_refused,
	  random_bytes_with_a_right_checksum_never_pass_the_end)
