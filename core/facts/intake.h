/* All stored text passes here: it is masked, bounded, and counted where it was changed. */
#ifndef RECALLD_CORE_FACTS_INTAKE_H
#define RECALLD_CORE_FACTS_INTAKE_H

#include "core/base/bytes.h"
#include "core/memory/memory.h"
#include "core/pii/pii.h"

/* The kind of a text. Single lines lose invisible characters and control characters, a NUL among
 * them, as in text_one_line(); notes and summaries keep their line breaks; a turn keeps all but
 * what is masked. */
enum intake_kind {
	INTAKE_NAME, /* an entity, a key: 64 bytes */
	INTAKE_KEYWORDS,
	INTAKE_LABEL, /* a program's or person's id: FACT_LABEL_LIMIT; a longer one goes whole */
	INTAKE_VALUE, /* 512 bytes */
	INTAKE_NOTE,  /* a fact that is a text of its own: 4 KB, like the next two */
	INTAKE_QUOTE,
	INTAKE_METADATA,
	INTAKE_SETTING, /* a text of a user's settings: 1 KB */
	INTAKE_SUMMARY,
	INTAKE_TURN, /* TURN_TEXT_LIMIT */
};

/* Why something was left out. */
enum intake_reason {
	LEFT_EMPTY,      /* it says nothing that is kept */
	LEFT_UNSHOWN,    /* no part of the talk: system and tool messages, other branches */
	LEFT_PERSONAL,   /* a fact of a class that [pii] drops */
	LEFT_TOO_LARGE,  /* an element that takes too much to read */
	LEFT_OVER_LIMIT, /* older than what the user may take in the store */
	LEFT_OTHER,
	LEFT_REASONS,
};

struct intake {
	bool masks_secrets;
	bool refuses_secrets; /* a fact whose value is one is left out rather than masked */
	struct pii_policy policy;
	enum pii pii; /* facts that identify a person */
	/* The results: */
	size_t masked; /* texts in which something was masked */
	size_t cut;    /* texts that were longer than their limit */
	size_t left_out[LEFT_REASONS];
	unsigned found; /* classes in the texts, but for turns, that the policy masks or drops */
};

size_t intake_limit(enum intake_kind kind);

/* Returns the text as it may be stored. What is longer than its limit is cut to it, after masking,
 * so that no half of a secret stays. Takes time linear in the limit, not in the text. */
struct slice intake_text(struct intake *intake, struct slice text, enum intake_kind kind,
			 struct arena *arena);

/* Takes in a fact's metadata, a JSON object; empty if masking or the limit leaves none. */
struct slice intake_metadata(struct intake *intake, struct slice metadata, struct arena *arena);

/* Masks the value if its names make it a secret, "password", "hunter2", and drops what may hold it,
 * too. */
void intake_secret(struct intake *intake, struct fact *fact, struct arena *arena);

/* Does so with each text of a fact. False: it must not be stored, which is counted. */
bool intake_fact(struct intake *intake, struct fact *fact, struct arena *arena);

/* All that was left out. */
size_t intake_left_out(const struct intake *intake);

/* Appends the members ,"masked":N,"cut":N,"reasons":{"empty":N,...} of a JSON object; the reasons
 * that did not occur are not there. */
void intake_print(const struct intake *intake, struct buffer *json);

#endif
