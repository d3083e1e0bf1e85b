/* Whatever the request: what comes out differs from it by the edits alone, and is a request with
 * the client's messages in it, but those that were to be taken out. */
#include "core/history.h"

#include "tests/fuzz/fuzz.h"

#include <string.h>

enum { MAX_RIDERS = 64 };

static const struct slice recalled = SLICE("[2026-03-02] user: \"I\" moved");

static void check_only_edited(struct slice body, struct slice spliced, const struct edit *edits,
			      size_t count, bool cuts)
{
	size_t from = 0;
	for (size_t i = 0; i < count; i++) {
		FUZZ_ASSERT(edits[i].offset >= from && edits[i].offset <= body.size);
		FUZZ_ASSERT(edits[i].removed <= body.size - edits[i].offset);
		FUZZ_ASSERT(edits[i].removed == 0 || cuts);
		struct slice kept = slice_part(body, from, edits[i].offset);
		FUZZ_ASSERT(slice_starts_with(spliced, kept));
		spliced = slice_part(spliced, kept.size, spliced.size);
		FUZZ_ASSERT(slice_starts_with(spliced, edits[i].bytes));
		spliced = slice_part(spliced, edits[i].bytes.size, spliced.size);
		from = edits[i].offset + edits[i].removed;
	}
	FUZZ_ASSERT(slice_equal(spliced, slice_part(body, from, body.size)));
}

static bool carries(const struct message *message, const struct rider *rider)
{
	return message->role == ROLE_USER && rider != NULL &&
	       (message->content_kind == CONTENT_STRING || message->content_kind == CONTENT_PARTS);
}

static const struct rider *find_rider(const struct injection *injection, size_t message)
{
	for (size_t i = 0; i < injection->rider_count; i++) {
		if (injection->riders[i].message == message)
			return &injection->riders[i];
	}
	return NULL;
}

/* What stays comes in its order, behind a made message and with the turns before the first turn. */
static void check_messages(const struct chat_request *before, const struct chat_request *after,
			   const struct injection *injection, bool made, bool cuts,
			   struct arena *arena)
{
	size_t cut = cuts ? injection->cut_end - injection->cut_first : 0;
	size_t to = made ? 1 : 0;
	size_t turns = after->message_count + cut - before->message_count - to;
	FUZZ_ASSERT(turns == 0 || turns == 2);
	for (size_t i = 0; i < before->message_count; i++) {
		const struct message *message = &before->messages[i];
		if (cuts && i >= injection->cut_first && i < injection->cut_end)
			continue;
		if (message->role != ROLE_SYSTEM && message->role != ROLE_DEVELOPER) {
			to += turns;
			turns = 0;
		}
		const struct message *same = &after->messages[to++];
		FUZZ_ASSERT(message->role == same->role);
		FUZZ_ASSERT(message->content_kind == same->content_kind);
		struct slice text = request_text(after, same, arena);
		if (carries(same, find_rider(injection, i)))
			FUZZ_ASSERT(slice_find(text, recalled, 0) < text.size);
	}
	FUZZ_ASSERT(to == after->message_count);
}

static void check_injection(const struct chat_request *request, const struct injection *injection)
{
	struct arena arena = {0};
	struct edit *edits;
	struct chat_request changed;
	bool made;
	bool cuts = request_can_cut(request, injection->cut_first, injection->cut_end);
	size_t count = request_inject(request, injection, &edits, &made, &arena);
	struct slice spliced = {NULL, request_spliced_size(request->body, edits, count)};
	char *out = xmalloc(spliced.size);
	request_splice(request->body, edits, count, out);
	spliced.data = out;
	check_only_edited(request->body, spliced, edits, count, cuts);
	/* A message of the client's may lie just below the bound. */
	if (request->message_count + 3 <= REQUEST_MAX_MESSAGES) {
		FUZZ_ASSERT(request_scan(&changed, spliced, &arena) == REQUEST_OK);
		FUZZ_ASSERT(slice_equal(changed.model, request->model));
		check_messages(request, &changed, injection, made, cuts, &arena);
	}
	free(out);
	arena_finish(&arena);
}

/* Every placement with some riders and a cut, which the body's own bytes choose. */
static void check_injections(const struct chat_request *request)
{
	uint64_t dice = request_hash_tool_call(0, request->body);
	struct rider riders[MAX_RIDERS];
	size_t rider_count = 0;
	for (size_t i = 0; i < MAX_RIDERS; i++) {
		if ((dice >> i & 1) != 0)
			riders[rider_count++] = (struct rider){i, recalled};
	}
	struct injection injection = {
		.block = SLICE("what is \"known\"\n\xff"),
		.turns = SLICE("{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\","
			       "\"content\":\"r\"},"),
		.riders = riders,
		.rider_count = rider_count,
	};
	for (int round = 0; round < 6; round++) {
		injection.placement = (enum placement)(round % 3);
		check_injection(request, &injection);
		injection.cut_first = dice % 3;
		injection.cut_end = dice / 3 % (request->message_count + 2);
	}
}

static void check_newest_turn(const struct chat_request *request)
{
	struct newest_turn turn = request_newest_turn(request);
	FUZZ_ASSERT(turn.first + turn.count <= request->message_count);
	FUZZ_ASSERT(turn.count > 0 || !turn.is_last);
	for (size_t i = 0; i < turn.count; i++)
		FUZZ_ASSERT(request->messages[turn.first + i].role == ROLE_USER);
}

static void check_cut(const struct chat_request *request, struct arena *arena)
{
	for (size_t limit = 0; limit < 64; limit = 2 * limit + 1) {
		const struct history_limits limits = {.tokens = limit, .covered = 5};
		struct history_cut cut = history_choose_cut(request, &limits, arena);
		bool cuts = request_can_cut(request, cut.first, cut.end);
		FUZZ_ASSERT(cuts == (cut.cut_before > 0) && cuts == (cut.end > cut.first));
		FUZZ_ASSERT(cut.cut_before <= limits.covered && cut.tokens <= cut.total);
		FUZZ_ASSERT(!cuts || cut.end <= request_newest_turn(request).first);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = {(const char *)data, size};
	struct arena arena = {0};
	struct chat_request request;
	if (request_scan(&request, body, &arena) == REQUEST_OK) {
		for (size_t i = 0; i < request.message_count; i++)
			(void)request_text(&request, &request.messages[i], &arena);
		check_newest_turn(&request);
		check_cut(&request, &arena);
		check_injections(&request);
	}
	arena_finish(&arena);
	return 0;
}
