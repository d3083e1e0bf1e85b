/* Whatever the request: what comes out differs from it by the inserted bytes alone, and is a
 * request with the client's messages in it. */
#include "core/request.h"

#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_only_inserted(struct slice body, struct slice spliced, const struct edit *edits,
				size_t count)
{
	size_t from = 0;
	for (size_t i = 0; i < count; i++) {
		FUZZ_ASSERT(edits[i].offset >= from && edits[i].offset <= body.size);
		struct slice kept = slice_part(body, from, edits[i].offset);
		FUZZ_ASSERT(slice_starts_with(spliced, kept));
		spliced = slice_part(spliced, kept.size, spliced.size);
		FUZZ_ASSERT(slice_starts_with(spliced, edits[i].bytes));
		spliced = slice_part(spliced, edits[i].bytes.size, spliced.size);
		from = edits[i].offset;
	}
	FUZZ_ASSERT(slice_equal(spliced, slice_part(body, from, body.size)));
}

static void check_injection(const struct chat_request *request, enum placement placement)
{
	const struct injection injection = {
		placement,
		SLICE("what is \"known\"\n\xff"),
		SLICE("{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
		      "\"r\"},"),
	};
	struct arena arena = {0};
	struct edit *edits;
	struct chat_request changed;
	bool made;
	size_t count = request_inject(request, &injection, &edits, &made, &arena);
	struct slice spliced = {NULL, request_spliced_size(request->body, edits, count)};
	char *out = xmalloc(spliced.size);
	request_splice(request->body, edits, count, out);
	spliced.data = out;
	check_only_inserted(request->body, spliced, edits, count);
	/* A message of the client's may lie just below the bound. */
	if (request->message_count + 3 <= REQUEST_MAX_MESSAGES) {
		FUZZ_ASSERT(request_scan(&changed, spliced, &arena) == REQUEST_OK);
		FUZZ_ASSERT(changed.message_count >= request->message_count + (made ? 1 : 0));
		FUZZ_ASSERT(changed.message_count <= request->message_count + 3);
		FUZZ_ASSERT(slice_equal(changed.model, request->model));
	}
	free(out);
	arena_finish(&arena);
}

static void check_newest_turn(const struct chat_request *request)
{
	struct newest_turn turn = request_newest_turn(request);
	FUZZ_ASSERT(turn.first + turn.count <= request->message_count);
	FUZZ_ASSERT(turn.count > 0 || !turn.is_last);
	for (size_t i = 0; i < turn.count; i++)
		FUZZ_ASSERT(request->messages[turn.first + i].role == ROLE_USER);
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
		check_injection(&request, PLACE_SYSTEM);
		check_injection(&request, PLACE_DEVELOPER);
		check_injection(&request, PLACE_USER);
	}
	arena_finish(&arena);
	return 0;
}
