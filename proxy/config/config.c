/* A configuration snapshot: its lifetime, where values are stored, and queries. */
#include "core/base/utf8.h"
#include "proxy/config/reader.h"
#include "proxy/http/tls.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The size of a character in UTF-8, for `?`. */
static size_t character_size(struct slice text, size_t at)
{
	size_t end = at + 1;
	while (end < text.size && utf8_is_tail(text.data[end]))
		end++;
	return end - at;
}

/* Backtracks only to the last `*`: whatever an earlier one could match, a later one can match too.
 * The time is therefore bounded by the product of the lengths. */
bool config_glob_match(struct slice pattern, struct slice text)
{
	size_t p = 0;
	size_t t = 0;
	size_t after_star = SIZE_MAX;
	size_t taken = 0; /* where the text after the last star's match begins */
	while (t < text.size) {
		if (p < pattern.size && pattern.data[p] == '*') {
			after_star = ++p;
			taken = t;
		} else if (p < pattern.size && pattern.data[p] == '?') {
			p++;
			t += character_size(text, t);
		} else if (p < pattern.size && pattern.data[p] == text.data[t]) {
			p++;
			t++;
		} else if (after_star != SIZE_MAX) {
			p = after_star;
			t = ++taken;
		} else {
			return false;
		}
	}
	while (p < pattern.size && pattern.data[p] == '*')
		p++;
	return p == pattern.size;
}

bool config_takes_selectors(const char *section)
{
	return strcmp(section, "memory") == 0 || strcmp(section, "retention") == 0 ||
	       strcmp(section, "pii") == 0;
}

static bool is_of_memory(const struct config_key *key)
{
	return config_takes_selectors(key->section);
}

void *config_base(struct config *config, const struct config_key *key)
{
	return is_of_memory(key) ? (void *)&config->memory : (void *)config;
}

static void free_list(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct config_list){0};
}

static char *copy_text(struct slice text)
{
	char *copy = xmalloc(text.size + 1);
	if (text.size > 0)
		memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	return copy;
}

static void store_list(struct slice text, struct config_list *list)
{
	free_list(list);
	list->items = xcalloc(CONFIG_MAX_ITEMS, sizeof(*list->items));
	struct slice rest = text.size == 0 ? (struct slice){0} : text;
	struct slice item;
	while (config_next_item(&rest, &item))
		list->items[list->count++] = copy_text(item);
}

void config_store(const struct config_key *key, const struct config_value *value, void *base)
{
	if (key->offset == CONFIG_NOT_STORED)
		return;
	void *place = (char *)base + key->offset;
	switch (key->type) {
	case CONFIG_TEXT:
		free(*(char **)place);
		*(char **)place = copy_text(value->text);
		break;
	case CONFIG_LIST:
		store_list(value->text, place);
		break;
	case CONFIG_WORD:
		*(int *)place = (int)value->number;
		break;
	case CONFIG_SWITCH:
		*(bool *)place = value->number != 0;
		break;
	case CONFIG_FRACTION:
		*(double *)place = value->fraction;
		break;
	case CONFIG_NUMBER:
	case CONFIG_SIZE:
	case CONFIG_DURATION:
	case CONFIG_ZONE:
		*(uint64_t *)place = value->number;
		break;
	}
}

static size_t stored_size(const struct config_key *key)
{
	switch (key->type) {
	case CONFIG_TEXT:
		return sizeof(char *);
	case CONFIG_LIST:
		return sizeof(struct config_list);
	case CONFIG_WORD:
		return sizeof(int);
	case CONFIG_SWITCH:
		return sizeof(bool);
	case CONFIG_FRACTION:
		return sizeof(double);
	case CONFIG_NUMBER:
	case CONFIG_SIZE:
	case CONFIG_DURATION:
	case CONFIG_ZONE:
		return sizeof(uint64_t);
	}
	return 0;
}

struct config_override *config_add_override(struct config *config, const char *section,
					    enum config_selector selector, struct slice pattern)
{
	config->overrides = xrealloc(config->overrides,
				     (config->override_count + 1) * sizeof(*config->overrides));
	struct config_override *override = &config->overrides[config->override_count++];
	*override = (struct config_override){
		.section = section, .selector = selector, .pattern = copy_text(pattern)};
	return override;
}

struct config *config_retain(struct config *config)
{
	atomic_fetch_add_explicit(&config->references, 1, memory_order_relaxed);
	return config;
}

static void config_destroy(struct config *config)
{
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		if (key->offset == CONFIG_NOT_STORED)
			continue;
		void *place = (char *)config_base(config, key) + key->offset;
		if (key->type == CONFIG_TEXT)
			free(*(char **)place);
		else if (key->type == CONFIG_LIST)
			free_list(place);
	}
	tls_context_destroy(config->listen.tls);
	for (size_t i = 0; i < config->override_count; i++)
		free(config->overrides[i].pattern);
	free(config->overrides);
	free(config);
}

void config_release(struct config *config)
{
	if (config != NULL &&
	    atomic_fetch_sub_explicit(&config->references, 1, memory_order_acq_rel) == 1)
		config_destroy(config);
}

/* Whether the time that is set now is kept beside another section's. */
static bool is_longer(const uint64_t *other, const uint64_t *set)
{
	return *set == 0 || (*other != 0 && *other <= *set);
}

void config_apply(const struct config_override *override, struct config_memory *memory)
{
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		if (override->lines[i] == 0 || key->offset == CONFIG_NOT_STORED)
			continue;
		void *place = (char *)memory + key->offset;
		const void *value = (const char *)&override->memory + key->offset;
		if (!(key->shortest && is_longer(place, value)))
			memcpy(place, value, stored_size(key));
	}
}

struct pii_policy config_pii_policy(const struct config_memory *memory)
{
	struct pii_policy policy = {0};
	for (size_t i = PII_OTHER + 1; i < PII_CLASSES; i++) {
		policy.mask |= memory->pii[i] == CONFIG_PII_MASK ? PII_BIT(i) : 0;
		policy.drop |= memory->pii[i] == CONFIG_PII_DROP ? PII_BIT(i) : 0;
		policy.hide |= memory->pii[i] == CONFIG_PII_NO_INJECT ? PII_BIT(i) : 0;
	}
	return policy;
}

struct intake config_intake(const struct config_memory *memory)
{
	return (struct intake){.masks_secrets = memory->secrets_redact,
			       .policy = config_pii_policy(memory),
			       .pii = (enum pii)memory->retention.pii};
}

struct config_retention config_shortest_retention(const struct config *config)
{
	struct config_memory shortest = config->memory;
	for (size_t i = 0; i < config->override_count; i++) {
		const struct config_override *override = &config->overrides[i];
		int pii = shortest.retention.pii;
		if (strcmp(override->section, "retention") != 0)
			continue;
		config_apply(override, &shortest);
		if (shortest.retention.pii == PII_KEEP)
			shortest.retention.pii = pii;
	}
	return shortest.retention;
}

struct config_memory config_memory_for(const struct config *config, struct slice model,
				       struct slice tenant, struct slice user)
{
	const struct slice subjects[] = {
		[SELECT_MODEL] = model, [SELECT_TENANT] = tenant, [SELECT_USER] = user};
	struct config_memory memory = config->memory;
	for (size_t i = 0; i < config->override_count; i++) {
		const struct config_override *override = &config->overrides[i];
		if (config_glob_match(slice_of(override->pattern), subjects[override->selector]))
			config_apply(override, &memory);
	}
	if (memory.context_tokens > memory.conversation_tokens)
		memory.context_tokens = memory.conversation_tokens;
	return memory;
}

uint64_t config_least_user_limit(const struct config *config)
{
	uint64_t least = config->memory.user_limit;
	for (size_t i = 0; i < config->override_count; i++) {
		struct config_memory memory = config->memory;
		config_apply(&config->overrides[i], &memory);
		if (memory.user_limit < least)
			least = memory.user_limit;
	}
	return least;
}

const char *config_model_base_url(const struct config *config)
{
	return config->model.base_url[0] != '\0' ? config->model.base_url
						 : config->upstream.base_url;
}

const char *config_model_api_key(const struct config *config)
{
	return config->model.api_key[0] != '\0' ? config->model.api_key : config->upstream.api_key;
}

static bool is_equal(const struct config_key *key, const struct config *a, const struct config *b)
{
	size_t offset = key->offset + (is_of_memory(key) ? offsetof(struct config, memory) : 0);
	const void *left = (const char *)a + offset;
	const void *right = (const char *)b + offset;
	if (key->type == CONFIG_TEXT)
		return strcmp(*(char *const *)left, *(char *const *)right) == 0;
	return memcmp(left, right, stored_size(key)) == 0;
}

size_t config_unreloadable_changes(const struct config *before, const struct config *after,
				   FILE *out)
{
	size_t count = 0;
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		if (key->reloadable || is_equal(key, before, after))
			continue;
		(void)fprintf(out, "%s.%s\n", key->section, key->name);
		count++;
	}
	return count;
}
