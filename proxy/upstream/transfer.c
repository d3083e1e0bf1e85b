#include "proxy/upstream/transfer.h"

#include "proxy/runtime/loop.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- the request ---- */

bool upstream_writes_itself(const struct upstream_request *request, struct slice name)
{
	return slice_equal_nocase(name, SLICE("Host")) ||
	       slice_equal_nocase(name, SLICE("Content-Length")) ||
	       slice_equal_nocase(name, SLICE("Expect")) ||
	       http_field_is_hop_by_hop(request->fields, request->field_count, name);
}

bool upstream_always_has_body(struct slice method)
{
	return slice_equal(method, SLICE("POST")) || slice_equal(method, SLICE("PUT")) ||
	       slice_equal(method, SLICE("PATCH"));
}

void upstream_keep_pieces(struct transfer *transfer, const struct upstream_request *request)
{
	struct slice *pieces = arena_alloc(&transfer->arena, request->body_count * sizeof(*pieces));
	if (request->body_count > 0)
		memcpy(pieces, request->body, request->body_count * sizeof(*pieces));
	transfer->body.pieces = pieces;
	transfer->body.count = request->body_count;
}

/* ---- its progress ---- */

void upstream_set_timeout(struct transfer *transfer, uint64_t milliseconds)
{
	if (milliseconds > 0)
		loop_wait(transfer->timeout, (int64_t)milliseconds);
	else
		event_del(transfer->timeout);
}

void upstream_enter(struct upstream *upstream)
{
	upstream->inside = true;
	upstream->dispatch++;
}

void upstream_leave(struct upstream *upstream)
{
	upstream->inside = false;
}

bool upstream_is_answered(const struct transfer *transfer)
{
	return transfer->head.whole && transfer->missing == 0;
}

bool upstream_may_send_again(const struct transfer *transfer)
{
	return !transfer->sent_again && (transfer->repeatable || !transfer->sent);
}

/* ---- its end ---- */

void upstream_cancel(struct transfer *transfer)
{
	if (transfer == NULL)
		return;
	assert(!transfer->upstream->inside);
	LIST_REMOVE(transfer, siblings);
	transfer->engine->release(transfer);
	event_free(transfer->timeout);
	event_free(transfer->resume);
	buffer_finish(&transfer->head.lines);
	buffer_finish(&transfer->line);
	buffer_finish(&transfer->held);
	arena_finish(&transfer->arena);
	free(transfer);
}

void upstream_finish(struct transfer *transfer, enum upstream_result result, const char *detail)
{
	struct upstream_events events = transfer->events;
	void *cookie = transfer->cookie;
	char *copy = xstrdup(detail);
	upstream_cancel(transfer);
	events.end(cookie, result, copy);
	free(copy);
}

static bool connects_too_long(const struct transfer *transfer, uint64_t now)
{
	return transfer->connect_timeout > 0 &&
	       (now - transfer->connect_began) / 1000 >= transfer->connect_timeout;
}

/* How long to wait for the next thing that has a timeout; 0: it is due. */
static uint64_t still_allowed(const struct transfer *transfer, uint64_t now)
{
	uint64_t still = (now - transfer->moved_at) / 1000;
	uint64_t allowed =
		transfer->head.whole ? transfer->idle_timeout : transfer->first_byte_timeout;
	uint64_t left = still < allowed ? allowed - still : 0;
	if (transfer->connect_timeout > 0) {
		uint64_t connecting = (now - transfer->connect_began) / 1000;
		uint64_t limit = transfer->connect_timeout;
		uint64_t rest = connecting < limit ? limit - connecting : 0;
		left = rest < left ? rest : left;
	}
	return left;
}

void upstream_on_timeout(evutil_socket_t fd, short what, void *cookie)
{
	struct transfer *transfer = cookie;
	uint64_t now = clock_steady();
	uint64_t left = still_allowed(transfer, now);
	(void)fd;
	(void)what;
	if (left > 0)
		upstream_set_timeout(transfer, left);
	else if (upstream_is_answered(transfer))
		upstream_finish(transfer, UPSTREAM_OK, "");
	else if (connects_too_long(transfer, now))
		upstream_finish(transfer,
				transfer->sent ? UPSTREAM_BROKEN : UPSTREAM_CONNECT_TIMEOUT,
				"Connecting to the upstream took too long.");
	else if (transfer->head.whole)
		upstream_finish(transfer, UPSTREAM_IDLE_TIMEOUT, "The upstream stopped sending.");
	else
		upstream_finish(transfer, UPSTREAM_FIRST_BYTE_TIMEOUT,
				"The upstream did not reply in time.");
}

/* ---- the reply ---- */

/* Replies that libcurl refuses or reads itself. */
static const char *plain_fault(const struct reply_head *head)
{
	if (!slice_starts_with(buffer_slice(&head->lines), SLICE("HTTP/1.")))
		return "The upstream sent a malformed head.";
	return head->other_coding ? "The upstream used a transfer coding other than chunked."
				  : NULL;
}

bool upstream_deliver_head(struct transfer *transfer)
{
	struct arena arena = {0};
	struct upstream_head head;
	transfer->broken =
		reply_head_read(&transfer->head, transfer->is_head_request, &head, &arena);
	if (transfer->broken == NULL && transfer->engine == &upstream_plain_engine)
		transfer->broken = plain_fault(&transfer->head);
	if (transfer->broken == NULL) {
		transfer->missing = reply_body_size(&head, transfer->is_head_request);
		transfer->stopped = transfer->events.head(transfer->cookie, &head) == UPSTREAM_STOP;
	}
	arena_finish(&arena);
	transfer->moved_at = clock_steady();
	upstream_set_timeout(transfer, transfer->idle_timeout);
	return transfer->broken == NULL && !transfer->stopped;
}

void upstream_resume(struct transfer *transfer)
{
	if (transfer->paused)
		event_active(transfer->resume, EV_TIMEOUT, 0);
}

enum upstream_next upstream_answer_head(void *cookie, const struct upstream_head *head)
{
	struct upstream_answer *answer = cookie;
	answer->status = head->status;
	return UPSTREAM_GO_ON;
}

enum upstream_next upstream_answer_data(void *cookie, struct slice bytes)
{
	struct upstream_answer *answer = cookie;
	return buffer_append(&answer->body, bytes) ? UPSTREAM_GO_ON : UPSTREAM_STOP;
}

bool upstream_answer_full(void *cookie)
{
	(void)cookie;
	return false;
}
