/* GET /v1/users/USER/export: a user's memory to take along. Receipts and the audit log go page by
 * page, so that other calls come between. */
#include "proxy/admin/call.h"
#include "proxy/portable/forms.h"
#include "proxy/runtime/version.h"
#include "storage/audit.h"

enum { RECEIPTS_AT_ONCE = 1000 };

enum part { FACTS, TURNS, SUMMARY, RECEIPTS, AUDIT, PARTS };

static const char *const part_names[PARTS] = {"facts", "turns", "summary", "receipts", "audit"};

struct exporting {
	struct admin_call *call;
	bool wanted[PARTS];
	bool in_list;    /* an element was written */
	bool has_begun;  /* the list of receipts, or then that of the audit */
	uint64_t before; /* the oldest receipt written */
	uint64_t after;  /* the newest audit entry looked at */
};

/* Reads ?include=; without it, what an import takes. False: the call has ended. */
static bool read_parts(struct admin_call *call, bool wanted[PARTS])
{
	struct slice list;
	if (!admin_query(call, "include", &list))
		return false;
	for (size_t part = 0; part < PARTS; part++)
		wanted[part] = list.data == NULL && part <= SUMMARY;
	for (size_t begin = 0; list.data != NULL && begin <= list.size;) {
		const size_t end = slice_find(list, SLICE(","), begin);
		size_t part = 0;
		while (part < PARTS &&
		       !slice_equal(slice_part(list, begin, end), slice_of(part_names[part])))
			part++;
		if (part == PARTS) {
			admin_reply_error(
				call, 400, "invalid_query",
				"\"include\" lists any of facts, turns, summary, receipts "
				"and audit.");
			return false;
		}
		wanted[part] = true;
		begin = end + 1;
	}
	return true;
}

static void leave_out(struct portable_memory *memory, const bool wanted[PARTS])
{
	memory->fact_count = wanted[FACTS] ? memory->fact_count : 0;
	memory->turn_count = wanted[TURNS] ? memory->turn_count : 0;
	memory->conversation_count = wanted[TURNS] ? memory->conversation_count : 0;
	memory->has_summary &= wanted[SUMMARY];
}

static void begin_element(struct exporting *exporting)
{
	if (exporting->in_list)
		buffer_append_byte(&exporting->call->out, ',');
	exporting->in_list = true;
}

static void begin_list(struct exporting *exporting, enum part part)
{
	if (exporting->has_begun)
		return;
	buffer_printf(&exporting->call->out, ",\"%s\":[", part_names[part]);
	exporting->has_begun = true;
}

static void end_list(struct exporting *exporting, enum part part)
{
	buffer_append_byte(&exporting->call->out, ']');
	exporting->wanted[part] = exporting->in_list = exporting->has_begun = false;
}

/* The newest first. */
static enum store_result add_receipts(struct exporting *exporting)
{
	struct admin_call *call = exporting->call;
	struct arena scratch = {0};
	struct receipt_list list;
	enum store_result result =
		store_user_receipts(call->service->store, call->user, 0, exporting->before,
				    RECEIPTS_AT_ONCE, &list, &scratch);
	begin_list(exporting, RECEIPTS);
	for (size_t i = 0; result == STORE_OK && i < list.count; i++) {
		begin_element(exporting);
		admin_put_receipt(&call->out, &list.receipts[i], &scratch);
	}
	exporting->before = list.last;
	/* Somebody who has only settings has no receipts. */
	if (result == STORE_NOT_FOUND)
		result = STORE_OK;
	if (!list.more)
		end_list(exporting, RECEIPTS);
	arena_finish(&scratch);
	return result;
}

/* The oldest first, as they are stored. */
static enum store_result add_audit(struct exporting *exporting)
{
	struct admin_call *call = exporting->call;
	struct arena scratch = {0};
	struct audit_page page;
	const struct audit_query query = {
		.after = exporting->after,
		.since = INT64_MIN,
		.until = INT64_MAX,
		.has_user = true,
		.user = call->user,
		.limit = AUDIT_AT_ONCE,
	};
	enum store_result result = store_read_audit(call->service->store, &query, &page, &scratch);
	begin_list(exporting, AUDIT);
	for (size_t i = 0; i < page.count; i++) {
		begin_element(exporting);
		buffer_append(&call->out, page.lines[i]);
	}
	exporting->after = page.last;
	if (!page.more)
		end_list(exporting, AUDIT);
	arena_finish(&scratch);
	return result;
}

static void go_on(void *cookie)
{
	struct exporting *exporting = cookie;
	struct admin_call *call = exporting->call;
	enum store_result result = STORE_OK;
	if (call->request == NULL) {
		admin_abandon(call);
		return;
	}
	if (exporting->wanted[RECEIPTS])
		result = add_receipts(exporting);
	else if (exporting->wanted[AUDIT])
		result = add_audit(exporting);
	if (admin_has_failed(call, result))
		return;
	if (exporting->wanted[RECEIPTS] || exporting->wanted[AUDIT]) {
		loop_post(call->loop, go_on, exporting);
		return;
	}
	buffer_append_byte(&call->out, '}');
	admin_reply_json(call, 200);
}

void admin_get_export(struct admin_call *call)
{
	struct portable_memory memory;
	struct exporting *exporting = arena_alloc(&call->arena, sizeof(*exporting));
	*exporting = (struct exporting){.call = call, .before = UINT64_MAX};
	if (!read_parts(call, exporting->wanted))
		return;
	enum store_result result =
		store_read_memory(call->service->store, call->user, &memory, &call->arena);
	if (admin_has_failed(call, result))
		return;
	if (memory.user.size == 0) {
		memory.user = call->parameter;
		memory.tenant = call->tenant;
	}
	leave_out(&memory, exporting->wanted);
	portable_write(&call->out, &memory, clock_wall(), version_text, &call->arena);
	go_on(exporting);
}
