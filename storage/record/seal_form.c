#include "storage/record/seal_form.h"

enum {
	USER_SIZE = sizeof(struct user_key),
	DIGEST_SIZE = 16,
	HASH_SIZE = 8,
	RECORD_BEGIN = 1, /* its version */
	RECEIPT_USER = 2, /* where a receipt's user begins, behind the version and the size */
	SETTINGS_SEALED = 0,
	NUMBER_GOES_ON = 0x80,
};

enum form {
	FORM_CLEAR,
	FORM_SEALED,
	FORM_FACT,
	FORM_RECEIPT,
	FORM_SETTINGS,
	FORM_ANSWER,
	FORM_EXCHANGE,
};

static enum form form_of(enum table table)
{
	static const unsigned char forms[TABLE_COUNT] = {
		[TABLE_TURNS] = FORM_SEALED,       [TABLE_JOBS] = FORM_SEALED,
		[TABLE_PARKED] = FORM_SEALED,      [TABLE_FACTS] = FORM_FACT,
		[TABLE_SUMMARIES] = FORM_SEALED,   [TABLE_USERS] = FORM_SEALED,
		[TABLE_REPLAYS] = FORM_SEALED,     [TABLE_CONVERSATIONS] = FORM_SEALED,
		[TABLE_FROZEN] = FORM_SEALED,      [TABLE_DOCUMENTS] = FORM_SEALED,
		[TABLE_VECTORS] = FORM_SEALED,     [TABLE_LINKS] = FORM_SEALED,
		[TABLE_TOMBSTONES] = FORM_SEALED,  [TABLE_SETTINGS] = FORM_SETTINGS,
		[TABLE_RECEIPTS] = FORM_RECEIPT,   [TABLE_ANSWERS] = FORM_ANSWER,
		[TABLE_EXCHANGES] = FORM_EXCHANGE,
	};
	return (enum form)forms[table];
}

static bool has_digest(enum table table)
{
	return table == TABLE_SESSIONS || table == TABLE_LINKS || table == TABLE_TOMBSTONES;
}

static bool is_of_user(enum table table)
{
	return table >= FIRST_USER_TABLE;
}

static bool needs_keys(enum table table)
{
	return form_of(table) != FORM_CLEAR || has_digest(table);
}

/* ---- keys ---- */

static struct user_key user_at(const unsigned char *bytes)
{
	struct user_key user;
	memcpy(user.bytes, bytes, sizeof(user.bytes));
	return user;
}

/* Where in a key the user stands; KEY_MAX: nowhere. Names in TABLE_META are shorter than a user. */
static size_t user_place(enum table table, const struct key *key)
{
	if (is_of_user(table))
		return key->size < USER_SIZE ? KEY_MAX : 0;
	return table == TABLE_META && key->size > USER_SIZE ? key->size - USER_SIZE : KEY_MAX;
}

/* The bound of a scan may be a user followed by the highest bytes: it stays behind all of theirs.
 */
static bool is_bound(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0xff)
			return false;
	}
	return true;
}

/* The number of masked bytes behind the user. */
static size_t masked_size(enum table table, const struct key *key)
{
	size_t size = has_digest(table) ? DIGEST_SIZE : table == TABLE_ANSWERS ? HASH_SIZE : 0;
	if (size == 0 || key->size < USER_SIZE + size)
		return 0;
	return is_bound(key->bytes + USER_SIZE, size) ? 0 : size;
}

/* Between a key as it is stored and as the table's users know it. */
static void turn_key(struct sealer *sealer, enum table table, struct key *key, bool hides)
{
	const size_t at = user_place(table, key);
	if (at == KEY_MAX)
		return;
	const struct user_key given = user_at(key->bytes + at);
	const struct user_key turned =
		hides ? sealer_hide(sealer, given) : sealer_show(sealer, given);
	const size_t masked = is_of_user(table) ? masked_size(table, key) : 0;
	unsigned char *behind = key->bytes + USER_SIZE;
	memcpy(key->bytes + at, turned.bytes, USER_SIZE);
	if (masked == 0 || !sealer_begin(sealer, hides ? turned : given))
		return;
	if (masked == DIGEST_SIZE) {
		(hides ? sealer_mask : sealer_unmask)(sealer, behind);
		return;
	}
	uint64_t hash;
	memcpy(&hash, behind, sizeof(hash));
	hash = (hides ? sealer_mask_number : sealer_unmask_number)(sealer, hash);
	memcpy(behind, &hash, sizeof(hash));
}

void form_hide_key(struct sealer *sealer, enum table table, struct key *key)
{
	turn_key(sealer, table, key, true);
}

void form_show_key(struct sealer *sealer, enum table table, struct key *key)
{
	turn_key(sealer, table, key, false);
}

/* ---- values ---- */

static bool is_receipt(struct slice value)
{
	return value.size >= RECEIPT_USER + USER_SIZE &&
	       (unsigned char)value.data[RECORD_BEGIN] == USER_SIZE;
}

bool form_receipt_owner(struct slice value, bool is_sealed, struct user_key *user)
{
	const size_t at = is_sealed ? 0 : RECEIPT_USER;
	if (is_sealed ? value.size < USER_SIZE : !is_receipt(value))
		return false;
	*user = user_at((const unsigned char *)value.data + at);
	return true;
}

bool form_begin_put(struct sealer *sealer, enum table table, const struct key *key,
		    struct slice value)
{
	const unsigned char *user = key->bytes;
	if (!needs_keys(table) || (!is_of_user(table) && !is_receipt(value)))
		return true;
	if (table == TABLE_RECEIPTS)
		user = (const unsigned char *)value.data + RECEIPT_USER;
	return sealer_begin_new(sealer, sealer_hide(sealer, user_at(user)));
}

enum { BOUND_MAX = 1 + KEY_MAX + 1 };

/* Binds a value to its place: its table and its key, whose user is bound by their keys. */
static struct slice bind(char bound[BOUND_MAX], enum table table, struct slice place)
{
	const size_t begin = is_of_user(table) && place.size >= USER_SIZE ? USER_SIZE : 0;
	const size_t size = size_min(place.size - begin, BOUND_MAX - 1);
	bound[0] = (char)table;
	memcpy(bound + 1, place.data + begin, size);
	return (struct slice){bound, 1 + size};
}

/* `head` stays clear before the sealed value, `tail` behind it. */
static struct slice seal_between(struct sealer *sealer, struct slice bound, struct slice head,
				 struct slice value, struct slice tail)
{
	const size_t sealed_size = value.size + bound.size + SEAL_OVERHEAD;
	const size_t size = head.size + sealed_size + tail.size;
	char *sealed = room_take(&sealer->room, size);
	if (head.size > 0)
		memcpy(sealed, head.data, head.size);
	sealer_seal(sealer, bound, value, sealed + head.size);
	if (tail.size > 0)
		memcpy(sealed + head.size + sealed_size, tail.data, tail.size);
	return (struct slice){sealed, size};
}

/* Masks or unmasks the hash at an offset of a record. */
static struct slice turn_hash(struct sealer *sealer, struct slice value, size_t at,
			      uint64_t (*turn)(struct sealer *sealer, uint64_t hash))
{
	uint64_t hash;
	if (value.size < at + sizeof(hash))
		return value;
	char *turned = room_take(&sealer->room, value.size);
	memcpy(turned, value.data, value.size);
	memcpy(&hash, turned + at, sizeof(hash));
	hash = turn(sealer, hash);
	memcpy(turned + at, &hash, sizeof(hash));
	return (struct slice){turned, value.size};
}

/* An exchange's hash follows a number of any length. */
static size_t hash_place(enum form form, struct slice value)
{
	size_t at = RECORD_BEGIN;
	if (form == FORM_ANSWER)
		return at;
	while (at < value.size && ((unsigned char)value.data[at] & NUMBER_GOES_ON) != 0)
		at++;
	return at + 1;
}

struct slice form_seal(struct sealer *sealer, enum table table, struct slice place,
		       struct slice value)
{
	static const char settings_sealed = SETTINGS_SEALED;
	static const struct slice none;
	char bytes[BOUND_MAX];
	const enum form form = form_of(table);
	if (form == FORM_CLEAR || value.size == 0 || (form == FORM_RECEIPT && !is_receipt(value)))
		return value;
	const struct slice bound = bind(bytes, table, place);
	switch (form) {
	case FORM_SETTINGS:
		return seal_between(sealer, bound, (struct slice){&settings_sealed, 1}, value,
				    none);
	case FORM_FACT:
		return seal_between(sealer, bound, none, value,
				    slice_part(value, value.size - 1, value.size));
	case FORM_RECEIPT:
		return seal_between(sealer, bound,
				    (struct slice){(const char *)sealer->user.bytes, USER_SIZE},
				    slice_part(value, RECEIPT_USER + USER_SIZE, value.size), none);
	case FORM_ANSWER:
	case FORM_EXCHANGE:
		return turn_hash(sealer, value, hash_place(form, value), sealer_mask_number);
	default:
		return seal_between(sealer, bound, none, value, none);
	}
}

static const struct slice unopened = {"", 0};

static struct slice open_whole(struct sealer *sealer, struct slice bound, struct slice value)
{
	char *plain = room_take(&sealer->room, value.size);
	return sealer_open(sealer, bound, value, plain)
		       ? (struct slice){plain, value.size - bound.size - SEAL_OVERHEAD}
		       : unopened;
}

static struct slice open_receipt(struct sealer *sealer, struct slice bound, struct slice value)
{
	const size_t head = RECEIPT_USER + USER_SIZE;
	if (value.size < USER_SIZE + SEAL_OVERHEAD)
		return unopened;
	const struct user_key hidden = user_at((const unsigned char *)value.data);
	const struct slice sealed = slice_part(value, USER_SIZE, value.size);
	char *plain = room_take(&sealer->room, head + sealed.size);
	if (!sealer_begin(sealer, hidden) || !sealer_open(sealer, bound, sealed, plain + head))
		return unopened;
	const struct user_key user = sealer_show(sealer, hidden);
	plain[0] = RECORD_BEGIN; /* the version is one, too */
	plain[RECORD_BEGIN] = USER_SIZE;
	memcpy(plain + RECEIPT_USER, user.bytes, USER_SIZE);
	return (struct slice){plain, head + sealed.size - bound.size - SEAL_OVERHEAD};
}

struct slice form_open(struct sealer *sealer, enum table table, struct slice place,
		       struct slice value)
{
	char bound[BOUND_MAX];
	const enum form form = form_of(table);
	if (form == FORM_CLEAR || value.size == 0 ||
	    (form == FORM_SETTINGS && value.data[0] != SETTINGS_SEALED))
		return value;
	if (form == FORM_RECEIPT)
		return open_receipt(sealer, bind(bound, table, place), value);
	if (place.size < USER_SIZE ||
	    !sealer_begin(sealer, user_at((const unsigned char *)place.data)))
		return unopened;
	if (form == FORM_ANSWER || form == FORM_EXCHANGE)
		return turn_hash(sealer, value, hash_place(form, value), sealer_unmask_number);
	if (form == FORM_SETTINGS)
		value = slice_part(value, 1, value.size);
	else if (form == FORM_FACT)
		value = slice_part(value, 0, value.size - 1);
	return open_whole(sealer, bind(bound, table, place), value);
}

size_t form_opened_size(enum table table, struct slice place, struct slice value)
{
	char bound[BOUND_MAX];
	if (form_of(table) != FORM_SEALED)
		return value.size;
	const size_t around = bind(bound, table, place).size + SEAL_OVERHEAD;
	return value.size < around ? 0 : value.size - around;
}

bool form_needs_keys(struct slice settings)
{
	return settings.size > 0 && settings.data[0] == SETTINGS_SEALED;
}

bool form_owner(enum table table, struct slice key, struct slice value, struct user_key *hidden)
{
	const enum form form = form_of(table);
	const struct slice holder = form == FORM_RECEIPT ? value : key;
	if (!needs_keys(table) || (form == FORM_SETTINGS && !form_needs_keys(value)) ||
	    holder.size < USER_SIZE)
		return false;
	*hidden = user_at((const unsigned char *)holder.data);
	return true;
}
