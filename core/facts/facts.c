#include "core/facts/facts.h"

#include "core/base/word_map.h"
#include "core/pii/pii.h"
#include "core/text/text.h"

/* The maps of [core_words] and [core_keys]. */
enum { CORE_KEY_WORDS, CORE_KEY_WHOLE };

#include "core_keys_map.h"

#include <stdlib.h>
#include <string.h>

/* ---- orders ---- */

bool fact_shares_name(const struct fact *a, const struct fact *b)
{
	return slice_equal(a->entity, b->entity) && slice_equal(a->key, b->key);
}

bool fact_is_newer(const struct fact *fact, const struct fact *than)
{
	if (fact->observed_at != than->observed_at)
		return fact->observed_at > than->observed_at;
	return fact->id > than->id;
}

bool fact_is_over(const struct fact *fact, int64_t now)
{
	return fact->expires_at != 0 && fact->expires_at <= now;
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

/* ---- the core profile ---- */

enum { LONGEST_STEM = 32 }; /* bytes of a word that may go on */

/* A bit for each rank. */
static uint32_t ranks_of_word(struct slice word)
{
	const struct word_map *words = &core_keys_maps[CORE_KEY_WORDS];
	uint32_t ranks = word_map_find(words, word_hash(word));
	char stem[LONGEST_STEM + 1];
	for (size_t size = 1; size <= word.size && size <= LONGEST_STEM; size++) {
		stem[size - 1] = word.data[size - 1];
		stem[size] = '*';
		ranks |= word_map_find(words, word_hash((struct slice){stem, size + 1}));
	}
	return ranks;
}

unsigned core_rank(const struct fact *fact)
{
	if (!fact_is_about_user(fact))
		return 0;
	uint32_t ranks = word_map_find(&core_keys_maps[CORE_KEY_WHOLE], word_hash(fact->key));
	for (size_t at = 0; at < fact->key.size;) {
		size_t end = slice_find(fact->key, SLICE("_"), at);
		ranks |= ranks_of_word(slice_part(fact->key, at, end));
		at = end + 1;
	}
	unsigned rank = 1;
	while (rank <= CORE_RANKS && (ranks >> rank & 1) == 0)
		rank++;
	return rank <= CORE_RANKS ? rank : 0;
}

/* ---- what gives way ---- */

/* Outdated facts go first, a person's choices last. */
enum use { USE_NONE, USE_PAST, USE_SUGGESTED, USE_CURRENT, USE_CORE, USE_PINNED, USE_KEPT };

struct used {
	const struct fact *fact;
	enum use use;
	int64_t at;
};

static struct used use_of(const struct fact *fact, int64_t now)
{
	struct used used = {fact, USE_CURRENT, fact->observed_at};
	if (fact->state == FACT_FORGOTTEN)
		used.use = USE_NONE;
	else if (fact->state == FACT_HIDDEN)
		used.use = USE_KEPT;
	else if (fact->state == FACT_SUGGESTED)
		used.use = USE_SUGGESTED;
	else if (fact->state != FACT_CURRENT || fact_is_over(fact, now))
		used.use = USE_PAST;
	else if (fact->pinned)
		used.use = USE_PINNED;
	else if (core_rank(fact) > 0)
		used.use = USE_CORE;
	if (used.use == USE_PAST)
		used.at = fact->ended_at != 0 ? fact->ended_at : fact->expires_at;
	return used;
}

static int compare_used(const void *left, const void *right)
{
	const struct used *a = left;
	const struct used *b = right;
	if (a->use != b->use)
		return a->use < b->use ? -1 : 1;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->fact->repeats != b->fact->repeats)
		return a->fact->repeats < b->fact->repeats ? -1 : 1;
	return compare_ids(a->fact, b->fact);
}

struct id_list facts_least_used(const struct fact *facts, size_t count, size_t keep,
				uint64_t spared, int64_t now, struct arena *arena)
{
	struct used *used = arena_alloc(arena, (count + 1) * sizeof(*used));
	struct id_list gone = {0};
	if (count <= keep)
		return gone;
	for (size_t i = 0; i < count; i++) {
		used[i] = use_of(&facts[i], now);
		if (facts[i].id == spared)
			used[i].use = USE_KEPT;
	}
	qsort(used, count, sizeof(*used), compare_used);
	const size_t slack = keep / FACTS_SLACK_SHARE;
	for (size_t i = 0; i < count - keep + slack && used[i].use < USE_KEPT; i++) {
		if (i < count - keep || used[i].use < USE_PINNED)
			id_list_add(&gone, arena, used[i].fact->id);
	}
	ids_sort(gone.ids, gone.count);
	return gone;
}

/* ---- what people are shown, and choose by ---- */

/* FNV-1a, 64 bits. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
	unsigned char bytes[8];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(number >> 8 * i);
	return mix(hash, bytes, sizeof(bytes));
}

static uint64_t mix_text(uint64_t hash, struct slice text)
{
	return mix(mix_number(hash, text.size), text.data, text.size);
}

uint64_t fact_version(const struct fact *fact)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	uint64_t confidence;
	memcpy(&confidence, &fact->confidence, sizeof(confidence));
	hash = mix_text(mix_text(hash, fact->entity), fact->kind);
	hash = mix_text(mix_text(hash, fact->key), fact->value);
	hash = mix_text(mix_text(hash, fact->quote), fact->by);
	if (fact->agent.size + fact->app.size + fact->metadata.size > 0)
		hash = mix_text(mix_text(mix_text(hash, fact->agent), fact->app), fact->metadata);
	hash = mix_number(mix_number(hash, fact->id), confidence);
	hash = mix_number(mix_number(hash, fact->exchange), (uint64_t)fact->observed_at);
	hash = mix_number(mix_number(hash, (uint64_t)fact->expires_at), (uint64_t)fact->ended_at);
	hash = mix_number(mix_number(hash, fact->superseded_by), fact->repeats);
	return mix_number(hash, (uint64_t)fact->classes << 16 | (uint64_t)fact->state << 8 |
					(uint64_t)fact->source << 4 | (uint64_t)fact->pinned << 2 |
					(uint64_t)fact->pii << 1 | (uint64_t)fact->many);
}

bool fact_matches(const struct fact *fact, struct fact_match match)
{
	const uint64_t version = fact_version(fact);
	size_t i = 0;
	while (i < match.count && match.versions[i] != version)
		i++;
	return !match.is_asked || i < match.count;
}

unsigned fact_classes(const struct fact *fact)
{
	return fact->classes | pii_classes(fact->value) | pii_classes(fact->entity) |
	       pii_classes(fact->metadata);
}

bool fact_is_dismissed(const struct fact *fact)
{
	return fact->state == FACT_RETRACTED && fact->superseded_by != 0;
}

const char *fact_state_name(enum fact_state state)
{
	static const char *const names[] = {
		[FACT_CURRENT] = "current",     [FACT_SUPERSEDED] = "superseded",
		[FACT_RETRACTED] = "retracted", [FACT_FORGOTTEN] = "forgotten",
		[FACT_SUGGESTED] = "suggested", [FACT_HIDDEN] = "hidden",
	};
	return names[state];
}

const char *fact_source_name(enum fact_source source)
{
	static const char *const names[] = {
		[FACT_FROM_CHAT] = "chat",   [FACT_FROM_CORRECTION] = "correction",
		[FACT_FROM_NOTE] = "note",   [FACT_FROM_IMPORT] = "import",
		[FACT_FROM_AGENT] = "agent",
	};
	return names[source];
}

static bool is_wanted_state(const struct fact_filter *filter, const struct fact *fact)
{
	if (fact->state == FACT_FORGOTTEN)
		return false;
	if (filter->only_suggested)
		return fact->state == FACT_SUGGESTED;
	if (filter->only_hidden)
		return fact->state == FACT_HIDDEN;
	return filter->all || (fact->state == FACT_CURRENT && !fact_is_over(fact, filter->now));
}

/* The rules are tried last: they read the whole text. */
static bool is_wanted_class(const struct fact_filter *filter, const struct fact *fact)
{
	if (filter->pii < 0 && filter->classes == 0)
		return true;
	const unsigned classes = fact_classes(fact);
	const bool is_pii = fact->pii || classes != 0;
	return (filter->pii < 0 || is_pii == (filter->pii == 1)) &&
	       (filter->classes == 0 || (classes & filter->classes) != 0);
}

bool fact_filter_takes(const struct fact_filter *filter, const struct fact *fact,
		       struct arena *arena)
{
	if (fact->id <= filter->after || !is_wanted_state(filter, fact) ||
	    fact->observed_at < filter->since || fact->observed_at >= filter->until)
		return false;
	if (filter->entity.size > 0 &&
	    !slice_equal(fact_fold(filter->entity, arena), fact_fold(fact->entity, arena)))
		return false;
	if (filter->kind.size > 0 && !slice_equal(filter->kind, fact->kind))
		return false;
	if (filter->text.size > 0 && !text_contains(fact->value, filter->text) &&
	    !text_contains(fact->key, filter->text) && !text_contains(fact->entity, filter->text))
		return false;
	return is_wanted_class(filter, fact);
}
