/* How what is told changes the facts that are known, whoever tells it: the memory model, a person,
 * an import, a branch.
 *
 * - Of one entity and key (see core/facts/facts.h) one value stands, unless it is one of several;
 * the same value never stands twice.
 * - A pinned fact stands whatever is learned, imported or returned to. A person who writes another
 *   value beside it is asked first.
 * - Else the newer observation stands. What loses its place is superseded, and named by what took
 *   it. */
#ifndef RECALLD_CORE_FACTS_CHANGE_H
#define RECALLD_CORE_FACTS_CHANGE_H

#include "core/facts/facts.h"
#include "core/memory/position.h"

/* A fact, what is compared of it, and what happens to it. */
struct known {
	struct fact fact;
	struct slice entity; /* folded */
	struct slice key;    /* see fact_key() */
	struct slice value;  /* folded */
	bool is_new;
	bool is_changed;
	bool is_beside;  /* told together with other values of its key */
	bool is_dropped; /* a suggestion that goes */
	bool is_left;    /* what was given of it as it was is not given again */
	bool is_wrong;   /* its value gets a tombstone */
	bool is_right;   /* its value loses its tombstone */
	/* Its successor, which has no id while it is learned. */
	const struct known *replaced_by;
};

/* All of a user's facts but the forgotten, then the new ones. */
struct facts {
	struct known *known;
	size_t count;
	struct arena *arena;
};

/* With room for `room` new ones. */
struct facts facts_know(const struct fact *list, size_t count, size_t room, struct arena *arena);
/* The fact as it is compared; and the same, added to the facts. */
struct known known_of(const struct fact *fact, struct arena *arena);
struct known *facts_add(struct facts *facts, const struct known *known);

bool known_stands(const struct known *known);
/* Whether both are of the same key of the same entity; and with the same value. */
bool known_is_about(const struct known *known, const struct known *other);
bool known_says(const struct known *known, const struct known *other);
/* Whether only one of the two can stand; and whether `a` then keeps its place. */
bool known_excludes(const struct known *a, const struct known *b);
bool known_outranks(const struct known *a, const struct known *b);
/* Lets the fact stand again, or ends it at a time in favour of its successor. */
void known_stand(struct known *known);
void known_end(struct known *known, const struct known *successor, int64_t at);

/* The fact that stands and says the same; NULL: none does. */
struct known *facts_find_standing(const struct facts *facts, const struct known *said);
/* The suggestion against a fact of this key. One that was imported as a suggestion contradicts
 * nothing, and waits for a person. */
struct known *facts_find_suggested(const struct facts *facts, const struct known *about);

/* Ends what stands beside `stays`, except for pinned facts and those that were told with it. */
void facts_supersede(struct facts *facts, const struct known *stays, int64_t at);

/* The changes. The lists lie in the arena. */
struct fact_changes {
	struct fact *facts; /* changed and new ones */
	size_t count;
	uint64_t *dropped; /* suggestions that go */
	size_t dropped_count;
	struct fact *wrong; /* facts whose values get a tombstone */
	size_t wrong_count;
	struct fact *right; /* facts whose values lose theirs */
	size_t right_count;
	/* Facts that do not stand any more as they were, ascending: what was given of them goes. */
	uint64_t *left;
	size_t left_count;
};

struct fact_changes facts_changes(const struct facts *facts);

/* ---- what a person decides ---- */

enum correction_kind {
	CORRECTION_CREATE,
	CORRECTION_PATCH,
	CORRECTION_RESTORE, /* undoes the last change of the fact's state */
};

/* The members of a fact that a person gives, one bit each. */
enum correction_members {
	CORRECTS_ENTITY = 1 << 0,
	CORRECTS_KIND = 1 << 1,
	CORRECTS_KEY = 1 << 2,
	CORRECTS_VALUE = 1 << 3,
	CORRECTS_MANY = 1 << 4,
	CORRECTS_PII = 1 << 5,
	CORRECTS_EXPIRY = 1 << 6,
	CORRECTS_PINNED = 1 << 7,
	CORRECTS_CONFIDENCE = 1 << 8,
	CORRECTS_STATE = 1 << 9, /* alone: FACT_RETRACTED or FACT_CURRENT */
	CORRECTS_AGENT = 1 << 10,
	CORRECTS_APP = 1 << 11,
	CORRECTS_METADATA = 1 << 12,
	/* Labels that programs put beside a fact; they do not change its meaning. */
	CORRECTS_LABELS = CORRECTS_AGENT | CORRECTS_APP | CORRECTS_METADATA,
};

struct correction {
	enum correction_kind kind;
	uint64_t id;             /* of the fact, except to create one */
	struct fact_match match; /* what the fact must still be */
	unsigned members;        /* bits of enum correction_members */
	bool replaces;           /* other values that a person pinned, without being asked */
	struct fact given;
	struct slice by; /* who corrects */
	int64_t now;
};

enum correction_result {
	CORRECTION_DONE,
	CORRECTION_CREATED,
	CORRECTION_NO_FACT, /* there is none, or it is erased */
	CORRECTION_CHANGED, /* it has another version */
	CORRECTION_ENDED,   /* it does not stand: restore it first */
	CORRECTION_NOTHING, /* it stands: there is nothing to restore */
	CORRECTION_PINNED,  /* another value is pinned: replace it? */
};

struct corrected {
	enum correction_result result;
	/* Of the fact that was asked for, that took its place, or that is pinned. */
	uint64_t id;
	struct fact_changes changes; /* none unless it is done */
};

/* A correction is a new version; the old one is superseded, and its value gets a tombstone. What a
 * person corrects is pinned. What was said against a pinned fact is a suggestion, the newest one
 * alone, until a person takes it (by the same value, or by unpinning) or retracts it. `next_id`: of
 * a new fact. */
struct corrected facts_correct(const struct correction *correction, const struct fact *list,
			       size_t count, uint64_t next_id, struct arena *arena);

/* ---- what is taken in, and doubled ---- */

/* Merges facts that stand at `now` and say the same: a pinned one stays, else one from before
 * `first_taken`, else the one said last. It takes over the others' repeats, the newest time and the
 * longest life, and supersedes them. Of values that exclude each other, one that was taken in
 * (whose id is `first_taken` or higher) gives way or supersedes; UINT64_MAX: none was taken in. */
struct fact_changes facts_settle(const struct fact *list, size_t count, uint64_t first_taken,
				 int64_t now, struct arena *arena);

/* ---- branches ---- */

enum ground_change {
	GROUND_UNCHANGED,
	GROUND_TAKEN,    /* it stood, and is taken back now */
	GROUND_RETURNED, /* it was taken back, and stands now */
};

/* The change of the exchange that a fact rests on. */
struct ground {
	enum ground_change change;
	int64_t taken_back_at; /* when it was taken back before now; 0: it was not */
	/* For a taken exchange: a standing exchange in which the user says the fact as well; 0:
	 * none. */
	uint64_t also_said_in;
	bool in_other_words; /* that exchange does not contain the fact's quote */
};

/* The branch's change of an exchange; NULL: the exchange is gone. The caller finds out which facts
 * are also said elsewhere. */
struct ground branch_ground(const struct branch *branch, const struct past_exchange *exchange);

/* Whether the fact's state may change with the branch, so that its ground is worth reading. */
bool branch_may_change(const struct branch *branch, const struct fact *fact);

/* Whether a fact's exchange is taken back when the branch is done. */
bool ground_is_lost(const struct ground *ground);

/* Updates the facts as their grounds change, at `now`, and sets the flag of each fact that it
 * changes. A fact that rests only on taken exchanges is retracted; the fact that it superseded
 * stands again, unless its own exchange is lost. A fact that was retracted with its exchange stands
 * again with it. A forgotten fact stays forgotten; what it superseded stands while its exchange is
 * taken back. `grounds` and `changed` have one element per fact; `arena` is for working memory. */
void facts_follow_grounds(struct fact *list, const struct ground *grounds, bool *changed,
			  size_t count, int64_t now, struct arena *arena);

#endif
