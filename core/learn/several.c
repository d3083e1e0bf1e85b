#include "core/base/word_map.h"
#include "core/facts/facts.h"
#include "core/learn/entry.h"
#include "core/learn/said.h"
#include "core/text/lexicon.h"
#include "core/text/text.h"
#include "lists.h"

#include <ctype.h>
#include <stdlib.h>

/* Entries of one key of one entity. */
struct group {
	struct learn_entry *list[LEARN_MAX_ENTRIES];
	size_t count;
	bool differs; /* it has more than one value */
};

/* ---- enumerations: "Ben, Ida and little Tom", "Ben und Ida", "犬と猫" ---- */

enum { MOST_MENTIONS = 8 /* of a value */ };

/* Where the text says a value. */
struct mention {
	size_t begin, end;
	struct learn_entry *entry;
};

enum joint {
	NO_JOINT,
	COMMA, /* joins three values, or two in front of an "and" */
	AND,
};

static bool is_in_word(char c)
{
	return isalnum((unsigned char)c) || ((unsigned char)c & 0x80) != 0;
}

/* Where the longest phrase of the list ends that the text goes on with; `at`: there is none. */
static size_t behind_any(struct slice text, size_t at, const char *const *list)
{
	size_t longest = at;
	for (; *list != NULL; list++) {
		const struct slice phrase = slice_of(*list);
		const size_t end = at + phrase.size;
		if (end > longest && slice_starts_with(slice_part(text, at, text.size), phrase) &&
		    (end == text.size || !is_in_word(text.data[end - 1]) ||
		     !is_in_word(text.data[end])))
			longest = end;
	}
	return longest;
}

/* Does this for the words that join two values; some do so in one language only, and mean "in",
 * "then" or "yes" in others. */
static size_t behind_and(const struct said *said, struct slice text, size_t at)
{
	const uint32_t languages = said->languages | 1U << LEXICON_OTHER;
	size_t longest = behind_any(text, at, list_and);
	for (unsigned i = 0; i <= LEXICON_OTHER; i++) {
		if ((languages & 1U << i) != 0 && list_and_here[i] != NULL)
			longest = size_max(longest, behind_any(text, at, list_and_here[i]));
	}
	return longest;
}

/* True if the text behind an "and" goes on like "I also work as a": what comes holds beside what
 * was said, if it is not "also moved to". */
static bool says_also(const struct said *said, struct slice rest)
{
	enum { MOST_WORDS = 4 };
	struct slice word;
	size_t at = 0;
	size_t words = 0;
	word = text_next_word(rest, &at);
	if ((said_word_bits(word_hash(word), said->languages) & WORD_SUBJECT) != 0)
		word = text_next_word(rest, &at);
	if (!slice_is_any(word, list_also))
		return false;
	for (struct slice next; (next = text_next_word(rest, &at)).size > 0; words++)
		word = next;
	return words <= MOST_WORDS && slice_is_any(word, list_linking) &&
	       slice_find(rest, SLICE("."), 0) == rest.size;
}

/* How the text between two values joins them; a remark in brackets behind the first counts for
 * nothing. */
static enum joint joint_of(const struct said *said, struct slice gap)
{
	enum joint joint = NO_JOINT;
	for (size_t at = 0, next; at < gap.size; at = next) {
		if (gap.data[at] == ' ' || gap.data[at] == '\'')
			next = at + 1;
		else if (gap.data[at] == '(' && joint == NO_JOINT &&
			 slice_has(slice_part(gap, at, gap.size), SLICE(")")))
			next = slice_find(gap, SLICE(")"), at) + 1;
		else if ((next = behind_any(gap, at, list_commas)) > at)
			joint = joint == AND ? AND : COMMA;
		else if ((next = behind_and(said, gap, at)) > at)
			joint = AND;
		else if ((next = behind_any(gap, at, list_linking)) == at)
			return joint == AND && says_also(said, slice_part(gap, at, gap.size))
				       ? AND
				       : NO_JOINT;
	}
	return joint;
}

static int compare_mentions(const void *a, const void *b)
{
	const struct mention *first = a;
	const struct mention *second = b;
	if (first->begin != second->begin)
		return first->begin < second->begin ? -1 : 1;
	return first->end > second->end ? -1 : first->end < second->end;
}

/* True if the place is between letters of one word, in a script whose letters are ASCII. */
static bool goes_on(struct slice text, size_t at)
{
	return at > 0 && at < text.size && isalnum((unsigned char)text.data[at - 1]) &&
	       isalnum((unsigned char)text.data[at]);
}

/* The places of all values in the text, in their order. */
static struct mention *find_mentions(struct slice text, const struct group *group, size_t *count,
				     struct arena *arena)
{
	struct mention *list = arena_alloc(arena, group->count * MOST_MENTIONS * sizeof(*list));
	*count = 0;
	for (size_t i = 0; i < group->count; i++) {
		const struct slice value = text_comparable(group->list[i]->value, arena);
		size_t at = value.size == 0 ? text.size : slice_find(text, value, 0);
		for (size_t n = 0; n < MOST_MENTIONS && at < text.size; n++) {
			const size_t end = at + value.size;
			if (!goes_on(text, at) && !goes_on(text, end))
				list[(*count)++] = (struct mention){at, end, group->list[i]};
			at = slice_find(text, value, end);
		}
	}
	qsort(list, *count, sizeof(*list), compare_mentions);
	return list;
}

static void mark_enumerated(const struct said *said, const struct group *group, struct arena *arena)
{
	const struct slice text = text_comparable(said->text, arena);
	size_t count;
	const struct mention *list = find_mentions(text, group, &count, arena);
	for (size_t first = 0, next; first < count; first = next) {
		size_t end = list[first].end;
		size_t joined = 1;
		bool has_and = false;
		for (next = first + 1; next < count; next++) {
			if (list[next].begin < end) /* within the one before */
				continue;
			const enum joint joint =
				joint_of(said, slice_part(text, end, list[next].begin));
			if (joint == NO_JOINT)
				break;
			has_and |= joint == AND;
			end = list[next].end;
			joined++;
		}
		for (size_t i = first; i < next && (has_and || joined > 2); i++)
			list[i].entry->is_beside = true;
	}
}

/* ---- values of a key that a person may have several of ---- */

/* True if it was so once, or is not so. */
static bool is_over(const struct said *said, const struct learn_entry *entry)
{
	const struct said_clause *clause = said_clause_with(said, entry->value);
	return clause != NULL && (said_is_past(clause) || said_is_ended(clause));
}

static void mark_standing(const struct said *said, const struct group *group)
{
	size_t standing = 0;
	for (size_t i = 0; i < group->count; i++)
		standing += !is_over(said, group->list[i]);
	for (size_t i = 0; i < group->count && standing > 1; i++)
		group->list[i]->is_beside |= !is_over(said, group->list[i]);
}

/* ---- both ---- */

static bool shares_key(const struct learn_entry *a, const struct learn_entry *b,
		       struct arena *arena)
{
	return a->op == LEARN_SET && b->op == LEARN_SET && a->key.size > 0 && b->key.size > 0 &&
	       slice_equal(fact_key(a->key, arena), fact_key(b->key, arena)) &&
	       slice_equal(fact_fold(a->entity, arena), fact_fold(b->entity, arena));
}

/* The group that begins with this entry; of no entry, if an earlier one begins it. */
static struct group group_of(struct learn_entries *entries, size_t first, struct arena *arena)
{
	struct group group = {0};
	for (size_t i = 0; i < entries->count; i++) {
		struct learn_entry *entry = &entries->list[i];
		if (!shares_key(&entries->list[first], entry, arena))
			continue;
		if (i < first)
			return (struct group){0};
		group.list[group.count++] = entry;
		group.differs |= !fact_same_value(group.list[0]->value, entry->value, arena);
	}
	return group;
}

void learn_find_several(const struct said *said, struct learn_entries *entries, struct arena *arena)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct group group = group_of(entries, i, arena);
		if (!group.differs)
			continue;
		mark_enumerated(said, &group, arena);
		if (fact_key_names(fact_key(entries->list[i].key, arena)).size == 0 &&
		    !said_corrects(said))
			mark_standing(said, &group);
	}
}
