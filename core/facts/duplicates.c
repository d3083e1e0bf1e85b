#include "core/facts/duplicates.h"

#include "core/base/ids.h"
#include "core/facts/key.h"

#include <stdlib.h>
#include <string.h>

/* A fact and the folded texts that decide whether another says the same. */
struct standing {
	const struct fact *fact;
	struct slice entity;
	struct slice key;
	struct slice value;
};

static int compare_texts(struct slice a, struct slice b)
{
	if (a.size != b.size)
		return a.size < b.size ? -1 : 1;
	return a.size == 0 ? 0 : memcmp(a.data, b.data, a.size);
}

static int compare_said(const struct standing *a, const struct standing *b)
{
	int order = compare_texts(a->value, b->value);
	order = order != 0 ? order : compare_texts(a->key, b->key);
	return order != 0 ? order : compare_texts(a->entity, b->entity);
}

/* Sorts facts that say the same side by side, the one that stays first. */
static int compare(const void *a, const void *b)
{
	const struct fact *left = ((const struct standing *)a)->fact;
	const struct fact *right = ((const struct standing *)b)->fact;
	const int order = compare_said(a, b);
	if (order != 0)
		return order;
	if (left->pinned != right->pinned)
		return left->pinned ? -1 : 1;
	if (left->observed_at != right->observed_at)
		return left->observed_at > right->observed_at ? -1 : 1;
	return (left->id < right->id) - (left->id > right->id);
}

static bool stands(const struct fact *fact, int64_t now)
{
	return fact->state == FACT_CURRENT && (fact->expires_at == 0 || fact->expires_at > now);
}

static struct standing *find_standing(const struct fact *facts, size_t count, int64_t now,
				      size_t *found, struct arena *arena)
{
	struct standing *list = arena_alloc(arena, (count + 1) * sizeof(*list));
	*found = 0;
	for (size_t i = 0; i < count; i++) {
		if (stands(&facts[i], now))
			list[(*found)++] =
				(struct standing){.fact = &facts[i],
						  .entity = fact_fold(facts[i].entity, arena),
						  .key = fact_key(facts[i].key, arena),
						  .value = fact_fold(facts[i].value, arena)};
	}
	if (*found > 1)
		qsort(list, *found, sizeof(*list), compare);
	return list;
}

static void merge(struct fact *stays, const struct fact *goes)
{
	stays->repeats += goes->repeats + 1;
	stays->pii |= goes->pii;
	stays->classes |= goes->classes;
	if (goes->observed_at > stays->observed_at)
		stays->observed_at = goes->observed_at;
	if (goes->confidence > stays->confidence)
		stays->confidence = goes->confidence;
	if (stays->expires_at != 0 &&
	    (goes->expires_at == 0 || goes->expires_at > stays->expires_at))
		stays->expires_at = goes->expires_at;
}

/* Merges the equal facts list[0 to count - 1]. */
static void merge_all(struct duplicates *found, const struct standing *list, size_t count,
		      int64_t now)
{
	struct fact *stays = &found->facts[found->count++];
	*stays = *list[0].fact;
	for (size_t i = 1; i < count; i++) {
		struct fact *goes = &found->facts[found->count++];
		*goes = *list[i].fact;
		merge(stays, goes);
		goes->state = FACT_SUPERSEDED;
		goes->superseded_by = stays->id;
		goes->ended_at = now;
		goes->pinned = false;
		found->gone[found->gone_count++] = goes->id;
	}
}

/* A suggestion against a superseded fact is now one against the fact that stays. */
static void move_suggestions(struct duplicates *found, const struct fact *facts, size_t count)
{
	const size_t merged = found->count;
	for (size_t i = 0; i < count; i++) {
		if (facts[i].state != FACT_SUGGESTED ||
		    !ids_hold(found->gone, found->gone_count, facts[i].superseded_by))
			continue;
		struct fact *moved = &found->facts[found->count++];
		*moved = facts[i];
		for (size_t j = 0; j < merged; j++) {
			if (found->facts[j].id == facts[i].superseded_by)
				moved->superseded_by = found->facts[j].superseded_by;
		}
	}
}

struct duplicates duplicates_find(const struct fact *facts, size_t count, int64_t now,
				  struct arena *arena)
{
	struct duplicates found = {.facts = arena_alloc(arena, (count + 1) * sizeof(struct fact)),
				   .gone = arena_alloc(arena, (count + 1) * sizeof(uint64_t))};
	size_t standing;
	const struct standing *list = find_standing(facts, count, now, &standing, arena);
	for (size_t begin = 0, end; begin < standing; begin = end) {
		end = begin + 1;
		while (end < standing && compare_said(&list[begin], &list[end]) == 0)
			end++;
		if (end - begin > 1)
			merge_all(&found, &list[begin], end - begin, now);
	}
	ids_sort(found.gone, found.gone_count);
	if (found.gone_count > 0)
		move_suggestions(&found, facts, count);
	return found;
}
