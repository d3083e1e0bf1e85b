/* Receipts: one by its id, as a reply's X-Memory-Receipt and the log name it, and a user's. */
#include "core/json/json.h"
#include "core/text/text.h"
#include "proxy/admin/call.h"

#include <inttypes.h>
#include <string.h>

enum { USUAL_LIMIT = 100, MAX_LIMIT = 1000 };

static int64_t created_at(uint64_t id)
{
	return (int64_t)(id >> RECEIPT_TIME_SHIFT);
}

/* The least id of a receipt made at that time or later. */
static uint64_t first_id(int64_t at)
{
	const int64_t most = INT64_MAX >> RECEIPT_TIME_SHIFT;
	if (at <= 0)
		return 0;
	return (uint64_t)(at < most ? at : most) << RECEIPT_TIME_SHIFT;
}

/* ---- one ---- */

/* Whether a receipt belongs to the requested tenant; any tenant if none was requested. */
static bool is_of_tenant(struct admin_call *call, const struct kept_receipt *receipt)
{
	static const char *const names[] = {"user"};
	struct json_value name;
	unsigned repeated;
	if (call->tenant.size == 0)
		return true;
	if (!json_scan_and_pick(receipt->text, names, 1, &name, &repeated, NULL))
		return false;
	struct user_key asked =
		store_user_key(call->tenant, json_string_text(receipt->text, name, &call->arena));
	return memcmp(asked.bytes, receipt->user.bytes, sizeof(asked.bytes)) == 0;
}

void admin_put_receipt(struct buffer *out, const struct kept_receipt *receipt, struct arena *arena)
{
	struct slice text = receipt->text;
	buffer_printf(out, "{\"created_at\":\"%.*s\"%s",
		      SLICE_PRINT(text_time(created_at(receipt->id), arena)),
		      text.size > 2 ? "," : "");
	buffer_append(out, slice_part(text, 1, text.size));
}

void admin_get_receipt(struct admin_call *call)
{
	uint64_t id;
	struct kept_receipt receipt = {0};
	enum store_result result = STORE_NOT_FOUND;
	if (admin_read_hex(call->parameter, &id))
		result = store_read_receipt(call->service->store, id, &receipt, &call->arena);
	if (result == STORE_OK && !is_of_tenant(call, &receipt))
		result = STORE_NOT_FOUND;
	if (admin_has_failed(call, result))
		return;
	call->is_of_user = true;
	call->user = receipt.user;
	admin_put_receipt(&call->out, &receipt, &call->arena);
	admin_reply_json(call, 200);
}

/* ---- a user's ---- */

static size_t count_elements(struct slice text, struct json_value array)
{
	struct json_walk walk = json_walk(text, array);
	size_t count = 0;
	while (array.type == JSON_TYPE_ARRAY && json_next(&walk))
		count++;
	return count;
}

/* Members that a list shows as they are stored; an earlier recalld may not have written all. */
static void put_short(struct buffer *out, const struct kept_receipt *receipt, struct arena *arena)
{
	static const char *const names[] = {"mode",  "status",     "tokens", "budget",
					    "items", "elapsed_us", "dropped"};
	enum { ITEMS = 4, DROPPED = 6, NAMES = sizeof(names) / sizeof(names[0]) };
	struct json_value found[NAMES] = {0};
	unsigned repeated;
	(void)json_scan_and_pick(receipt->text, names, NAMES, found, &repeated, NULL);
	buffer_printf(out, "{\"id\":\"%016" PRIx64 "\",\"created_at\":\"%.*s\"", receipt->id,
		      SLICE_PRINT(text_time(created_at(receipt->id), arena)));
	for (size_t i = 0; i < NAMES; i++) {
		struct slice value = slice_part(receipt->text, found[i].begin, found[i].end);
		if (value.size == 0)
			continue;
		buffer_printf(out, ",\"%s\":", names[i]);
		if (i == ITEMS || i == DROPPED)
			buffer_append_number(out, count_elements(receipt->text, found[i]));
		else
			buffer_append(out, value);
	}
	buffer_append_byte(out, '}');
}

static void reply_list(struct admin_call *call, const struct receipt_list *list)
{
	struct buffer *out = &call->out;
	buffer_append(out, SLICE("{\"user\":"));
	json_quote(out, call->parameter);
	buffer_append(out, SLICE(",\"receipts\":["));
	for (size_t i = 0; i < list->count; i++) {
		buffer_append(out, i == 0 ? SLICE("") : SLICE(","));
		put_short(out, &list->receipts[i], &call->arena);
	}
	buffer_append(out, SLICE("],\"next\":"));
	if (list->more)
		buffer_printf(out, "\"%016" PRIx64 "\"}", list->last);
	else
		buffer_append(out, SLICE("null}"));
	admin_reply_json(call, 200);
}

void admin_get_receipts(struct admin_call *call)
{
	struct receipt_list list;
	struct slice after;
	int64_t since = 0;
	int64_t until = INT64_MAX;
	uint64_t limit = USUAL_LIMIT;
	uint64_t next = UINT64_MAX;
	if (!admin_query_time(call, "since", &since) || !admin_query_time(call, "until", &until) ||
	    !admin_query(call, "after", &after) ||
	    !admin_query_number(call, "limit", MAX_LIMIT, &limit))
		return;
	if (after.data != NULL && !admin_read_hex(after, &next)) {
		admin_reply_error(call, 400, "invalid_query",
				  "\"after\" must be the \"next\" of an earlier answer.");
		return;
	}
	uint64_t before = first_id(until) < next ? first_id(until) : next;
	enum store_result result =
		store_user_receipts(call->service->store, call->user, first_id(since), before,
				    limit, &list, &call->arena);
	if (!admin_has_failed(call, result))
		reply_list(call, &list);
}
