#include "core/dialect/gather.h"

void gathering_begin(struct gathering *gathering)
{
	*gathering = (struct gathering){0};
	buffer_init(&gathering->steps, REQUEST_MAX_STEPS * sizeof(struct step));
	buffer_init(&gathering->texts, REQUEST_MAX_TEXTS * sizeof(struct request_text));
}

void gathering_finish(struct gathering *gathering)
{
	buffer_finish(&gathering->steps);
	buffer_finish(&gathering->texts);
}

struct step *gathered_step(struct gathering *gathering)
{
	struct buffer *steps = &gathering->steps;
	if (steps->size == 0)
		return NULL;
	return (void *)(steps->data + steps->size - sizeof(struct step));
}

void gather_text(struct gathering *gathering, struct request_text text)
{
	struct step *step = gathered_step(gathering);
	if (text.string.type != JSON_TYPE_STRING || step == NULL)
		return;
	if (buffer_append(&gathering->texts, (struct slice){(const char *)&text, sizeof(text)}))
		step->text_count++;
	else
		gathering->is_refused = true;
}

void gather_no_text(struct gathering *gathering)
{
	struct step *step = gathered_step(gathering);
	gathering->texts.size = step->first_text * sizeof(struct request_text);
	step->text_count = 0;
}

void gathering_keep(struct gathering *gathering, struct request *request, struct arena *arena)
{
	request->step_count = gathering->steps.size / sizeof(struct step);
	request->text_count = gathering->texts.size / sizeof(struct request_text);
	request->steps = (void *)arena_take(arena, &gathering->steps).data;
	request->texts = (void *)arena_take(arena, &gathering->texts).data;
}
