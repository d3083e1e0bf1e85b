#include "proxy/admin/report.h"

#include "proxy/admin/scrub.h"
#include "storage/rights.h"

#include <inttypes.h>
#include <stdatomic.h>

enum {
	ANSWER_LIMIT = 4096,
	ID_TIME_SHIFT = 20, /* an id is milliseconds since 1970, then a counter */
};

struct count {
	const char *name;
	uint64_t count;
};

static void put_members(struct buffer *out, const struct count *counts, size_t size,
			const struct deletion_report *report)
{
	for (size_t i = 0; i < size; i++)
		buffer_printf(out, "\"%s\":%" PRIu64 ",", counts[i].name, counts[i].count);
	buffer_printf(out, "\"summary\":\"%s\"", report->summaries > 0 ? "dropped" : "kept");
}

bool report_is_held(struct admin_call *call, struct user_key user)
{
	struct user_settings settings;
	return store_settings(call->service->store, user, &settings, &call->arena) == STORE_OK &&
	       settings.hold_until > clock_wall();
}

bool report_may_delete(struct admin_call *call)
{
	bool forces = false;
	if (!admin_query_switch(call, "force", &forces))
		return false;
	if (forces || !report_is_held(call, call->user))
		return true;
	admin_reply_error(call, 409, "legal_hold",
			  "The user is under a legal hold (\"hold_until\" of their settings); "
			  "force=1 deletes them nevertheless.");
	return false;
}

void report_put_preview(struct buffer *out, const struct deletion_report *report)
{
	const struct count counts[] = {
		{"users", report->users},           {"facts", report->facts},
		{"unquoted", report->unquoted},     {"turns", report->turns},
		{"receipts", report->receipts},     {"conversations", report->conversations},
		{"still_said", report->still_said},
	};
	buffer_append_byte(out, '{');
	put_members(out, counts, sizeof(counts) / sizeof(counts[0]), report);
	buffer_append_byte(out, '}');
}

static uint64_t next_id(void)
{
	static atomic_uint_least32_t counter;
	uint64_t mask = (UINT64_C(1) << ID_TIME_SHIFT) - 1;
	return (uint64_t)clock_wall() << ID_TIME_SHIFT | (atomic_fetch_add(&counter, 1) & mask);
}

static void put_report(struct buffer *out, struct admin_call *call,
		       const struct deletion_report *report)
{
	const struct count counts[] = {
		{"users", report->users},       {"facts", report->facts},
		{"unquoted", report->unquoted}, {"turns", report->turns},
		{"receipts", report->receipts}, {"conversations", report->conversations},
		{"frozen", report->frozen},     {"replays", report->replays},
		{"vectors", report->vectors},   {"postings", report->postings},
		{"jobs", report->jobs},         {"still_said", report->still_said},
	};
	buffer_init(out, ANSWER_LIMIT);
	buffer_printf(out, "{\"id\":\"%016" PRIx64 "\",", next_id());
	put_members(out, counts, sizeof(counts) / sizeof(counts[0]), report);
	scrub_put_disk(call, report, out);
}

void report_reply(struct admin_call *call, const struct deletion_report *report)
{
	struct buffer out;
	put_report(&out, call, report);
	buffer_append_byte(&out, '}');
	admin_reply_json(call, 200, &out);
}

void report_reply_users(struct admin_call *call, const struct deletion_report *report, size_t held)
{
	struct buffer out;
	put_report(&out, call, report);
	buffer_printf(&out, ",\"held\":%zu}", held);
	admin_reply_json(call, 200, &out);
}

void report_add(struct deletion_report *sum, const struct deletion_report *report)
{
	sum->users += report->users;
	sum->facts += report->facts;
	sum->unquoted += report->unquoted;
	sum->turns += report->turns;
	sum->conversations += report->conversations;
	sum->receipts += report->receipts;
	sum->frozen += report->frozen;
	sum->replays += report->replays;
	sum->vectors += report->vectors;
	sum->postings += report->postings;
	sum->jobs += report->jobs;
	sum->summaries += report->summaries;
	if (sum->users == report->users || report->oldest < sum->oldest)
		sum->oldest = report->oldest;
	sum->unlisted |= report->unlisted;
}
