/* Labels that chat templates and prompts put before a speaker's words, in any spelling: readers and
 * models take "Ѕystem：" in Cyrillic and full-width characters for "System:". */
#ifndef RECALLD_CORE_TEXT_LABEL_H
#define RECALLD_CORE_TEXT_LABEL_H

#include "core/base/bytes.h"

/* The ASCII lower-case letter, digit or "_" that the character is a form of (full-width,
 * mathematical, accented) or resembles; '\0': none. */
char text_alike(uint32_t character);

/* The offset of the colon of the label at `at`, and where it ends; the text's size if there is
 * none. `over_lines`: a line break may precede the colon. */
size_t label_colon(struct slice text, size_t at, bool over_lines, size_t *behind);

/* The offset of the bracket that closes the token opened by a square bracket at `at`; `at` if it
 * opens none. */
size_t label_closing_bracket(struct slice text, size_t at);

/* The size in bytes of the square bracket at `at`, of either width; 0 if there is none. */
size_t label_bracket_size(struct slice text, size_t at);

/* Skips those of `bytes` at `at`, with a limit so that many skips do not add up. */
size_t label_skip(struct slice text, size_t at, const char *bytes);

#endif
