/* Collects steps and texts while a dialect scans. Only for dialects. */
#ifndef RECALLD_CORE_DIALECT_GATHER_H
#define RECALLD_CORE_DIALECT_GATHER_H

#include "core/dialect/request.h"

struct gathering {
	struct buffer steps; /* grow without a copy if realloc() can */
	struct buffer texts;
	bool is_refused; /* there were too many, or the dialect sets it */
};

void gathering_begin(struct gathering *gathering);
void gathering_finish(struct gathering *gathering);
/* Makes room at once for as many as a body of that size usually has: two lists that grow in turn
 * cannot grow in place. */
void gathering_expect(struct gathering *gathering, size_t body_size);

/* Room for one more; NULL: there are too many. */
static inline void *gather_one(struct gathering *gathering, struct buffer *list, size_t size)
{
	if (size > list->capacity - list->size && !buffer_reserve(list, size)) {
		gathering->is_refused = true;
		return NULL;
	}
	void *one = list->data + list->size;
	list->size += size;
	return one;
}

/* A new step of one element, to be filled further at once; NULL: there are too many. */
static inline struct step *gather_step(struct gathering *gathering, enum step_kind kind,
				       struct json_value element)
{
	struct step *step = gather_one(gathering, &gathering->steps, sizeof(*step));
	if (step == NULL)
		return NULL;
	*step = (struct step){
		.kind = kind,
		.begins_element = true,
		.stays = kind == STEP_SYSTEM,
		.begin = element.begin,
		.end = element.end,
		.first_text = (uint32_t)(gathering->texts.size / sizeof(struct request_text)),
	};
	return step;
}

/* The newest step; NULL: there is none. Valid until the next. */
static inline struct step *gathered_step(struct gathering *gathering)
{
	struct buffer *steps = &gathering->steps;
	return steps->size == 0 ? NULL : (void *)(steps->data + steps->size - sizeof(struct step));
}

/* Adds a text to the newest step. Ignores anything but strings. */
static inline void gather_text(struct gathering *gathering, struct request_text text)
{
	struct step *step = gathered_step(gathering);
	if (text.string.type != JSON_TYPE_STRING || step == NULL)
		return;
	struct request_text *place = gather_one(gathering, &gathering->texts, sizeof(*place));
	if (place == NULL)
		return;
	*place = text;
	step->text_count++;
}
/* Removes the newest step's texts. */
void gather_no_text(struct gathering *gathering);

/* Sets the request's steps and texts. */
void gathering_keep(struct gathering *gathering, struct request *request, struct arena *arena);

#endif
