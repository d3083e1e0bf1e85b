#include "core/learn/past.h"

#include "core/learn/words.h"
#include "core/text/text.h"
#include "lists.h"

/* "Früher war ich ...", but not "antes de ...", which says when. */
static bool begins_in_past(const struct said_clause *clause)
{
	size_t at = 0;
	while (at < 2 && at < clause->count && !slice_is_any(clause->words[at].text, list_once))
		at++;
	return at < 2 && at + 1 < clause->count &&
	       !slice_is_any(clause->words[at + 1].text, list_behind_once);
}

bool said_is_ended(const struct said_clause *clause)
{
	return (clause->bits & WORD_NOT) != 0 && text_says_any(clause->text, list_no_longer);
}

static bool says_past(struct slice text)
{
	return text_says_any(text, list_used_to) || slice_has_any(text, list_once_signs);
}

bool said_is_past(const struct said_clause *clause)
{
	return begins_in_past(clause) || says_past(clause->text);
}
