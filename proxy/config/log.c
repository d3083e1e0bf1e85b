#include "proxy/config/log.h"

#include "proxy/runtime/log.h"
#include "proxy/runtime/version.h"

#include <stdlib.h>
#include <string.h>

struct words {
	FILE *stream;
	char *text;
	size_t size;
};

static void begin_words(struct words *words)
{
	*words = (struct words){0};
	words->stream = open_memstream(&words->text, &words->size);
	if (words->stream == NULL)
		abort(); /* out of memory: fatal for every small allocation */
}

/* Logs "FILE: warning: what" without the word that repeats the level. */
static void log_line(char *line, enum log_level level)
{
	static const char word[] = ": warning: ";
	char *at = level == LOG_LEVEL_WARN ? strstr(line, word) : NULL;
	if (at != NULL)
		memmove(at + 2, at + sizeof(word) - 1, strlen(at) - sizeof(word) + 2);
	log_event(level, line, NULL);
}

static void log_words(struct words *words, enum log_level level)
{
	char *rest;
	(void)fclose(words->stream);
	for (char *line = strtok_r(words->text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		log_line(line, level);
	free(words->text);
}

struct config *config_read_at_start(const char *file)
{
	struct words warnings;
	begin_words(&warnings);
	struct config *config = config_read(file, stderr, warnings.stream);
	if (config != NULL)
		log_configure((enum log_level)config->log.level,
			      (enum log_format)config->log.format);
	if (config != NULL)
		log_info("recalld %s starts", version_text);
	log_words(&warnings, LOG_LEVEL_WARN);
	return config;
}

struct config *config_read_again(const char *file)
{
	struct words faults;
	struct words warnings;
	begin_words(&faults);
	begin_words(&warnings);
	struct config *config = config_read(file, faults.stream, warnings.stream);
	log_words(&faults, LOG_LEVEL_ERROR);
	log_words(&warnings, LOG_LEVEL_WARN);
	return config;
}
