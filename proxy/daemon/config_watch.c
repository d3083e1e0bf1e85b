#include "proxy/daemon/watch.h"

#include "proxy/runtime/log.h"
#include "proxy/runtime/version.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- reading ---- */

/* The messages of reading a configuration: lines, each with its end. */
struct messages {
	char *faults;
	char *warnings;
};

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

/* Reads FILE again. NULL: it has faults. */
static struct config *read_again(const char *file, struct messages *messages)
{
	size_t sizes[2];
	FILE *faults = open_text(&messages->faults, &sizes[0]);
	FILE *warnings = open_text(&messages->warnings, &sizes[1]);
	struct config *config = config_read(file, faults, warnings);
	(void)fclose(faults);
	(void)fclose(warnings);
	return config;
}

static void free_messages(struct messages *messages)
{
	free(messages->faults);
	free(messages->warnings);
}

/* Logs the faults and warnings and frees them; copies the first fault. */
static void log_messages(struct messages *messages, char *fault, size_t fault_size)
{
	const int first = (int)strcspn(messages->faults, "\n");
	(void)snprintf(fault, fault_size, "%.*s", first, messages->faults);
	log_lines(messages->faults, LOG_LEVEL_ERROR);
	log_lines(messages->warnings, LOG_LEVEL_WARN);
	free_messages(messages);
}

/* ---- watching ---- */

static bool same_mark(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* NULL: there is no file with that number. */
static const char *watched_file(const struct config_watch *watch, const struct config *config,
				size_t index)
{
	const char *const own[CONFIG_OWN_FILES] = {watch->file, config->listen.tls_certificate,
						   config->listen.tls_key};
	const char *file = index < CONFIG_OWN_FILES
				   ? own[index]
				   : config_secret_file(config, index - CONFIG_OWN_FILES);
	return file == NULL || *file == '\0' ? NULL : file;
}

static void mark_files(const struct config_watch *watch, const struct config *config,
		       struct stat marks[CONFIG_FILES])
{
	for (size_t i = 0; i < CONFIG_FILES; i++) {
		const char *file = watched_file(watch, config, i);
		if (file == NULL || stat(file, &marks[i]) != 0)
			marks[i] = (struct stat){0};
	}
}

static bool same_marks(const struct stat *a, const struct stat *b)
{
	for (size_t i = 0; i < CONFIG_FILES; i++) {
		if (!same_mark(&a[i], &b[i]))
			return false;
	}
	return true;
}

static bool all_exist(const struct config_watch *watch, const struct config *config,
		      const struct stat *marks)
{
	for (size_t i = 0; i < CONFIG_FILES; i++) {
		if (watched_file(watch, config, i) != NULL && marks[i].st_ino == 0)
			return false;
	}
	return true;
}

void config_watch_start(struct config_watch *watch, const char *file, const struct config *config)
{
	*watch = (struct config_watch){.file = file};
	mark_files(watch, config, watch->read);
}

/* Marks the files before reading them, so that a change during the read is noticed. Files that the
 * new configuration names first are known only after the read: it is then read again. */
struct config *config_watch_read(struct config_watch *watch, const struct config *config,
				 char *fault, size_t fault_size)
{
	struct messages messages;
	struct stat marks[CONFIG_FILES];
	mark_files(watch, config, watch->read);
	struct config *fresh = read_again(watch->file, &messages);
	if (fresh != NULL)
		mark_files(watch, fresh, marks);
	if (fresh != NULL && !same_marks(marks, watch->read)) {
		memcpy(watch->read, marks, sizeof(marks));
		config_release(fresh);
		free_messages(&messages);
		fresh = read_again(watch->file, &messages);
	}
	log_messages(&messages, fault, fault_size);
	return fresh;
}

/* A missing file may be in the middle of a replacement, and one that has just changed may be half
 * written: keys missing from it would fall back to their defaults. */
bool config_watch_look(struct config_watch *watch, const struct config *config)
{
	struct stat marks[CONFIG_FILES];
	mark_files(watch, config, marks);
	bool is_settled = same_marks(marks, watch->seen);
	memcpy(watch->seen, marks, sizeof(marks));
	return is_settled && all_exist(watch, config, marks) && !same_marks(marks, watch->read);
}
