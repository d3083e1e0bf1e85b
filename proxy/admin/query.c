/* The parameters behind a path's "?". */
#include "core/text/text.h"
#include "proxy/admin/call.h"
#include "proxy/http/percent.h"

#include <inttypes.h>

enum { MESSAGE_LIMIT = 256 };

static struct slice find_value(struct slice query, struct slice name)
{
	while (query.size > 0) {
		size_t end = slice_find(query, SLICE("&"), 0);
		struct slice pair = slice_part(query, 0, end);
		size_t equals = slice_find(pair, SLICE("="), 0);
		if (equals < pair.size && slice_equal(slice_part(pair, 0, equals), name))
			return slice_part(pair, equals + 1, pair.size);
		query = slice_part(query, end < query.size ? end + 1 : end, query.size);
	}
	return (struct slice){0};
}

static bool refuse(struct admin_call *call, const char *name, const char *need)
{
	char message[MESSAGE_LIMIT];
	(void)snprintf(message, sizeof(message), "\"%s\" must be %s.", name, need);
	admin_reply_error(call, 400, "invalid_query", message);
	return false;
}

bool admin_query(struct admin_call *call, const char *name, struct slice *value)
{
	struct slice written = find_value(call->query, slice_of(name));
	*value = (struct slice){0};
	if (written.data == NULL)
		return true;
	if (!percent_decode(written, value, &call->arena))
		return refuse(call, name, "percent-encoded");
	if (value->data == NULL)
		*value = SLICE("");
	return true;
}

bool admin_query_number(struct admin_call *call, const char *name, uint64_t most, uint64_t *number)
{
	struct slice text;
	uint64_t read = 0;
	if (!admin_query(call, name, &text))
		return false;
	if (text.data == NULL)
		return true;
	bool fits = text.size > 0;
	for (size_t i = 0; fits && i < text.size; i++) {
		fits = text.data[i] >= '0' && text.data[i] <= '9';
		read = 10 * read + (uint64_t)(text.data[i] - '0');
		fits = fits && read <= most;
	}
	if (fits && read > 0) {
		*number = read;
		return true;
	}
	char need[MESSAGE_LIMIT / 2];
	(void)snprintf(need, sizeof(need), "a whole number from 1 to %" PRIu64, most);
	return refuse(call, name, need);
}

bool admin_query_time(struct admin_call *call, const char *name, int64_t *at)
{
	struct slice text;
	if (!admin_query(call, name, &text))
		return false;
	if (text.data == NULL || text_read_time(text, at))
		return true;
	return refuse(call, name, "a time such as 2026-01-05T10:00:00Z, or a date");
}
