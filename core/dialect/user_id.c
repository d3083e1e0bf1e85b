/* The user's id that a client writes into the body. */
#include "core/dialect/request.h"

static struct slice id_of_object(struct slice value, struct arena *arena)
{
	static const char *const names[] = {"account_uuid", "device_id"};
	struct json_value object;
	struct json_value ids[2];
	if (!json_scan(value, &object))
		return (struct slice){0};
	(void)JSON_PICK(value, object, names, ids);
	struct slice account = json_string_text(value, ids[0], arena);
	return account.size > 0 ? account : json_string_text(value, ids[1], arena);
}

struct slice request_user_id(struct slice value, struct arena *arena)
{
	if (slice_starts_with(value, SLICE("{")))
		return id_of_object(value, arena);
	size_t account = slice_find(value, SLICE("_account_"), 0);
	if (slice_starts_with(value, SLICE("user_")) && account < value.size)
		return slice_part(value, 0, slice_find(value, SLICE("_session_"), account));
	return value;
}
