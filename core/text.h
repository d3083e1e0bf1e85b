/* Text: what words are, how much a text costs, how texts are compared. All input is UTF-8; bytes that
 * are not are treated as one unknown character each and never overrun. */
#ifndef RECALLD_CORE_TEXT_H
#define RECALLD_CORE_TEXT_H

#include "core/bytes.h"

bool text_is_utf8(struct slice text);
/* Whether it is 1 or more characters that can be seen: valid UTF-8, no control, format, surrogate or
 * separator character, no white space (the space included). */
bool text_is_visible(struct slice text);

/* An estimate of how many tokens the text is for a current model: letters of the Latin script about
 * four to a token, other alphabets two, ideographs and kana one each, rounded up. */
size_t text_tokens(struct slice text);

/* The assistant's text without the reasoning that some servers and clients write into it:
 * <think>...</think>, <thinking>, <reasoning>, <|begin_of_thought|>...<|end_of_thought|> and
 * <details type="reasoning">...</details>. Unchanged (and uncopied) when there is none. */
struct slice text_without_reasoning(struct slice text, struct arena *arena);

/* A hash by which a turn is known again when it is resent: reasoning (see above) and all white space
 * left out. Never 0 except for a text without anything else. */
uint64_t text_hash(struct slice text);

/* Calls `word` for every word of the text, case folded: words as in Unicode UAX #29, and for scripts
 * without spaces (Han, Hiragana, Katakana, Hangul, Thai, Lao, Khmer, Myanmar) each overlapping pair
 * of characters, or the single character of a run of one. Stops early when `word` gives false. */
void text_words(struct slice text, bool (*word)(void *cookie, struct slice word), void *cookie);
bool text_share_word(struct slice a, struct slice b);

/* Whether `part` lies in `whole` when case (folded), the kind of white space and quotation marks, and
 * dashes are not regarded. An empty part does not. */
bool text_contains(struct slice whole, struct slice part);

/* One line, made safe to quote inside a memory block: control, bidirectional and invisible format
 * characters dropped, white space runs made one space, ends trimmed, "<" and ">" and chat-template
 * tokens unable to open or close anything, cut at a character boundary to `limit` bytes. */
struct slice text_one_line(struct slice text, size_t limit, struct arena *arena);
/* The same for a text of several lines: line breaks stay, at most one empty line in a row. */
struct slice text_inert(struct slice text, size_t limit, struct arena *arena);

/* RFC 3339 in UTC, seconds ("2026-11-21T09:30:00Z"); and the date alone. */
struct slice text_time(int64_t at, struct arena *arena);
struct slice text_date(int64_t at, struct arena *arena);
/* Reads RFC 3339 (with offset, with or without a fraction) or a date alone (midnight UTC). */
bool text_read_time(struct slice text, int64_t *at);

#endif
