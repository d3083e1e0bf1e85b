#include "proxy/upstream/last_failure.h"

#include "proxy/runtime/log.h"

#include <stdio.h>

struct failure_words failure_words(const char *why, int status)
{
	struct failure_words words = {.status = status};
	if (status == 0)
		(void)snprintf(words.text, sizeof(words.text), "%s", why);
	else
		(void)snprintf(words.text, sizeof(words.text), "%s (status %d)", why, status);
	return words;
}

void last_failure_init(struct last_failure *failure)
{
	*failure = (struct last_failure){0};
	pthread_mutex_init(&failure->lock, NULL);
}

bool last_failure_note(struct last_failure *failure, const struct failure_words *why)
{
	pthread_mutex_lock(&failure->lock);
	failure->why = *why;
	bool is_due = log_is_due(&failure->logged_at);
	pthread_mutex_unlock(&failure->lock);
	return is_due;
}

void last_failure_end(struct last_failure *failure)
{
	pthread_mutex_lock(&failure->lock);
	failure->why.text[0] = '\0';
	pthread_mutex_unlock(&failure->lock);
}

void last_failure_end_outage(struct last_failure *failure)
{
	pthread_mutex_lock(&failure->lock);
	if (failure->why.status < 400 || failure->why.status >= 500)
		failure->why.text[0] = '\0';
	pthread_mutex_unlock(&failure->lock);
}

void last_failure_clear(struct last_failure *failure)
{
	pthread_mutex_lock(&failure->lock);
	failure->why.text[0] = '\0';
	failure->logged_at = 0;
	pthread_mutex_unlock(&failure->lock);
}

struct slice last_failure_read(struct last_failure *failure, struct arena *arena)
{
	pthread_mutex_lock(&failure->lock);
	struct slice why = arena_copy(arena, slice_of(failure->why.text));
	pthread_mutex_unlock(&failure->lock);
	return why;
}
