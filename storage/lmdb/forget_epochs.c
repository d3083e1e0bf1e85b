#include "storage/lmdb/forget_epochs.h"

#include <stdlib.h>
#include <string.h>

enum { NO_ENTRY = UINT32_MAX };

struct entry {
	struct user_key user;
	uint64_t at;
	uint32_t next; /* next entry in its bucket, or NO_ENTRY */
};

/* A ring with chains through it, not a table that grows: the oldest entry falls out, and what fell
 * out is told by `fallen_at` alone. */
struct forget_epochs {
	struct entry *entries; /* a ring: the next entry to be reused is the oldest */
	uint32_t *buckets;
	uint32_t capacity;
	uint32_t used;
	uint32_t oldest;
	uint64_t fallen_at; /* the newest mark among evicted entries */
};

struct forget_epochs *forget_epochs_create(uint32_t capacity)
{
	struct forget_epochs *forget_epochs = xcalloc(1, sizeof(*forget_epochs));
	forget_epochs->capacity = capacity;
	forget_epochs->entries = xmalloc(capacity * sizeof(*forget_epochs->entries));
	forget_epochs->buckets = xmalloc(capacity * sizeof(*forget_epochs->buckets));
	for (uint32_t i = 0; i < capacity; i++)
		forget_epochs->buckets[i] = NO_ENTRY;
	return forget_epochs;
}

void forget_epochs_destroy(struct forget_epochs *forget_epochs)
{
	if (forget_epochs == NULL)
		return;
	free(forget_epochs->entries);
	free(forget_epochs->buckets);
	free(forget_epochs);
}

static uint32_t *bucket_of(const struct forget_epochs *forget_epochs, struct user_key user)
{
	return &forget_epochs->buckets[user_hash(user) & (forget_epochs->capacity - 1)];
}

static struct entry *find(const struct forget_epochs *forget_epochs, struct user_key user)
{
	uint32_t i = *bucket_of(forget_epochs, user);
	for (; i != NO_ENTRY; i = forget_epochs->entries[i].next) {
		if (user_equal(forget_epochs->entries[i].user, user))
			return &forget_epochs->entries[i];
	}
	return NULL;
}

static void drop(struct forget_epochs *forget_epochs, uint32_t index)
{
	struct entry *entry = &forget_epochs->entries[index];
	uint32_t *link = bucket_of(forget_epochs, entry->user);
	while (*link != index)
		link = &forget_epochs->entries[*link].next;
	*link = entry->next;
	if (entry->at > forget_epochs->fallen_at)
		forget_epochs->fallen_at = entry->at;
}

void forget_epochs_record(struct forget_epochs *forget_epochs, struct user_key user, uint64_t at)
{
	struct entry *entry = find(forget_epochs, user);
	if (entry != NULL) {
		entry->at = at;
		return;
	}
	uint32_t index = forget_epochs->oldest;
	forget_epochs->oldest = (index + 1) & (forget_epochs->capacity - 1);
	if (forget_epochs->used == forget_epochs->capacity)
		drop(forget_epochs, index);
	else
		forget_epochs->used++;
	uint32_t *bucket = bucket_of(forget_epochs, user);
	forget_epochs->entries[index] = (struct entry){.user = user, .at = at, .next = *bucket};
	*bucket = index;
}

bool forget_epochs_passed(const struct forget_epochs *forget_epochs, struct user_key user,
			  uint64_t forget_epoch)
{
	const struct entry *entry = find(forget_epochs, user);
	return forget_epoch < forget_epochs->fallen_at ||
	       (entry != NULL && forget_epoch < entry->at);
}
