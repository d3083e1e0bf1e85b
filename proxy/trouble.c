#include "proxy/trouble.h"

#include "proxy/log.h"

#include <stdio.h>

void trouble_init(struct trouble *trouble)
{
	*trouble = (struct trouble){0};
	pthread_mutex_init(&trouble->lock, NULL);
}

bool trouble_note(struct trouble *trouble, const char *why, int status)
{
	char *text = trouble->why;
	pthread_mutex_lock(&trouble->lock);
	if (status == 0)
		(void)snprintf(text, sizeof(trouble->why), "%s", why);
	else
		(void)snprintf(text, sizeof(trouble->why), "%s (status %d)", why, status);
	bool is_due = log_is_due(&trouble->logged_at);
	pthread_mutex_unlock(&trouble->lock);
	return is_due;
}

void trouble_end(struct trouble *trouble)
{
	pthread_mutex_lock(&trouble->lock);
	trouble->why[0] = '\0';
	pthread_mutex_unlock(&trouble->lock);
}

void trouble_clear(struct trouble *trouble)
{
	pthread_mutex_lock(&trouble->lock);
	trouble->why[0] = '\0';
	trouble->logged_at = 0;
	pthread_mutex_unlock(&trouble->lock);
}

struct slice trouble_read(struct trouble *trouble, struct arena *arena)
{
	pthread_mutex_lock(&trouble->lock);
	struct slice why = arena_copy(arena, slice_of(trouble->why));
	pthread_mutex_unlock(&trouble->lock);
	return why;
}
