/* Steps and texts as a dialect's scan comes by them. For dialects alone. */
#ifndef RECALLD_CORE_DIALECT_GATHER_H
#define RECALLD_CORE_DIALECT_GATHER_H

#include "core/dialect/request.h"

struct gathering {
	struct buffer steps; /* which grow without a copy where realloc() can */
	struct buffer texts;
	bool is_refused; /* there were too many, or the dialect sets it */
};

void gathering_begin(struct gathering *gathering);
void gathering_finish(struct gathering *gathering);

/* A new step of one element, to be filled further at once; NULL: there are too many. */
static inline struct step *gather_step(struct gathering *gathering, enum step_kind kind,
				       struct json_value element)
{
	struct buffer *steps = &gathering->steps;
	if (!buffer_reserve(steps, sizeof(struct step))) {
		gathering->is_refused = true;
		return NULL;
	}
	struct step *step = (void *)(steps->data + steps->size);
	steps->size += sizeof(*step);
	*step = (struct step){
		.kind = kind,
		.begins_element = true,
		.begin = element.begin,
		.end = element.end,
		.first_text = (uint32_t)(gathering->texts.size / sizeof(struct request_text)),
	};
	return step;
}

/* The newest step; NULL: there is none. Valid until the next. */
struct step *gathered_step(struct gathering *gathering);

/* Gives the newest step one more text. What is no string is left out. */
void gather_text(struct gathering *gathering, struct request_text text);
/* Takes the newest step's texts away again. */
void gather_no_text(struct gathering *gathering);

/* Sets the request's steps and texts. */
void gathering_keep(struct gathering *gathering, struct request *request, struct arena *arena);

#endif
