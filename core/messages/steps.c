/* The elements of a Messages request, as its scan comes by them. */
#include "core/messages/steps.h"

enum { BLOCK_TYPE, BLOCK_TEXT, BLOCK_ID, BLOCK_CONTENT, BLOCK_NAMES };

static const char *const block_names[BLOCK_NAMES] = {"type", "text", "id", "content"};

/* A block of a message's content. */
struct block {
	const struct json_value *values;
	bool follows_text;
};

static bool has_type(const struct messages_reading *reading, const struct block *block,
		     struct slice type)
{
	return json_string_is(reading->body, block->values[BLOCK_TYPE], type);
}

static enum message_role role_of(struct slice body, struct json_value role)
{
	if (json_string_is(body, role, SLICE("user")))
		return ROLE_OF_USER;
	if (json_string_is(body, role, SLICE("assistant")))
		return ROLE_OF_MODEL;
	return json_string_is(body, role, SLICE("system")) ? ROLE_OF_SYSTEM : ROLE_OF_OTHER;
}

/* The next step of the message. */
static struct step *begin_step(struct messages_reading *reading, enum step_kind kind)
{
	struct step *step = gather_step(&reading->gathering, kind, reading->message);
	if (step != NULL)
		step->begins_element = !reading->has_steps;
	reading->has_steps = true;
	return step;
}

/* The step of that kind in the message: the one that is open, or a new one. */
static struct step *step_for(struct messages_reading *reading, enum step_kind kind)
{
	struct step *step = gathered_step(&reading->gathering);
	return reading->has_steps && step->kind == kind ? step : begin_step(reading, kind);
}

/* Calls `take` with each block of the content; skips anything that is not an object. */
static void walk_blocks(struct messages_reading *reading, struct json_value content,
			void (*take)(struct messages_reading *reading, const struct block *block))
{
	struct json_value values[BLOCK_NAMES];
	struct block block = {.values = values};
	struct json_walk walk = json_walk(reading->body, content);
	while (content.type == JSON_TYPE_ARRAY && !reading->gathering.is_refused) {
		if (json_next_picked(&walk, block_names, BLOCK_NAMES, values)) {
			take(reading, &block);
			block.follows_text = has_type(reading, &block, SLICE("text"));
		} else if (!json_next(&walk)) {
			return;
		}
	}
}

/* ---- the user's ---- */

/* Tool results are counted and never learned from. */
static void take_result_part(struct messages_reading *reading, const struct block *part)
{
	struct step *step = gathered_step(&reading->gathering);
	if (has_type(reading, part, SLICE("text")))
		gather_text(&reading->gathering,
			    (struct request_text){.string = part->values[BLOCK_TEXT]});
	else
		step->other_parts++;
}

static void take_result(struct messages_reading *reading, struct json_value content)
{
	if (step_for(reading, STEP_TOOLS) == NULL)
		return;
	gather_text(&reading->gathering, (struct request_text){.string = content});
	walk_blocks(reading, content, take_result_part);
}

static void take_user_block(struct messages_reading *reading, const struct block *block)
{
	if (has_type(reading, block, SLICE("tool_result"))) {
		take_result(reading, block->values[BLOCK_CONTENT]);
		return;
	}
	bool is_text = has_type(reading, block, SLICE("text"));
	/* What people say while tools run stands behind the results, and is a turn of its own. */
	struct step *step = is_text || !reading->has_steps ? step_for(reading, STEP_USER)
							   : gathered_step(&reading->gathering);
	if (step != NULL && is_text)
		gather_text(&reading->gathering,
			    (struct request_text){.string = block->values[BLOCK_TEXT],
						  .follows_text = block->follows_text});
	else if (step != NULL)
		step->other_parts++;
}

static void read_user(struct messages_reading *reading, struct json_value content)
{
	walk_blocks(reading, content, take_user_block);
	if (reading->has_steps || begin_step(reading, STEP_USER) == NULL)
		return;
	gather_text(&reading->gathering, (struct request_text){.string = content});
}

/* ---- the model's ---- */

/* An earlier part of the conversation as the provider shortened it: it stays at its place. */
static void take_compaction(struct messages_reading *reading, const struct block *block)
{
	struct step *step = gathered_step(&reading->gathering);
	bool is_first = step != NULL && step->begin == reading->message.begin &&
			step->text_count == 0 && step->kind == STEP_ANSWER;
	if (!is_first)
		return;
	step->kind = STEP_SYSTEM;
	gather_text(&reading->gathering,
		    (struct request_text){.string = block->values[BLOCK_CONTENT]});
	(void)begin_step(reading, STEP_ANSWER);
}

static void take_call(struct messages_reading *reading, struct step *step, struct json_value id)
{
	struct slice text = json_string_text(reading->body, id, reading->arena);
	step->kind = STEP_CALLS;
	if (text.size > 0)
		step->ids_hash = step_hash_call(step->ids_hash, text);
}

/* Thinking is the model's own, and so is all that tools of the provider's did. */
static void take_models_block(struct messages_reading *reading, const struct block *block)
{
	struct step *step = gathered_step(&reading->gathering);
	if (has_type(reading, block, SLICE("text")))
		gather_text(
			&reading->gathering,
			(struct request_text){.string = block->values[BLOCK_TEXT], .joins = true});
	else if (has_type(reading, block, SLICE("tool_use")))
		take_call(reading, step, block->values[BLOCK_ID]);
	else if (has_type(reading, block, SLICE("compaction")))
		take_compaction(reading, block);
	else
		reading->has_hidden = true;
}

/* Messages of one side in a row are one turn. */
static struct step *continue_answer(struct messages_reading *reading)
{
	struct step *step = gathered_step(&reading->gathering);
	step->end = reading->message.end;
	reading->has_steps = true;
	return step;
}

static void read_models(struct messages_reading *reading, struct json_value content, bool goes_on)
{
	struct step *step = goes_on ? continue_answer(reading) : begin_step(reading, STEP_ANSWER);
	if (step == NULL)
		return;
	gather_text(&reading->gathering, (struct request_text){.string = content, .joins = true});
	walk_blocks(reading, content, take_models_block);
}

/* ---- others' ---- */

static void take_system_block(struct messages_reading *reading, const struct block *block)
{
	if (has_type(reading, block, SLICE("text")))
		gather_text(&reading->gathering,
			    (struct request_text){.string = block->values[BLOCK_TEXT]});
}

static void read_other(struct messages_reading *reading, struct json_value content,
		       enum step_kind kind)
{
	if (begin_step(reading, kind) == NULL)
		return;
	gather_text(&reading->gathering, (struct request_text){.string = content});
	walk_blocks(reading, content, take_system_block);
}

void messages_take(void *cookie, struct json_value object)
{
	struct messages_reading *reading = cookie;
	struct json_value content = reading->values[MESSAGE_CONTENT];
	enum message_role before = reading->role;
	if (object.type != JSON_TYPE_OBJECT) {
		reading->gathering.is_refused = true;
		return;
	}
	reading->message = object;
	reading->has_steps = false;
	reading->role = role_of(reading->body, reading->values[MESSAGE_ROLE]);
	if (reading->role == ROLE_OF_USER)
		read_user(reading, content);
	else if (reading->role == ROLE_OF_MODEL)
		read_models(reading, content, before == ROLE_OF_MODEL);
	else
		read_other(reading, content,
			   reading->role == ROLE_OF_SYSTEM ? STEP_SYSTEM : STEP_OTHER);
}

/* ---- the system text, which is the first step wherever it stands ---- */

static void gather_lead(struct messages_reading *reading, struct json_value text)
{
	struct request_text lead = {.string = text};
	struct step *first = (void *)reading->gathering.steps.data;
	if (text.type != JSON_TYPE_STRING)
		return;
	if (buffer_append(&reading->gathering.texts,
			  (struct slice){(const char *)&lead, sizeof(lead)}))
		first->text_count++;
	else
		reading->gathering.is_refused = true;
}

static void take_lead_block(struct messages_reading *reading, const struct block *block)
{
	if (has_type(reading, block, SLICE("text")))
		gather_lead(reading, block->values[BLOCK_TEXT]);
}

void messages_take_system(struct messages_reading *reading, struct json_value system)
{
	struct step *first = (void *)reading->gathering.steps.data;
	first->begin = system.begin;
	first->end = system.end;
	first->first_text = (uint32_t)(reading->gathering.texts.size / sizeof(struct request_text));
	gather_lead(reading, system);
	walk_blocks(reading, system, take_lead_block);
}
