/* Whom a clause speaks of: the user, somebody or something of the user's, or others. */
#ifndef RECALLD_CORE_LEARN_SUBJECT_H
#define RECALLD_CORE_LEARN_SUBJECT_H

#include "core/learn/said.h"

/* The index of "sister" in a clause that begins like "my sister Fenna is ..."; 0: it begins
 * otherwise. */
size_t said_kin(const struct said_clause *clause);

/* Whether the clause at this index tells of somebody else: "my sister is ...", "she ...". One
 * without its own subject continues with that of the clause before. */
bool said_is_of_others(const struct said *said, size_t index);

/* Whether the clause is about something or somebody of the user's: "my cat ...", but not "my name
 * ...", nor "my friends call me ...". */
bool said_is_of_something(const struct said_clause *clause);

/* Whether any clause is about others, or something of the user's. */
bool said_speaks_of_others(const struct said *said);

/* Whether any word of the clause is "she", "sister" or the like. */
bool said_names_others(const struct said_clause *clause);

/* "Kater" of a clause like "mein Kater heißt Pumuckl", as the user wrote it; empty: it is about
 * nothing of the user's. */
struct slice said_owned(const struct said_clause *clause);

/* Whether it begins like "my sister ...", "妹の美咲は...". */
bool said_begins_with_kin(const struct said_clause *clause);

/* "Lucía" of a clause that begins like "mi hija Lucía es ..."; empty: it names no kin. */
struct slice said_name_of_kin(const struct said_clause *clause);

/* Whether the user is the clause's own subject: "I ...", "we ...", and "soy ..." where a verb does
 * without the pronoun. */
bool said_is_of_user(const struct said *said, const struct said_clause *clause);

/* Whether the clause asks for a piece of work, and says nothing of the user or theirs: "Give me
 * three names for a bakery". */
bool said_is_task(const struct said_clause *clause);

/* What the user says they do, from the verb to the clause's end: "run a van" of "now I run a van".
 * Empty: the user is not its subject. */
struct slice said_deed(const struct said *said, const struct said_clause *clause);

/* The first clause that contains the text; `said->count` if none does. */
size_t said_clause_with(const struct said *said, struct slice text);

#endif
