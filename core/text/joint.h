/* Invisible characters, and joiners with a visible effect. */
#ifndef RECALLD_CORE_TEXT_JOINT_H
#define RECALLD_CORE_TEXT_JOINT_H

#include "core/base/bytes.h"

/* Control and format characters, variation selectors, fillers and tags: a reader does not see them,
 * but they can hide a text. */
bool text_is_invisible(uint32_t character);

/* Joiners with a visible effect are kept, one at a time, where Unicode gives them one: within an
 * emoji (UAX #29), after a virama, and ZWNJ between letters that would join (RFC 5892, appendix A).
 * Elsewhere they only hide something. Tags and direction marks are always removed: a flag of tags
 * becomes a plain one, and Arabic and Hebrew read as before. */

/* The bytes written before a place. */
struct text_joint {
	bool is_emoji; /* a picture, with its style or skin at most */
	bool is_styled;
	bool is_virama;
	bool joins; /* a letter that joins the next, with its marks */
};

void text_joint_pass(struct text_joint *joint, uint32_t character);
/* Whether a joiner has an effect between `joint` and the text at `at`. */
bool text_joint_works(const struct text_joint *joint, uint32_t joiner, struct slice text,
		      size_t at);

#endif
