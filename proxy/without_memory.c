#include "proxy/without_memory.h"

#include "core/text/text.h"
#include "proxy/runtime/log.h"
#include "proxy/runtime/metrics.h"

enum { MAX_NAME = 40 };

void without_memory_count(struct slice path)
{
	static const struct {
		struct slice path;
		enum metric_counter counter;
	} known[] = {
		{SLICE("/responses"), METRIC_WITHOUT_RESPONSES},
		{SLICE("/completions"), METRIC_WITHOUT_COMPLETIONS},
		{SLICE("/messages"), METRIC_WITHOUT_MESSAGES},
		{SLICE("/embeddings"), METRIC_WITHOUT_EMBEDDINGS},
		{SLICE("/models"), METRIC_WITHOUT_MODELS},
		{SLICE("/api/chat"), METRIC_WITHOUT_API_CHAT},
		{SLICE("/api/generate"), METRIC_WITHOUT_API_GENERATE},
	};
	if (slice_starts_with(path, SLICE("/v1/")))
		path = slice_part(path, 3, path.size);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (slice_equal(path, known[i].path)) {
			metrics_count(known[i].counter, 1);
			return;
		}
	}
	metrics_count(METRIC_WITHOUT_OTHER, 1);
}

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.' || c == '/';
}

/* "OpenAI/Python" from "OpenAI/Python 1.99.1": the first product (RFC 9110 section 10.1.5) without
 * its version. */
static struct slice program_name(struct slice user_agent)
{
	size_t size = 0;
	while (size < user_agent.size && size < MAX_NAME &&
	       is_name_character(user_agent.data[size]))
		size++;
	struct slice name = slice_part(user_agent, 0, size);
	for (size_t i = 0; i + 1 < size; i++) {
		if (name.data[i] == '/' && name.data[i + 1] >= '0' && name.data[i + 1] <= '9')
			return slice_part(name, 0, i);
	}
	return name.size > 0 ? name : SLICE("without a name");
}

/* Whether the hash is new and there was room to record it. */
static bool note(struct warned_programs *warned, uint64_t hash)
{
	for (size_t i = 0; i < WARNED_PROGRAMS; i++) {
		uint_fast64_t found = 0;
		if (atomic_compare_exchange_strong(&warned->hashes[i], &found, hash))
			return true;
		if (found == hash)
			return false;
	}
	return false;
}

void without_memory_warn(struct warned_programs *warned, struct slice user_agent, struct slice path)
{
	struct slice name = program_name(user_agent);
	if (note(warned, text_hash(name)))
		log_warn("client program %.*s calls %.*s, which recalld forwards without memory: "
			 "POST /v1/chat/completions, /v1/responses, /v1/messages and /api/chat "
			 "have memory; recalld(8) shows how to configure frameworks for them "
			 "(logged once per program)",
			 SLICE_PRINT(name), SLICE_PRINT(path));
}
