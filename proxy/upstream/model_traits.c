#include "proxy/upstream/model_traits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MODELS_MAX = 64, NAME_MAX_SIZE = 128 };

/* Below it the template's own tokens weigh too much. */
enum { LEAST_ESTIMATE = 100 };
static const double least_rate = 0.5;
static const double most_rate = 3;
static const double weight_of_news = 0.2;

struct model {
	char name[NAME_MAX_SIZE];
	size_t size;
	bool refuses_system;
	double token_rate; /* 0: not known yet */
};

struct models {
	pthread_mutex_t lock;
	struct model entries[MODELS_MAX];
	size_t count; /* ever added; the entry that it points at is the next to go */
};

struct models *models_create(void)
{
	struct models *models = xcalloc(1, sizeof(*models));
	pthread_mutex_init(&models->lock, NULL);
	return models;
}

void models_destroy(struct models *models)
{
	if (models == NULL)
		return;
	pthread_mutex_destroy(&models->lock);
	free(models);
}

static struct model *find(struct models *models, struct slice name)
{
	size_t count = models->count < MODELS_MAX ? models->count : MODELS_MAX;
	for (size_t i = 0; i < count; i++) {
		struct model *model = &models->entries[i];
		if (slice_equal((struct slice){model->name, model->size}, name))
			return model;
	}
	return NULL;
}

/* NULL: its name is too long to be one. */
static struct model *find_or_add(struct models *models, struct slice name)
{
	struct model *model = find(models, name);
	if (model != NULL || name.size == 0 || name.size > NAME_MAX_SIZE)
		return model;
	model = &models->entries[models->count++ % MODELS_MAX];
	*model = (struct model){.size = name.size};
	memcpy(model->name, name.data, name.size);
	return model;
}

void models_note_system_refused(struct models *models, struct slice name)
{
	pthread_mutex_lock(&models->lock);
	struct model *model = find_or_add(models, name);
	if (model != NULL)
		model->refuses_system = true;
	pthread_mutex_unlock(&models->lock);
}

bool models_refuses_system(struct models *models, struct slice name)
{
	pthread_mutex_lock(&models->lock);
	const struct model *model = find(models, name);
	bool refuses = model != NULL && model->refuses_system;
	pthread_mutex_unlock(&models->lock);
	return refuses;
}

void models_note_tokens(struct models *models, struct slice name, size_t estimated, int64_t counted)
{
	double rate = (double)counted / (double)(estimated == 0 ? 1 : estimated);
	if (estimated < LEAST_ESTIMATE || rate < least_rate || rate > most_rate)
		return;
	pthread_mutex_lock(&models->lock);
	struct model *model = find_or_add(models, name);
	if (model != NULL && model->token_rate > 0)
		rate = model->token_rate + weight_of_news * (rate - model->token_rate);
	if (model != NULL)
		model->token_rate = rate;
	pthread_mutex_unlock(&models->lock);
}

double models_token_rate(struct models *models, struct slice name)
{
	pthread_mutex_lock(&models->lock);
	const struct model *model = find(models, name);
	double rate = model == NULL || model->token_rate <= 0 ? 1 : model->token_rate;
	pthread_mutex_unlock(&models->lock);
	return rate;
}
