/* One entry of the memory model's answer, between reading and applying it. Private to this folder.
 * Slices point into the arena that the answer is read into. */
#ifndef RECALLD_CORE_LEARN_ENTRY_H
#define RECALLD_CORE_LEARN_ENTRY_H

#include "core/facts/facts.h"
#include "core/json/json.h"
#include "core/learn/learn.h"
#include "core/learn/said.h"

enum {
	LEARN_MAX_ENTRIES = 64,
	LEARN_MAX_QUOTE = 1000, /* bytes, like the next one */
	LEARN_MAX_KEYWORDS = 96,
};

enum learn_op {
	LEARN_SET,
	LEARN_ADD,
	LEARN_REMOVE,
	LEARN_FORGET,
};

struct learn_entry {
	enum learn_op op;
	struct slice entity; /* "user", or what the model wrote */
	bool is_beside;      /* LEARN_SET of a key that the turn gives several values */
	bool names_entity;   /* the entry says which entity it means */
	struct slice kind;   /* empty: not given */
	struct slice key; /* normalized; empty only if the entry means a value or an entity alone */
	struct slice value;    /* empty only in LEARN_REMOVE and LEARN_FORGET */
	struct slice words;    /* the quote as the model wrote it, to be found in the turn */
	struct slice quote;    /* the quote as it is stored */
	struct slice keywords; /* see struct fact */
	bool rests_on_names;   /* supported by its key or entity: none of the user's words is the
				  value */
	bool conceals;         /* names a fact that the user's wish does not name */
	double confidence;     /* 0 to 1 */
	int64_t expires_at;    /* 0: never */
	bool pii;
	unsigned classes; /* what the model says that it is: PII_BIT() */
};

struct learn_entries {
	struct learn_entry list[LEARN_MAX_ENTRIES];
	size_t count;
	/* The turn's words of classes that are masked or dropped, and that only a model tells. */
	struct pii_said masked[LEARN_MAX_ENTRIES];
	size_t masked_count;
	size_t rejected; /* malformed, or beyond what the list holds */
};

/* Finds the list of entries in what a model wrote, wherever it stands: an array, a single entry, a
 * map of keys to values, or null. `list` lies in `document`, which is a part of the answer or made
 * from it. False: there is none. */
bool learn_find_list(struct slice answer, bool repairs, struct slice *document,
		     struct json_value *list, struct arena *arena);

/* ---- repairs of what small models write: core/learn/repair.c ---- */

/* The answer without commas before closing brackets, and with double instead of single quotation
 * marks around strings. */
struct slice learn_repaired(struct slice answer, struct arena *arena);

/* Joins JSON Lines into one array: objects with only white space and commas between them. False:
 * there are fewer than two, or something else is between them. */
bool learn_join_lines(struct slice answer, struct slice *document, struct arena *arena);

/* Ends the answer of a model that repeated an entry until it was cut off. False: it did not. */
bool learn_end_loop(struct slice answer, struct slice *document, struct arena *arena);

/* Puts values that are translated or cut short back into the user's words, and files entries under
 * those whom their quotes are about. */
void learn_repair_entries(const struct learn_turn *turn, const struct said *said,
			  struct learn_entries *entries, struct arena *arena);

/* True if the entry says nothing, or no more than one of the `kept` ones before it. */
bool learn_is_idle(const struct learn_entry *kept, size_t count, const struct learn_entry *entry,
		   struct arena *arena);

/* ---- the answer: core/learn/find.c, core/learn/read.c ---- */

/* The offset after the bracket that closes the one at `begin`; `begin` if none does. */
size_t learn_closing_bracket(struct slice text, size_t begin);
/* True if the value is an object with the members of an entry. */
bool learn_is_entry(struct slice document, struct json_value value);

bool learn_entries_read(struct slice answer, bool repairs, struct learn_entries *entries,
			struct arena *arena);

struct wish; /* core/learn/wish.h */

/* Marks the clauses of a turn whose sentence says "just kidding" or the like. Reads the turn once:
 * call it before learn_is_meant(). */
void learn_mark_unmeant(struct said *said);
/* True if the user states what the entry rests on as plain truth somewhere in the turn, about the
 * entity that the entry is about: not under an "if", not as a question or in plain sarcasm, and
 * without a "not" that the quote leaves out. */
bool learn_is_meant(const struct said *said, const struct learn_entry *entry, struct arena *arena);

/* Finds the keys that the turn gives several values side by side ("Ben and Ida"), rather than one
 * after the other ("from Ulm to Bern"). */
void learn_find_several(const struct said *said, struct learn_entries *entries,
			struct arena *arena);

/* Applies the entries, which must be grounded, in their order. An entry that forgets affects only
 * what the wish names. */
void learn_apply(const struct learn_turn *turn, const struct learn_entries *entries,
		 const struct wish *wish, struct learning *learning, struct arena *arena);

/* Takes the entries in as all facts are (core/facts/intake.h): masks or drops what the operator
 * wants so. What is masked is in no other entry's quote. */
void learn_keep_allowed(const struct learn_turn *turn, struct learn_entries *entries,
			struct arena *arena);

#endif
