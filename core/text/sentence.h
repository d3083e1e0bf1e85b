/* Cuts a text where a reader would: after a sentence, otherwise after a word. */
#ifndef RECALLD_CORE_TEXT_SENTENCE_H
#define RECALLD_CORE_TEXT_SENTENCE_H

#include "core/base/bytes.h"

/* The end of the last whole sentence or line within the first `limit` bytes; 0 if there is none. */
size_t sentence_end(struct slice text, size_t limit);

/* The end of the last of the first `max_words` words. In scripts with ideographs or kana, two
 * characters count as a word. text.size if there are fewer words. */
size_t sentence_words_end(struct slice text, unsigned max_words);

#endif
