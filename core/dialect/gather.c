#include "core/dialect/gather.h"

void gathering_begin(struct gathering *gathering)
{
	*gathering = (struct gathering){0};
	buffer_init(&gathering->steps, REQUEST_MAX_STEPS * sizeof(struct step));
	buffer_init(&gathering->texts, REQUEST_MAX_TEXTS * sizeof(struct request_text));
}

void gathering_expect(struct gathering *gathering, size_t body_size)
{
	enum { SHORT_STEP = 96, MOST = 16384 };
	size_t count = body_size / SHORT_STEP < MOST ? body_size / SHORT_STEP + 1 : MOST;
	(void)buffer_reserve(&gathering->steps, count * sizeof(struct step));
	(void)buffer_reserve(&gathering->texts, count * sizeof(struct request_text));
}

void gathering_finish(struct gathering *gathering)
{
	buffer_finish(&gathering->steps);
	buffer_finish(&gathering->texts);
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
