/* A user's text split into clauses, so that a quote can be read in context, and the words that show
 * how a clause is meant: negated, supposed, asked, or said about somebody else. */
#ifndef RECALLD_CORE_LEARN_SAID_H
#define RECALLD_CORE_LEARN_SAID_H

#include "core/base/bytes.h"

/* Bits of a word. */
enum {
	WORD_NOT = 1 << 0,      /* "not", "never" */
	WORD_IF = 1 << 1,       /* "if", "suppose": what follows is not a fact */
	WORD_MAY_IF = 1 << 2,   /* "wenn": "if" only next to WORD_UNREAL */
	WORD_UNREAL = 1 << 3,   /* "would" */
	WORD_FIRST = 1 << 4,    /* "I", "my" */
	WORD_SECOND = 1 << 5,   /* "you", "please", "que" in "quiero que": asks */
	WORD_THIRD = 1 << 6,    /* "she", "his" */
	WORD_KIN = 1 << 7,      /* "sister", "boss" */
	WORD_SAY = 1 << 8,      /* "said" */
	WORD_FORGET = 1 << 9,   /* "forget", "erase", in the form of a request */
	WORD_ALL = 1 << 10,     /* "everything" */
	WORD_SPLIT = 1 << 11,   /* "but", "because": begins a clause */
	WORD_AND = 1 << 12,     /* begins a clause if a pronoun follows */
	WORD_TIME = 1 << 13,    /* "tomorrow", "next": a date may be derived */
	WORD_POINT = 1 << 14,   /* "second", "option": points into an answer */
	WORD_THAT = 1 << 15,    /* "it", "that": points to what was said before */
	WORD_LOVE = 1 << 16,    /* also said about what is hated */
	WORD_OPENER = 1 << 17,  /* "oh", "sure" */
	WORD_ASK = 1 << 18,     /* "am", "do": begins a question */
	WORD_ONE = 1 << 19,     /* "one": after WORD_POINT or WORD_THAT */
	WORD_TAKE = 1 << 20,    /* "take", "go with": before WORD_THAT */
	WORD_SUBJECT = 1 << 21, /* "I", "we" */
	WORD_KEEP = 1 << 22,    /* "remember": asks to forget if a "not" goes with it */
	WORD_SOFT = 1 << 23,    /* "actually": may precede a request */
	WORD_DID = 1 << 24,     /* "did you ...?" asks about the past */
	WORD_MOMENT = 1 << 25,  /* among signs: "明天", a time that passes */
	WORD_WRONG = 1 << 26,   /* "wrong", "actually", "meant": corrects */
	WORD_MY = 1 << 27,      /* "my" */
	WORD_TASK = 1 << 28,    /* "write", "explain": at the head, asks for a piece of work */
};

struct said_word {
	struct slice text; /* in the form text_words() gives, split at apostrophes and "_" */
	unsigned bits;     /* WORD_* */
	bool is_function;  /* an article, a pronoun, ... in the text's language */
};

/* A clause; words like "but" begin one. */
struct said_clause {
	struct slice text;
	struct said_word *words;
	size_t count;
	unsigned bits;     /* WORD_* of all its words and signs */
	unsigned signs;    /* WORD_* of its signs in scripts without spaces */
	unsigned sentence; /* the index of its sentence */
	unsigned around;   /* the WORD_* of all its sentence's clauses */
	unsigned opens;  /* the WORD_* of its sentence's first word, and of the first clause's signs
			  */
	bool is_asked;   /* its sentence ends with a question mark */
	bool is_unmeant; /* its sentence says "just kidding" or the like: see learn_mark_unmeant()
			  */
};

/* The WORD_* of one of its words; 0 behind the last. */
static inline unsigned said_bits(const struct said_clause *clause, size_t at)
{
	return at < clause->count ? clause->words[at].bits : 0;
}

struct said {
	struct slice text;
	struct said_clause *clauses;
	size_t count;
	uint32_t languages; /* LEXICON_*, one bit each, that most of its words indicate */
	unsigned language;  /* one of them */
};

/* For a text in several languages, or one too short to tell, `like` (may be NULL) supplies the
 * languages. */
struct said said_read(struct slice text, const struct said *like, struct arena *arena);

/* The next run of the text between white space and marks, from `*at` on, which moves behind it;
 * empty at the end. */
struct slice said_run(struct slice text, size_t *at);
/* The text without the white space and marks around it. */
struct slice said_bare(struct slice text);

/* The words alone, without clauses. `*count` receives their number. */
struct said_word *said_words(struct slice text, const struct said *like, size_t *count,
			     struct arena *arena);

/* The WORD_* of the word with this word_hash(), in any of these languages (LEXICON_*, one bit
 * each). */
unsigned said_word_bits(uint64_t hash, uint32_t languages);
/* Those of a text in a script without spaces, by signs anywhere in it. */
unsigned said_sign_bits(struct slice text);
/* False: the text holds nothing of such a script. */
bool said_may_have_signs(struct slice text);

/* True if the word stands for the number in `digits`, from 0 to 12, or the text holds a sign of
 * it. */
bool said_is_number(struct slice word, struct slice digits);
bool said_has_number_sign(struct slice text, struct slice digits);
/* True if a word stands for any of these numbers, or has a digit or a sign of one. */
bool said_is_counted(struct slice word);

/* ---- what a clause tells: core/learn/subject.c ---- */

/* True if the clause begins like "my sister Fenna is ...", "我妹妹...". */
bool said_is_of_kin(const struct said_clause *clause);

/* True if the clause at this index tells of somebody else: "my sister is ...", "she ...". One
 * without its own subject continues with that of the clause before. */
bool said_is_of_others(const struct said *said, size_t index);

/* True if the clause is about something or somebody of the user's: "my cat ...", but not "my name
 * ...", nor "my friends call me ...". */
bool said_is_of_something(const struct said_clause *clause);

/* True if any word of the clause is "she", "sister" or the like. */
bool said_names_others(const struct said_clause *clause);

/* "Kater" of a clause like "mein Kater heißt Pumuckl", as the user wrote it; empty: it is about
 * nothing of the user's. */
struct slice said_owned(const struct said_clause *clause);

/* True if the user is the clause's own subject: "I ...", "we ...". */
bool said_is_of_user(const struct said_clause *clause);

/* True if the clause asks for a piece of work, and says nothing of the user or theirs: "Give me
 * three names for a bakery". */
bool said_is_task(const struct said_clause *clause);

/* Returns the user's deed, from the verb to the clause's end: "run a van" of "now I run a van".
 * Empty: the user is not its subject. */
struct slice said_deed(const struct said_clause *clause);

/* "I used to ...", "früher war ich ...", "我以前...". */
bool said_is_past(const struct said_clause *clause);

/* "I don't ... any more", "ya no ...": it says that something ended. */
bool said_is_ended(const struct said_clause *clause);

/* The first clause that contains the text; NULL if none does. */
const struct said_clause *said_clause_with(const struct said *said, struct slice text);

/* ---- what it asks of memory: core/learn/asks.c ---- */

/* True if the clause asks to forget something: "forget ...", "don't remember ..." */
bool said_asks_to_forget(const struct said *said, const struct said_clause *clause);

/* True if the text asks not to remember the conversation that it is part of: "don't remember this
 * conversation", "forget this chat". */
bool said_declines(const struct said *said);

/* True if it corrects what was answered: "No, it is ...", "actually, ...", "that's wrong". */
bool said_corrects(const struct said *said);

/* A first look, which splits nothing into clauses and knows no language. False: no clause of the
 * text asks to forget, and the text corrects nothing. */
bool said_may_press(struct slice text);
/* False: said_declines() is false of the text. */
bool said_may_decline(struct slice text);

#endif
