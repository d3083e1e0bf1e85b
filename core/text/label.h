/* The labels that chat templates and prompts put before a speaker's words, however they are
 * written: a reader, and a model, takes "Ѕystem：" in Cyrillic and full-width characters for
 * "System:". */
#ifndef RECALLD_CORE_TEXT_LABEL_H
#define RECALLD_CORE_TEXT_LABEL_H

#include "core/base/bytes.h"

/* The ASCII lower-case letter, digit or "_" that the character is a form of (full-width,
 * mathematical, accented) or resembles; '\0': none. */
char text_alike(uint32_t character);

/* The offset of the colon of the label at `at`, and where it ends; the text's size: there is none.
 * `over_lines`: a line break may stand before the colon. */
size_t label_colon(struct slice text, size_t at, bool over_lines, size_t *behind);

/* The offset of the bracket that closes the token opened by a square bracket at `at`; `at` if it
 * opens none. */
size_t label_closing_bracket(struct slice text, size_t at);

/* The size in bytes of the square bracket at `at`, of either width; 0: there is none. */
size_t label_bracket_size(struct slice text, size_t at);

/* Skips those of `bytes` at `at`, up to a bound that keeps many skips from adding up. */
size_t label_skip(struct slice text, size_t at, const char *bytes);

#endif
