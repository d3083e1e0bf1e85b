#include "core/text/joint.h"

#include "core/text/text.h"

#include <unictype.h>

enum { ZWNJ = 0x200C, ZWJ = 0x200D, EMOJI_STYLE = 0xFE0F, VIRAMA = 9 };

bool text_is_invisible(uint32_t character)
{
	const uint32_t hidden = UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf;
	if (character < 0x7F)
		return character < ' ';
	return uc_is_general_category_withtable(character, hidden) ||
	       uc_is_property_default_ignorable_code_point(character);
}

static bool is_skin(uint32_t character)
{
	return character >= 0x1F3FB && character <= 0x1F3FF;
}

void text_joint_pass(struct text_joint *joint, uint32_t character)
{
	int type = uc_joining_type(character);
	bool is_picture = uc_is_property_extended_pictographic(character);
	bool goes_on = joint->is_emoji && (character == EMOJI_STYLE || is_skin(character));
	joint->is_emoji = is_picture || goes_on;
	joint->is_styled = character == EMOJI_STYLE;
	joint->is_virama = uc_combining_class(character) == VIRAMA;
	if (type != UC_JOINING_TYPE_T)
		joint->joins = type == UC_JOINING_TYPE_D || type == UC_JOINING_TYPE_L;
}

bool text_joint_works(const struct text_joint *joint, uint32_t joiner, struct slice text, size_t at)
{
	uint32_t next = 0;
	if (at < text.size)
		(void)text_decode(text, at, &next);
	if (joiner == EMOJI_STYLE)
		return joint->is_emoji && !joint->is_styled;
	if (joiner == ZWJ)
		return (joint->is_emoji && uc_is_property_extended_pictographic(next)) ||
		       (joint->is_virama && uc_is_property_alphabetic(next));
	int type = uc_joining_type(next);
	return joiner == ZWNJ &&
	       ((joint->is_virama && uc_is_property_alphabetic(next)) ||
		(joint->joins && (type == UC_JOINING_TYPE_D || type == UC_JOINING_TYPE_R)));
}
