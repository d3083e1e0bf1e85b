/* The user's own words in a request. A message's words are read, cut to what is kept of a turn, and
 * hashed once; everything that is compared, stored or looked up derives from that. */
#include "core/base/utf8.h"
#include "core/chat/parts.h"
#include "core/clients/forms.h"
#include "core/facts/intake.h"
#include "core/text/text.h"

struct own_words {
	struct slice text;
	uint64_t hash;
	size_t carrier; /* the last text that contains them; SIZE_MAX: there are none */
	bool read;
};

struct slice chat_message_text(const struct chat_read *in, size_t index, struct arena *arena)
{
	return step_text(&in->request, &in->request.steps[index], arena);
}

bool chat_is_answer(const struct chat_read *in, size_t index)
{
	return index < in->open_first && in->request.steps[index].kind == STEP_ANSWER;
}

bool chat_is_cut(const struct chat *chat, size_t index)
{
	return index >= chat->decided.cut.first && index < chat->decided.cut.end &&
	       !chat->read.request.steps[index].stays;
}

struct slice chat_ends_text(const struct chat_read *in, size_t index, struct arena *arena)
{
	const struct step *step = &in->request.steps[index];
	struct text_ends ends = step_text_ends(&in->request, step, CHAT_MOST_READ, arena);
	const struct slice parts[] = {ends.head, ends.tail};
	return ends.is_cut ? arena_join(arena, parts, 2) : ends.head;
}

/* Whether a framework speaks in the user's place. */
static bool is_framework(const struct chat_read *in, size_t index, struct slice text,
			 struct arena *arena)
{
	bool answers = index > 0 && step_is_models(&in->request.steps[index - 1]);
	return answers && (form_is_retry(text) ||
			   (form_is_observation(text) &&
			    form_asks_for_tool(chat_message_text(in, index - 1, arena), text)));
}

/* A part that stands alone after others cannot be the end of a document. `carrier` is the first
 * text or the last. */
static struct slice own_of_ends(const struct text_ends *ends, size_t *carrier, struct arena *arena)
{
	if (!ends->tail_is_whole)
		return form_own_ends(ends->head, ends->tail, arena);
	struct slice first = form_own_ends(ends->head, SLICE(""), arena);
	struct slice last = slice_trim(form_own_text(ends->tail, arena));
	bool is_last = last.size > 0 && last.size < ends->head.size / 2;
	if (!is_last)
		*carrier = 0;
	return is_last ? last : first;
}

/* Reads the text without documents and what a framework says in the user's place. `carrier` counts
 * the step's texts. */
static struct slice read_own(const struct chat_read *in, size_t index, size_t *carrier,
			     struct arena *arena)
{
	const struct step *step = &in->request.steps[index];
	struct text_ends ends = step_text_ends(&in->request, step, CHAT_MOST_READ, arena);
	const struct slice read[] = {ends.head, ends.tail};
	struct slice text = ends.is_cut ? arena_join(arena, read, 2) : ends.head;
	*carrier = step->text_count - 1;
	if (is_framework(in, index, text, arena))
		return (struct slice){0};
	if (ends.is_cut)
		return own_of_ends(&ends, carrier, arena);
	struct text_parts parts = step_text_parts(&in->request, step, arena);
	return form_own_parts(parts.texts, parts.count, carrier, arena);
}

static const struct own_words *own_words(const struct chat_read *in, size_t index,
					 struct arena *arena)
{
	struct own_words *own = &in->own_words[index];
	if (own->read)
		return own;
	size_t carrier;
	struct slice text = utf8_cut(read_own(in, index, &carrier, arena), TURN_TEXT_LIMIT);
	carrier += in->request.steps[index].first_text;
	*own = (struct own_words){text, text_hash(text), text.size > 0 ? carrier : SIZE_MAX, true};
	return own;
}

/* Keeps the newest messages: those beyond `most` count as empty. Images do not count. */
static void skip_surplus(struct chat_read *in, size_t first, size_t end, size_t most)
{
	size_t sum = 0;
	for (size_t i = end; i > first; i--) {
		const struct step *step = &in->request.steps[i - 1];
		if (step->kind != STEP_USER)
			continue;
		size_t size = step_text_size(&in->request, step);
		sum += size < CHAT_MOST_READ ? size : CHAT_MOST_READ;
		if (sum > most)
			in->own_words[i - 1] =
				(struct own_words){.carrier = SIZE_MAX, .read = true};
	}
}

/* Where the run of user steps begins that ends at `end`, if it stands behind a tool's results and
 * has no words of the user's; `end`: it does not. A large text is not looked at. */
static size_t programs_run(const struct chat_read *in, size_t end, struct arena *arena)
{
	enum { MOST = 64 * 1024 };
	const struct step *steps = in->request.steps;
	size_t first = end;
	while (first > 0 && steps[first - 1].kind == STEP_USER)
		first--;
	if (first == 0 || steps[first - 1].kind != STEP_TOOLS)
		return end;
	for (size_t i = first; i < end; i++) {
		if (step_text_size(&in->request, &steps[i]) > MOST ||
		    own_words(in, i, arena)->text.size > 0)
			return end;
	}
	return first;
}

/* Programs remind the model of things behind what its tools gave: no turn begins there. */
static void pass_over_programs(struct chat_read *in, struct arena *arena)
{
	struct step *steps = in->request.steps;
	size_t end = request_open_answer(&in->request);
	for (; end > 0 && steps[end - 1].kind != STEP_ANSWER; end--) {
		if (steps[end - 1].kind != STEP_USER)
			continue;
		size_t first = programs_run(in, end, arena);
		if (first == end)
			return;
		for (size_t i = first; i < end; i++)
			steps[i].kind = STEP_OTHER;
		end = first + 1;
	}
}

/* Images are the user's, too. What a framework says in the user's place is answered to the user. */
static bool is_users(const struct chat_read *in, size_t index, struct arena *arena)
{
	return in->request.steps[index].other_parts > 0 ||
	       own_words(in, index, arena)->text.size > 0 ||
	       is_framework(in, index, chat_ends_text(in, index, arena), arena);
}

/* Programs also tell the model of what happened since its answer: no turn begins there either. */
static void pass_over_events(struct chat_read *in, struct arena *arena)
{
	const struct newest_turn *newest = &in->newest;
	size_t i = newest->first;
	while (i < newest->first + newest->count && !is_users(in, i, arena))
		i++;
	if (i == newest->first + newest->count)
		in->newest = (struct newest_turn){0};
}

static void find_newest(struct chat_read *in)
{
	in->newest = request_newest_turn(&in->request);
	if (in->body.size <= CHAT_MOST_READ)
		return;
	skip_surplus(in, 0, in->newest.first, CHAT_MOST_READ_BEFORE);
	skip_surplus(in, in->newest.first, in->request.step_count, CHAT_MOST_READ);
}

void chat_own_begin(struct chat_read *in, struct arena *arena)
{
	size_t count = in->request.step_count;
	in->own_words = arena_alloc(arena, count * sizeof(*in->own_words));
	for (size_t i = 0; i < count; i++)
		in->own_words[i] = (struct own_words){0};
	pass_over_programs(in, arena);
	find_newest(in);
	pass_over_events(in, arena);
}

uint64_t chat_own_hash(const struct chat_read *in, size_t index, struct arena *arena)
{
	return own_words(in, index, arena)->hash;
}

struct slice chat_own_text(const struct chat_read *in, size_t first, size_t count,
			   struct arena *arena)
{
	if (count == 1)
		return own_words(in, first, arena)->text;
	struct buffer joined;
	buffer_init(&joined, 2 * TURN_TEXT_LIMIT + 2);
	for (size_t i = first; i < first + count && joined.size < TURN_TEXT_LIMIT; i++) {
		struct slice own = own_words(in, i, arena)->text;
		if (own.size > 0 && joined.size > 0)
			buffer_append(&joined, SLICE("\n\n"));
		buffer_append(&joined, own);
	}
	struct slice text = arena_copy(arena, utf8_cut(buffer_slice(&joined), TURN_TEXT_LIMIT));
	buffer_finish(&joined);
	return text;
}

size_t chat_own_carrier(const struct chat_read *in, size_t first, size_t count, struct arena *arena)
{
	for (size_t i = first + count; i > first; i--) {
		size_t carrier = own_words(in, i - 1, arena)->carrier;
		if (carrier != SIZE_MAX)
			return carrier;
	}
	return SIZE_MAX;
}

size_t chat_first_carrier(const struct chat *chat, struct arena *arena)
{
	size_t any = SIZE_MAX;
	for (size_t i = 0; i < chat->read.request.step_count; i++) {
		const struct step *step = &chat->read.request.steps[i];
		if (step->kind != STEP_USER || step->text_count == 0 || chat_is_cut(chat, i))
			continue;
		size_t carrier = own_words(&chat->read, i, arena)->carrier;
		if (carrier != SIZE_MAX)
			return carrier;
		if (any == SIZE_MAX)
			any = step->first_text;
	}
	return any;
}

struct slice chat_masked(const struct chat *chat, struct slice text, struct arena *arena)
{
	struct intake intake = {.masks_secrets = chat->settings.secrets_redact,
				.policy = chat->settings.pii};
	return intake_text(&intake, text, INTAKE_TURN, arena);
}
