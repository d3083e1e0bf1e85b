/* What chat templates and prompts open a speaker's words with, however it is written: a reader, and
 * a model, takes "Ѕystem：" in Cyrillic and full-width characters for "System:". */
#ifndef RECALLD_CORE_TEXT_LABEL_H
#define RECALLD_CORE_TEXT_LABEL_H

#include "core/base/bytes.h"

/* The lower-case letter, digit or "_" of ASCII that the character is a form of (full-width,
 * mathematical, accented) or looks like; '\0': none. */
char text_alike(uint32_t character);

/* The offset of the colon of the label at `at`, and where it ends; the text's size: there is none.
 * `over_lines`: a line break may stand before the colon. */
size_t label_colon(struct slice text, size_t at, bool over_lines, size_t *behind);

/* The offset of the bracket that closes the token that a square bracket opens at `at`; `at`: it
 * opens none. */
size_t label_closing_bracket(struct slice text, size_t at);

/* How many bytes the square bracket at `at` takes, of either width; 0: there is none. */
size_t label_bracket_size(struct slice text, size_t at);

/* Past those of `bytes` that stand at `at`, but not so far that many skips could add up. */
size_t label_skip(struct slice text, size_t at, const char *bytes);

#endif
