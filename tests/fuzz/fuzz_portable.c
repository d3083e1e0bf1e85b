/* A memory to take in, as JSON or as an archive: it is read or refused with a sentence, and what
 * was read can be written and read again. */
#include "proxy/portable/forms.h"

#include "core/json/json.h"
#include "tests/fuzz/fuzz.h"

static const char *read_file(struct portable_reader *reader, struct slice file)
{
	*reader = (struct portable_reader){
		.learn = true,
		.intake = {.masks_secrets = true, .policy = {.mask = PII_BIT(PII_EMAIL)}},
		.now = INT64_C(253402300000000)};
	return portable_check(reader, file);
}

static void check_memory(const struct portable_memory *memory)
{
	for (size_t i = 0; i < memory->turn_count; i++)
		FUZZ_ASSERT(memory->turns[i].turn.role == ROLE_USER ||
			    memory->turns[i].turn.role == ROLE_ASSISTANT);
	for (size_t i = 0; i < memory->fact_count; i++)
		FUZZ_ASSERT(memory->facts[i].entity.size > 0 && memory->facts[i].key.size > 0);
}

static void check_again(struct portable_memory *memory, struct arena *arena)
{
	struct buffer written;
	struct json_value document;
	struct portable_reader again;
	memory->user = SLICE("alex");
	buffer_init(&written, SIZE_MAX);
	portable_write(&written, memory, INT64_C(253402300000000), "0", arena);
	buffer_append_byte(&written, '}');
	FUZZ_ASSERT(json_scan(buffer_slice(&written), &document));
	FUZZ_ASSERT(read_file(&again, buffer_slice(&written)) == NULL);
	FUZZ_ASSERT(again.memory.turn_count <= memory->turn_count);
	FUZZ_ASSERT(again.memory.fact_count <= memory->fact_count);
	portable_finish(&again);
	buffer_finish(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct portable_reader reader;
	char *copy = fuzz_copy((struct slice){(const char *)data, size});
	const char *fault = read_file(&reader, (struct slice){copy, size});
	FUZZ_ASSERT(fault == NULL || fault[0] != '\0');
	if (fault == NULL) {
		check_memory(&reader.memory);
		check_again(&reader.memory, &arena);
	}
	portable_finish(&reader);
	arena_finish(&arena);
	free(copy);
	return 0;
}
