/* The nouns of memory. Plain data; slices in them point into whatever arena they were read into.
 * Times are milliseconds since 1970-01-01T00:00:00Z. An id is unique within its user, grows with
 * time and is never used twice; 0 means none. */
#ifndef RECALLD_CORE_MEMORY_MEMORY_H
#define RECALLD_CORE_MEMORY_MEMORY_H

#include "core/base/bytes.h"

enum mode {
	MODE_OFF,
	MODE_BUFFER,
	MODE_SUMMARY,
	MODE_ENTITY,
	MODE_VECTOR,
	MODE_HYBRID,
	MODE_AUTO,
	MODE_READONLY, /* only a request can ask for it: the configured mode injects, nothing is
			  learned */
};

/* The name of a mode, and back; mode_read() returns false for an unknown name. */
const char *mode_name(enum mode mode);
bool mode_read(struct slice word, enum mode *mode);

/* The kinds of memory that each mode injects, and hence learns. */
bool mode_uses_facts(enum mode mode);   /* entity, hybrid, auto */
bool mode_uses_summary(enum mode mode); /* summary, hybrid, auto */
bool mode_uses_turns(enum mode mode);   /* buffer, summary, hybrid, auto */
bool mode_recalls(enum mode mode);      /* vector, hybrid, auto */

enum role {
	ROLE_SYSTEM,
	ROLE_DEVELOPER,
	ROLE_USER,
	ROLE_ASSISTANT,
	ROLE_TOOL,
	ROLE_OTHER,
};

const char *role_name(enum role role);

enum turn_state {
	TURN_CURRENT,
	TURN_SUPERSEDED, /* another answer, or an edited turn, took its place */
	TURN_HIDDEN,     /* the user asked to forget what it says */
};

/* The most that is kept of a turn's text: no model takes more, and an event loop reads it. */
enum { TURN_TEXT_LIMIT = 1 << 20 };

/* One message of a conversation as memory keeps it: secrets masked, documents removed. A user turn
 * and its answer share an exchange id, which is the user turn's id. */
struct turn {
	uint64_t id;
	uint64_t exchange;
	uint32_t conversation;
	uint32_t ordinal; /* its number among its conversation's answered user turns, from 0 */
	enum role role;
	enum turn_state state;
	bool complete; /* false: its reply broke off */
	int64_t created_at;
	int utc_offset; /* minutes by which the user's clocks were ahead of UTC then */
	uint64_t hash;  /* text_hash() of what the client sends when it sends this turn again */
	struct slice text;
	struct slice session; /* its conversation's session, or empty */
};

/* The user's local time, as if it were UTC. */
static inline int64_t turn_local_time(int64_t at, int utc_offset)
{
	return at + (int64_t)utc_offset * 60 * 1000;
}

/* An exchange of a conversation as memory keeps it: a user turn and its answers. */
struct past_exchange {
	uint64_t id; /* the user turn's */
	uint32_t conversation;
	uint32_t ordinal;
	enum turn_state state; /* the user turn's */
	uint64_t user_hash;    /* text_hash() of the user turn's own text */
	uint64_t answer;       /* the answer that it shows now; 0: none */
	bool queued;           /* it has been learned from, or is queued to be */
	int64_t created_at;
	int64_t taken_back_at; /* when the user turn was superseded; 0: it was not */
	struct slice text;     /* the user turn's */
};

/* Exchanges of one conversation, sorted by ordinal and then id. */
struct past_exchanges {
	const struct past_exchange *exchanges;
	size_t count;
};

/* A conversation as memory keeps it, beside its exchanges. */
struct past_conversation {
	struct slice session; /* its session, or empty */
	int64_t last_active;
	uint32_t answers;     /* the ordinal after its last complete answer */
	bool carries_history; /* one of its requests carried answers */
	bool branched;        /* some of its user turns are superseded */
};

/* The texts that a request carries in its own messages. */
struct carried_texts {
	const uint64_t *hashes; /* text_hash() of each, sorted */
	size_t count;
};

/* Whether the request says what the turn says. */
bool turn_is_said_in(const struct turn *turn, const struct carried_texts *carried);
/* Compares the turn's text, except for a short turn ("Yes."), whose meaning depends on its
 * place. */
bool turn_is_told_in(const struct turn *turn, const struct carried_texts *carried);

/* Whether the turn belongs to the exchange that is being asked again; 0: none is. */
bool turn_is_asked_again(const struct turn *turn, uint64_t asked_again);

enum fact_state {
	FACT_CURRENT,
	FACT_SUPERSEDED, /* a newer observation took its place */
	FACT_RETRACTED,  /* the user said that it no longer holds */
	FACT_FORGOTTEN,  /* the user asked to forget it: its texts are empty */
	FACT_SUGGESTED, /* said since, but a pinned fact stands against it, or imported for a person
			   to take: never injected */
	FACT_HIDDEN, /* meant by a wish to forget that did not name it: given to no model, until a
			person restores or erases it */
};

/* Where a fact comes from. */
enum fact_source {
	FACT_FROM_CHAT,       /* learned from what the user said */
	FACT_FROM_CORRECTION, /* a person corrected it */
	FACT_FROM_NOTE,       /* a person wrote it down */
	FACT_FROM_IMPORT,
	FACT_FROM_AGENT,
};

struct fact {
	uint64_t id;
	struct slice entity; /* "user", or the name of the person or thing it is about */
	struct slice kind;   /* user, person, place, project or thing */
	struct slice key;    /* lower case, words joined by "_" */
	struct slice value;
	bool many; /* one of several values of its key */
	bool pii;
	unsigned classes; /* of personal data: bits of core/pii */
	double confidence;
	struct slice quote;     /* the words of the user's turn that support it; may be empty */
	struct slice keywords;  /* other words in which it may be asked for, never shown; go with
				   the quote */
	uint64_t exchange;      /* the exchange that it was learned from */
	int64_t observed_at;    /* when the user said it, not when it was written */
	int64_t expires_at;     /* 0: never */
	int64_t ended_at;       /* when it ceased to be current; 0 while it is */
	uint64_t superseded_by; /* the fact that took its place, or 0; of a suggestion, the pinned
				   fact that it contradicts */
	enum fact_state state;
	bool pinned; /* nothing that is learned moves it */
	enum fact_source source;
	struct slice by;  /* who corrected or wrote it; empty unless somebody did */
	uint64_t repeats; /* how often it was said again */
	/* Labels that programs put beside it, never given to a model; empty: none. */
	struct slice agent;
	struct slice app;
	struct slice metadata; /* a JSON object, as text */
};

/* The versions of which a fact must have one, see fact_matches(). */
struct fact_match {
	bool is_asked; /* false: it may have any */
	const uint64_t *versions;
	size_t count;
};

/* Bytes: of an entity or key; of a value; of agent or app; of metadata. */
enum {
	FACT_NAME_LIMIT = 64,
	FACT_VALUE_LIMIT = 512,
	FACT_LABEL_LIMIT = 256,
	FACT_METADATA_LIMIT = 4096,
};

/* The most that a user has. Each chat reads all facts of its user, on an event loop. */
enum { FACTS_LIMIT = 10000 };

/* A value that was corrected away. Learning does not bring it back. */
struct tombstone {
	uint64_t value;      /* tombstone_hash() or tombstone_loose_hash() */
	struct slice entity; /* as the fact had it */
	struct slice key;    /* the same; empty: it holds under every key */
	int64_t at;
	bool is_hidden; /* of a hidden fact: what is said later is learned */
};

struct tombstones {
	const struct tombstone *list; /* by ascending value */
	size_t count;
	struct slice salt; /* of tombstone_hash() */
};

/* The kinds of what facts are about. */
enum fact_kind {
	FACT_OF_USER,
	FACT_OF_PERSON,
	FACT_OF_PLACE,
	FACT_OF_PROJECT,
	FACT_OF_NOTE,  /* a text without a key of its own */
	FACT_OF_THING, /* also any kind without a name here */
	FACT_KINDS,
};

enum fact_kind fact_kind_of(struct slice kind);
bool fact_is_about_user(const struct fact *fact);

/* The treatment of facts that identify a person. */
enum pii {
	PII_KEEP,
	PII_REDACT, /* record that there was one, but not its value and quote */
	PII_DROP,
};

/* Erases the fact's value and the user's words. */
void fact_mask(struct fact *fact);
/* Takes away the quote and what goes with it. */
void fact_unquote(struct fact *fact);
bool fact_is_masked(const struct fact *fact);

/* A receipt's id is milliseconds since 1970, shifted by this, and a counter. */
enum { RECEIPT_TIME_SHIFT = 20 };

struct summary {
	struct slice text;
	uint64_t covers; /* the id of the last turn that it covers */
	int64_t updated_at;
	struct slice model; /* the model that wrote it */
};

/* Whether the summary may tell of the turn with this id. A zeroed summary covers none. */
bool summary_covers(const struct summary *summary, uint64_t turn);

#endif
