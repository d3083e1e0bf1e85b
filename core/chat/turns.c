#include "core/chat/pick.h"

#include "core/base/utf8.h"
#include "core/dialect/dialect.h"
#include "core/memory/given.h"
#include "core/text/text.h"

/* To see whether a turn bears on the question its words are read: so much of each, and of so many
 * turns. */
enum { LOOKED_AT = 2048, MOST_LOOKED_AT = 64 };

/* ---- which ---- */

bool turn_is_message(const struct turn *turn)
{
	return turn->state == TURN_CURRENT && slice_trim(turn->text).size > 0 &&
	       (turn->role == ROLE_USER || turn->role == ROLE_ASSISTANT);
}

/* The oldest of the last `buffer_messages` turns. */
static const struct turn *buffer_begin(const struct context_input *input)
{
	unsigned count = 0;
	size_t begin = input->turn_count;
	while (begin > 0 && count < input->buffer_messages)
		count += turn_is_message(&input->turns[--begin]) ? 1 : 0;
	return input->turns + begin;
}

/* Whether a turn is wanted: in buffer mode the last turns, otherwise those that the summary does
 * not cover. Turns that the request carries count among the last ones, since they are there
 * already. */
static bool is_wanted(const struct context_input *input, const struct turn *buffer,
		      const struct turn *turn)
{
	if (input->mode == MODE_BUFFER)
		return turn >= buffer;
	return input->summary == NULL || turn->id > input->summary->covers;
}

static bool is_of_this_conversation(const struct context_input *input, const struct turn *turn)
{
	return input->conversation != 0 && turn->conversation == input->conversation;
}

/* Whether it is a turn of this conversation that the request holds. */
static bool is_in_its_place(const struct context_input *input, const struct turn *turn)
{
	return is_of_this_conversation(input, turn) && input->carried_from != UINT32_MAX &&
	       turn->ordinal >= input->carried_from && turn->ordinal >= input->cut_before;
}

bool turn_is_carried(const struct context_input *input, const struct turn *turn)
{
	return is_in_its_place(input, turn) || turn_is_told_in(turn, &input->carried);
}

static const struct turn *find_answer(const struct context_input *input, const struct turn *user)
{
	const struct turn *end = input->turns + input->turn_count;
	for (const struct turn *turn = user + 1; turn < end; turn++) {
		if (turn->role == ROLE_ASSISTANT && turn->exchange == user->exchange &&
		    turn->conversation == user->conversation && turn_is_message(turn))
			return turn;
	}
	return NULL;
}

/* A turn of another conversation comes over when it bears on the question. Where turns are
 * recalled, recall finds it. */
static bool may_come_over(struct picker *picker, const struct turn *turn)
{
	const struct context_input *input = picker->input;
	if (!input->has_floor || input->question == NULL || input->question->is_broad)
		return true;
	for (size_t i = 0; i < input->recalled_count; i++) {
		if (input->recalled[i].turn.id == turn->id)
			return true;
	}
	return !mode_recalls(input->mode) && picker->looked_at++ < MOST_LOOKED_AT &&
	       text_bears(input, utf8_cut(turn->text, LOOKED_AT), picker->arena);
}

/* Turns of this conversation go in with their answers, or not at all, for the roles must alternate.
 */
static void consider(struct picker *picker, const struct turn *buffer, const struct turn *turn)
{
	const struct context_input *input = picker->input;
	struct turn_choice choice = {.turn = turn};
	bool wanted = is_wanted(input, buffer, turn);
	if (turn_is_asked_again(turn, input->asked_again))
		return;
	if (is_of_this_conversation(input, turn)) {
		if (is_in_its_place(input, turn) || turn->ordinal < input->cut_before ||
		    turn->role != ROLE_USER)
			return;
		choice.answer = find_answer(input, turn);
		if (choice.answer == NULL || turn_is_concealed(picker, choice.answer) ||
		    (turn_is_said_in(turn, &input->carried) &&
		     turn_is_said_in(choice.answer, &input->carried)))
			return;
		/* A summary that ends between turn and answer leaves both to be shown. */
		wanted = wanted ||
			 (input->mode != MODE_BUFFER && is_wanted(input, buffer, choice.answer));
	} else if (wanted) {
		wanted = !turn_is_carried(input, turn) && may_come_over(picker, turn);
	}
	if (!wanted)
		return;
	choice.tokens = text_tokens(turn->text);
	if (choice.answer != NULL)
		choice.tokens += text_tokens(choice.answer->text);
	picker->turns[picker->turn_count++] = choice;
}

void find_turns(struct picker *picker)
{
	const struct context_input *input = picker->input;
	const struct turn *buffer = buffer_begin(input);
	picker->turns =
		arena_alloc(picker->arena, (input->turn_count + 1) * sizeof(*picker->turns));
	for (size_t i = 0; i < input->turn_count; i++) {
		if (turn_is_message(&input->turns[i]) &&
		    !turn_is_concealed(picker, &input->turns[i]))
			consider(picker, buffer, &input->turns[i]);
	}
}

size_t turns_wanted(const struct picker *picker)
{
	size_t tokens = 0;
	for (size_t i = 0; i < picker->turn_count; i++)
		tokens += picker->turns[i].tokens;
	return tokens;
}

/* ---- how many ---- */

struct context_item turn_item(const struct turn *turn, size_t tokens)
{
	return (struct context_item){
		.kind = "turn",
		.id = turn->id,
		.text = turn->text,
		.said = turn->text,
		.source = turn->exchange,
		.tokens = tokens,
	};
}

void picker_drop_turn(struct picker *picker, const struct turn *turn, size_t tokens, double score)
{
	struct context_item item = turn_item(turn, tokens);
	struct slice beginning = turn->text;
	if (beginning.size > DROPPED_TEXT)
		beginning.size = utf8_boundary(turn->text, DROPPED_TEXT);
	item.text = arena_printf(picker->arena, "%s: %.*s", role_name(turn->role),
				 SLICE_PRINT(beginning));
	item.score = score;
	picker_drop(picker, &item);
}

static void drop_choice(struct picker *picker, const struct turn_choice *choice)
{
	size_t answer_tokens = choice->answer == NULL ? 0 : text_tokens(choice->answer->text);
	picker_drop_turn(picker, choice->turn, choice->tokens - answer_tokens, 0);
	if (choice->answer != NULL)
		picker_drop_turn(picker, choice->answer, answer_tokens, 0);
}

static struct slice list_turn(const struct turn *turn, struct slice text, struct arena *arena)
{
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	said_turns_add(&out, turn->role, text_disarmed(text, arena));
	return arena_take(arena, &out);
}

size_t said_turns_tokens(struct slice list, struct arena *arena)
{
	return text_tokens(dialect_render_turns(list, arena));
}

static struct context_item pair_item(const struct picker *picker, const struct turn *turn,
				     struct slice text, struct slice list)
{
	struct context_item item = turn_item(turn, said_turns_tokens(list, picker->arena));
	item.text = text;
	item.is_turn = true;
	return item;
}

static bool pick_pair(struct picker *picker, struct turn_choice *choice)
{
	const struct slice texts[] = {turn_marked(picker, choice->turn),
				      turn_marked(picker, choice->answer)};
	const struct slice lists[] = {list_turn(choice->turn, texts[0], picker->arena),
				      list_turn(choice->answer, texts[1], picker->arena)};
	struct context_item user_item = pair_item(picker, choice->turn, texts[0], lists[0]);
	struct context_item answer_item = pair_item(picker, choice->answer, texts[1], lists[1]);
	if (user_item.tokens + answer_item.tokens > picker->left)
		return false;
	picker->left -= user_item.tokens + answer_item.tokens;
	choice->rendered = arena_join(picker->arena, lists, 2);
	picker_take(picker, &user_item);
	picker_take(picker, &answer_item);
	return true;
}

static bool take_quote(struct picker *picker, struct turn_choice *choice, struct slice rendered)
{
	struct context_item item = turn_item(choice->turn, text_tokens(rendered));
	item.text = slice_trim(rendered);
	if (!picker_pay(picker, BLOCK_TURNS, item.tokens))
		return false;
	choice->rendered = rendered;
	picker_take(picker, &item);
	return true;
}

/* Rendering a text costs far more than counting it: what cannot fit is not rendered. */
static bool pick_turn(struct picker *picker, struct turn_choice *choice)
{
	if (choice->tokens > picker->left)
		return false;
	if (choice->answer != NULL)
		return pick_pair(picker, choice);
	struct slice rendered =
		block_turn(choice->turn, turn_marked(picker, choice->turn), picker->arena);
	return take_quote(picker, choice, rendered);
}

static bool pick_cut(struct picker *picker, struct turn_choice *choice)
{
	size_t room = picker_room(picker, BLOCK_TURNS);
	struct turn marked = *choice->turn;
	marked.text = turn_marked(picker, choice->turn);
	struct slice rendered = block_turn_cut(&marked, block_turn, room, picker->arena);
	picker->is_short = true;
	return rendered.size > 0 && take_quote(picker, choice, rendered);
}

void pick_turns(struct picker *picker)
{
	for (size_t i = picker->turn_count; i-- > 0;) {
		struct turn_choice *choice = &picker->turns[i];
		bool newest = i + 1 == picker->turn_count;
		if (pick_turn(picker, choice))
			continue;
		if (!newest || choice->answer != NULL || !pick_cut(picker, choice))
			drop_choice(picker, choice);
	}
}

bool turn_is_taken(const struct picker *picker, const struct turn *turn)
{
	for (size_t i = 0; i < picker->turn_count; i++) {
		const struct turn_choice *choice = &picker->turns[i];
		bool is_here = choice->turn->id == turn->id ||
			       (choice->answer != NULL && choice->answer->id == turn->id);
		if (is_here)
			return choice->rendered.size > 0;
	}
	return false;
}
