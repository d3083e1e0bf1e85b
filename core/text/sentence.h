/* Cutting a text where a reader would: behind a sentence, else behind a word. */
#ifndef RECALLD_CORE_TEXT_SENTENCE_H
#define RECALLD_CORE_TEXT_SENTENCE_H

#include "core/base/bytes.h"

/* The end of the last whole sentence, or line, within the first `limit` bytes; 0 when there is
 * none. */
size_t sentence_end(struct slice text, size_t limit);

/* The end of the last word of the first `max_words`. In scripts that write ideographs or kana two
 * characters count as a word. text.size when there are no more words than that. */
size_t sentence_words_end(struct slice text, unsigned max_words);

#endif
