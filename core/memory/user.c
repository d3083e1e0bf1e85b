#include "core/memory/user.h"

struct user_settings settings_default(void)
{
	return (struct user_settings){.learn = true,
				      .inject = true,
				      .keep_messages = SETTING_UNSET,
				      .keep_facts = SETTING_UNSET,
				      .pii = SETTING_UNSET};
}

bool settings_are_default(const struct user_settings *settings)
{
	return !settings_restrict(settings) && settings->keep_messages == SETTING_UNSET &&
	       settings->keep_facts == SETTING_UNSET && settings->pii == SETTING_UNSET &&
	       settings->hold_until == 0 && settings->consent_at == 0 && settings->note.size == 0;
}

static bool may_be_remembered(const struct user_settings *settings, bool needs_consent)
{
	return !needs_consent || settings->consent_at != 0;
}

bool settings_may_learn(const struct user_settings *settings, bool needs_consent)
{
	return settings->learn && may_be_remembered(settings, needs_consent);
}

bool settings_may_inject(const struct user_settings *settings, bool needs_consent)
{
	return settings->inject && may_be_remembered(settings, needs_consent);
}

bool settings_restrict(const struct user_settings *settings)
{
	return !settings->learn || !settings->inject;
}

struct user_settings settings_bare(const struct user_settings *settings)
{
	struct user_settings bare = settings_default();
	bare.learn = settings->learn;
	bare.inject = settings->inject;
	return bare;
}

enum pii settings_pii(const struct user_settings *settings, enum pii configured)
{
	return settings->pii > (int)configured ? (enum pii)settings->pii : configured;
}

/* ---- a table of users ---- */

static size_t bucket_of(struct user_key user)
{
	return user_hash(user) % USER_TABLE_BUCKETS;
}

struct user_node *user_table_find(const struct user_table *table, struct user_key user)
{
	struct user_node *node = table->buckets[bucket_of(user)];
	while (node != NULL && !user_equal(node->user, user))
		node = node->next;
	return node;
}

void user_table_add(struct user_table *table, struct user_node *node)
{
	struct user_node **bucket = &table->buckets[bucket_of(node->user)];
	node->next = *bucket;
	*bucket = node;
	table->count++;
}

void user_table_remove(struct user_table *table, struct user_node *node)
{
	struct user_node **link = &table->buckets[bucket_of(node->user)];
	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	table->count--;
}

struct user_node *user_table_next(const struct user_table *table, const struct user_node *last)
{
	size_t i = last == NULL ? 0 : bucket_of(last->user) + 1;
	struct user_node *node = last == NULL ? NULL : last->next;
	while (node == NULL && i < USER_TABLE_BUCKETS)
		node = table->buckets[i++];
	return node;
}

struct user_node *user_table_pick(struct user_table *table,
				  bool (*may_leave)(const struct user_node *node))
{
	struct user_node *node = NULL;
	for (size_t i = 0; i < USER_TABLE_BUCKETS && node == NULL; i++) {
		node = table->buckets[table->next_to_leave++ % USER_TABLE_BUCKETS];
		while (node != NULL && !may_leave(node))
			node = node->next;
	}
	return node;
}
