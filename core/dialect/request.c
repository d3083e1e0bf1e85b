/* Reads a scanned request: its steps, their texts, and its user. */
#include "core/dialect/request.h"

/* ---- where the steps show that it stands ---- */

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

/* ---- the texts of a step ---- */

static struct slice text_of(const struct request *request, const struct request_text *text,
			    struct arena *arena)
{
	return json_string_text(request->body, text->string, arena);
}

struct slice step_text(const struct request *request, const struct step *step, struct arena *arena)
{
	const struct request_text *texts = request->texts + step->first_text;
	size_t count = step->text_count;
	if (count == 0)
		return (struct slice){0};
	if (count == 1)
		return text_of(request, texts, arena);
	struct slice *pieces = arena_alloc(arena, 2 * count * sizeof(*pieces));
	for (size_t i = 0; i < count; i++) {
		bool parts = i > 0 && !texts[i].joins;
		pieces[2 * i] = parts ? SLICE("\n") : SLICE("");
		pieces[2 * i + 1] = text_of(request, &texts[i], arena);
	}
	return arena_join(arena, pieces, 2 * count);
}

struct text_parts step_text_parts(const struct request *request, const struct step *step,
				  struct arena *arena)
{
	const struct request_text *texts = request->texts + step->first_text;
	size_t count = step->text_count;
	struct text_part *parts = arena_alloc(arena, count * sizeof(*parts));
	for (size_t i = 0; i < count; i++)
		parts[i] = (struct text_part){text_of(request, &texts[i], arena),
					      texts[i].follows_text, texts[i].is_programs};
	return (struct text_parts){parts, count};
}

/* ---- the beginning and the end of a text that is too large to read whole ---- */

static struct slice head_of(struct slice body, struct json_value string, size_t most,
			    struct arena *arena)
{
	size_t end = string.end - 1;
	size_t room = string.begin + 1 + most;
	return json_string_part(body, string, string.begin + 1, end < room ? end : room, arena);
}

static struct slice tail_of(struct slice body, struct json_value string, size_t most,
			    struct arena *arena)
{
	size_t begin = string.begin + 1;
	size_t end = string.end - 1;
	return json_string_part(body, string, end - begin > most ? end - most : begin, end, arena);
}

size_t step_text_size(const struct request *request, const struct step *step)
{
	size_t size = 0;
	for (size_t i = 0; i < step->text_count; i++) {
		struct json_value string = request->texts[step->first_text + i].string;
		size += string.end - string.begin;
	}
	return size;
}

struct text_ends step_text_ends(const struct request *request, const struct step *step, size_t most,
				struct arena *arena)
{
	if (step_text_size(request, step) <= most)
		return (struct text_ends){.head = step_text(request, step, arena)};
	const struct request_text *texts = request->texts + step->first_text;
	struct json_value last = texts[step->text_count - 1].string;
	return (struct text_ends){
		.head = head_of(request->body, texts[0].string, most / 4 * 3, arena),
		.tail = tail_of(request->body, last, most / 4, arena),
		.is_cut = true,
		.tail_is_whole = step->text_count > 1 && last.end - last.begin - 2 <= most / 4,
	};
}

/* ---- the user's id that a client writes into the body ---- */

static struct slice id_of_object(struct slice value, struct arena *arena)
{
	static const char *const names[] = {"account_uuid", "device_id"};
	struct json_value object;
	struct json_value ids[2];
	if (!json_scan(value, &object))
		return (struct slice){0};
	(void)JSON_PICK(value, object, names, ids);
	struct slice account = json_string_text(value, ids[0], arena);
	return account.size > 0 ? account : json_string_text(value, ids[1], arena);
}

struct slice request_user_id(struct slice value, struct arena *arena)
{
	if (slice_starts_with(value, SLICE("{")))
		return id_of_object(value, arena);
	size_t account = slice_find(value, SLICE("_account_"), 0);
	if (slice_starts_with(value, SLICE("user_")) && account < value.size)
		return slice_part(value, 0, slice_find(value, SLICE("_session_"), account));
	return value;
}
