/* Words that show how a sentence is meant: negated, supposed, asked, said about somebody else, or a
 * request to forget. */
#ifndef RECALLD_CORE_LEARN_WORDS_H
#define RECALLD_CORE_LEARN_WORDS_H

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
	WORD_ONLY = 1 << 14,    /* "not only" negates nothing */
	WORD_POINT = 1 << 15,   /* "second", "option": points into an answer */
	WORD_THAT = 1 << 16,    /* "it", "that": points to what was said before */
	WORD_LOVE = 1 << 17,    /* also said about what is hated */
	WORD_OPENER = 1 << 18,  /* "oh", "sure" */
	WORD_ASK = 1 << 19,     /* "am", "do": begins a question */
	WORD_VERB = 1 << 20,    /* "is", "works": makes what precedes it a subject */
	WORD_ONE = 1 << 21,     /* "one": after WORD_POINT or WORD_THAT */
	WORD_TAKE = 1 << 22,    /* "take", "go with": before WORD_THAT */
	WORD_SUBJECT = 1 << 23, /* "I", "we" */
	WORD_KEEP = 1 << 24,    /* "remember": asks to forget if a "not" goes with it */
	WORD_SOFT = 1 << 25,    /* "actually": may precede a request */
	WORD_DID = 1 << 26,     /* "did you ...?" asks about the past */
	WORD_MOMENT = 1 << 27,  /* among signs: "明天", a time that passes */
	WORD_WRONG = 1 << 28,   /* "wrong", "actually", "meant": corrects */
	WORD_MY = 1 << 29,      /* "my" */
	WORD_TASK = 1 << 30,    /* "write", "explain": at the head, asks for a piece of work */
};

/* The bits of the word with this word_hash(), in any of these languages (LEXICON_*, one bit
 * each). */
unsigned learn_word_bits(uint64_t hash, uint32_t languages);

/* The same for a text in a script without spaces, by signs anywhere in it. */
unsigned learn_sign_bits(struct slice text);

/* False: the text holds nothing of such a script. */
bool learn_may_have_signs(struct slice text);

/* Whether a word of the text (or a sign, in scripts without spaces) stands for the number in
 * `digits`, from 0 to 12. */
bool learn_is_number_word(struct slice word, struct slice digits);
bool learn_has_number_sign(struct slice text, struct slice digits);
/* Whether a word stands for any of these numbers, or has a digit or a sign of one. */
bool learn_is_counted(struct slice word);

#endif
