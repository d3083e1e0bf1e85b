#include "core/learn/named.h"

#include "core/learn/subject.h"
#include "core/learn/words.h"
#include "lists.h"

bool named_as_project(const struct said *said, struct slice entity, struct arena *arena)
{
	size_t count;
	size_t named;
	const struct said_word *all = said_words(said->text, said, &count, arena);
	const struct said_word *names = said_words(entity, said, &named, arena);
	for (size_t i = 0; i < count && named > 0; i++) {
		if (!slice_equal(all[i].text, names[0].text))
			continue;
		if ((i > 0 && slice_is_any(all[i - 1].text, list_projects)) ||
		    (i + named < count && slice_is_any(all[i + named].text, list_projects)))
			return true;
	}
	return false;
}

bool named_as_thing(const struct said *said, struct slice quote, struct slice entity,
		    struct arena *arena)
{
	const unsigned others = WORD_AND | WORD_MY | WORD_KIN | WORD_FIRST | WORD_THIRD;
	size_t count;
	size_t named;
	const struct said_word *words = said_words(quote, said, &count, arena);
	const struct said_word *names = said_words(entity, said, &named, arena);
	for (size_t i = 1; i < count && named > 0; i++) {
		if (!slice_equal(words[i].text, names[0].text))
			continue;
		return words[i - 1].is_function && !slice_is_any(words[i - 1].text, list_with) &&
		       (words[i - 1].bits & others) == 0;
	}
	return false;
}

bool named_as_place(const struct said *said, struct slice name, struct arena *arena)
{
	size_t named;
	const struct said_word *names = said_words(name, said, &named, arena);
	for (size_t i = 0; i < said->count && named > 0; i++) {
		const struct said_clause *clause = &said->clauses[i];
		if (!said_is_of_user(said, clause))
			continue;
		for (size_t at = 1; at < clause->count; at++) {
			if (slice_equal(clause->words[at].text, names[0].text) &&
			    slice_is_any(clause->words[at - 1].text, list_where))
				return true;
		}
	}
	return false;
}
