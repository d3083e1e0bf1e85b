/* Shared by the files of this folder and private to them. */
#ifndef RECALLD_CORE_CHAT_PARTS_H
#define RECALLD_CORE_CHAT_PARTS_H

#include "core/chat/chat.h"

/* Whether memory may stand with the turns: not in what the provider keeps, if it is not to. */
static inline bool chat_may_replay(const struct chat *chat)
{
	return chat->settings.stored_riders || !chat->read.request.is_kept;
}

/* ---- own.c ---- */

struct slice chat_message_text(const struct chat_read *in, size_t index, struct arena *arena);
/* Whether the message is an answer that ends an exchange: it has no tool calls and is not to be
 * continued. */
bool chat_is_answer(const struct chat_read *in, size_t index);
/* Whether the message is taken out of the request (history = trim). */
bool chat_is_cut(const struct chat *chat, size_t index);

/* The most text that is read: of a message and of the newest turn, and of what the user said
 * before. */
enum { CHAT_MOST_READ = 4 << 20, CHAT_MOST_READ_BEFORE = 2 * CHAT_MOST_READ };
/* A message's text; if it exceeds the limit, its beginning and its end. */
struct slice chat_ends_text(const struct chat_read *in, size_t index, struct arena *arena);
/* Call once, before the others. Finds the newest turn, which is not what programs say after tool
 * results or an answer. */
void chat_own_begin(struct chat_read *in, struct arena *arena);
/* The own words of a run of user messages, without documents, joined; at most TURN_TEXT_LIMIT. */
struct slice chat_own_text(const struct chat_read *in, size_t first, size_t count,
			   struct arena *arena);
/* Which text gets what is put before those own words: the last text that contains some, as an index
 * in request.texts. SIZE_MAX: there are none. */
size_t chat_own_carrier(const struct chat_read *in, size_t first, size_t count,
			struct arena *arena);
/* The first user step that stays and has own words, or otherwise any text. */
size_t chat_first_carrier(const struct chat *chat, struct arena *arena);
/* text_hash() of one message's own words. */
uint64_t chat_own_hash(const struct chat_read *in, size_t index, struct arena *arena);
/* The text without secrets, if the settings ask for that. */
struct slice chat_masked(const struct chat *chat, struct slice text, struct arena *arena);

/* ---- side.c ---- */

/* Whether the request has the shape of a client's own request, which is not a turn; sets
 * `is_alone`. */
bool chat_has_side_shape(struct chat_read *in, struct arena *arena);
/* Excludes answers that no model said from the steps. */
void chat_pass_over_no_answers(struct chat_read *in, struct arena *arena);
/* A request for a summary that replaces the messages only gets what these got before. */
void chat_spare_compaction(struct chat *chat, struct arena *arena);

/* ---- mode.c ---- */

/* Chooses the configured mode, or the one that the request names. False: its word is unknown. */
bool chat_choose_mode(struct chat *chat, struct slice word);
/* Chooses what mode auto injects for this request. */
void chat_choose_branch(struct chat *chat);
/* If exact wording is requested and nothing frozen stands, prefers turns to their summary. */
void chat_prefer_wording(struct chat *chat);

/* Whether the frozen context was made in the requested mode; also sets what injects. */
bool chat_mode_stands(const struct chat *chat);

/* ---- hide.c ---- */

struct hidden;

/* Takes what [pii] gives to no model out of what the store gave: facts whole, of texts the words.
 */
struct hidden *chat_hide(struct chat *chat, const struct recall_result *recalled,
			 struct arena *arena);
/* Does the same to the context made of it, whose pieces may say together what none of them says
 * alone: "birthday", "5 May 1990". */
void chat_hide_made(struct chat *chat, struct hidden *hidden);
/* Whether the conversation was given before what [pii] gives to no model by now. */
bool chat_shows_hidden(const struct chat *chat, struct arena *arena);

/* ---- chat.c ---- */

/* The user's and the assistant's texts in the request, as far as they go upstream. */
struct carried_texts chat_carried_texts(const struct chat *chat, struct arena *arena);

/* ---- question.c ---- */

/* Reads the newest user turn as the question, unless the request asks nothing new. */
void chat_read_question(struct chat *chat, int64_t now, struct arena *arena);
/* How many turns to ask the store for, if the request does not carry those before the question. */
unsigned chat_turns_before_question(const struct chat *chat);
/* Call once the view is known. */
void chat_read_earlier(struct chat *chat, struct arena *arena);

/* ---- load.c ---- */

/* Whether past turns are recalled: because of the mode, or because some were taken out of this
 * request. */
bool chat_recalls(const struct chat *chat);
/* So many of the model's tokens as text_tokens() estimates them. */
size_t chat_estimated(const struct chat *chat, uint64_t tokens);

/* ---- replay.c ---- */

/* Finds turns in the request that were given something before: fills replayed and replay_texts. */
void chat_find_replays(struct chat *chat, struct arena *arena);
/* Whether the newest turn is among them, or is sent as it was before, and so is given nothing else.
 */
bool chat_newest_is_replayed(const struct chat *chat);
size_t chat_replayed_tokens(const struct chat *chat);

/* ---- import_history.c ---- */

/* The history's turns to import, if memory does not hold them: alternately a user's turn and its
 * answer. */
const struct imported_turn *chat_import_history(const struct chat *chat, int64_t started_at,
						size_t *count, struct arena *arena);

/* ---- chain.c ---- */

/* Whether the request continues from what the provider keeps. */
bool chat_chains(const struct chat *chat);
/* Without a session header, the provider's conversation names the session. */
void chat_take_conversation(struct chat *chat, struct arena *arena);
/* The id that the request continues from; empty: none. */
struct slice chat_previous(const struct chat *chat, struct arena *arena);
/* The link stored under that id; NULL: none. */
const struct chain_link *chat_link(const struct chat *chat);
/* Tokens of what was recalled for turns that the provider keeps. */
size_t chat_kept_tokens(const struct chat *chat);
/* Whether the provider keeps what the replay holds, before what the request brings. */
bool chat_keeps(const struct chat *chat, const struct replay *replay);
/* A request with tool results and no user turn continues the one before. */
void chat_go_on(struct chat *chat);
/* Whether the block is in what the provider keeps and need not be sent. */
bool chat_block_is_kept(const struct chat *chat);
/* The block then goes where it is not kept, and no turns go in. */
void chat_keep_apart(struct chat *chat);
/* Records what later requests that continue from the reply must know. `recalled` may be NULL.
 * False: none can continue. */
bool chat_make_link(const struct chat *chat, const struct reply *reply,
		    const struct replay *recalled, struct append *append, struct chain_link *link,
		    struct arena *arena);

/* ---- receipt_items.c ---- */

/* The part of the new context that is kept for later receipts: what was recalled, or everything
 * else. */
struct slice chat_list_kept(struct chat *chat, bool recalled, struct arena *arena);

#endif
