#include "proxy/config/log.h"

#include "proxy/runtime/log.h"
#include "proxy/runtime/version.h"

#include <stdlib.h>
#include <string.h>

static FILE *open_text(char **text, size_t *size)
{
	FILE *stream = open_memstream(text, size);
	if (stream == NULL)
		abort(); /* out of memory: fatal for every small allocation */
	return stream;
}

/* Takes the word out of "FILE: WORD: what", since the level says it. False: it is not there. */
static bool take_word(char *line, const char *word)
{
	char *at = strstr(line, word);
	if (at != NULL)
		memmove(at + 2, at + strlen(word), strlen(at + strlen(word)) + 1);
	return at != NULL;
}

static void log_line(char *line, enum log_level level)
{
	if (level == LOG_LEVEL_WARN && !take_word(line, ": warning: ") &&
	    take_word(line, ": note: "))
		level = LOG_LEVEL_INFO;
	log_event(level, line, NULL);
}

static void log_lines(char *text, enum log_level level)
{
	char *rest;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		log_line(line, level);
}

struct config *config_read_at_start(const char *file)
{
	char *warnings;
	size_t size;
	FILE *stream = open_text(&warnings, &size);
	struct config *config = config_read(file, stderr, stream);
	(void)fclose(stream);
	if (config != NULL)
		log_configure((enum log_level)config->log.level,
			      (enum log_format)config->log.format);
	if (config != NULL)
		log_info("recalld %s starts", version_text);
	log_lines(warnings, LOG_LEVEL_WARN);
	free(warnings);
	return config;
}

struct config *config_read_again(const char *file, struct config_messages *messages)
{
	size_t sizes[2];
	FILE *faults = open_text(&messages->faults, &sizes[0]);
	FILE *warnings = open_text(&messages->warnings, &sizes[1]);
	struct config *config = config_read(file, faults, warnings);
	(void)fclose(faults);
	(void)fclose(warnings);
	return config;
}

void config_messages_log(struct config_messages *messages, char *fault, size_t fault_size)
{
	const int first = (int)strcspn(messages->faults, "\n");
	(void)snprintf(fault, fault_size, "%.*s", first, messages->faults);
	log_lines(messages->faults, LOG_LEVEL_ERROR);
	log_lines(messages->warnings, LOG_LEVEL_WARN);
	config_messages_free(messages);
}

void config_messages_free(struct config_messages *messages)
{
	free(messages->faults);
	free(messages->warnings);
}
