/* Records and posting lists from a damaged disk: reading passes no end, and what could be read is
 * written and read again as the same. The input's first byte picks the noun, the rest is the
 * stored value. */
#include "storage/index/index.h"
#include "storage/record/stored.h"
#include "tests/fuzz/fuzz.h"

enum { RECORD_LIMIT = 1024 * 1024, NOUN_SIZE = 512 };

static const struct noun {
	record_fields *fields;
	bool has_lists; /* which are passed over without an arena */
} nouns[] = {
	{stored_user_fields, false},      {stored_turn_fields, false},
	{stored_exchange_fields, false},  {stored_conversation_fields, false},
	{stored_answer_fields, false},    {stored_receipt_fields, true},
	{stored_frozen_fields, true},     {stored_replay_fields, true},
	{stored_fact_fields, false},      {stored_summary_fields, false},
	{stored_job_fields, false},       {stored_number_fields, false},
	{stored_embedding_fields, false}, {stored_link_fields, true},
};
enum { NOUNS = sizeof(nouns) / sizeof(nouns[0]) };

union place {
	max_align_t alignment;
	char bytes[NOUN_SIZE];
};

/* Reads it, and writes it again. */
static bool rewrite(struct slice value, const struct noun *noun, struct buffer *out,
		    struct arena *arena)
{
	union place place = {.bytes = {0}};
	if (!record_read(value, noun->fields, &place, arena))
		return false;
	FUZZ_ASSERT(record_write(out, noun->fields, &place));
	return true;
}

/* A number may be stored with more bytes than it takes, and an old record lacks what came later:
 * then the second writing differs from what was stored, and the third from the second never. */
static void check_record(struct slice value, const struct noun *noun)
{
	struct arena arena = {0};
	struct buffer second, third;
	buffer_init(&second, RECORD_LIMIT);
	buffer_init(&third, RECORD_LIMIT);
	if (rewrite(value, noun, &second, &arena)) {
		FUZZ_ASSERT(rewrite(buffer_slice(&second), noun, &third, &arena));
		FUZZ_ASSERT(slice_equal(buffer_slice(&second), buffer_slice(&third)));
		/* Cut off, it is unreadable. */
		buffer_clear(&third);
		struct slice cut = slice_part(buffer_slice(&second), 0, second.size - 1);
		bool goes_on =
			noun->fields == stored_user_fields || noun->fields == stored_turn_fields ||
			noun->fields == stored_link_fields ||
			noun->fields == stored_exchange_fields ||
			noun->fields == stored_conversation_fields ||
			noun->fields == stored_frozen_fields || noun->fields == stored_job_fields ||
			noun->fields == stored_fact_fields;
		FUZZ_ASSERT(goes_on || !rewrite(cut, noun, &third, &arena));
	}
	buffer_clear(&third);
	(void)rewrite(value, noun, &third, NULL);
	FUZZ_ASSERT(noun->has_lists || slice_equal(buffer_slice(&second), buffer_slice(&third)));
	buffer_finish(&second);
	buffer_finish(&third);
	arena_finish(&arena);
}

/* Also with a span that ends early, and one whose first place lies before the first document. */
static void check_postings(struct slice value, uint32_t first, uint32_t documents)
{
	uint32_t end = first + documents;
	struct recall_posting *read = xcalloc(documents + 1, sizeof(*read));
	struct recall_posting *again = xcalloc(documents + 1, sizeof(*again));
	struct buffer out;
	buffer_init(&out, RECORD_LIMIT);
	size_t count = postings_read(value, first, end, read);
	FUZZ_ASSERT(count <= documents);
	for (size_t i = 0; i < count; i++) {
		read[i].document -= first;
		FUZZ_ASSERT(read[i].document < documents);
		FUZZ_ASSERT(i == 0 || read[i - 1].document < read[i].document);
	}
	postings_write(&out, read, count);
	FUZZ_ASSERT(postings_read(buffer_slice(&out), 0, documents, again) == count);
	for (size_t i = 0; i < count; i++) {
		FUZZ_ASSERT(again[i].document == read[i].document);
		FUZZ_ASSERT(again[i].count == read[i].count || read[i].count == 0);
	}
	buffer_finish(&out);
	free(read);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct slice bytes = {(const char *)data + 1, size - 1};
	char *copy = fuzz_copy(bytes);
	bytes.data = copy;
	unsigned which = data[0] % (NOUNS + 1);
	if (which < NOUNS) {
		check_record(bytes, &nouns[which]);
	} else {
		check_postings(bytes, 0, POSTINGS_SPAN);
		check_postings(bytes, 4096, 1 + data[0]);
	}
	free(copy);
	return 0;
}
