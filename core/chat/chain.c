/* Requests that continue from what the provider keeps: what of memory is there already. */
#include "core/base/ids.h"
#include "core/chat/parts.h"

/* A longer conversation id is ignored. */
enum { LONGEST_CONVERSATION = 512 };

static bool has_conversation(const struct chat *chat)
{
	const size_t size = chat->read.request.conversation.size;
	return size > 0 && size <= LONGEST_CONVERSATION;
}

bool chat_chains(const struct chat *chat)
{
	return chat->read.request.previous.size > 0 || chat->read.request.conversation.size > 0;
}

/* A conversation at the provider is a session, with an id that no header can have. */
static struct slice conversation_session(const struct chat *chat, struct arena *arena)
{
	const struct slice parts[] = {SLICE("conv:"), chat->read.request.conversation};
	return has_conversation(chat) ? arena_join(arena, parts, 2) : (struct slice){0};
}

void chat_take_conversation(struct chat *chat, struct arena *arena)
{
	if (chat->identity.session.size == 0)
		chat->identity.session = conversation_session(chat, arena);
}

struct slice chat_previous(const struct chat *chat, struct arena *arena)
{
	const struct slice previous = chat->read.request.previous;
	return previous.size > 0 ? previous : conversation_session(chat, arena);
}

const struct chain_link *chat_link(const struct chat *chat)
{
	return chat->view->has_link ? &chat->view->link : NULL;
}

size_t chat_kept_tokens(const struct chat *chat)
{
	const struct chain_link *link = chat_link(chat);
	return link == NULL ? 0 : link->tokens;
}

static size_t count_held(const uint64_t *sorted, size_t count, const uint64_t *ids, size_t id_count)
{
	size_t held = 0;
	for (size_t i = 0; i < id_count; i++)
		held += ids_hold(sorted, count, ids[i]);
	return held;
}

/* The link does not have the facts that were recalled as past. */
bool chat_keeps(const struct chat *chat, const struct replay *replay)
{
	const struct chain_link *link = chat_link(chat);
	if (link == NULL)
		return false;
	const uint32_t next = chat->view->next_ordinal;
	const bool is_own = chat->decided.goes_on && replay->ordinal == next &&
			    replay->user_hash == link->user_hash;
	if (replay->ordinal >= next && !is_own)
		return false;
	if (replay->turn_count > 0)
		return count_held(link->turns, link->turn_count, replay->turns,
				  replay->turn_count) == replay->turn_count;
	return count_held(link->facts, link->fact_count, replay->facts, replay->fact_count) > 0;
}

void chat_go_on(struct chat *chat)
{
	const struct chain_link *link = chat_link(chat);
	if (link == NULL || chat->read.newest.count > 0 || !link->is_pending ||
	    link->user_text.size == 0)
		return;
	chat->decided.goes_on = true;
	chat->read.own_text = link->user_text;
	chat->read.own_hash = link->user_hash;
}

/* Whether the block, in its place, becomes part of an item. */
static bool goes_into_item(const struct chat *chat)
{
	if (chat->settings.placement == PLACE_USER)
		return true;
	const struct block_place *place = &chat->read.request.places[chat->settings.placement];
	return place->way == BLOCK_WITH_USER || (place->way == BLOCK_PLACED && place->in_item);
}

void chat_keep_apart(struct chat *chat)
{
	struct request *request = &chat->read.request;
	if (chat_may_replay(chat))
		return;
	request->takes_turns = false;
	if (!goes_into_item(chat))
		return;
	chat->settings.placement = PLACE_SYSTEM;
	request->places[PLACE_SYSTEM] = request->apart;
	if (request->apart.way == BLOCK_WITH_USER)
		request->places[PLACE_SYSTEM].way = BLOCK_NOWHERE;
}

bool chat_block_is_kept(const struct chat *chat)
{
	const struct chain_link *link = chat_link(chat);
	return link != NULL && link->block_is_kept && chat->decided.stands;
}

/* ---- a reply that is fetched ---- */

void chat_load_fetched(const struct chat *chat, struct slice id, int64_t now, struct load *load)
{
	*load = (struct load){.user = chat->user, .previous = id, .now = now};
}

/* As the request that began it asked. */
static void take_pending(struct chat *chat, const struct chain_link *link)
{
	struct request *request = &chat->read.request;
	request->is_kept = true;
	request->conversation = link->provider_conversation;
	request->model = link->model;
	request->has_format = link->keeps_no_answer;
	(void)chat_choose_mode(chat, link->explicit_mode ? slice_of(mode_name(link->mode))
							 : (struct slice){0});
}

bool chat_fetch(struct chat *chat, const struct memory_view *view, struct arena *arena)
{
	struct memory_view *copy = arena_alloc(arena, sizeof(*copy));
	*copy = *view;
	chat->view = copy;
	chat->status = CHAT_EMPTY;
	chat->decided.stands = true;
	chat->decided.fetches = true;
	take_pending(chat, &copy->link);
	if (chat->mode == MODE_OFF)
		return false;
	chat_go_on(chat);
	return chat->decided.goes_on && chat->learn;
}

bool chat_is_fetched(const struct reply *reply, bool broke_off)
{
	return reply->end == END_PLAIN && reply->finished && reply->text.size > 0 &&
	       !reply->failed && !reply->has_tool_calls && !broke_off;
}

/* ---- what the reply's own link says ---- */

struct kept_ids {
	struct id_list turns;
	struct id_list facts;
};

static bool is_current(const struct chat *chat, uint64_t id)
{
	for (size_t i = 0; i < chat->view->fact_count; i++) {
		if (chat->view->facts[i].id == id)
			return chat->view->facts[i].state == FACT_CURRENT;
	}
	return false;
}

/* A fact that was recalled as past needs no correction. */
static void add_kept(const struct chat *chat, struct kept_ids *kept, const struct replay *replay,
		     struct arena *arena)
{
	id_list_add_all(&kept->turns, arena, replay->turns, replay->turn_count);
	for (size_t i = 0; i < replay->fact_count; i++) {
		if (is_current(chat, replay->facts[i]))
			id_list_add(&kept->facts, arena, replay->facts[i]);
	}
}

/* The facts stay although they hold no longer, so that every later block corrects them. */
static void add_earlier(const struct chat *chat, struct kept_ids *kept, struct arena *arena)
{
	const struct chain_link *link = chat_link(chat);
	if (link == NULL)
		return;
	id_list_add_all(&kept->turns, arena, link->turns, link->turn_count);
	id_list_add_all(&kept->facts, arena, link->facts, link->fact_count);
}

/* Lists what the request was given: `frozen` of a block that is kept, or NULL. */
static struct kept_ids list_kept(const struct chat *chat, const struct frozen *frozen,
				 const struct replay *recalled, struct arena *arena)
{
	struct kept_ids kept = {0};
	add_earlier(chat, &kept, arena);
	if (frozen != NULL)
		id_list_add_all(&kept.facts, arena, frozen->facts, frozen->fact_count);
	if (chat->read.request.is_kept) {
		for (size_t i = 0; i < chat->decided.replay_count; i++)
			add_kept(chat, &kept, &chat->decided.replayed[i], arena);
		add_kept(chat, &kept, recalled, arena);
	}
	id_list_sort(&kept.turns);
	id_list_sort(&kept.facts);
	return kept;
}

bool chat_make_link(const struct chat *chat, const struct reply *reply,
		    const struct replay *recalled, struct append *append, struct chain_link *link,
		    struct arena *arena)
{
	static const struct replay nothing = {0};
	const bool is_kept = chat->read.request.is_kept;
	if (!append->complete || (reply->id.size == 0 && !has_conversation(chat)) || !is_kept)
		return false;
	const bool block_is_kept = chat_block_is_kept(chat) ||
				   (chat->injected.context.block.size > 0 && goes_into_item(chat));
	const struct frozen *frozen = append->frozen != NULL ? append->frozen : &chat->view->frozen;
	const struct kept_ids kept = list_kept(chat, block_is_kept ? frozen : NULL,
					       recalled == NULL ? &nothing : recalled, arena);
	*link = (struct chain_link){
		.at = append->now,
		.block_is_kept = block_is_kept,
		.tokens = chat_kept_tokens(chat) + chat_replayed_tokens(chat) +
			  chat->injected.context.recalled_tokens,
		.turns = kept.turns.ids,
		.turn_count = kept.turns.count,
		.facts = kept.facts.ids,
		.fact_count = kept.facts.count,
	};
	if (!append->journal) {
		link->is_pending = true;
		link->user_text = append->user_text;
		link->user_hash = append->user_hash;
		link->started_at = append->started_at;
		link->model = append->model;
		link->keeps_no_answer = chat->read.request.has_format;
		link->explicit_mode = append->explicit_mode;
		link->mode = append->mode;
		if (has_conversation(chat))
			link->provider_conversation = chat->read.request.conversation;
	}
	append->link_ids[0] = reply->id;
	append->link_ids[1] = conversation_session(chat, arena);
	append->is_fetched = chat->decided.fetches;
	return true;
}
