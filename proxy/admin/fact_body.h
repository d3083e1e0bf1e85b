/* Reads what a person says of a fact: the body of POST and PATCH under /v1/users/USER/facts. */
#ifndef RECALLD_PROXY_ADMIN_FACT_BODY_H
#define RECALLD_PROXY_ADMIN_FACT_BODY_H

#include "core/facts/change.h"
#include "core/facts/intake.h"

/* Fills a CORRECTION_CREATE or CORRECTION_PATCH with the members of the JSON `text`. NULL: it is
 * fine; else what is wrong with it: a person who writes a text that is too long is told. */
const char *fact_body_read(struct correction *correction, struct slice text, struct intake *intake,
			   struct arena *arena);

#endif
