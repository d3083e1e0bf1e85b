#include "storage/lmdb/forget_epochs.h"

#include <stdlib.h>
#include <string.h>

enum { NO_ENTRY = UINT32_MAX };

struct entry {
	struct user_key user;
	uint64_t at;
	uint32_t next; /* in its bucket, or NO_ENTRY */
};

struct tickets {
	struct entry *entries; /* a ring: the next one to be used is the oldest */
	uint32_t *buckets;
	uint32_t capacity;
	uint32_t used;
	uint32_t oldest;
	uint64_t fallen_at; /* the newest mark among those that fell out */
};

struct tickets *tickets_create(uint32_t capacity)
{
	struct tickets *tickets = xcalloc(1, sizeof(*tickets));
	tickets->capacity = capacity;
	tickets->entries = xcalloc(capacity, sizeof(*tickets->entries));
	tickets->buckets = xmalloc(capacity * sizeof(*tickets->buckets));
	for (uint32_t i = 0; i < capacity; i++)
		tickets->buckets[i] = NO_ENTRY;
	return tickets;
}

void tickets_destroy(struct tickets *tickets)
{
	if (tickets == NULL)
		return;
	free(tickets->entries);
	free(tickets->buckets);
	free(tickets);
}

static uint32_t *bucket_of(const struct tickets *tickets, struct user_key user)
{
	uint32_t hash; /* the key is a digest: any part of it will do */
	memcpy(&hash, user.bytes, sizeof(hash));
	return &tickets->buckets[hash & (tickets->capacity - 1)];
}

static struct entry *find(const struct tickets *tickets, struct user_key user)
{
	uint32_t i = *bucket_of(tickets, user);
	for (; i != NO_ENTRY; i = tickets->entries[i].next) {
		if (memcmp(&tickets->entries[i].user, &user, sizeof(user)) == 0)
			return &tickets->entries[i];
	}
	return NULL;
}

static void drop(struct tickets *tickets, uint32_t index)
{
	struct entry *entry = &tickets->entries[index];
	uint32_t *link = bucket_of(tickets, entry->user);
	while (*link != index)
		link = &tickets->entries[*link].next;
	*link = entry->next;
	if (entry->at > tickets->fallen_at)
		tickets->fallen_at = entry->at;
}

void tickets_mark(struct tickets *tickets, struct user_key user, uint64_t at)
{
	struct entry *entry = find(tickets, user);
	if (entry != NULL) {
		entry->at = at;
		return;
	}
	uint32_t index = tickets->oldest;
	tickets->oldest = (index + 1) & (tickets->capacity - 1);
	if (tickets->used == tickets->capacity)
		drop(tickets, index);
	else
		tickets->used++;
	uint32_t *bucket = bucket_of(tickets, user);
	tickets->entries[index] = (struct entry){.user = user, .at = at, .next = *bucket};
	*bucket = index;
}

bool tickets_marked_since(const struct tickets *tickets, struct user_key user, uint64_t ticket)
{
	const struct entry *entry = find(tickets, user);
	return ticket < tickets->fallen_at || (entry != NULL && ticket < entry->at);
}
