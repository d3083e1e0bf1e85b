/* Reads the sender, decides whether memory takes part, and finds what the request asks of it. */
#include "core/chat/parts.h"

#include "core/base/ids.h"
#include "core/clients/forms.h"
#include "core/text/text.h"

/* Assistant turns to look up to find the conversation; the newest identify it best. */
enum { MAX_MARKS = 256 };

const char *chat_status_name(enum chat_status status)
{
	static const char *const names[] = {
		[CHAT_INJECTED] = "injected", [CHAT_EMPTY] = "empty",
		[CHAT_OFF] = "off",           [CHAT_ANONYMOUS] = "anonymous",
		[CHAT_SIDE] = "side",         [CHAT_BYPASSED] = "bypassed",
	};
	return names[status];
}

static enum chat_verdict refuse(struct chat *chat, const char *code, struct slice message)
{
	chat->refusal = (struct refusal){.status = 400, .code = code, .message = message};
	return CHAT_REFUSED;
}

static enum chat_verdict pass(struct chat *chat, enum chat_status status)
{
	chat->status = status;
	return CHAT_PASS;
}

void chat_bypass(struct chat *chat)
{
	chat->status = CHAT_BYPASSED;
	chat->injected.context = (struct context){0};
	chat->decided.cut = (struct history_cut){0};
	chat->injected.descriptions = NULL;
	chat->injected.is_fresh = false;
	chat->injected.edit_count = 0;
	chat->injected.tokens = 0;
}

/* Text that the reply is to continue is not an answer yet. */
static bool is_fingerprint(const struct chat *chat, size_t index)
{
	return index < chat->read.open_first && step_is_models(&chat->read.request.steps[index]);
}

/* Where the newest MAX_MARKS of them begin. */
static size_t first_fingerprint(const struct chat *chat)
{
	size_t index = chat->read.request.step_count;
	for (size_t marks = 0; index > 0 && marks < MAX_MARKS; index--)
		marks += is_fingerprint(chat, index - 1);
	return index;
}

/* The hash of the newest user turn before `index`; 0: there is none. */
static uint64_t user_hash_before(const struct chat *chat, size_t index, struct arena *arena)
{
	while (index > 0 && chat->read.request.steps[index - 1].kind != STEP_USER)
		index--;
	return index == 0 ? 0 : chat_own_hash(&chat->read, index - 1, arena);
}

/* The beginning of a huge answer is enough for its hash. */
static struct answer_fingerprint read_fingerprint(const struct chat *chat, size_t index,
						  uint64_t user_hash, struct arena *arena)
{
	const struct step *step = &chat->read.request.steps[index];
	return (struct answer_fingerprint){
		.hash = step->kind == STEP_CALLS || step_is_named(step)
				? step->ids_hash
				: text_hash(chat_ends_text(&chat->read, index, arena)),
		.user_hash = user_hash,
		.tool_calls = step->kind == STEP_CALLS,
	};
}

/* The newest turn's answer, as far as the client has it. */
static void read_open_answer(struct chat *chat, struct arena *arena)
{
	size_t count = chat->read.request.step_count - chat->read.open_first;
	if (chat->read.newest.count == 0 || count == 0)
		return;
	struct slice *parts = arena_alloc(arena, count * sizeof(*parts));
	for (size_t i = 0; i < count; i++)
		parts[i] = chat_message_text(&chat->read, chat->read.open_first + i, arena);
	chat->read.open_text = count == 1 ? parts[0] : arena_join(arena, parts, count);
	chat->read.open_fingerprint = (struct answer_fingerprint){
		.hash = text_hash(chat->read.open_text), .user_hash = chat->read.own_hash};
}

/* A user turn may be large and have many answers after it: its text is hashed once. */
static void read_fingerprints(struct chat *chat, struct arena *arena)
{
	size_t index = first_fingerprint(chat);
	uint64_t user_hash = user_hash_before(chat, index, arena);
	for (size_t i = 0; i < index; i++)
		chat->read.earlier_answers += chat_is_answer(&chat->read, i);
	size_t most = chat->read.request.step_count - index;
	chat->read.fingerprints = arena_alloc(arena, (most < MAX_MARKS ? most : MAX_MARKS) *
							     sizeof(*chat->read.fingerprints));
	for (; index < chat->read.request.step_count; index++) {
		if (chat->read.request.steps[index].kind == STEP_USER)
			user_hash = chat_own_hash(&chat->read, index, arena);
		else if (is_fingerprint(chat, index))
			chat->read.fingerprints[chat->read.fingerprint_count++] =
				read_fingerprint(chat, index, user_hash, arena);
	}
}

/* Adds the newest turn's messages one by one: a reply to the first of them may have broken off. */
static void add_newest(const struct chat *chat, struct id_list *texts, struct arena *arena)
{
	const struct newest_turn *newest = &chat->read.newest;
	id_list_add(texts, arena, chat->read.own_hash);
	for (size_t i = newest->first; newest->count > 1 && i < newest->first + newest->count; i++)
		id_list_add(texts, arena, chat_own_hash(&chat->read, i, arena));
}

struct carried_texts chat_carried_texts(const struct chat *chat, struct arena *arena)
{
	struct id_list texts = {0};
	const struct answer_fingerprint *mark = chat->read.fingerprints;
	add_newest(chat, &texts, arena);
	id_list_add(&texts, arena, chat->read.open_fingerprint.hash);
	for (size_t i = first_fingerprint(chat); i < chat->read.request.step_count; i++) {
		if (!is_fingerprint(chat, i))
			continue;
		if (!chat_is_cut(chat, i)) {
			id_list_add(&texts, arena, mark->user_hash);
			id_list_add(&texts, arena, mark->hash);
		}
		mark++;
	}
	id_list_sort(&texts);
	return (struct carried_texts){texts.ids, texts.count};
}

/* Chooses the mode, once the user is known. */
static enum chat_verdict choose_mode(struct chat *chat, struct slice mode, struct arena *arena)
{
	if (!chat_choose_mode(chat, mode))
		return refuse(chat, "invalid_memory_mode",
			      SLICE("X-Memory-Mode must be exactly one of off, readonly, buffer, "
				    "summary, entity, vector, hybrid and auto."));
	if (chat->dry_run && !chat->read.scanned)
		return refuse(chat, "invalid_request_body",
			      arena_printf(arena,
					   "A dry run needs an uncompressed JSON object with %s.",
					   chat->read.dialect->shape));
	return CHAT_LOAD;
}

/* Whether memory takes part, and if so, what the user said. */
static enum chat_verdict take_part(struct chat *chat, struct arena *arena)
{
	if (chat->identity.user.size == 0)
		return pass(chat, CHAT_ANONYMOUS);
	/* The receipt may be written after the request is over and its head is gone. */
	chat->identity.user = arena_copy(arena, chat->identity.user);
	if (chat->mode == MODE_OFF)
		return pass(chat, CHAT_OFF);
	if (!chat->read.scanned)
		return pass(chat, CHAT_BYPASSED);
	if (chat->identity.task || chat_has_side_shape(&chat->read, arena))
		return pass(chat, CHAT_SIDE);
	chat_pass_over_no_answers(&chat->read, arena);
	chat_take_conversation(chat, arena);
	chat->read.open_first = request_open_answer(&chat->read.request);
	chat_own_begin(&chat->read, arena);
	chat_spare_compaction(chat, arena);
	chat->read.own_text =
		chat_own_text(&chat->read, chat->read.newest.first, chat->read.newest.count, arena);
	chat->read.own_hash = text_hash(chat->read.own_text);
	read_fingerprints(chat, arena);
	read_open_answer(chat, arena);
	return CHAT_LOAD;
}

void chat_read(struct chat *chat, const struct dialect *dialect, struct slice body, bool is_encoded,
	       struct arena *arena)
{
	*chat = (struct chat){.read = {.dialect = dialect, .body = body}};
	chat->read.scanned =
		!is_encoded && dialect->scan(&chat->read.request, body, arena) == REQUEST_OK;
}

enum chat_verdict chat_enter(struct chat *chat, const struct chat_asked *asked,
			     const struct chat_settings *settings, struct arena *arena)
{
	chat->identity = asked->identity;
	chat->user = asked->user;
	chat->dry_run = asked->dry_run;
	chat->settings = *settings;
	enum chat_verdict verdict = choose_mode(chat, asked->mode, arena);
	return verdict == CHAT_LOAD ? take_part(chat, arena) : verdict;
}
