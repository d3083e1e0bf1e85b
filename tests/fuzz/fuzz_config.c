/* The configuration's file: every text is either taken, with each value in its range, or refused
 * with a line for each fault that tells no secret. */
#include "proxy/config/reader.h"

#include "core/text/text.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>

int LLVMFuzzerInitialize(int *argument_count, char ***arguments);

/* As odd as keys are: a plain word may be quoted, being a name or a wrong choice. */
static const char secret[] = "sw0rdfish/0123456789";

/* Of the environment only what seeds refer to. */
int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
	(void)argument_count;
	(void)arguments;
	unsetenv("NOTHING");
	setenv("SECRET", secret, 1);
	setenv("EMPTY", "", 1);
	return 0;
}

struct reading {
	struct config *config;
	char *faults, *warnings;
	size_t fault_size, warning_size;
};

static bool has(struct slice text, struct slice part)
{
	return text.size > 0 && slice_find(text, part, 0) < text.size;
}

/* Files of certificates are opened only for one who wants warnings, and the fuzzer may not open
 * what it likes. */
static struct reading read_config(struct slice text)
{
	struct reading reading = {0};
	bool warns = !has(text, SLICE("tls_"));
	FILE *faults = open_memstream(&reading.faults, &reading.fault_size);
	FILE *warnings = open_memstream(&reading.warnings, &reading.warning_size);
	reading.config = config_read_text("fuzz.conf", text, faults, warns ? warnings : NULL);
	(void)fclose(faults);
	(void)fclose(warnings);
	return reading;
}

static void finish(struct reading *reading)
{
	config_release(reading->config);
	free(reading->faults);
	free(reading->warnings);
}

static void check_lines(struct slice lines)
{
	FUZZ_ASSERT(text_is_utf8(lines));
	FUZZ_ASSERT(!has(lines, slice_of(secret)));
	while (lines.size > 0) {
		size_t end = slice_find(lines, SLICE("\n"), 0);
		struct slice line = slice_part(lines, 0, end);
		FUZZ_ASSERT(end < lines.size && slice_starts_with(line, SLICE("fuzz.conf:")));
		for (size_t i = 0; i < line.size; i++)
			FUZZ_ASSERT((unsigned char)line.data[i] >= ' ');
		lines = slice_part(lines, end + 1, lines.size);
	}
}

static void check_number(const struct config_key *key, const void *base)
{
	uint64_t value;
	memcpy(&value, (const char *)base + key->offset, sizeof(value));
	FUZZ_ASSERT(key->most == 0 || (key->words != NULL && value < key->least) ||
		    (value >= key->least && value <= key->most));
}

static void check_value(struct config *config, const struct config_key *key)
{
	const void *base = config_base(config, key);
	char *text;
	if (key->offset == CONFIG_NOT_STORED)
		return;
	switch (key->type) {
	case CONFIG_NUMBER:
	case CONFIG_SIZE:
	case CONFIG_DURATION:
		check_number(key, base);
		break;
	case CONFIG_TEXT:
		memcpy(&text, (const char *)base + key->offset, sizeof(text));
		FUZZ_ASSERT(text != NULL && (text[0] != '\0' || !key->required));
		FUZZ_ASSERT(text_is_utf8(slice_of(text)));
		break;
	default:
		break;
	}
}

/* Checks what a request finds when sections with selectors overlap. */
static void check_memory(const struct config *config, struct slice name)
{
	struct config_memory memory = config_memory_for(config, name, SLICE("shared"), name);
	FUZZ_ASSERT(memory.context_tokens <= memory.conversation_tokens);
	FUZZ_ASSERT(memory.min_confidence >= 0 && memory.min_confidence <= 1);
	FUZZ_ASSERT(memory.mode >= MODE_OFF && memory.mode < MODE_READONLY);
}

static void check_config(struct config *config, struct slice text)
{
	FILE *changes = fopen("/dev/null", "w");
	FUZZ_ASSERT(changes != NULL && config_unreloadable_changes(config, config, changes) == 0);
	(void)fclose(changes);
	for (size_t i = 0; i < config_key_count; i++)
		check_value(config, &config_keys[i]);
	check_memory(config, (struct slice){0});
	check_memory(config, SLICE("gemma-2"));
	check_memory(config, slice_part(text, text.size - text.size / 4, text.size));
}

/* A comment more or less makes no difference. */
static void check_comment(struct slice text, bool taken)
{
	struct buffer longer;
	buffer_init(&longer, SIZE_MAX);
	(void)buffer_append(&longer, text);
	(void)buffer_append(&longer, SLICE("\n; a comment\n\n"));
	struct reading reading = read_config(buffer_slice(&longer));
	FUZZ_ASSERT((reading.config != NULL) == taken);
	finish(&reading);
	buffer_finish(&longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_copy((struct slice){(const char *)data, size});
	struct slice text = {copy, size};
	struct reading reading = read_config(text);
	FUZZ_ASSERT((reading.config == NULL) == (reading.fault_size > 0));
	check_lines((struct slice){reading.faults, reading.fault_size});
	check_lines((struct slice){reading.warnings, reading.warning_size});
	if (reading.config != NULL)
		check_config(reading.config, text);
	check_comment(text, reading.config != NULL);
	finish(&reading);
	free(copy);
	return 0;
}
