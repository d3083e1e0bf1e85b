#include "tests/unit/recorded.h"

#include <stdio.h>

static struct slice read_fixture(const char *name, struct arena *arena)
{
	struct slice path = arena_printf(arena, "%s/%s.json", FIXTURES, name);
	struct buffer body;
	FILE *file = fopen(path.data, "rb");
	ck_assert_msg(file != NULL, "%s", path.data);
	buffer_init(&body, SIZE_MAX);
	for (int byte = fgetc(file); byte != EOF; byte = fgetc(file))
		buffer_append_byte(&body, (char)byte);
	(void)fclose(file);
	return arena_take(arena, &body);
}

static struct slice draw_kinds(const struct request *request, struct arena *arena)
{
	struct buffer kinds;
	buffer_init(&kinds, SIZE_MAX);
	for (size_t i = 0; i < request->step_count; i++)
		buffer_append_byte(&kinds, "SUACTO"[request->steps[i].kind]);
	return arena_take(arena, &kinds);
}

static struct slice list_users(const struct request *request, struct arena *arena)
{
	struct buffer users;
	buffer_init(&users, SIZE_MAX);
	for (size_t i = 0; i < request->step_count; i++) {
		const struct step *step = &request->steps[i];
		if (step->kind != STEP_USER)
			continue;
		const struct request_text *last =
			&request->texts[step->first_text + step->text_count - 1];
		buffer_append(&users, json_string_text(request->body, last->string, arena));
		buffer_append_byte(&users, ';');
	}
	return arena_take(arena, &users);
}

static bool holds_edit(const struct step *step, const struct edit *edit)
{
	return edit->offset > step->begin && edit->offset < step->end;
}

/* Replays on all user texts and a block: the rest is the client's, and none lies in what the model
 * or a tool said. */
static void check_bytes(const struct request *request, struct arena *arena)
{
	struct replay_text *replays = arena_alloc(arena, request->text_count * sizeof(*replays));
	struct injection injection = {
		.block = SLICE("B"), .block_with_text = SIZE_MAX, .replay_texts = replays};
	for (size_t i = 0; i < request->step_count; i++) {
		const struct step *step = &request->steps[i];
		if (step->kind == STEP_USER && step->text_count > 0)
			replays[injection.replay_count++] = (struct replay_text){
				step->first_text + step->text_count - 1, SLICE("R \"1\"\n")};
	}
	struct edit *edits;
	bool made;
	size_t count = request_inject(request, &injection, &edits, &made, arena);
	bool has_block = request->places[PLACE_SYSTEM].way == BLOCK_PLACED;
	ck_assert_uint_eq(count, injection.replay_count + has_block);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(edits[i].removed, 0);
		ck_assert(i == 0 || edits[i].offset > edits[i - 1].offset);
		for (size_t j = 0; j < request->step_count; j++) {
			const struct step *step = &request->steps[j];
			bool is_ours = step->kind == STEP_USER || step->kind == STEP_SYSTEM;
			bool shares = j + 1 < request->step_count && !step[1].begins_element;
			ck_assert(is_ours || shares || !holds_edit(step, &edits[i]));
		}
	}
	struct slice *pieces = arena_alloc(arena, REQUEST_PIECES(count) * sizeof(*pieces));
	request_splice(request->body, edits, count, pieces);
	struct request again;
	struct slice spliced = arena_join(arena, pieces, REQUEST_PIECES(count));
	ck_assert_int_eq(request->dialect->scan(&again, spliced, arena), REQUEST_OK);
	ck_assert_uint_eq(again.step_count, request->step_count + made);
	for (size_t i = 0; i < count; i++)
		pieces[2 * i + 1] = SLICE("");
	ck_assert(slice_equal(arena_join(arena, pieces, REQUEST_PIECES(count)), request->body));
}

void recorded_check(const struct dialect *dialect, const struct recorded *recorded)
{
	struct arena arena = {0};
	struct request request;
	struct slice body = read_fixture(recorded->name, &arena);
	ck_assert_int_eq(dialect->scan(&request, body, &arena), REQUEST_OK);
	unit_assert_slice(draw_kinds(&request, &arena), recorded->kinds);
	if (recorded->users != NULL)
		unit_assert_slice(list_users(&request, &arena), recorded->users);
	ck_assert_int_eq(request.stream, recorded->stream);
	ck_assert_int_eq(request.is_kept, recorded->kept);
	check_bytes(&request, &arena);
	arena_finish(&arena);
}
