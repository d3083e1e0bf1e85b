#include "core/memory/fact_order.h"

#include <stdlib.h>
#include <string.h>

bool fact_is_about_user(const struct fact *fact)
{
	return slice_equal_nocase(fact->entity, SLICE("user"));
}

bool fact_same_key(const struct fact *a, const struct fact *b)
{
	return slice_equal(a->entity, b->entity) && slice_equal(a->key, b->key);
}

bool fact_excludes(const struct fact *a, const struct fact *b)
{
	return fact_same_key(a, b) && (!a->many || !b->many || slice_equal(a->value, b->value));
}

bool fact_is_newer(const struct fact *fact, const struct fact *than)
{
	if (fact->observed_at != than->observed_at)
		return fact->observed_at > than->observed_at;
	return fact->id > than->id;
}

static int compare_bytes(struct slice a, struct slice b)
{
	size_t shared = a.size < b.size ? a.size : b.size;
	int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_ids(const struct fact *a, const struct fact *b)
{
	return (a->id > b->id) - (a->id < b->id);
}

static int compare_shown(const void *left, const void *right)
{
	const struct fact *a = *(const struct fact *const *)left;
	const struct fact *b = *(const struct fact *const *)right;
	if (fact_is_about_user(a) != fact_is_about_user(b))
		return fact_is_about_user(a) ? -1 : 1;
	int order = compare_bytes(a->entity, b->entity);
	if (order == 0)
		order = compare_bytes(a->key, b->key);
	return order != 0 ? order : compare_ids(a, b);
}

static int compare_newest(const void *left, const void *right)
{
	const struct fact *a = *(const struct fact *const *)left;
	const struct fact *b = *(const struct fact *const *)right;
	return fact_is_newer(a, b) ? -1 : fact_is_newer(b, a);
}

void fact_sort_shown(const struct fact **facts, size_t count)
{
	if (count > 0)
		qsort(facts, count, sizeof(*facts), compare_shown);
}

void fact_sort_newest(const struct fact **facts, size_t count)
{
	if (count > 0)
		qsort(facts, count, sizeof(*facts), compare_newest);
}
