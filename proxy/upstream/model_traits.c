#include "proxy/upstream/model_traits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* So few that a search through them all is as fast as a table. */
enum { MODELS_MAX = 64, NAME_MAX_SIZE = 128 };

/* below it, the chat template's own tokens weigh too much */
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

struct model_traits {
	pthread_mutex_t lock;
	struct model entries[MODELS_MAX];
	size_t count; /* entries ever added; modulo the array size, the next to evict */
};

struct model_traits *model_traits_create(void)
{
	struct model_traits *model_traits = xcalloc(1, sizeof(*model_traits));
	pthread_mutex_init(&model_traits->lock, NULL);
	return model_traits;
}

void model_traits_destroy(struct model_traits *model_traits)
{
	if (model_traits == NULL)
		return;
	pthread_mutex_destroy(&model_traits->lock);
	free(model_traits);
}

static struct model *find(struct model_traits *model_traits, struct slice name)
{
	size_t count = model_traits->count < MODELS_MAX ? model_traits->count : MODELS_MAX;
	for (size_t i = 0; i < count; i++) {
		struct model *model = &model_traits->entries[i];
		if (slice_equal((struct slice){model->name, model->size}, name))
			return model;
	}
	return NULL;
}

/* NULL: the name is too long for a model. */
static struct model *find_or_add(struct model_traits *model_traits, struct slice name)
{
	struct model *model = find(model_traits, name);
	if (model != NULL || name.size == 0 || name.size > NAME_MAX_SIZE)
		return model;
	model = &model_traits->entries[model_traits->count++ % MODELS_MAX];
	*model = (struct model){.size = name.size};
	memcpy(model->name, name.data, name.size);
	return model;
}

void model_traits_note_system_refused(struct model_traits *model_traits, struct slice name)
{
	pthread_mutex_lock(&model_traits->lock);
	struct model *model = find_or_add(model_traits, name);
	if (model != NULL)
		model->refuses_system = true;
	pthread_mutex_unlock(&model_traits->lock);
}

bool model_traits_refuses_system(struct model_traits *model_traits, struct slice name)
{
	pthread_mutex_lock(&model_traits->lock);
	const struct model *model = find(model_traits, name);
	bool refuses = model != NULL && model->refuses_system;
	pthread_mutex_unlock(&model_traits->lock);
	return refuses;
}

void model_traits_note_tokens(struct model_traits *model_traits, struct slice name,
			      size_t estimated, int64_t counted)
{
	double rate = (double)counted / (double)(estimated == 0 ? 1 : estimated);
	if (estimated < LEAST_ESTIMATE || rate < least_rate || rate > most_rate)
		return;
	pthread_mutex_lock(&model_traits->lock);
	struct model *model = find_or_add(model_traits, name);
	if (model != NULL && model->token_rate > 0)
		rate = model->token_rate + weight_of_news * (rate - model->token_rate);
	if (model != NULL)
		model->token_rate = rate;
	pthread_mutex_unlock(&model_traits->lock);
}

double model_traits_token_rate(struct model_traits *model_traits, struct slice name)
{
	pthread_mutex_lock(&model_traits->lock);
	const struct model *model = find(model_traits, name);
	double rate = model == NULL || model->token_rate <= 0 ? 1 : model->token_rate;
	pthread_mutex_unlock(&model_traits->lock);
	return rate;
}
