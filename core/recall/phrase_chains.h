/* The layout that phrases_make.c gives the phrases of phrases.c at build time. */
#ifndef RECALLD_CORE_RECALL_PHRASE_CHAINS_H
#define RECALLD_CORE_RECALL_PHRASE_CHAINS_H

#include "core/base/bytes.h"

struct phrase {
	struct slice text;
	bool is_open;
	uint8_t meaning; /* one of enum recall_phrase */
	uint8_t next;    /* the next phrase in its chain, from 1; 0: none */
};

/* Phrases that begin alike share a chain, so that few are compared where a word begins. */
enum { PHRASE_CHAINS = 256 /* a power of two */ };

static inline size_t phrase_chain(const char *beginning)
{
	return ((unsigned char)beginning[0] * 7U + (unsigned char)beginning[1]) &
	       (PHRASE_CHAINS - 1);
}

#endif
