#include "proxy/runtime/background.h"

#include "core/base/bytes.h"
#include "storage/lmdb/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { MOST_BYTES = 128 << 20 };

struct piece {
	struct piece *next;
	size_t bytes;
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
	bool is_busy;        /* a job has begun and not ended */
	struct piece *go_on; /* its next work */
	struct piece *first; /* of those that wait */
	struct piece **last;
	size_t bytes; /* that these hold */
};

/* Under the lock. NULL: there is nothing to do yet. */
static struct piece *take_piece(struct background *background)
{
	struct piece *piece = background->go_on;
	background->go_on = NULL;
	if (piece != NULL || background->first == NULL ||
	    (background->is_busy && !background->stops))
		return piece;
	piece = background->first;
	background->first = piece->next;
	if (background->first == NULL)
		background->last = &background->first;
	background->bytes -= piece->bytes;
	background->is_busy = true;
	return piece;
}

static struct piece *next_piece(struct background *background)
{
	struct piece *piece;
	pthread_mutex_lock(&background->lock);
	while ((piece = take_piece(background)) == NULL && !background->stops)
		pthread_cond_wait(&background->changed, &background->lock);
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

static struct piece *make_piece(size_t bytes, void (*work)(void *cookie), void *cookie)
{
	struct piece *piece = xmalloc(sizeof(*piece));
	*piece = (struct piece){.bytes = bytes, .work = work, .cookie = cookie};
	return piece;
}

bool background_begin(struct background *background, size_t bytes, void (*work)(void *cookie),
		      void *cookie)
{
	pthread_mutex_lock(&background->lock);
	const bool has_room = background->first == NULL || background->bytes + bytes <= MOST_BYTES;
	if (has_room) {
		struct piece *piece = make_piece(bytes, work, cookie);
		*background->last = piece;
		background->last = &piece->next;
		background->bytes += bytes;
	}
	pthread_cond_signal(&background->changed);
	pthread_mutex_unlock(&background->lock);
	return has_room;
}

void background_go_on(struct background *background, void (*work)(void *cookie), void *cookie)
{
	pthread_mutex_lock(&background->lock);
	background->go_on = make_piece(0, work, cookie);
	pthread_cond_signal(&background->changed);
	pthread_mutex_unlock(&background->lock);
}

void background_end(struct background *background)
{
	pthread_mutex_lock(&background->lock);
	background->is_busy = false;
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
