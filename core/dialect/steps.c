/* Where the steps of a request show that it stands. */
#include "core/dialect/request.h"

uint64_t step_hash_call(uint64_t hash, struct slice id)
{
	const uint64_t prime = UINT64_C(0x100000001b3);
	if (hash == 0)
		hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < id.size; i++)
		hash = (hash ^ (unsigned char)id.data[i]) * prime;
	/* The end of an id counts: "ab", "c" differs from "a", "bc". */
	hash = (hash ^ 0xff) * prime;
	return hash == 0 ? 1 : hash;
}

size_t request_open_answer(const struct request *request)
{
	size_t first = request->step_count;
	while (first > 0 && request->steps[first - 1].kind == STEP_ANSWER)
		first--;
	return first;
}

struct newest_turn request_newest_turn(const struct request *request)
{
	const struct step *steps = request->steps;
	size_t open = request_open_answer(request);
	size_t end = request->step_count;
	bool is_last = true;
	for (; end > 0 && steps[end - 1].kind != STEP_USER; end--) {
		const struct step *step = &steps[end - 1];
		if (step->kind == STEP_SYSTEM || step->kind == STEP_OTHER)
			continue;
		bool is_prefill = end > open || (is_last && step_is_models(step));
		if (!is_prefill && step->kind != STEP_TOOLS && step->kind != STEP_CALLS)
			return (struct newest_turn){0};
		is_last = false;
	}
	size_t first = end;
	while (first > 0 && steps[first - 1].kind == STEP_USER)
		first--;
	return (struct newest_turn){
		.first = first, .count = end - first, .is_last = is_last && end > first};
}
