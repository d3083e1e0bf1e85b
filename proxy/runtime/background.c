#include "proxy/runtime/background.h"

#include "core/base/bytes.h"
#include "storage/lmdb/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct piece {
	struct piece *next;
	void (*work)(void *cookie);
	void *cookie;
};

struct background {
	pthread_t thread;
	atomic_bool hurries;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock: */
	bool stops;
	struct piece *first;
	struct piece **last;
};

static struct piece *next_piece(struct background *background)
{
	pthread_mutex_lock(&background->lock);
	while (background->first == NULL && !background->stops)
		pthread_cond_wait(&background->changed, &background->lock);
	struct piece *piece = background->first;
	if (piece != NULL) {
		background->first = piece->next;
		if (background->first == NULL)
			background->last = &background->first;
	}
	pthread_mutex_unlock(&background->lock);
	return piece;
}

static void *run(void *cookie)
{
	struct piece *piece;
	while ((piece = next_piece(cookie)) != NULL) {
		piece->work(piece->cookie);
		free(piece);
	}
	return NULL;
}

struct background *background_start(const char *name)
{
	struct background *background = xcalloc(1, sizeof(*background));
	background->last = &background->first;
	pthread_mutex_init(&background->lock, NULL);
	pthread_cond_init(&background->changed, NULL);
	if (thread_start(&background->thread, name, run, background))
		return background;
	background_destroy(background);
	return NULL;
}

void background_run(struct background *background, void (*work)(void *cookie), void *cookie)
{
	struct piece *piece = xmalloc(sizeof(*piece));
	*piece = (struct piece){.work = work, .cookie = cookie};
	pthread_mutex_lock(&background->lock);
	*background->last = piece;
	background->last = &piece->next;
	pthread_cond_signal(&background->changed);
	pthread_mutex_unlock(&background->lock);
}

void background_hurry(struct background *background)
{
	if (background != NULL)
		atomic_store(&background->hurries, true);
}

bool background_hurries(const struct background *background)
{
	return atomic_load(&background->hurries);
}

void background_stop(struct background *background)
{
	if (background == NULL)
		return;
	background_hurry(background);
	pthread_mutex_lock(&background->lock);
	background->stops = true;
	pthread_cond_signal(&background->changed);
	pthread_mutex_unlock(&background->lock);
	pthread_join(background->thread, NULL);
}

void background_destroy(struct background *background)
{
	if (background == NULL)
		return;
	pthread_cond_destroy(&background->changed);
	pthread_mutex_destroy(&background->lock);
	free(background);
}
