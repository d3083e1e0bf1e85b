#include "proxy/upstream/last_failure.h"

#include "proxy/runtime/log.h"

#include <stdio.h>

struct trouble_words trouble_words(const char *why, int status)
{
	struct trouble_words words;
	if (status == 0)
		(void)snprintf(words.text, sizeof(words.text), "%s", why);
	else
		(void)snprintf(words.text, sizeof(words.text), "%s (status %d)", why, status);
	return words;
}

void trouble_init(struct trouble *trouble)
{
	*trouble = (struct trouble){0};
	pthread_mutex_init(&trouble->lock, NULL);
}

bool trouble_note(struct trouble *trouble, const struct trouble_words *why)
{
	pthread_mutex_lock(&trouble->lock);
	trouble->why = *why;
	bool is_due = log_is_due(&trouble->logged_at);
	pthread_mutex_unlock(&trouble->lock);
	return is_due;
}

void trouble_end(struct trouble *trouble)
{
	pthread_mutex_lock(&trouble->lock);
	trouble->why.text[0] = '\0';
	pthread_mutex_unlock(&trouble->lock);
}

void trouble_clear(struct trouble *trouble)
{
	pthread_mutex_lock(&trouble->lock);
	trouble->why.text[0] = '\0';
	trouble->logged_at = 0;
	pthread_mutex_unlock(&trouble->lock);
}

struct slice trouble_read(struct trouble *trouble, struct arena *arena)
{
	pthread_mutex_lock(&trouble->lock);
	struct slice why = arena_copy(arena, slice_of(trouble->why.text));
	pthread_mutex_unlock(&trouble->lock);
	return why;
}
