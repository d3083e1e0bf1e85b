#include "core/learn/entry.h"

/* Finds the answer in what a model wrote around it. A model may draft before it answers, so among
 * equally good candidates the last one counts. */

/* Bounds for hostile or runaway answers: MAX_ANSWER is more than LEARN_MAX_ENTRIES entries of the
 * allowed length; each try may read to the end of the text. */
enum { MAX_ANSWER = 256 * 1024, MAX_TRIES = 100 };

/* How likely a candidate is to be the answer. */
enum rank {
	RANK_NONE,
	RANK_EMPTY,    /* {}, [] or {"entities": null} */
	RANK_ARRAY,    /* an array of entries */
	RANK_FACTS,    /* {"facts": [...]} */
	RANK_ENTITIES, /* {"entities": [...]} */
};

static size_t next_bracket(struct slice text, size_t at)
{
	while (at < text.size && text.data[at] != '{' && text.data[at] != '[')
		at++;
	return at;
}

size_t learn_closing_bracket(struct slice text, size_t begin)
{
	size_t depth = 0;
	bool in_string = false;
	for (size_t at = begin; at < text.size; at++) {
		char c = text.data[at];
		if (in_string && c == '\\')
			at++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']') && --depth == 0)
			return at + 1;
	}
	return begin;
}

bool learn_is_entry(struct slice document, struct json_value value)
{
	static const char *const names[] = {"key", "forget", "attribute", "name", "value"};
	struct json_value members[5];
	json_pick(document, value, names, 5, members);
	bool has_value = members[4].type != JSON_TYPE_NULL;
	return members[0].type != JSON_TYPE_NULL || members[1].type != JSON_TYPE_NULL ||
	       (has_value &&
		(members[2].type == JSON_TYPE_STRING || members[3].type == JSON_TYPE_STRING));
}

static bool is_list(struct json_value value)
{
	return value.type == JSON_TYPE_ARRAY || value.type == JSON_TYPE_OBJECT;
}

static enum rank rank_array(struct slice document, struct json_value array)
{
	struct json_walk walk = json_walk(document, array);
	if (!json_next(&walk))
		return RANK_EMPTY;
	return learn_is_entry(document, walk.value) ? RANK_ARRAY : RANK_NONE;
}

/* Whether the value is there and null. */
static bool says_null(struct json_value value)
{
	return value.type == JSON_TYPE_NULL && value.end > 0;
}

static enum rank rank_object(struct slice document, struct json_value object,
			     struct json_value *list)
{
	static const char *const names[] = {"entities", "facts"};
	struct json_value members[2];
	json_pick(document, object, names, 2, members);
	*list = is_list(members[0]) ? members[0] : members[1];
	if (is_list(*list))
		return is_list(members[0]) ? RANK_ENTITIES : RANK_FACTS;
	struct json_walk walk = json_walk(document, object);
	*list = (struct json_value){0};
	bool is_null = says_null(members[0]) || says_null(members[1]);
	bool says_nothing = !json_next(&walk) || (is_null && !json_next(&walk));
	return says_nothing ? RANK_EMPTY : RANK_NONE;
}

static enum rank rank_candidate(struct slice document, struct json_value *list)
{
	if (!json_scan(document, list))
		return RANK_NONE;
	if (list->type == JSON_TYPE_ARRAY)
		return rank_array(document, *list);
	return rank_object(document, *list, list);
}

/* A single entry, if nothing around it could be another. */
static bool find_single(struct slice answer, struct slice *document, struct json_value *entry)
{
	size_t at = next_bracket(answer, 0);
	size_t end = learn_closing_bracket(answer, at);
	if (end == at || next_bracket(answer, end) < answer.size)
		return false;
	*document = slice_part(answer, at, end);
	return json_scan(*document, entry) && entry->type == JSON_TYPE_OBJECT &&
	       learn_is_entry(*document, *entry);
}

/* A single object whose members are the facts, if nothing around it could be another. */
static bool find_map(struct slice answer, struct slice *document, struct json_value *map)
{
	static const char *const others[] = {"entities", "facts", "error", "message", "result"};
	enum { OTHERS = sizeof(others) / sizeof(others[0]) };
	struct json_value members[OTHERS];
	size_t at = next_bracket(answer, 0);
	size_t end = learn_closing_bracket(answer, at);
	if (end == at || next_bracket(answer, end) < answer.size)
		return false;
	*document = slice_part(answer, at, end);
	if (!json_scan(*document, map) || map->type != JSON_TYPE_OBJECT)
		return false;
	json_pick(*document, *map, others, OTHERS, members);
	for (size_t i = 0; i < OTHERS; i++) {
		if (members[i].end > 0)
			return false;
	}
	return true;
}

static bool find_strict(struct slice answer, struct slice *document, struct json_value *list)
{
	enum rank best = RANK_NONE;
	size_t at = next_bracket(answer, 0);
	for (unsigned tries = 0; at < answer.size && tries < MAX_TRIES; tries++) {
		size_t end = learn_closing_bracket(answer, at);
		struct slice candidate = slice_part(answer, at, end);
		struct json_value found;
		enum rank rank = end > at ? rank_candidate(candidate, &found) : RANK_NONE;
		if (rank != RANK_NONE && rank >= best) {
			best = rank;
			*document = candidate;
			*list = found;
		}
		at = next_bracket(answer, rank != RANK_NONE ? end : at + 1);
	}
	return best != RANK_NONE || find_single(answer, document, list);
}

/* Finds it in JSON that a small model broke. */
static bool find_broken(struct slice answer, struct slice *document, struct json_value *list,
			struct arena *arena)
{
	struct slice closed;
	answer = learn_repaired(answer, arena);
	if (find_strict(answer, document, list))
		return true;
	if (learn_join_lines(answer, document, arena) && json_scan(*document, list) &&
	    rank_array(*document, *list) == RANK_ARRAY)
		return true;
	return find_map(answer, document, list) ||
	       (learn_end_loop(answer, &closed, arena) && find_strict(closed, document, list));
}

bool learn_find_list(struct slice answer, bool repairs, struct slice *document,
		     struct json_value *list, struct arena *arena)
{
	if (answer.size > MAX_ANSWER)
		answer.size = MAX_ANSWER;
	return find_strict(answer, document, list) ||
	       (repairs ? find_broken(answer, document, list, arena)
			: find_map(answer, document, list));
}
