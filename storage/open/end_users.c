#include "storage/open/end_users.h"

#include <stdlib.h>

static bool has_records(struct transaction *transaction, enum table table, struct user_key user)
{
	struct scan scan;
	struct slice key;
	struct slice value;
	scan_begin(&scan, transaction, table, key_of_user(user), FORWARD);
	scan.opens_none = true;
	bool has = scan_next(&scan, &key, &value) &&
		   (table != TABLE_SETTINGS || form_needs_keys(value));
	scan_end(&scan);
	return has;
}

static bool needs_keys(struct transaction *transaction, struct user_key user)
{
	bool has = has_records(transaction, TABLE_USERS, user);
	for (int table = FIRST_USER_TABLE; !has && table < TABLE_COUNT; table++)
		has = has_records(transaction, (enum table)table, user);
	return has;
}

void end_users(struct store *store)
{
	struct transaction transaction;
	size_t count;
	if (store->seal == NULL || !transaction_begin_read(&transaction, store))
		return;
	transaction.hides_nothing = true;
	struct user_key *users = seal_users(store->seal, &count);
	size_t left = 0;
	for (size_t i = 0; i < count; i++) {
		if (!needs_keys(&transaction, users[i]) && transaction.result == STORE_OK)
			users[left++] = users[i];
	}
	transaction_abort(&transaction);
	for (size_t i = 0; i < left; i++)
		seal_erase(store->seal, users[i]);
	free(users);
}
