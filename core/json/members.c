#include "core/json/members.h"

#include "core/json/json.h"

#include <inttypes.h>

void json_put_text(struct buffer *out, const char *name, struct slice text)
{
	buffer_printf(out, ",\"%s\":", name);
	json_quote(out, text);
}

void json_put_flag(struct buffer *out, const char *name, bool flag)
{
	buffer_printf(out, ",\"%s\":%s", name, flag ? "true" : "false");
}

void json_put_id(struct buffer *out, const char *name, uint64_t id)
{
	if (id == 0)
		buffer_printf(out, ",\"%s\":null", name);
	else
		buffer_printf(out, ",\"%s\":\"%" PRIu64 "\"", name, id);
}
