/* Which models have refused a system message: `role = auto` gives these the block in the user's
 * turn. Shared by all workers; bounded, the oldest entry makes room. Not kept over a restart. */
#ifndef RECALLD_PROXY_REFUSALS_H
#define RECALLD_PROXY_REFUSALS_H

#include "core/bytes.h"

struct refusals;

struct refusals *refusals_create(void);
void refusals_destroy(struct refusals *refusals);
void refusals_add(struct refusals *refusals, struct slice model);
bool refusals_has(struct refusals *refusals, struct slice model);

#endif
