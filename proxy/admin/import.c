/* POST /v1/users/USER/import and .../messages: a user's memory taken in, recalld's own format
 * and those of others. */
#include "core/json/json.h"
#include "core/memory/user.h"
#include "core/text/text.h"
#include "proxy/admin/call.h"
#include "proxy/background/embedder.h"
#include "proxy/background/learner.h"
#include "proxy/portable/forms.h"
#include "proxy/runtime/background.h"
#include "storage/rights.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>

enum { PATIENCE_WITH_VECTORS = 10000 }; /* milliseconds */

struct taking {
	struct admin_call *call;
	struct background *imports;
	struct buffer body;
	bool dry_run;
	bool has_messages; /* it came to .../messages */
	uint64_t bytes;    /* the user's bytes when there was no room for the newest part */
	unsigned tries;    /* how often that was no less */
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

/* The cost of learning from it: calls to the memory model, at most. */
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

static void end(struct taking *taking)
{
	portable_finish(&taking->reader);
	buffer_finish(&taking->body);
	background_end(taking->imports);
	free(taking);
}

/* ---- the answer ---- */

static void on_embedded(void *cookie, bool all)
{
	struct admin_call *call = cookie;
	(void)all; /* the rest is embedded later */
	call->gone = NULL;
	admin_reply_json(call, call->status);
}

static void on_client_gone(struct admin_call *call)
{
	embedder_wait_cancel(call->pending);
	admin_abandon(call);
}

/* A client that imports and then asks at once should find everything, so the answer waits a while
 * for the turns' vectors. */
static void wait_for_vectors(struct admin_call *call)
{
	const struct config_memory settings = admin_memory_settings(call);
	struct embedder *embedder = call->service->embedder;
	call->pending = NULL;
	if (call->config->model.embedding[0] != '\0' && mode_recalls((enum mode)settings.mode) &&
	    call->request != NULL)
		call->pending = embedder_when_done(embedder, call->user, call->loop,
						   PATIENCE_WITH_VECTORS, on_embedded, call);
	else
		embedder_wake(embedder, call->user);
	if (call->pending != NULL)
		call->gone = on_client_gone;
	else
		admin_reply_json(call, call->status);
}

static void show(struct taking *taking)
{
	struct admin_call *call = taking->call;
	const struct portable_total *total = &taking->reader.total;
	struct buffer *out = &call->out;
	call->action = "preview";
	buffer_printf(out,
		      "{\"dry_run\":true,\"format\":\"%s\",\"conversations\":%zu,\"turns\":%zu,"
		      "\"facts\":%zu,\"left_out\":%zu,\"settings\":%s",
		      taking->reader.form, total->conversations, total->turns, total->facts,
		      intake_left_out(&taking->intake),
		      taking->reader.memory.settings.is_stored ? "true" : "false");
	put_span(out, total, &call->arena);
	put_calls(out, taking);
	intake_print(&taking->intake, out);
	buffer_append_byte(out, '}');
	admin_reply_json(call, 200);
	end(taking);
}

static void put_messages(struct buffer *out, const struct taking *taking)
{
	const struct take_in_count *count = &taking->count;
	buffer_printf(out, "{\"imported\":%" PRIu64 ",\"left_out\":%zu,\"erased\":%" PRIu64,
		      count->turns, intake_left_out(&taking->intake), count->erased);
	if (count->known > 0)
		buffer_printf(out, ",\"known\":%" PRIu64, count->known);
}

static void put_memory(struct buffer *out, const struct taking *taking)
{
	const struct take_in_count *count = &taking->count;
	buffer_printf(out,
		      "{\"format\":\"%s\",\"conversations\":%" PRIu64 ",\"turns\":%" PRIu64
		      ",\"facts\":%" PRIu64 ",\"known\":%" PRIu64 ",\"erased\":%" PRIu64
		      ",\"left_out\":%zu,\"summary\":%s,\"settings\":%s,\"crowded\":%" PRIu64,
		      taking->reader.form, count->conversations, count->turns, count->facts,
		      count->known, count->erased, intake_left_out(&taking->intake),
		      count->summary ? "true" : "false", count->settings ? "true" : "false",
		      count->crowded);
}

static void answer_taken(struct taking *taking)
{
	struct admin_call *call = taking->call;
	const struct take_in_count *count = &taking->count;
	struct buffer *out = &call->out;
	if (count->settings && !taking->reader.memory.settings.learn)
		learner_forget(call->service->learner, call->user);
	learner_wake(call->service->learner, call->user, false);
	(taking->has_messages ? put_messages : put_memory)(out, taking);
	if (count->erased_at > 0)
		buffer_printf(out, ",\"erased_at\":\"%.*s\",\"undated\":%" PRIu64,
			      SLICE_PRINT(text_time(count->erased_at, &call->arena)),
			      count->undated);
	if (!taking->has_messages ||
	    taking->intake.masked + taking->intake.cut + intake_left_out(&taking->intake) >
		    taking->intake.left_out[LEFT_UNSHOWN])
		intake_print(&taking->intake, out);
	buffer_append_byte(out, '}');
	call->status = taking->has_messages ? 202 : 200;
	end(taking);
	wait_for_vectors(call);
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

static void on_waited(evutil_socket_t fd, short what, void *cookie);

/* A user who takes more than the limit, at first twice as much: the oldest of it gives way before
 * more comes. It waits only while something does. */
static bool waits_for_room(struct taking *taking)
{
	enum { TRIES = 20, PAUSE_US = 200000 }; /* it is looked at every two seconds */
	const struct timeval pause = {.tv_usec = PAUSE_US};
	const struct admin_call *call = taking->call;
	const uint64_t limit = taking->reader.user_limit;
	const uint64_t most = taking->count.next_turn == 0 ? 2 * limit : limit;
	const uint64_t bytes = limit == 0 ? 0 : store_user_bytes(call->service->store, call->user);
	taking->tries = bytes < taking->bytes ? 0 : taking->tries + 1;
	taking->bytes = bytes;
	return bytes > most && taking->tries < TRIES &&
	       event_base_once(loop_base(call->loop), -1, EV_TIMEOUT, on_waited, taking, &pause) ==
		       0;
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
	else if (!waits_for_room(taking))
		store_take_in(call->service->store, memory, clock_wall(), &taking->count,
			      (struct store_waiter){admin_store_loop(call, call->user), on_taken,
						    taking});
}

static void on_waited(evutil_socket_t fd, short what, void *cookie)
{
	(void)fd;
	(void)what;
	on_read(cookie);
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
	taking->tries = 0;
	taking->bytes = 0;
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

/* NULL in `format`: it is found out. */
static bool read_format(struct admin_call *call, const char **format)
{
	static const char *const formats[] = {"recalld",    "mem0",    "messages",
					      "openmemory", "chatgpt", "claude"};
	struct slice text;
	if (!admin_query(call, "format", &text))
		return false;
	*format = NULL;
	if (text.data == NULL || slice_equal(text, SLICE("auto")))
		return true;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (slice_equal(text, slice_of(formats[i])))
			*format = formats[i];
	}
	if (*format == NULL)
		admin_reply_error(call, 400, "invalid_query",
				  "\"format\" must be auto, recalld, mem0, messages, openmemory, "
				  "chatgpt or claude.");
	return *format != NULL;
}

/* Takes the request's body in; `how` has the reader's settings. */
static void begin(struct admin_call *call, const struct taking *how)
{
	const struct config_memory settings = admin_memory_settings(call);
	struct user_settings own;
	const enum store_result result =
		store_settings(call->service->store, call->user, &own, &call->arena);
	if (admin_has_failed(call, result))
		return;
	struct taking *taking = xmalloc(sizeof(*taking));
	*taking = *how;
	taking->call = call;
	taking->imports = call->service->imports;
	taking->body = http_request_take_body(call->request);
	taking->reader.intake = config_intake(&settings);
	taking->reader.intake.pii = settings_pii(&own, taking->reader.intake.pii);
	taking->reader.now = clock_wall();
	taking->reader.time_zone = settings.time_zone;
	/* Nothing of a user under a legal hold gives way. */
	taking->reader.user_limit = own.hold_until > clock_wall() ? 0 : settings.user_limit;
	taking->reader.background = taking->imports;
	http_request_hold(call->request, 4 * taking->body.size);
	if (background_begin(taking->imports, taking->body.size, read_file, taking))
		return;
	buffer_finish(&taking->body);
	free(taking);
	admin_refuse_crowd(call);
}

void admin_post_messages(struct admin_call *call)
{
	begin(call, &(struct taking){.has_messages = true,
				     .reader = {.learn = true, .asked = "messages"}});
}

void admin_post_import(struct admin_call *call)
{
	struct taking how = {.reader.learn = true};
	if (read_format(call, &how.reader.asked) &&
	    admin_query_switch(call, "dry_run", &how.dry_run) &&
	    admin_query_switch(call, "learn", &how.reader.learn))
		begin(call, &how);
}
