#include "storage/dump/form.h"
#include "storage/record/key.h"
#include "storage/record/stored.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sample {
	uint64_t number;
	int64_t time;
	uint64_t hash;
	double real;
	bool flag;
	struct slice text;
};

static void sample_fields(struct record *record, void *noun)
{
	struct sample *sample = noun;
	sample->number = record_number(record, sample->number, UINT64_MAX);
	sample->time = record_time(record, sample->time);
	sample->hash = record_hash(record, sample->hash);
	sample->real = record_real(record, sample->real);
	sample->flag = record_flag(record, sample->flag);
	sample->text = record_slice(record, sample->text);
}

static void small_fields(struct record *record, void *noun)
{
	uint64_t *number = noun;
	*number = record_number(record, *number, 3);
}

START_TEST(what_is_written_reads_the_same)
{
	const struct sample samples[] = {
		{0, 0, 0, 0, false, {0}},
		{UINT64_MAX, INT64_MIN, UINT64_MAX, -1.5, true, SLICE("text")},
		{127, -1, 1, 0.7, true, SLICE("\0\xff")},
		{128, INT64_MAX, 1, 1e300, false, SLICE("x")},
	};
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct buffer buffer;
		struct arena arena = {0};
		struct sample in = samples[i];
		struct sample out = {0};
		buffer_init(&buffer, 1000);
		ck_assert(record_write(&buffer, sample_fields, &in));
		ck_assert(record_read(buffer_slice(&buffer), sample_fields, &out, &arena));
		ck_assert_uint_eq(out.number, samples[i].number);
		ck_assert_int_eq(out.time, samples[i].time);
		ck_assert_uint_eq(out.hash, samples[i].hash);
		ck_assert(out.real == samples[i].real);
		ck_assert(out.flag == samples[i].flag);
		ck_assert(slice_equal(out.text, samples[i].text));
		buffer_finish(&buffer);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(a_record_cut_off_anywhere_or_too_long_is_unreadable)
{
	struct buffer buffer;
	struct sample in = {300, -300, 5, 0.5, true, SLICE("some text")};
	struct sample out;
	buffer_init(&buffer, 1000);
	ck_assert(record_write(&buffer, sample_fields, &in));
	for (size_t size = 0; size < buffer.size; size++) {
		/* On the heap to its last byte, so that a sanitizer sees an overrun. */
		char *copy = xmalloc(size);
		memcpy(copy, buffer.data, size);
		ck_assert(!record_read((struct slice){copy, size}, sample_fields, &out, NULL));
		free(copy);
	}
	ck_assert(buffer_append_byte(&buffer, 0));
	ck_assert(!record_read(buffer_slice(&buffer), sample_fields, &out, NULL));
	buffer_finish(&buffer);
}
END_TEST

START_TEST(another_version_or_a_value_out_of_range_is_unreadable)
{
	uint64_t number;
	ck_assert(record_read(SLICE("\1\3"), small_fields, &number, NULL));
	ck_assert(!record_read(SLICE("\2\3"), small_fields, &number, NULL));
	ck_assert(!record_read(SLICE("\1\4"), small_fields, &number, NULL));
	/* A number with more than 64 bits, and one that never ends. */
	struct slice ten = SLICE("\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
	struct slice endless = SLICE("\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
	ck_assert(!record_read(ten, stored_number_fields, &number, NULL));
	ck_assert(!record_read(endless, stored_number_fields, &number, NULL));
}
END_TEST

START_TEST(a_record_beyond_the_limit_is_not_written)
{
	struct buffer buffer;
	struct sample in = {.text = SLICE("longer than ten bytes")};
	buffer_init(&buffer, 10);
	ck_assert(!record_write(&buffer, sample_fields, &in));
	buffer_finish(&buffer);
}
END_TEST

static const struct {
	record_fields *fields;
	size_t size;
} nouns[] = {
	{stored_user_fields, sizeof(struct stored_user)},
	{stored_turn_fields, sizeof(struct stored_turn)},
	{stored_exchange_fields, sizeof(struct stored_exchange)},
	{stored_conversation_fields, sizeof(struct past_conversation)},
	{stored_answer_fields, sizeof(struct stored_answer)},
	{stored_receipt_fields, sizeof(struct stored_receipt)},
	{stored_frozen_fields, sizeof(struct frozen)},
	{stored_replay_fields, sizeof(struct replay)},
	{stored_fact_fields, sizeof(struct fact)},
	{stored_summary_fields, sizeof(struct summary)},
	{stored_job_fields, sizeof(struct job)},
};

START_TEST(no_bytes_make_a_noun_overrun)
{
	unsigned seed = 1;
	for (int round = 0; round < 200000; round++) {
		size_t size = (size_t)rand_r(&seed) % 60 + 1;
		char *bytes = xmalloc(size);
		bytes[0] = 1;
		/* Small bytes are lengths and flags that make sense now and then. */
		for (size_t i = 1; i < size; i++)
			bytes[i] = (char)(rand_r(&seed) % (rand_r(&seed) % 2 == 0 ? 4 : 256));
		size_t which = (size_t)round % (sizeof(nouns) / sizeof(nouns[0]));
		void *noun = xcalloc(1, nouns[which].size);
		struct arena arena = {0};
		(void)record_read((struct slice){bytes, size}, nouns[which].fields, noun, &arena);
		arena_finish(&arena);
		free(noun);
		free(bytes);
	}
}
END_TEST

/* Each kind of detail alone, after others, and none. */
START_TEST(a_facts_details_are_there_if_they_or_later_ones_are)
{
	const struct fact plain = {.entity = SLICE("user"), .state = FACT_RETRACTED};
	struct fact facts[5] = {plain, plain, plain, plain, plain};
	facts[1].keywords = SLICE("home");
	facts[2].classes = 5;
	facts[3].app = SLICE("mail");
	facts[4].keywords = SLICE("home");
	facts[4].agent = SLICE("planner");
	facts[4].metadata = SLICE("{\"a\":[1]}");
	for (size_t i = 0; i < 5; i++) {
		struct buffer buffer;
		struct fact out = {0};
		buffer_init(&buffer, 1000);
		ck_assert(record_write(&buffer, stored_fact_fields, &facts[i]));
		ck_assert_uint_eq(stored_fact_state(buffer_slice(&buffer)), FACT_RETRACTED);
		ck_assert(record_read(buffer_slice(&buffer), stored_fact_fields, &out, NULL));
		ck_assert(slice_equal(out.keywords, facts[i].keywords));
		ck_assert_uint_eq(out.classes, facts[i].classes);
		ck_assert(slice_equal(out.agent, facts[i].agent));
		ck_assert(slice_equal(out.app, facts[i].app));
		ck_assert(slice_equal(out.metadata, facts[i].metadata));
		ck_assert_int_eq(out.state, FACT_RETRACTED);
		buffer_finish(&buffer);
	}
}
END_TEST

START_TEST(the_order_of_keys_is_the_order_of_numbers)
{
	struct key empty = key_empty();
	const uint64_t numbers[] = {0, 1, 255, 256, UINT32_MAX, UINT64_MAX};
	const int64_t times[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
	for (size_t i = 1; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		ck_assert_int_lt(memcmp(key_u64(empty, numbers[i - 1]).bytes,
					key_u64(empty, numbers[i]).bytes, 8),
				 0);
	for (size_t i = 1; i < sizeof(times) / sizeof(times[0]); i++)
		ck_assert_int_lt(memcmp(key_time(empty, times[i - 1]).bytes,
					key_time(empty, times[i]).bytes, 8),
				 0);
	struct key key = key_u64(key_u32(empty, 7), 9);
	struct slice bytes = {(const char *)key.bytes, key.size};
	ck_assert_uint_eq(key_read_u32(bytes, 0), 7);
	ck_assert_uint_eq(key_read_u64(bytes, 4), 9);
	ck_assert_uint_eq(key_read_u64(bytes, 5), 0);
}
END_TEST

START_TEST(users_of_two_tenants_never_share_a_key)
{
	struct user_key a = store_user_key(SLICE("ab"), SLICE("c"));
	struct user_key b = store_user_key(SLICE("a"), SLICE("bc"));
	ck_assert_int_ne(memcmp(&a, &b, sizeof(a)), 0);
}
END_TEST

static bool is_noun_dumped(enum table of, struct key key, void *noun)
{
	const struct dump_table *table = dump_tables;
	struct buffer record;
	struct buffer line;
	while (table->table != of)
		table++;
	buffer_init(&record, 1000);
	buffer_init(&line, 1000);
	ck_assert(record_write(&record, table->fields, noun));
	bool dumped = dump_write(&line, table, (struct slice){(const char *)key.bytes, key.size},
				 buffer_slice(&record));
	buffer_finish(&record);
	buffer_finish(&line);
	return dumped;
}

static bool is_dumped(struct key key, struct fact fact)
{
	return is_noun_dumped(TABLE_FACTS, key, &fact);
}

static bool is_link_dumped(struct key key, uint64_t turn)
{
	struct chain_link link = {.turns = &turn, .turn_count = 1};
	return is_noun_dumped(TABLE_LINKS, key, &link);
}

START_TEST(an_export_has_no_number_that_its_reader_would_refuse)
{
	const struct user_key user = {{1}};
	struct key key = key_u64(key_of_user(user), INT64_MAX);
	struct key high = key_u64(key_of_user(user), (uint64_t)INT64_MAX + 1);
	ck_assert(is_dumped(key, (struct fact){.confidence = 0.5, .exchange = INT64_MAX}));
	ck_assert(!is_dumped(key, (struct fact){.confidence = (double)NAN}));
	ck_assert(!is_dumped(key, (struct fact){.confidence = (double)INFINITY}));
	ck_assert(!is_dumped(key, (struct fact){.exchange = (uint64_t)INT64_MAX + 1}));
	ck_assert(!is_dumped(high, (struct fact){.confidence = 0.5}));
	ck_assert(is_link_dumped(key_u64(high, 1), INT64_MAX));
	ck_assert(!is_link_dumped(key_u64(high, 1), (uint64_t)INT64_MAX + 1));
	ck_assert(!is_link_dumped(high, 1));
}
END_TEST

UNIT_MAIN("record", an_export_has_no_number_that_its_reader_would_refuse,
	  what_is_written_reads_the_same, a_record_cut_off_anywhere_or_too_long_is_unreadable,
	  another_version_or_a_value_out_of_range_is_unreadable,
	  a_record_beyond_the_limit_is_not_written, no_bytes_make_a_noun_overrun,
	  a_facts_details_are_there_if_they_or_later_ones_are,
	  the_order_of_keys_is_the_order_of_numbers, users_of_two_tenants_never_share_a_key)
