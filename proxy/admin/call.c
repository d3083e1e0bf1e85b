/* A call's answers and their ends, and what the audit log is told of it. */
#include "proxy/admin/call.h"

#include "proxy/runtime/metrics.h"
#include "storage/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- the audit log ---- */

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

static void record(struct admin_call *call, int status)
{
	/* At the end of the process there is no store any more. */
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

/* ---- ends ---- */

static void free_call(void *cookie)
{
	struct admin_call *call = cookie;
	config_release(call->config);
	buffer_finish(&call->out);
	arena_finish(&call->arena);
	free(call);
}

static struct http_request *end_call(struct admin_call *call)
{
	struct http_request *request = call->request;
	call->request = NULL;
	loop_later(call->loop, free_call, call);
	return request;
}

void admin_abandon(struct admin_call *call)
{
	(void)end_call(call);
}

void admin_refuse(struct admin_call *call, int status, const char *code, struct slice message,
		  const struct http_field *field)
{
	struct http_request *request = end_call(call);
	if (request != NULL)
		http_reply_error(request, status, code, message, field, field != NULL);
}

void admin_refuse_crowd(struct admin_call *call)
{
	static const struct http_field retry = {SLICE("Retry-After"), SLICE("1")};
	metrics_count(METRIC_ERRORS_BYTES, 1);
	admin_refuse(call, 503, "too_many_bytes",
		     SLICE("Too many bytes are in flight; try again in a moment."), &retry);
}

void admin_reply_error(struct admin_call *call, int status, const char *code, const char *message)
{
	record(call, status);
	admin_refuse(call, status, code, slice_of(message), NULL);
}

static void reply(struct admin_call *call, int status, const char *content_type,
		  const struct http_field *field)
{
	if (call->out.overflowed) {
		admin_reply_error(call, 500, "answer_too_large", "The answer is too large.");
		return;
	}
	record(call, status);
	struct http_request *request = end_call(call);
	if (request != NULL)
		http_reply(request, status, content_type, field, field != NULL,
			   buffer_slice(&call->out));
}

void admin_reply_text(struct admin_call *call, int status, const char *content_type)
{
	reply(call, status, content_type, NULL);
}

void admin_reply_json(struct admin_call *call, int status)
{
	buffer_append_byte(&call->out, '\n');
	reply(call, status, "application/json", NULL);
}

void admin_reply_tagged(struct admin_call *call, int status, uint64_t version)
{
	char text[sizeof("\"0123456789abcdef\"")];
	(void)snprintf(text, sizeof(text), "\"%016" PRIx64 "\"", version);
	const struct http_field tag = {SLICE("ETag"), slice_of(text)};
	buffer_append_byte(&call->out, '\n');
	reply(call, status, "application/json", &tag);
}

void admin_reply_failure(struct admin_call *call, enum store_result result)
{
	call->is_written = false;
	switch (result) {
	case STORE_NOT_FOUND:
		admin_reply_error(call, 404, "not_found", "Nothing is stored under that name.");
		return;
	case STORE_STALE:
		admin_reply_error(call, 409, "restricted", "This user wants nothing kept.");
		return;
	case STORE_FULL:
		admin_reply_error(call, 503, "store_full",
				  "The store has no room: raise [storage] map_size, free disk "
				  "space, or forget users.");
		return;
	default:
		admin_reply_error(call, 500, "store_failed",
				  "The store could not complete the call.");
	}
}

bool admin_has_failed(struct admin_call *call, enum store_result result)
{
	if (result != STORE_OK)
		admin_reply_failure(call, result);
	return result != STORE_OK;
}

bool admin_has_keys(struct admin_call *call)
{
	if (!call->is_of_user || !store_has_lost(call->service->store, call->user))
		return true;
	admin_reply_error(call, 409, "keys_missing",
			  "The user's keys are missing, so nothing of the user can be read: put "
			  "back the newest file \"keys\" and restart recalld, or DELETE "
			  "/v1/users/USER (recallctl forget USER), which frees the name.");
	return false;
}
