#include "proxy/admin/scrub.h"

#include "core/json/json.h"
#include "core/text/text.h"
#include "proxy/background/scrubber.h"

#include <inttypes.h>

enum { ANSWER_LIMIT = 4096, SECOND_MS = 1000 };

static void put_schedule(struct buffer *out, uint64_t schedule)
{
	static const char *const words[] = {[CONFIG_SCRUB_OFF] = "off",
					    [CONFIG_SCRUB_START] = "start",
					    [CONFIG_SCRUB_AFTER_DELETE] = "after_delete"};
	if (schedule < CONFIG_SCRUB_WORDS)
		buffer_printf(out, "\"%s\"", words[schedule]);
	else
		buffer_printf(out, "\"%" PRIu64 "s\"", schedule / SECOND_MS);
}

void scrub_put_state(struct admin_call *call, struct buffer *out)
{
	struct scrubber_state state;
	scrubber_look(call->service->scrubber, &state);
	buffer_append(out, SLICE("{\"schedule\":"));
	put_schedule(out, call->config->storage.scrub);
	buffer_printf(out, ",\"running\":%s,\"share\":%.2f,\"pending\":%s",
		      state.running ? "true" : "false", state.share,
		      state.pending ? "true" : "false");
	admin_put_time(out, "last_at", state.last, &call->arena);
	admin_put_time(out, "due_at", state.due, &call->arena);
	json_put_text(out, "error", slice_of(state.error));
	buffer_append_byte(out, '}');
}

/* Exported keys open sealed backups until the operator deletes them. */
static void put_backups(struct admin_call *call, const struct deletion_report *report,
			struct buffer *out)
{
	const int64_t exported = store_keys_exported(call->service->store);
	const int64_t until = exported + (int64_t)call->config->storage.backup_keys_keep;
	if (exported >= report->oldest && exported != 0 && until > clock_wall())
		admin_put_time(out, "backups_until", until, &call->arena);
}

/* Erasing leaves the bytes where they were; without the user's keys nobody can read them. */
void scrub_put_disk(struct admin_call *call, const struct deletion_report *report,
		    struct buffer *out)
{
	struct scrubber_state state;
	scrubber_look(call->service->scrubber, &state);
	bool comes = state.running || state.due != 0;
	const char *disk = comes ? "scrub pending" : "logical";
	const bool by_keys = report->users > 0 && store_erases_by_keys(call->service->store);
	buffer_printf(out, ",\"disk\":\"%s\"", by_keys ? "keys" : disk);
	admin_put_time(out, "disk_until", by_keys ? 0 : state.due, &call->arena);
	admin_put_time(out, "left_out_until",
		       clock_wall() + (int64_t)call->config->storage.erasure_list, &call->arena);
	if (by_keys)
		put_backups(call, report, out);
}

void scrub_put_metrics(struct admin_call *call, struct buffer *out)
{
	struct scrubber_state state;
	scrubber_look(call->service->scrubber, &state);
	buffer_printf(
		out,
		"# HELP recalld_store_scrub_pending 1 while the store's file may hold erased "
		"texts.\n# TYPE recalld_store_scrub_pending gauge\nrecalld_store_scrub_pending "
		"%d\n# HELP recalld_store_scrubbed_seconds When the last scrub began, in seconds "
		"since 1970; 0: never.\n# TYPE recalld_store_scrubbed_seconds "
		"gauge\nrecalld_store_scrubbed_seconds %" PRId64 "\n",
		state.pending, state.last / SECOND_MS);
}

static void reply(struct admin_call *call, int status)
{
	struct buffer out;
	buffer_init(&out, ANSWER_LIMIT);
	scrub_put_state(call, &out);
	admin_reply_json(call, status, &out);
}

void admin_get_scrub(struct admin_call *call)
{
	reply(call, 200);
}

void admin_post_scrub(struct admin_call *call)
{
	scrubber_ask(call->service->scrubber);
	reply(call, 202);
}
