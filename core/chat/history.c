#include "core/chat/history.h"

#include "core/text/text.h"

enum { FRAME_TOKENS = 4, PART_TOKENS = 800 };

/* A walk over the history from its beginning, message by message. */
struct walk {
	const struct request *request;
	const size_t *tokens; /* for each message */
	size_t at;            /* the next message */
	size_t before;        /* the tokens before it */
	uint32_t ordinal;     /* the ordinal of the exchange that it is in or begins */
	bool is_asked;        /* a user turn waits for its answer */
	bool has_exchange;    /* a whole exchange lies before it */
};

static size_t step_tokens(const struct request *request, const struct step *step,
			  struct arena *arena)
{
	if (step->stays)
		return 0;
	/* Tool calls are JSON, and the model gets them verbatim. */
	struct slice said = step->kind == STEP_CALLS
				    ? slice_part(request->body, step->begin, step->end)
				    : step_text(request, step, arena);
	return FRAME_TOKENS + text_tokens(said) + PART_TOKENS * step->other_parts;
}

/* Takes in one message. An exchange is a user turn with its final answer. Like the store, the
 * ordinals count every final answer, even a greeting or a second one. */
static void advance(struct walk *walk)
{
	const struct step *step = &walk->request->steps[walk->at];
	if (step->kind == STEP_USER)
		walk->is_asked = true;
	if (step->kind == STEP_ANSWER) {
		walk->has_exchange |= walk->is_asked;
		walk->is_asked = false;
		walk->ordinal++;
	}
	walk->before += walk->tokens[walk->at++];
}

/* The step in which the cut moves; never 0. */
static size_t third_of(const struct history_limits *limits)
{
	return limits->tokens / 3 + 1;
}

/* Whether a cut that removes exchanges may end before the next message. */
static bool is_border(const struct walk *walk, const struct history_limits *limits)
{
	const struct step *step = &walk->request->steps[walk->at];
	return step->kind == STEP_USER && step->begins_element && !walk->is_asked &&
	       walk->has_exchange && walk->ordinal <= limits->covered;
}

/* Finds the first border with `thirds` before it, or the last border on the way there. */
static void find_end(struct walk *walk, size_t end, const struct history_limits *limits,
		     size_t thirds, struct history_cut *cut)
{
	size_t third = third_of(limits);
	cut->falls_short = true;
	for (size_t made = 0; made < thirds && walk->at <= end; advance(walk)) {
		if (!is_border(walk, limits) || walk->before / third <= made)
			continue;
		made = walk->before / third;
		cut->end = walk->at;
		cut->cut_before = walk->ordinal;
		cut->tokens = walk->before;
		cut->falls_short = made < thirds;
	}
}

/* Finds the border where exchange `ordinal` begins, if the request has it. */
static void find_ordinal(struct walk *walk, size_t end, uint32_t ordinal, struct history_cut *cut)
{
	for (; walk->at <= end; advance(walk)) {
		const struct step *step = &walk->request->steps[walk->at];
		if (walk->ordinal > ordinal)
			return;
		if (step->kind != STEP_USER || !step->begins_element || walk->is_asked ||
		    walk->ordinal != ordinal || walk->before == 0)
			continue;
		cut->end = walk->at;
		cut->cut_before = ordinal;
		cut->tokens = walk->before;
		return;
	}
}

/* The room for the history: the last third is for what memory puts in place of the cut. */
static size_t room_of(const struct history_limits *limits)
{
	return limits->tokens / 3 * 2;
}

static void choose_end(struct walk walk, size_t end, const struct history_limits *limits,
		       struct history_cut *cut)
{
	struct history_cut standing = *cut;
	struct walk begin = walk;
	if (limits->standing > limits->ordinal)
		find_ordinal(&begin, end, limits->standing, &standing);
	bool stands = standing.tokens > 0;
	if (stands && cut->total - standing.tokens <= room_of(limits)) {
		*cut = standing;
		return;
	}
	if (cut->total <= limits->tokens && !stands)
		return;
	size_t third = third_of(limits);
	size_t surplus = cut->total - room_of(limits);
	/* A changed limit must not make for small steps. */
	if (stands && surplus < standing.tokens + third / 2)
		surplus = standing.tokens + third / 2;
	find_end(&walk, end, limits, (surplus + third - 1) / third, cut);
	if (cut->tokens < standing.tokens)
		*cut = standing;
}

struct history_cut history_choose_cut(const struct request *request,
				      const struct history_limits *limits, struct arena *arena)
{
	struct history_cut cut = {0};
	size_t end = request_newest_turn(request).first;
	size_t *tokens = arena_alloc(arena, (end + 1) * sizeof(*tokens));
	while (cut.first < end && request->steps[cut.first].stays)
		cut.first++;
	cut.end = cut.first;
	for (size_t i = 0; i < end; i++) {
		tokens[i] = step_tokens(request, &request->steps[i], arena);
		cut.total += tokens[i];
	}
	struct walk walk = {
		.request = request,
		.tokens = tokens,
		.ordinal = limits->ordinal,
	};
	if (limits->fixed == NULL)
		choose_end(walk, end, limits, &cut);
	else if (*limits->fixed > limits->ordinal)
		find_ordinal(&walk, end, *limits->fixed, &cut);
	return cut;
}
