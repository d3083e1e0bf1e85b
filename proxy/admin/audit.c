/* The audit log: what is recorded of each call, and GET /v1/audit. */
#include "storage/audit.h"

#include "core/json/json.h"
#include "proxy/admin/call.h"

#include <inttypes.h>
#include <string.h>

enum { ANSWER_LIMIT = 64 << 20, USUAL_LIMIT = 100, MAX_LIMIT = 1000, LAST_SEQUENCE_BITS = 62 };

/* ---- recording ---- */

/* The peer without its port. */
static struct slice host_of(const char *peer)
{
	const char *colon = strrchr(peer, ':');
	const struct slice whole = slice_of(peer);
	return colon == NULL ? whole : slice_part(whole, 0, (size_t)(colon - peer));
}

static struct audit_entry entry_of(const struct admin_call *call, int result)
{
	const enum admin_names names = call->route->names;
	return (struct audit_entry){
		.by = "admin",
		.from = call->from,
		.action = call->action,
		.target = call->route->target,
		.item = names == NAMES_RECEIPT ? call->parameter : call->item,
		.tenant = names == NAMES_TENANT ? call->parameter : call->tenant,
		.has_user = call->is_of_user,
		.user = call->user,
		.result = result,
		.at = clock_wall(),
	};
}

void admin_audit(struct admin_call *call, int status)
{
	/* What ends with the process has no store any more. */
	if (call->action == NULL || call->is_written || status == 400 ||
	    call->service->store == NULL)
		return;
	const struct audit_entry entry = entry_of(call, status);
	store_audit(call->service->store, &entry);
	call->action = NULL;
}

struct store_loop *admin_store_loop(struct admin_call *call, struct user_key user)
{
	struct audit_entry *entry = arena_alloc(&call->arena, sizeof(*entry));
	if (call->action == NULL)
		return loop_for_store(call->loop);
	*entry = entry_of(call, 200);
	entry->has_user = true;
	entry->user = user;
	entry->has_counts = strcmp(call->action, "delete") == 0;
	call->is_written = true;
	return loop_for_audited(call->loop, entry);
}

void admin_audit_client(struct admin_call *call)
{
	call->from = arena_copy(&call->arena, host_of(http_request_peer(call->request)));
}

/* ---- reading ---- */

static void put_log(struct buffer *out, const struct audit_page *page, bool as_texts)
{
	const struct audit_ends *ends = &page->ends;
	buffer_printf(out, "{\"first\":%" PRIu64 ",\"last\":%" PRIu64, ends->first, ends->last);
	buffer_printf(out, ",\"before\":\"%s\",\"head\":\"%s\"", ends->before, ends->head);
	buffer_append(out, SLICE(",\"entries\":["));
	for (size_t i = 0; i < page->count; i++) {
		buffer_append(out, i == 0 ? SLICE("") : SLICE(","));
		if (as_texts)
			json_quote(out, page->lines[i]);
		else
			buffer_append(out, page->lines[i]);
	}
	if (page->more)
		buffer_printf(out, "],\"next\":\"%" PRIu64 "\"", page->last);
	else
		buffer_append(out, SLICE("],\"next\":null"));
}

void admin_get_audit(struct admin_call *call)
{
	struct audit_query query = {.since = INT64_MIN, .until = INT64_MAX, .limit = USUAL_LIMIT};
	struct audit_page page;
	struct slice user;
	uint64_t limit = USUAL_LIMIT;
	bool as_texts = false;
	if (!admin_query(call, "user", &user) || !admin_query(call, "action", &query.action) ||
	    !admin_query_time(call, "since", &query.since) ||
	    !admin_query_time(call, "until", &query.until) ||
	    !admin_query_switch(call, "lines", &as_texts) ||
	    !admin_query_number(call, "after", UINT64_C(1) << LAST_SEQUENCE_BITS, &query.after) ||
	    !admin_query_number(call, "limit", MAX_LIMIT, &limit))
		return;
	query.limit = limit;
	query.has_user = user.size > 0;
	if (query.has_user)
		query.user = store_user_key(call->tenant, user);
	enum store_result result =
		store_read_audit(call->service->store, &query, &page, &call->arena);
	if (admin_has_failed(call, result))
		return;
	struct buffer out;
	buffer_init(&out, ANSWER_LIMIT);
	put_log(&out, &page, as_texts);
	buffer_printf(&out, ",\"dropped\":%" PRIu64 "}", store_audit_dropped(call->service->store));
	admin_reply_json(call, 200, &out);
}
