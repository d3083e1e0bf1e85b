/* Sealers: what opens where and for whom, what they forget, and the keys with which a store opens.
 */
#include "storage/record/seal.h"
#include "storage/record/seal_form.h"
#include "tests/unit/seal_fixture.h"

START_TEST(what_is_returned_is_what_was_taken_last)
{
	struct room room = {0};
	room_return(&room, 0);
	char *first = room_take(&room, 10);
	memset(first, 'a', 10);
	const size_t mark = room.taken;
	for (int i = 0; i < 10; i++)
		memset(room_take(&room, 50000), 'b', 50000);
	memset(room_take(&room, 1000000), 'c', 1000000);
	room_return(&room, mark);
	ck_assert_int_eq(first[9], 'a');
	ck_assert_ptr_eq(room_take(&room, 1), first + 16);
	room_return(&room, 0);
	ck_assert_ptr_eq(room_take(&room, 0), first);
	room_return(&room, 1000); /* it is given up already */
	ck_assert_uint_eq(room.taken, 16);
	room_finish(&room);
	memset(room_take(&room, 1000000), 'd', 1000000); /* larger than what is kept */
	room_return(&room, 0);
	ck_assert_ptr_null(room.last);
	room_finish(&room);
}
END_TEST

static struct seal *begin_seal(void)
{
	begin();
	ck_assert_int_eq(key_file_create(folder, master), KEY_FILE_FINE);
	return seal_create(open_file(master), folder);
}

START_TEST(a_value_opens_only_for_its_user_in_its_place)
{
	char sealed[64];
	char again[64];
	char plain[64];
	const struct slice text = SLICE("my sister lives in Lisbon");
	struct seal *seal = begin_seal();
	struct sealer *sealer = seal_take(seal);
	ck_assert(!sealer_begin(sealer, user(1)));
	ck_assert(sealer_begin_new(sealer, user(1)));
	sealer_seal(sealer, SLICE("here"), text, sealed);
	sealer_seal(sealer, SLICE("here"), text, again);
	ck_assert_mem_ne(sealed, again, SEAL_NONCE); /* no nonce serves twice */
	const struct slice value = {sealed, text.size + strlen("here") + SEAL_OVERHEAD};
	ck_assert(sealer_open(sealer, SLICE("here"), value, plain));
	ck_assert_mem_eq(plain, text.data, text.size);
	ck_assert(!sealer_open(sealer, SLICE("there"), value, plain));
	ck_assert(!sealer_open(sealer, SLICE("ere"), value, plain));
	ck_assert(!sealer_open(sealer, SLICE("hare"), value, plain));
	ck_assert(!sealer_open(sealer, SLICE(""), value, plain));
	ck_assert(!sealer_open(sealer, SLICE("here"), SLICE("short"), plain));
	ck_assert(sealer_begin_new(sealer, user(2)));
	ck_assert(!sealer_open(sealer, SLICE("here"), value, plain));
	for (int i = 0; i < 100; i++) /* more than are drawn at once */
		sealer_seal(sealer, SLICE("here"), text, again);
	ck_assert(seal_sync(seal));
	/* One in use keeps the keys until it is given back. */
	ck_assert(sealer_begin(sealer, user(1)));
	seal_erase(seal, user(1));
	ck_assert(seal_has_erased_all(seal));
	ck_assert(sealer_open(sealer, SLICE("here"), value, plain));
	seal_give_back(sealer);
	sealer = seal_take(seal);
	ck_assert(!sealer_begin(sealer, user(1)));
	ck_assert(sealer_begin_new(sealer, user(1)));
	ck_assert(!sealer_open(sealer, SLICE("here"), value, plain));
	size_t count;
	struct user_key *users = seal_users(seal, &count);
	ck_assert_uint_eq(count, 2);
	free(users);
	struct sealer *second = seal_take(seal);
	ck_assert_ptr_ne(second, sealer);
	seal_give_back(sealer);
	seal_give_back(second);
	seal_erase(seal, user(2)); /* idle ones forget at once */
	seal_destroy(seal);
	end();
}
END_TEST

/* A key as it is in a tree. */
static struct slice place_of(struct key *key, unsigned number, uint64_t id)
{
	*key = key_u64(key_of_user(user(number)), id);
	return (struct slice){(const char *)key->bytes, key->size};
}

START_TEST(a_record_opens_only_in_its_table_under_its_key)
{
	static const enum table tables[] = {TABLE_TURNS,     TABLE_SUMMARIES, TABLE_REPLAYS,
					    TABLE_DOCUMENTS, TABLE_VECTORS,   TABLE_LINKS};
	const struct slice text = SLICE("my sister lives in Lisbon");
	struct key here;
	struct key there;
	struct seal *seal = begin_seal();
	struct sealer *sealer = seal_take(seal);
	ck_assert(sealer_begin_new(sealer, user(2)));
	ck_assert(sealer_begin_new(sealer, user(1)));
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const struct slice place = place_of(&here, 1, 5);
		ck_assert(sealer_begin(sealer, user(1)));
		const struct slice sealed = form_seal(sealer, tables[i], place, text);
		ck_assert_uint_eq(form_opened_size(tables[i], place, sealed), text.size);
		unit_assert_slice(form_open(sealer, tables[i], place, sealed), text.data);
		ck_assert_uint_eq(form_open(sealer, tables[i], place_of(&there, 1, 6), sealed).size,
				  0);
		ck_assert_uint_eq(form_open(sealer, tables[i], place_of(&there, 2, 5), sealed).size,
				  0);
		ck_assert_uint_eq(form_open(sealer, tables[i], place_of(&there, 3, 5), sealed).size,
				  0);
		for (size_t j = 0; j < sizeof(tables) / sizeof(tables[0]); j++) {
			if (j != i)
				ck_assert_uint_eq(form_open(sealer, tables[j], place, sealed).size,
						  0);
		}
		unit_assert_slice(form_open(sealer, tables[i], place, sealed), text.data);
	}
	seal_give_back(sealer);
	seal_destroy(seal);
	end();
}
END_TEST

static uint64_t hash_of(struct sealer *sealer, uint64_t number)
{
	sealer_hash(sealer, &number, 1);
	return number;
}

START_TEST(masks_come_off_again_and_differ_between_users)
{
	unsigned char block[16] = "a digest, hashed";
	unsigned char masked[16];
	struct seal *seal = begin_seal();
	struct sealer *sealer = seal_take(seal);
	ck_assert(sealer_begin_new(sealer, user(1)));
	memcpy(masked, block, sizeof(masked));
	sealer_mask(sealer, masked);
	ck_assert_mem_ne(masked, block, sizeof(block));
	sealer_unmask(sealer, masked);
	ck_assert_mem_eq(masked, block, sizeof(block));
	const uint64_t numbers[] = {0, 1, UINT64_MAX, 0x0123456789abcdef, 1, 2};
	const uint64_t hashed = hash_of(sealer, 1);
	ck_assert_uint_eq(hashed, hash_of(sealer, 1));
	uint64_t many[SEAL_HASHES] = {0, 1, 1};
	sealer_hash(sealer, many, SEAL_HASHES);
	ck_assert_uint_eq(many[1], hashed);
	ck_assert_uint_eq(many[2], hashed);
	ck_assert_uint_eq(many[0], hash_of(sealer, 0));
	ck_assert_uint_eq(many[SEAL_HASHES - 1], many[0]);
	uint64_t first[6];
	for (int i = 0; i < 6; i++) {
		first[i] = sealer_mask_number(sealer, numbers[i]);
		ck_assert_uint_ne(first[i], numbers[i]);
		ck_assert_uint_eq(sealer_unmask_number(sealer, first[i]), numbers[i]);
	}
	ck_assert_uint_eq(first[1], first[4]);
	ck_assert(sealer_begin_new(sealer, user(2)));
	ck_assert_uint_ne(hash_of(sealer, 1), hashed);
	ck_assert_uint_ne(sealer_mask_number(sealer, 1), first[1]);
	const struct user_key hidden = sealer_hide(sealer, user(9));
	ck_assert(!user_equal(hidden, user(9)));
	ck_assert(user_equal(sealer_show(sealer, hidden), user(9)));
	(void)sealer_show(sealer, user(8));
	ck_assert(user_equal(sealer_show(sealer, hidden), user(9)));
	ck_assert(user_equal(sealer_hide(sealer, user(9)), hidden));
	const struct user_key nobody = {{0}};
	ck_assert(user_equal(sealer_hide(sealer, nobody), nobody));
	ck_assert(user_equal(sealer_show(sealer, nobody), nobody));
	seal_give_back(sealer);
	seal_destroy(seal);
	end();
}
END_TEST

/* ---- what they forget ---- */

enum { MASK = 0x5a, PART = CIPHER_BLOCK };

/* Whether bytes stand in memory, which are given masked, so that this test does not hold them. */
static bool range_holds(const unsigned char *at, const unsigned char *end,
			const unsigned char *masked)
{
	for (; at + PART <= end; at++) {
		size_t same = 0;
		while (same < PART && (at[same] ^ MASK) == masked[same])
			same++;
		if (same == PART)
			return true;
	}
	return false;
}

/* glibc's heap; a process that was forked may have it in several ranges. */
static bool heap_holds(const unsigned char *masked)
{
	char line[512];
	bool holds = false;
	FILE *maps = fopen("/proc/self/maps", "re");
	ck_assert_ptr_nonnull(maps);
	while (!holds && fgets(line, sizeof(line), maps) != NULL) {
		void *begin;
		void *end;
		if (strstr(line, "[heap]") == NULL)
			continue;
		ck_assert_int_eq(sscanf(line, "%p-%p", &begin, &end), 2);
		holds = range_holds(begin, end, masked);
	}
	(void)fclose(maps);
	return holds;
}

static void mask_key(const unsigned char *key, unsigned char *masked)
{
	for (size_t i = 0; i < PART; i++)
		masked[i] = key[i] ^ MASK;
}

static bool heap_holds_allocations(void)
{
	unsigned char masked[PART];
	unsigned char *known = xmalloc(PART);
	cipher_random(known, PART);
	mask_key(known, masked);
	bool holds = heap_holds(masked);
	free(known);
	return holds;
}

START_TEST(an_erased_users_keys_are_nowhere_in_memory)
{
	unsigned char data[PART];
	unsigned char mask[PART];
	char value[SEAL_OVERHEAD + 8];
	char plain[8];
	begin();
	ck_assert_int_eq(key_file_create(folder, master), KEY_FILE_FINE);
	struct seal *seal = seal_create(open_file(master), folder);
	struct sealer *idle = seal_take(seal);
	struct sealer *used = seal_take(seal);
	struct sealer *const both[] = {idle, used};
	for (size_t i = 0; i < 2; i++) {
		unsigned char block[CIPHER_BLOCK] = {1};
		ck_assert(sealer_begin_new(both[i], user(1)));
		sealer_seal(both[i], SLICE("here"), SLICE("text"), value);
		ck_assert(sealer_open(both[i], SLICE("here"), (struct slice){value, sizeof(value)},
				      plain));
		sealer_mask(both[i], block);
		sealer_unmask(both[i], block);
	}
	mask_key(idle->secret.data, data);
	mask_key(idle->secret.mask, mask);
	/* A sanitizer has its heap elsewhere. */
	const bool is_glibc = heap_holds_allocations();
	ck_assert(heap_holds(data) == is_glibc);
	ck_assert(heap_holds(mask) == is_glibc);
	seal_give_back(idle);
	seal_erase(seal, user(1));
	seal_give_back(used);
	ck_assert(!heap_holds(data));
	ck_assert(!heap_holds(mask));
	seal_destroy(seal);
	end();
}
END_TEST

/* ---- opening for a store ---- */

START_TEST(keys_that_do_not_fit_a_store_are_refused_with_the_reason)
{
	struct seal *seal;
	char error[256];
	begin();
	ck_assert(seal_open(folder, NULL, SEAL_NEW, 0, true, &seal, COMPLAINT(error)));
	ck_assert_ptr_null(seal);
	ck_assert(seal_open(folder, master, SEAL_NONE, 0, false, &seal, COMPLAINT(error)));
	ck_assert_ptr_null(seal);
	ck_assert(!seal_open(folder, master, SEAL_NONE, 0, true, &seal, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "is not encrypted"));
	ck_assert(!seal_open(folder, NULL, SEAL_WHOLE, 0, true, &seal, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "set [storage] encrypt = on"));
	ck_assert(!seal_open(folder, master, SEAL_WHOLE, 0, true, &seal, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "is missing"));
	ck_assert(!seal_open(folder, master, SEAL_NEW, 0, false, &seal, COMPLAINT(error)));
	ck_assert(seal_open(folder, master, SEAL_NEW, 0, true, &seal, COMPLAINT(error)));
	const uint64_t id = seal_id(seal);
	seal_destroy(seal);
	ck_assert(seal_open(folder, master, SEAL_NEW, 0, true, &seal, COMPLAINT(error)));
	ck_assert_uint_eq(seal_id(seal), id);
	seal_destroy(seal);
	ck_assert(seal_open(folder, master, SEAL_WHOLE, id, false, &seal, COMPLAINT(error)));
	seal_destroy(seal);
	ck_assert(!seal_open(folder, master, SEAL_WHOLE, id + 1, true, &seal, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "of another store"));
	ck_assert(!seal_open(folder, other, SEAL_WHOLE, id, true, &seal, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "another key"));
	ck_assert_int_eq(truncate(file, 5), 0);
	ck_assert(!seal_open(folder, master, SEAL_WHOLE, id, true, &seal, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "damaged"));
	(void)unlink(file);
	ck_assert_int_eq(symlink(KEY_FILE, file), 0);
	ck_assert(!seal_open(folder, master, SEAL_WHOLE, id, true, &seal, COMPLAINT(error)));
	ck_assert_ptr_nonnull(strstr(error, "cannot read"));
	end();
}
END_TEST

UNIT_MAIN("seal", what_is_returned_is_what_was_taken_last,
	  a_value_opens_only_for_its_user_in_its_place,
	  a_record_opens_only_in_its_table_under_its_key,
	  masks_come_off_again_and_differ_between_users, an_erased_users_keys_are_nowhere_in_memory,
	  keys_that_do_not_fit_a_store_are_refused_with_the_reason)
