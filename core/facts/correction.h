/* How a person corrects what is remembered of them: writes a fact down, changes one, takes it back
 * or lets it stand again.
 *
 * - A corrected fact is a new version; the old one is superseded, and its value gets a tombstone.
 * - What a person corrects is pinned: learning neither supersedes, retracts nor doubles it.
 * - What contradicts a pinned fact is kept as a suggestion, the newest one for each, until a person
 *   takes it (by the same value, or by unpinning) or dismisses it (by retracting it).
 * - Of one entity and key, the same value never stands twice. */
#ifndef RECALLD_CORE_FACTS_CORRECTION_H
#define RECALLD_CORE_FACTS_CORRECTION_H

#include "core/facts/facts.h"

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
	/* What programs put beside a fact: it says nothing else by them. */
	CORRECTS_LABELS = CORRECTS_AGENT | CORRECTS_APP | CORRECTS_METADATA,
};

struct correction {
	enum correction_kind kind;
	uint64_t id;             /* of the fact, except to create one */
	struct fact_match match; /* what the fact must still be */
	unsigned members;        /* bits of enum correction_members */
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
};

/* What a correction writes. The lists lie in the arena. */
struct corrected {
	enum correction_result result;
	uint64_t id;        /* of the fact that was asked for, or that took its place */
	struct fact *facts; /* changed and new ones */
	size_t count;
	uint64_t *dropped; /* suggestions that go */
	size_t dropped_count;
	struct fact *wrong; /* facts whose values get a tombstone */
	size_t wrong_count;
	struct fact *right; /* facts whose values lose theirs */
	size_t right_count;
	/* Facts that do not stand any more as they were: what was given of them goes. */
	uint64_t *left;
	size_t left_count;
};

/* Works the correction out from all of a user's facts but the forgotten. `next_id`: of a new
 * fact. */
struct corrected correction_apply(const struct correction *correction, const struct fact *facts,
				  size_t count, uint64_t next_id, struct arena *arena);

#endif
