/* A user's memory to take along, and to take in again: recalld's own form and those of others. */
#include "core/json/json.h"
#include "core/text/text.h"
#include "proxy/admin/call.h"
#include "proxy/learn/embedder.h"
#include "proxy/learn/learner.h"
#include "proxy/portable/forms.h"
#include "proxy/runtime/background.h"
#include "proxy/runtime/version.h"
#include "storage/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- out: receipts and the audit log page by page, so that other calls come between ---- */

enum { EXPORT_LIMIT = 256 << 20, RECEIPTS_AT_ONCE = 1000 };

enum part { FACTS, TURNS, SUMMARY, RECEIPTS, AUDIT, PARTS };

static const char *const part_names[PARTS] = {"facts", "turns", "summary", "receipts", "audit"};

struct exporting {
	struct admin_call *call;
	struct buffer out;
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

static void fail(struct exporting *exporting, enum store_result result)
{
	buffer_finish(&exporting->out);
	admin_reply_failure(exporting->call, result);
}

static void begin_element(struct exporting *exporting)
{
	if (exporting->in_list)
		buffer_append_byte(&exporting->out, ',');
	exporting->in_list = true;
}

static void begin_list(struct exporting *exporting, enum part part)
{
	if (exporting->has_begun)
		return;
	buffer_printf(&exporting->out, ",\"%s\":[", part_names[part]);
	exporting->has_begun = true;
}

static void end_list(struct exporting *exporting, enum part part)
{
	buffer_append_byte(&exporting->out, ']');
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
		admin_put_receipt(&exporting->out, &list.receipts[i], &scratch);
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
		buffer_append(&exporting->out, page.lines[i]);
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
		buffer_finish(&exporting->out);
		admin_abandon(call);
		return;
	}
	if (exporting->wanted[RECEIPTS])
		result = add_receipts(exporting);
	else if (exporting->wanted[AUDIT])
		result = add_audit(exporting);
	if (result != STORE_OK) {
		fail(exporting, result);
	} else if (exporting->wanted[RECEIPTS] || exporting->wanted[AUDIT]) {
		loop_post(call->loop, go_on, exporting);
	} else {
		struct buffer out = exporting->out; /* it outlives the call */
		buffer_append_byte(&out, '}');
		admin_reply_json(call, 200, &out);
	}
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
	buffer_init(&exporting->out, EXPORT_LIMIT);
	portable_write(&exporting->out, &memory, clock_wall(), version_text, &call->arena);
	go_on(exporting);
}

/* ---- in ---- */

enum { ANSWER_LIMIT = 4096 };

struct taking {
	struct admin_call *call;
	struct background *imports;
	struct buffer body;
	bool dry_run;
	const char *fault; /* of the file */
	struct intake intake;
	struct portable_reader reader;
	struct take_in_count count;
};

static void put_span(struct buffer *out, const struct portable_total *total, struct arena *arena)
{
	if (total->first <= total->last)
		buffer_printf(out, ",\"first\":\"%.*s\",\"last\":\"%.*s\"",
			      SLICE_PRINT(text_time(total->first, arena)),
			      SLICE_PRINT(text_time(total->last, arena)));
}

/* What learning from it costs: calls to the memory model, at most. */
static void put_calls(struct buffer *out, const struct taking *taking)
{
	const struct portable_total *total = &taking->reader.total;
	const struct config_memory settings = admin_memory_settings(taking->call);
	const size_t summarized =
		taking->reader.memory.has_summary ? 0 : (total->summarized + 1) / 2;
	buffer_printf(out, ",\"model_calls\":{\"facts\":%zu,\"summary\":%zu}",
		      mode_uses_facts((enum mode)settings.mode) ? total->pending : 0,
		      mode_uses_summary((enum mode)settings.mode) ? summarized : 0);
}

/* After the call has ended. */
static void end(struct taking *taking)
{
	portable_finish(&taking->reader);
	buffer_finish(&taking->body);
	background_end(taking->imports);
	free(taking);
}

static void reply(struct taking *taking, struct buffer *out)
{
	intake_print(&taking->intake, out);
	buffer_append_byte(out, '}');
	admin_reply_json(taking->call, 200, out);
	end(taking);
}

static void show(struct taking *taking)
{
	struct admin_call *call = taking->call;
	const struct portable_total *total = &taking->reader.total;
	struct buffer out;
	call->action = "preview";
	buffer_init(&out, ANSWER_LIMIT);
	buffer_printf(&out,
		      "{\"dry_run\":true,\"format\":\"%s\",\"conversations\":%zu,\"turns\":%zu,"
		      "\"facts\":%zu,\"left_out\":%zu,\"settings\":%s",
		      taking->reader.form, total->conversations, total->turns, total->facts,
		      intake_left_out(&taking->intake),
		      taking->reader.memory.settings.is_stored ? "true" : "false");
	put_span(&out, total, &call->arena);
	put_calls(&out, taking);
	reply(taking, &out);
}

static void answer_taken(struct taking *taking)
{
	struct admin_call *call = taking->call;
	const struct take_in_count *count = &taking->count;
	struct buffer out;
	if (count->settings && !taking->reader.memory.settings.learn)
		learner_forget(call->service->learner, call->user);
	learner_wake(call->service->learner, call->user, false);
	embedder_wake(call->service->embedder, call->user);
	buffer_init(&out, ANSWER_LIMIT);
	buffer_printf(&out,
		      "{\"format\":\"%s\",\"conversations\":%" PRIu64 ",\"turns\":%" PRIu64
		      ",\"facts\":%" PRIu64 ",\"known\":%" PRIu64 ",\"erased\":%" PRIu64
		      ",\"left_out\":%zu,\"summary\":%s,\"settings\":%s",
		      taking->reader.form, count->conversations, count->turns, count->facts,
		      count->known, count->erased, intake_left_out(&taking->intake),
		      count->summary ? "true" : "false", count->settings ? "true" : "false");
	if (count->erased_at > 0)
		buffer_printf(&out, ",\"erased_at\":\"%.*s\"",
			      SLICE_PRINT(text_time(count->erased_at, &call->arena)));
	buffer_printf(&out, ",\"crowded\":%" PRIu64, count->crowded);
	reply(taking, &out);
}

static void read_more(void *cookie);

static void on_taken(void *cookie, enum store_result result)
{
	struct taking *taking = cookie;
	const bool is_over = taking->reader.is_over;
	if (result == STORE_OK && background_hurries(taking->imports) && !is_over)
		result = STORE_FAILED;
	if (admin_has_failed(taking->call, result)) {
		end(taking);
		return;
	}
	if (is_over)
		answer_taken(taking);
	else
		background_go_on(taking->imports, read_more, taking);
}

/* True: the call has ended. */
static bool is_refused(struct taking *taking)
{
	struct admin_call *call = taking->call;
	const struct portable_memory *memory = &taking->reader.memory;
	const bool is_first = taking->count.next_turn == 0;
	if (background_hurries(taking->imports))
		admin_reply_failure(call, STORE_FAILED);
	else if (taking->fault != NULL)
		admin_reply_error(call, 400, "invalid_import", taking->fault);
	else
		return !taking->dry_run && is_first && memory->settings.consent_at == 0 &&
		       !admin_has_consent(call);
	return true;
}

static void on_read(void *cookie)
{
	struct taking *taking = cookie;
	struct admin_call *call = taking->call;
	struct portable_memory *memory = &taking->reader.memory;
	memory->has_more = !taking->reader.is_over;
	if (is_refused(taking))
		end(taking);
	else if (taking->dry_run)
		show(taking);
	else
		store_take_in(call->service->store, memory, clock_wall(), &taking->count,
			      admin_store_loop(call, call->user), on_taken, taking);
}

/* On the thread for imports, like those that follow. */
static void give_memory(struct taking *taking)
{
	if (taking->fault == NULL && !taking->dry_run)
		portable_index(&taking->reader.memory, &taking->reader.arena);
	loop_post(taking->call->loop, on_read, taking);
}

static void read_more(void *cookie)
{
	struct taking *taking = cookie;
	taking->fault = portable_read(&taking->reader);
	give_memory(taking);
}

static void read_file(void *cookie)
{
	struct taking *taking = cookie;
	struct portable_reader *reader = &taking->reader;
	taking->fault = portable_check(reader, buffer_slice(&taking->body));
	taking->intake = reader->intake;
	reader->memory.tenant = taking->call->tenant;
	reader->memory.user = taking->call->parameter;
	if (reader->is_split && taking->fault == NULL && !taking->dry_run)
		read_more(taking);
	else
		give_memory(taking);
}

/* NULL in `form`: it is found out. */
static bool read_form(struct admin_call *call, const char **form)
{
	static const char *const forms[] = {"recalld", "mem0", "openmemory", "chatgpt", "claude"};
	struct slice text;
	if (!admin_query(call, "format", &text))
		return false;
	*form = NULL;
	if (text.data == NULL || slice_equal(text, SLICE("auto")))
		return true;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (slice_equal(text, slice_of(forms[i])))
			*form = forms[i];
	}
	if (*form == NULL)
		admin_reply_error(call, 400, "invalid_query",
				  "\"format\" must be auto, recalld, mem0, openmemory, chatgpt or "
				  "claude.");
	return *form != NULL;
}

void admin_post_import(struct admin_call *call)
{
	const char *form;
	bool dry_run = false;
	bool learn = true;
	if (!read_form(call, &form) || !admin_query_switch(call, "dry_run", &dry_run) ||
	    !admin_query_switch(call, "learn", &learn))
		return;
	struct config_memory settings = admin_memory_settings(call);
	struct taking *taking = xmalloc(sizeof(*taking));
	*taking = (struct taking){
		.call = call,
		.imports = call->service->imports,
		.body = http_request_take_body(call->request),
		.dry_run = dry_run,
		.reader = {.learn = learn,
			   .intake = config_intake(&settings),
			   .now = clock_wall(),
			   .asked = form,
			   .background = call->service->imports},
	};
	http_request_hold(call->request, 4 * taking->body.size);
	if (background_begin(taking->imports, taking->body.size, read_file, taking))
		return;
	buffer_finish(&taking->body);
	free(taking);
	admin_refuse_crowd(call);
}
