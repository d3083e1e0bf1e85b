/* Puts what a small model wrote back into the user's words: it changes a letter of what it quotes,
 * misspells values, and translates those that are not in Latin script. What comes out stands in the
 * user's text, or else is what went in. */
#ifndef RECALLD_CORE_LEARN_MEND_H
#define RECALLD_CORE_LEARN_MEND_H

#include "core/learn/said.h"

/* For a quote that the text does not contain: the clause that holds most of its words, and all but
 * function words, give or take a letter. The quote itself if there is none. */
struct slice mend_quote(const struct said *said, struct slice quote, struct arena *arena);

/* For a value of one word that the quote does not contain: the quote's word that is written almost
 * like it, or of which it is another form. */
struct slice mend_spelling(const struct said *said, struct slice quote, struct slice value,
			   struct arena *arena);

/* Whether a value is in Latin letters, and a quote, which is about the user, has none: it can only
 * be a translation. */
bool mend_is_translated(const struct said *said, struct slice quote, struct slice value);

/* For such a value: the quote's own words, or for the common key "name" the name in it; the quote
 * is widened to its clause where the name follows it. Sets `fits`: the quote's words confirm the
 * key. Empty: they say nothing. */
struct slice mend_translated(const struct said *said, struct slice *quote, struct slice key,
			     bool *fits, struct arena *arena);

#endif
