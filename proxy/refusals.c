#include "proxy/refusals.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { REFUSALS_MAX = 64, MODEL_MAX = 128 };

struct refusals {
	pthread_mutex_t lock;
	struct {
		char model[MODEL_MAX];
		size_t size;
	} entries[REFUSALS_MAX];
	size_t count; /* ever added; the entry that it points at is the next to go */
};

struct refusals *refusals_create(void)
{
	struct refusals *refusals = xcalloc(1, sizeof(*refusals));
	pthread_mutex_init(&refusals->lock, NULL);
	return refusals;
}

void refusals_destroy(struct refusals *refusals)
{
	if (refusals == NULL)
		return;
	pthread_mutex_destroy(&refusals->lock);
	free(refusals);
}

static bool find(const struct refusals *refusals, struct slice model)
{
	size_t count = refusals->count < REFUSALS_MAX ? refusals->count : REFUSALS_MAX;
	for (size_t i = 0; i < count; i++) {
		struct slice known = {refusals->entries[i].model, refusals->entries[i].size};
		if (slice_equal(known, model))
			return true;
	}
	return false;
}

void refusals_add(struct refusals *refusals, struct slice model)
{
	if (model.size > MODEL_MAX)
		return;
	pthread_mutex_lock(&refusals->lock);
	if (!find(refusals, model)) {
		size_t at = refusals->count++ % REFUSALS_MAX;
		memcpy(refusals->entries[at].model, model.data, model.size);
		refusals->entries[at].size = model.size;
	}
	pthread_mutex_unlock(&refusals->lock);
}

bool refusals_has(struct refusals *refusals, struct slice model)
{
	pthread_mutex_lock(&refusals->lock);
	bool found = find(refusals, model);
	pthread_mutex_unlock(&refusals->lock);
	return found;
}
