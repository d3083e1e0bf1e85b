/* [pii] CLASS = no_inject: what is stored, but given to no model. */
#include "core/chat/parts.h"

/* Bytes of texts that are compared with facts' words, each as often as there are facts. */
enum { MOST_COMPARED = 8 * 1024 * 1024 };

/* Hidden values: by their pattern, and by the words of facts whose class a memory model told. */
struct hidden {
	unsigned classes;
	struct pii_told told;
	struct arena *arena;
};

static bool is_hidden(const struct fact *fact, unsigned classes)
{
	return (fact->classes & classes) != 0 || (pii_classes(fact->value) & classes) != 0 ||
	       (pii_classes(fact->entity) & classes) != 0;
}

/* Facts of the past are loaded for their words alone. */
static void hide_facts(struct fact *facts, size_t *count, unsigned classes, bool keeps_past)
{
	size_t kept = 0;
	for (size_t i = 0; i < *count; i++) {
		if ((facts[i].state == FACT_CURRENT || keeps_past) &&
		    !is_hidden(&facts[i], classes))
			facts[kept++] = facts[i];
	}
	*count = kept;
}

static struct hidden find_hidden(const struct chat *chat, struct arena *arena)
{
	const struct memory_view *view = chat->view;
	struct hidden hidden = {.classes = chat->settings.pii.hide,
				.told = {.left = MOST_COMPARED},
				.arena = arena};
	for (size_t i = 0; i < view->fact_count; i++) {
		const struct fact *fact = &view->facts[i];
		const struct pii_said said = {.value = fact->value,
					      .quote = fact->quote,
					      .exchange = fact->exchange,
					      .classes = fact->classes & hidden.classes &
							 PII_OF_MODEL};
		if (said.classes != 0)
			pii_told_add(&hidden.told, &said, arena);
	}
	return hidden;
}

/* Without what is hidden. `exchange`: whose user said it; 0: any other text. */
static struct slice hide_said(struct hidden *hidden, struct slice text, uint64_t exchange)
{
	text = pii_mask_told(text, exchange, &hidden->told, hidden->arena);
	return pii_mask(text, hidden->classes, hidden->arena, NULL);
}

static void hide_turn(struct hidden *hidden, struct turn *turn)
{
	turn->text = hide_said(hidden, turn->text, turn->role == ROLE_USER ? turn->exchange : 0);
}

static bool shows_hidden(struct hidden *hidden, struct slice text)
{
	return hide_said(hidden, text, 0).data != text.data;
}

bool chat_shows_hidden(const struct chat *chat, struct arena *arena)
{
	const struct frozen *frozen = &chat->view->frozen;
	if (chat->settings.pii.hide == 0)
		return false;
	struct hidden hidden = find_hidden(chat, arena);
	bool shows = shows_hidden(&hidden, frozen->block) || shows_hidden(&hidden, frozen->turns);
	for (size_t i = 0; !shows && i < chat->decided.replay_count; i++)
		shows = shows_hidden(&hidden, chat->decided.replay_texts[i].text);
	return shows;
}

struct hidden *chat_hide(struct chat *chat, const struct recall_result *recalled,
			 struct arena *arena)
{
	const unsigned classes = chat->settings.pii.hide;
	struct memory_view *view = chat->view;
	if (classes == 0)
		return NULL;
	struct hidden *hidden = arena_alloc(arena, sizeof(*hidden));
	*hidden = find_hidden(chat, arena);
	hide_facts(view->facts, &view->fact_count, classes, chat->read.question.about_past);
	hide_facts(view->ended, &view->ended_count, classes, true);
	view->summary.text = hide_said(hidden, view->summary.text, 0);
	for (size_t i = 0; recalled != NULL && i < recalled->count; i++)
		hide_turn(hidden, &recalled->turns[i]);
	for (size_t i = 0; i < view->outdated_count; i++) {
		struct fact *fact = &view->outdated[i];
		fact->quote = hide_said(hidden, fact->quote, 0);
	}
	for (size_t i = view->turn_count; i-- > 0;) /* the newest first */
		hide_turn(hidden, &view->turns[i]);
	return hidden;
}

void chat_hide_made(struct chat *chat, struct hidden *hidden)
{
	struct context *context = &chat->injected.context;
	if (hidden == NULL)
		return;
	context->block = hide_said(hidden, context->block, 0);
	context->recalled = hide_said(hidden, context->recalled, 0);
}
