/* One entry of the memory model's answer, between its reading and its application. Only the learn_*
 * files include this. Slices point into the arena that the answer is read into. */
#ifndef RECALLD_CORE_LEARN_ENTRY_H
#define RECALLD_CORE_LEARN_ENTRY_H

#include "core/base/bytes.h"
#include "core/json/json.h"
#include "core/learn/learn.h"

enum {
	LEARN_MAX_ENTRIES = 64,
	LEARN_MAX_ENTITY = 64, /* bytes, as the next three */
	LEARN_MAX_KEY = 64,
	LEARN_MAX_VALUE = 512,
	LEARN_MAX_QUOTE = 1000,
};

enum learn_op {
	LEARN_SET,
	LEARN_ADD,
	LEARN_REMOVE,
	LEARN_FORGET,
};

struct learn_entry {
	enum learn_op op;
	struct slice entity; /* "user", or as the model wrote it */
	bool names_entity;   /* it said whom it means */
	struct slice kind;   /* empty: not said */
	struct slice key;    /* normalised; empty only where a value or an entity alone is meant */
	struct slice value;  /* empty only in LEARN_REMOVE and LEARN_FORGET */
	struct slice words;  /* the quote as the model wrote it, which is looked for in the turn */
	struct slice quote;  /* the same as it is stored */
	bool rests_on_names; /* of its key or entity: the value is none of the user's words */
	double confidence;   /* 0 to 1 */
	int64_t expires_at;  /* 0: never */
	bool pii;
};

struct learn_entries {
	struct learn_entry list[LEARN_MAX_ENTRIES];
	size_t count;
	size_t rejected; /* malformed, or more than the list holds */
};

/* The list of entries in what a model wrote, wherever it stands: an array, or a single entry, a map
 * of keys to values, or null. `list` lies in `document`, a part of the answer or made of it. False:
 * there is none. */
bool learn_find_list(struct slice answer, struct slice *document, struct json_value *list,
		     struct arena *arena);

/* The offset behind the bracket that closes the one at `begin`; `begin` when nothing does. */
size_t learn_closing_bracket(struct slice text, size_t begin);
/* Whether it is an object with the members of an entry. */
bool learn_is_entry(struct slice document, struct json_value value);

bool learn_entries_read(struct slice answer, struct learn_entries *entries, struct arena *arena);

struct wish; /* core/learn/wish.h */

/* Applies the entries, which are grounded, in their order; of what they forget only what the wish
 * names. */
void learn_apply(const struct learn_turn *turn, const struct learn_entries *entries,
		 const struct wish *wish, struct learning *learning, struct arena *arena);

/* Case folded, for comparison. */
struct slice learn_fold(struct slice text, struct arena *arena);
/* Lower case, words joined by one "_" each, at most LEARN_MAX_KEY bytes. */
struct slice learn_key(struct slice text, struct arena *arena);
/* A key by which spellings and synonyms are compared: folded and without any "_", and of those that
 * mean the same ("home_city", "wohnort") the one that stands for all. */
struct slice learn_bare_key(struct slice key, struct arena *arena);

#endif
