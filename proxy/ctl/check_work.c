/* The part of check that tells how the work goes: requests, the memory model, what to do next. */
#include "proxy/ctl/tool/ctl.h"

#include <string.h>

enum { FEW_CALLS = 10, FULL_PERCENT = 80, FAILED_PERCENT = 50 };

static const double GIGABYTE = 1 << 30;

struct part {
	const char *name;  /* the member */
	const char *words; /* for people */
};

static long long number(const json_t *object, const char *name)
{
	return (long long)json_integer_value(json_object_get(object, name));
}

static long long sum(json_t *object)
{
	const char *name;
	json_t *value;
	long long all = 0;
	json_object_foreach(object, name, value) all += (long long)json_integer_value(value);
	return all;
}

/* "12 store, 3 refused": those that are not zero. */
static void print_parts(json_t *object, const struct part *parts, size_t count)
{
	const char *comma = "";
	for (size_t i = 0; i < count; i++) {
		long long value = number(object, parts[i].name);
		if (value == 0)
			continue;
		(void)printf("%s%lld %s", comma, value, parts[i].words);
		comma = ", ";
	}
	(void)putchar('\n');
}

static void print_requests(json_t *status)
{
	static const struct part parts[] = {
		{"injected", "with memory"},
		{"empty", "that nothing known bore on"},
		{"anonymous", "without user"},
		{"side", "side"},
		{"off", "off"},
	};
	static const struct part causes[] = {
		{"refused", "refused upstream"}, {"body", "unreadable"},
		{"store", "store failed"},       {"full", "store full"},
		{"behind", "store behind"},      {"commit", "not saved in time"},
	};
	json_t *requests = json_object_get(status, "requests");
	json_t *bypassed = json_object_get(status, "bypassed");
	if (!json_is_object(requests)) /* an earlier recalld */
		return;
	(void)fputs("  requests    ", stdout);
	if (sum(requests) == 0)
		(void)puts("none since the start");
	else
		print_parts(requests, parts, sizeof(parts) / sizeof(parts[0]));
	if (sum(bypassed) == 0)
		return;
	(void)fputs("  bypassed    ", stdout);
	print_parts(bypassed, causes, sizeof(causes) / sizeof(causes[0]));
}

/* In percent of the calls to the memory model. */
static long long share(json_t *model, long long of)
{
	long long calls = number(model, "calls");
	return calls == 0 ? 0 : 100 * of / calls;
}

/* Of the facts that the model names, those that the user's words do not bear out. */
static long long rejected_share(json_t *model)
{
	long long rejected = number(model, "facts_rejected");
	long long named = rejected + number(model, "facts_stored");
	return named < FEW_CALLS ? 0 : 100 * rejected / named;
}

/* In percent of the exchanges that were learned from, several by one call; an earlier recalld
 * counts calls alone. Questions hold nothing to be found. */
static long long empty_share(json_t *model)
{
	long long lessons = number(model, json_object_get(model, "lessons") ? "lessons" : "calls");
	return lessons == 0 ? 0 : 100 * number(model, "empty") / lessons;
}

/* In percent of the exchanges in which something was found, or should have been: the user tells
 * something of themselves. An earlier recalld does not know which tell. */
static long long missed_share(json_t *model)
{
	if (!json_object_get(model, "missed"))
		return number(model, "calls") < FEW_CALLS ? 0 : empty_share(model);
	const long long missed = number(model, "missed");
	const long long told = number(model, "lessons") - number(model, "empty") + missed;
	return told < FEW_CALLS ? 0 : 100 * missed / told;
}

static void print_learned(json_t *model)
{
	if (number(model, "lessons") > 0) {
		(void)fputs("  learned     ", stdout);
		ctl_print_count(number(model, "facts_stored"), "facts");
		(void)printf("; %lld rejected: not in the users' words\n",
			     number(model, "facts_rejected"));
	}
	if (number(model, "summaries_refused") > 0)
		(void)printf("  summaries   %lld kept, %lld refused\n", number(model, "summaries"),
			     number(model, "summaries_refused"));
}

/* What learning costs, beside what memory gives and saves. */
static void print_tokens(json_t *status)
{
	static const struct part parts[] = {
		{"learning", "spent on learning"},
		{"injected", "given to chats"},
		{"trimmed", "saved by trimming histories"},
	};
	json_t *tokens = json_object_get(status, "tokens");
	if (sum(tokens) == 0)
		return;
	(void)fputs("  tokens      ", stdout);
	print_parts(tokens, parts, sizeof(parts) / sizeof(parts[0]));
}

static void print_model(json_t *status)
{
	json_t *model = json_object_get(status, "memory_model");
	if (!json_is_object(model))
		return;
	if (number(model, "calls") == 0) {
		(void)puts("  model       not called since the start");
		return;
	}
	(void)fputs("  model       ", stdout);
	ctl_print_count(number(model, "calls"), "calls");
	(void)printf(": %lld%% refused, %lld%% unusable, %lld%% empty, %lld%% unanswered\n",
		     share(model, number(model, "refused")),
		     share(model, number(model, "unusable")), empty_share(model),
		     share(model, number(model, "unreachable") + number(model, "late")));
	print_learned(model);
}

static void print_disk(json_t *status)
{
	json_t *room = json_object_get(status, "store_writable");
	if (!json_is_boolean(room))
		return;
	(void)printf("  store       %s; %.1f GB of the disk free\n",
		     json_is_true(room) ? "takes writes" : "takes no writes",
		     (double)number(status, "disk_free") / GIGABYTE);
}

static void print_key(json_t *status)
{
	json_t *key = json_object_get(status, "store_key");
	if (!json_is_object(key))
		return;
	(void)printf("  encrypted   with the master key of %s%s\n", ctl_text(key, "since"),
		     json_is_true(json_object_get(key, "overdue")) ? ", which is overdue" : "");
}

static void print_answers(json_t *status)
{
	static const struct part parts[] = {
		{"2xx", "fine"},     {"3xx", "elsewhere"}, {"4xx", "refused"},
		{"429", "too many"}, {"5xx", "failed"},
	};
	json_t *answers = json_object_get(status, "upstream_answers");
	if (sum(answers) == number(answers, "2xx")) /* or an earlier recalld */
		return;
	(void)fputs("  answers     ", stdout);
	print_parts(answers, parts, sizeof(parts) / sizeof(parts[0]));
}

void ctl_print_work(json_t *status)
{
	print_disk(status);
	print_key(status);
	print_requests(status);
	print_answers(status);
	print_model(status);
	print_tokens(status);
}

/* ---- what to do ---- */

static void advise(bool applies, const char *what)
{
	if (applies)
		(void)printf("  do          %s\n", what);
}

static bool has(json_t *status, const char *trouble)
{
	return *ctl_text(status, trouble) != '\0';
}

void ctl_print_advice(json_t *status)
{
	json_t *model = json_object_get(status, "memory_model");
	bool called = number(model, "calls") >= FEW_CALLS;
	advise(has(status, "upstream_trouble"),
	       "see [upstream] base_url and api_key, or the client's key and model");
	advise(has(status, "learning_trouble"),
	       "see [model] base_url, api_key and name; waiting work is not lost");
	advise(has(status, "embedding_trouble"),
	       "see [model] embedding; recall uses words alone meanwhile");
	advise(has(status, "configuration_trouble"),
	       "mend the configuration: recalld -t names each fault");
	advise(called && share(model, number(model, "unusable")) > FAILED_PERCENT,
	       "the memory model's answers cannot be used: try another [model] name");
	advise(number(status, "parked") > 0,
	       "run recallctl unpark once the memory model works again");
	advise(missed_share(model) > FULL_PERCENT,
	       "the memory model finds next to nothing: try another [model] name");
	advise(rejected_share(model) > FULL_PERCENT,
	       "the memory model makes up what it finds: try another [model] name");
	advise(called && share(model, number(model, "late")) > FAILED_PERCENT,
	       "the memory model is too slow: see [model] name and timeout");
	advise(number(status, "bytes_used") > number(status, "bytes_mapped") / 100 * FULL_PERCENT,
	       "raise [storage] map_size: the store is nearly full");
	advise(has(json_object_get(status, "scrub"), "error"),
	       "a scrub failed: make room for a second copy of the store, then recallctl scrub");
	advise(json_is_true(json_object_get(json_object_get(status, "store_key"), "overdue")),
	       "the master key is older than [storage] rotate: see recallctl rotate-key");
	advise(number(json_object_get(status, "store_key"), "missing_keys") > 0,
	       "some users' keys are missing: put back the newest file \"keys\", or delete these "
	       "users; the log's start names them");
	advise(number(json_object_get(status, "bypassed"), "refused") > 0,
	       "a model refuses the memory block: set [memory] role = user for it");
}
