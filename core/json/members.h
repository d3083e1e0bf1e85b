/* Members of an object that are not its first: each begins with a comma. Names are not escaped. */
#ifndef RECALLD_CORE_JSON_MEMBERS_H
#define RECALLD_CORE_JSON_MEMBERS_H

#include "core/base/bytes.h"

void json_put_text(struct buffer *out, const char *name, struct slice text);
void json_put_flag(struct buffer *out, const char *name, bool flag);
/* As a text; null for 0, which is no id. */
void json_put_id(struct buffer *out, const char *name, uint64_t id);

#endif
