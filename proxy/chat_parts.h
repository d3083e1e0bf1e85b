/* What the rooms of a chat share; nobody else looks inside. */
#ifndef RECALLD_PROXY_CHAT_PARTS_H
#define RECALLD_PROXY_CHAT_PARTS_H

#include "proxy/chat.h"

/* ---- chat.c ---- */

/* The own words of a run of user messages, without documents; joined. */
struct slice chat_own_text(const struct chat *chat, size_t first, size_t count,
			   struct arena *arena);

/* ---- chat_mode.c ---- */

/* The mode of the configuration, or of the request's own word. False: the word is none. */
bool chat_choose_mode(struct chat *chat, struct slice word);
/* What mode auto injects for this request. */
void chat_choose_branch(struct chat *chat);
/* Exact wording is asked for, and nothing frozen stands: the turns go before their summary. */
void chat_prefer_wording(struct chat *chat);

/* ---- chat_replay.c ---- */

/* Finds the turns that were given something before in the request: fills replayed and riders. */
void chat_find_replays(struct chat *chat, struct arena *arena);
/* Whether the newest turn is among them, and so is not to be given anything else. */
bool chat_newest_is_replayed(const struct chat *chat);
size_t chat_replayed_tokens(const struct chat *chat);

/* ---- chat_account.c ---- */

/* The new context's items, and what the budget left out of it, as members of a JSON array. */
struct slice chat_list_items(const struct chat *chat, struct arena *arena);
struct slice chat_list_dropped(const struct chat *chat, struct arena *arena);
/* What of the new context is kept for later receipts: what was recalled, or all else. */
struct slice chat_list_kept(const struct chat *chat, bool recalled, struct arena *arena);
struct slice chat_join_lists(const struct slice *lists, size_t count, struct arena *arena);

#endif
