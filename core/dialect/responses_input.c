/* Turns the items of a Responses request into steps. */
#include "core/dialect/responses.h"

const char *const response_input_members[INPUT_MEMBERS] = {
	"type",    "role", "content", "phase",
	"call_id", "id",   "output",  "internal_chat_message_metadata_passthrough"};

/* ---- what the model said ---- */

/* Begins the model's step, or continues it. */
static struct step *go_on_with_answer(struct response_input *input, struct json_value item)
{
	struct step *step = input->in_answer ? gathered_step(&input->gathering) : NULL;
	if (step != NULL) {
		step->end = item.end;
		return step;
	}
	input->in_answer = true;
	input->is_final = false;
	input->is_said = false;
	input->is_named = false;
	return gather_step(&input->gathering, STEP_OTHER, item);
}

/* Clients that rely on what the provider keeps send the ids of what the model made. Whether that
 * was an answer or called tools, only what follows tells. */
static void take_name(struct response_input *input, struct json_value item)
{
	struct step *step = go_on_with_answer(input, item);
	struct slice id = json_string_text(input->body, input->values[ITEM_ID], input->arena);
	if (step == NULL || id.size == 0 || (step->kind != STEP_OTHER && !input->is_named))
		return;
	input->is_named = true;
	step->kind = STEP_ANSWER;
	step->ids_hash = step_hash_call(0, id);
}

/* It is known by what else it consists of. */
static void forget_name(struct response_input *input, struct step *step)
{
	if (input->is_named)
		step->ids_hash = 0;
	input->is_named = false;
}

/* A text of the answer; its words replace a refusal. */
static bool say(struct response_input *input, struct json_value string, bool joins, bool is_refusal)
{
	if (response_is_blank(string) || (is_refusal && input->is_said))
		return false;
	if (!is_refusal && !input->is_said)
		gather_no_text(&input->gathering);
	input->is_said = !is_refusal;
	gather_text(&input->gathering, (struct request_text){.string = string, .joins = joins});
	return true;
}

static void say_parts(struct response_input *input, struct json_value parts)
{
	bool joins = false;
	struct json_walk walk = json_walk(input->body, parts);
	while (json_next(&walk)) {
		struct json_value said;
		enum response_part part = response_read_part(input->body, walk.value, &said);
		if (part != PART_OTHER)
			joins |= say(input, said, joins, part == PART_REFUSAL);
	}
}

/* In a run of messages, only those that end the turn count, if one of them says that it does. */
static void take_answer(struct response_input *input, struct json_value item)
{
	struct step *step = go_on_with_answer(input, item);
	bool is_final = response_is_final(input->body, input->values);
	if (step == NULL)
		return;
	forget_name(input, step);
	if (step->kind == STEP_OTHER)
		step->kind = STEP_ANSWER;
	if (is_final && !input->is_final) {
		gather_no_text(&input->gathering);
		input->is_said = false;
		input->is_final = true;
	}
	if (is_final != input->is_final)
		return;
	struct json_value content = input->values[ITEM_CONTENT];
	if (content.type == JSON_TYPE_ARRAY)
		say_parts(input, content);
	else
		(void)say(input, content, false, false);
}

static void take_call(struct response_input *input, struct json_value item)
{
	struct step *step = go_on_with_answer(input, item);
	struct slice id = response_call_id(input->body, input->values, input->arena);
	if (step == NULL)
		return;
	forget_name(input, step);
	step->kind = STEP_CALLS;
	if (id.size > 0)
		step->ids_hash = step_hash_call(step->ids_hash, id);
}

/* ---- what others said ---- */

/* One word for each part says whose it is. */
static struct json_walk part_kinds(const struct response_input *input)
{
	return json_walk(input->body,
			 json_member(input->body, input->values[ITEM_NOTES], "content_item_kinds"));
}

static void take_parts(struct response_input *input, struct step *step, struct json_value parts)
{
	struct json_walk kinds = part_kinds(input);
	struct json_walk walk = json_walk(input->body, parts);
	bool follows_text = false;
	while (json_next(&walk)) {
		struct request_text text = {.follows_text = follows_text};
		follows_text =
			response_read_part(input->body, walk.value, &text.string) == PART_TEXT &&
			response_is_string(text.string);
		text.is_programs = json_next(&kinds) &&
				   !json_string_is(input->body, kinds.value, SLICE("user.text"));
		if (follows_text)
			gather_text(&input->gathering, text);
		else
			step->other_parts++;
	}
}

static void take_message(struct response_input *input, struct json_value item, enum step_kind kind,
			 struct json_value content)
{
	struct step *step = gather_step(&input->gathering, kind, item);
	if (step == NULL)
		return;
	if (content.type == JSON_TYPE_ARRAY)
		take_parts(input, step, content);
	else
		gather_text(&input->gathering, (struct request_text){.string = content});
}

/* Most frequent first. */
static const struct role_word {
	struct slice word;
	enum step_kind kind;
} role_words[] = {
	{SLICE("user"), STEP_USER},
	{SLICE("assistant"), STEP_ANSWER},
	{SLICE("developer"), STEP_SYSTEM},
	{SLICE("system"), STEP_SYSTEM},
};

static enum step_kind read_role(const struct response_input *input)
{
	for (size_t i = 0; i < sizeof(role_words) / sizeof(role_words[0]); i++) {
		if (json_string_is(input->body, input->values[ITEM_ROLE], role_words[i].word))
			return role_words[i].kind;
	}
	return STEP_OTHER;
}

static enum step_kind read_kind(const struct response_input *input, enum response_kind kind)
{
	switch (kind) {
	case RESPONSE_MESSAGE:
		return read_role(input);
	case RESPONSE_SETUP:
		return STEP_SYSTEM;
	case RESPONSE_CALL:
		return STEP_CALLS;
	case RESPONSE_OUTPUT:
		return STEP_TOOLS;
	case RESPONSE_SILENT:
	case RESPONSE_NAME:
	case RESPONSE_OTHER:
	default:
		return STEP_OTHER;
	}
}

static bool is_models(enum step_kind step, enum response_kind kind)
{
	return step == STEP_ANSWER || step == STEP_CALLS || kind == RESPONSE_SILENT ||
	       kind == RESPONSE_NAME;
}

/* A tool's result follows its call. */
static void end_answer(struct response_input *input, enum step_kind next)
{
	struct step *step = input->in_answer ? gathered_step(&input->gathering) : NULL;
	if (step != NULL && input->is_named && next == STEP_TOOLS)
		step->kind = STEP_CALLS;
	input->in_answer = false;
}

void response_take_item(void *cookie, struct json_value item)
{
	struct response_input *input = cookie;
	enum response_kind kind = response_kind_of(input->body, input->values);
	enum step_kind step = read_kind(input, kind);
	struct json_value content = input->values[ITEM_CONTENT];
	input->is_compaction =
		json_string_is(input->body, input->values[ITEM_TYPE], SLICE("compaction_trigger"));
	input->is_compacted |=
		json_string_is(input->body, input->values[ITEM_TYPE], SLICE("compaction"));
	input->past_system = input->past_system || step != STEP_SYSTEM;
	if (kind == RESPONSE_MESSAGE && !input->past_system &&
	    (content.type == JSON_TYPE_ARRAY || response_is_string(content)))
		input->carrier = content;
	input->is_opaque = input->is_opaque || kind == RESPONSE_SILENT || kind == RESPONSE_SETUP ||
			   kind == RESPONSE_NAME;
	if (item.type != JSON_TYPE_OBJECT)
		input->gathering.is_refused = true;
	if (!is_models(step, kind))
		end_answer(input, step);
	if (step == STEP_ANSWER)
		take_answer(input, item);
	else if (step == STEP_CALLS)
		take_call(input, item);
	else if (kind == RESPONSE_NAME)
		take_name(input, item);
	else if (kind == RESPONSE_SILENT)
		(void)go_on_with_answer(input, item);
	else
		take_message(input, item, step,
			     step == STEP_TOOLS ? input->values[ITEM_OUTPUT] : content);
}
