#include "storage/record/seal.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- room for what is opened ---- */

enum { CHUNK = 64 * 1024, STEP = alignof(max_align_t) };

struct room_chunk {
	struct room_chunk *before;
	size_t begin; /* what was taken before it */
	size_t capacity;
	alignas(max_align_t) char bytes[];
};

static size_t used(const struct room *room)
{
	return room->taken - room->last->begin;
}

static void add_chunk(struct room *room, size_t least)
{
	size_t capacity = least > CHUNK ? least : CHUNK;
	struct room_chunk *chunk = xmalloc(sizeof(*chunk) + capacity);
	*chunk = (struct room_chunk){room->last, room->taken, capacity};
	room->last = chunk;
}

char *room_take(struct room *room, size_t size)
{
	size_t rounded = (size + STEP) / STEP * STEP;
	if (room->last == NULL || room->last->capacity - used(room) < rounded)
		add_chunk(room, rounded);
	char *taken = room->last->bytes + used(room);
	room->taken += rounded;
	return taken;
}

static void drop_last(struct room *room)
{
	struct room_chunk *chunk = room->last;
	room->last = chunk->before;
	free(chunk);
}

void room_return(struct room *room, size_t taken)
{
	if (taken >= room->taken)
		return;
	while (room->last != NULL && (room->last->begin > taken ||
				      (room->last->begin == taken && room->last->capacity > CHUNK)))
		drop_last(room);
	room->taken = taken;
}

void room_finish(struct room *room)
{
	while (room->last != NULL)
		drop_last(room);
	room->taken = 0;
}

/* ---- the keys ---- */

struct seal {
	struct key_file *file;
	char *folder;
	pthread_mutex_t lock; /* over the idle sealers; never held while the disk is waited for */
	struct sealer *idle;
	struct user_key *failed; /* users whose slot could not be overwritten; the writer's */
	atomic_size_t failed_count;
	struct user_key *lost; /* users with records that no keys open, ascending; under the lock */
	atomic_size_t lost_count;
	atomic_ulong erased; /* and lost users */
	atomic_int_least64_t exported;
};

struct seal *seal_create(struct key_file *file, const char *folder)
{
	struct seal *seal = xcalloc(1, sizeof(*seal));
	pthread_mutex_init(&seal->lock, NULL);
	seal->file = file;
	seal->folder = folder == NULL ? NULL : xstrdup(folder);
	return seal;
}

static void destroy_sealer(struct sealer *sealer)
{
	struct cipher *const all[] = {sealer->seals,   sealer->opens, sealer->masks,
				      sealer->unmasks, sealer->hides, sealer->shows};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		cipher_destroy(all[i]);
	room_finish(&sealer->room);
	cipher_wipe(sealer, sizeof(*sealer));
	free(sealer);
}

void seal_destroy(struct seal *seal)
{
	if (seal == NULL)
		return;
	while (seal->idle != NULL) {
		struct sealer *sealer = seal->idle;
		seal->idle = sealer->next;
		destroy_sealer(sealer);
	}
	key_file_close(seal->file);
	pthread_mutex_destroy(&seal->lock);
	free(seal->failed);
	free(seal->lost);
	free(seal->folder);
	free(seal);
}

/* ---- the file ---- */

uint64_t seal_id(const struct seal *seal)
{
	const struct store_secret *secret = key_file_store(seal->file);
	uint64_t id;
	cipher_derive((struct slice){(const char *)secret, sizeof(*secret)}, SLICE(""),
		      SLICE("recalld: id"), (unsigned char *)&id, sizeof(id));
	return id & INT64_MAX;
}

int64_t seal_made(const struct seal *seal)
{
	return key_file_made(seal->file);
}

bool seal_sync(struct seal *seal)
{
	return key_file_sync(seal->file);
}

static void erase_again(struct seal *seal)
{
	size_t left = 0;
	for (size_t i = 0; i < seal->failed_count; i++) {
		if (!key_file_erase(seal->file, seal->failed[i]))
			seal->failed[left++] = seal->failed[i];
	}
	seal->failed_count = left;
}

/* A cipher holds what it made of its key until it gets another one. */
static void forget_user(struct sealer *sealer)
{
	static const unsigned char none[CIPHER_KEY];
	struct cipher *const all[] = {sealer->seals, sealer->opens, sealer->masks, sealer->unmasks};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if ((sealer->keyed >> i & 1) != 0)
			cipher_set_key(all[i], none);
	}
	cipher_wipe(&sealer->secret, sizeof(sealer->secret));
	sealer->keyed = 0;
	sealer->has_user = false;
}

/* Idle sealers forget the keys at once, those in use with their transactions. */
static void forget_keys(struct seal *seal)
{
	pthread_mutex_lock(&seal->lock);
	for (struct sealer *idle = seal->idle; idle != NULL; idle = idle->next)
		forget_user(idle);
	pthread_mutex_unlock(&seal->lock);
}

static void add(struct user_key **users, atomic_size_t *count, struct user_key hidden)
{
	*users = xrealloc(*users, (*count + 1) * sizeof(**users));
	(*users)[(*count)++] = hidden;
}

void seal_lose(struct seal *seal, struct user_key hidden)
{
	pthread_mutex_lock(&seal->lock);
	add(&seal->lost, &seal->lost_count, hidden);
	pthread_mutex_unlock(&seal->lock);
	/* Whoever has read the keys that do not open them lets go of these. */
	atomic_fetch_add(&seal->erased, 1);
}

size_t seal_lost(const struct seal *seal)
{
	return seal->lost_count;
}

static int compare_users(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct user_key));
}

/* Whether the user's keys are lost; `ends`: and are no longer from now on. */
static bool find_lost(struct seal *seal, struct user_key hidden, bool ends)
{
	if (seal->lost_count == 0)
		return false;
	pthread_mutex_lock(&seal->lock);
	struct user_key *found = (struct user_key *)bsearch(&hidden, seal->lost, seal->lost_count,
							    sizeof(hidden), compare_users);
	const bool is_lost = found != NULL;
	if (is_lost && ends)
		memmove(found, found + 1,
			sizeof(hidden) * (size_t)(seal->lost + --seal->lost_count - found));
	pthread_mutex_unlock(&seal->lock);
	return is_lost;
}

void seal_erase(struct seal *seal, struct user_key hidden)
{
	(void)find_lost(seal, hidden, true);
	erase_again(seal);
	if (!key_file_erase(seal->file, hidden))
		add(&seal->failed, &seal->failed_count, hidden);
	atomic_fetch_add(&seal->erased, 1);
	if (seal->folder != NULL)
		seal->exported = exported_last(seal->folder);
	forget_keys(seal);
}

int64_t seal_created(struct seal *seal, struct user_key hidden)
{
	return find_lost(seal, hidden, false) ? INT64_MAX : key_file_created(seal->file, hidden);
}

int64_t seal_exported(const struct seal *seal)
{
	return seal->exported;
}

bool seal_has_erased_all(const struct seal *seal)
{
	return seal->failed_count == 0;
}

struct user_key *seal_users(const struct seal *seal, size_t *count)
{
	size_t place = 0;
	*count = 0;
	struct user_key *users = xcalloc(key_file_count(seal->file) + 1, sizeof(*users));
	while (key_file_next(seal->file, &place, &users[*count]))
		++*count;
	return users;
}

/* ---- sealers ---- */

static struct sealer *create_sealer(struct seal *seal)
{
	const struct store_secret *secret = key_file_store(seal->file);
	struct sealer *sealer = xcalloc(1, sizeof(*sealer));
	sealer->seal = seal;
	sealer->seals = cipher_create(CIPHER_SEAL);
	sealer->opens = cipher_create(CIPHER_OPEN);
	sealer->masks = cipher_create(CIPHER_MASK);
	sealer->unmasks = cipher_create(CIPHER_UNMASK);
	sealer->hides = cipher_create(CIPHER_MASK);
	sealer->shows = cipher_create(CIPHER_UNMASK);
	cipher_set_key(sealer->hides, secret->users);
	cipher_set_key(sealer->shows, secret->users);
	return sealer;
}

struct sealer *seal_take(struct seal *seal)
{
	pthread_mutex_lock(&seal->lock);
	struct sealer *sealer = seal->idle;
	if (sealer != NULL)
		seal->idle = sealer->next;
	pthread_mutex_unlock(&seal->lock);
	return sealer != NULL ? sealer : create_sealer(seal);
}

void seal_give_back(struct sealer *sealer)
{
	struct seal *seal = sealer->seal;
	room_return(&sealer->room, 0);
	pthread_mutex_lock(&seal->lock);
	if (sealer->erased != atomic_load(&seal->erased))
		forget_user(sealer);
	sealer->next = seal->idle;
	seal->idle = sealer;
	pthread_mutex_unlock(&seal->lock);
}

/* ---- users ---- */

static const struct user_key nobody;

struct user_key sealer_hide(struct sealer *sealer, struct user_key user)
{
	if (sealer->has_shown && user_equal(user, sealer->shown))
		return sealer->hidden;
	if (user_equal(user, nobody))
		return nobody;
	sealer->shown = sealer->hidden = user;
	cipher_blocks(sealer->hides, sealer->hidden.bytes, 1);
	sealer->has_shown = true;
	return sealer->hidden;
}

struct user_key sealer_show(struct sealer *sealer, struct user_key hidden)
{
	if (sealer->has_shown && user_equal(hidden, sealer->hidden))
		return sealer->shown;
	if (user_equal(hidden, nobody))
		return nobody;
	sealer->shown = sealer->hidden = hidden;
	cipher_blocks(sealer->shows, sealer->shown.bytes, 1);
	sealer->has_shown = true;
	return sealer->shown;
}

static bool is_begun(const struct sealer *sealer, struct user_key hidden)
{
	return sealer->has_user && user_equal(sealer->user, hidden);
}

static bool add_user(struct sealer *sealer, struct user_key hidden)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return key_file_add(sealer->seal->file, hidden, now.tv_sec, &sealer->secret);
}

/* Other keys would not open what a user has whose keys are lost, nor would an older one's. */
static bool read_user(struct sealer *sealer, struct user_key hidden, bool creates)
{
	struct seal *seal = sealer->seal;
	if (find_lost(seal, hidden, false)) {
		errno = ENOKEY;
		return false;
	}
	return creates && !key_file_has(seal->file, hidden)
		       ? add_user(sealer, hidden)
		       : key_file_read(seal->file, hidden, &sealer->secret);
}

static bool begin(struct sealer *sealer, struct user_key hidden, bool creates)
{
	if (is_begun(sealer, hidden))
		return true;
	sealer->keyed = 0;
	sealer->user = hidden;
	/* First, so that an erasure from now on is noticed when it is given back. */
	sealer->erased = atomic_load(&sealer->seal->erased);
	sealer->has_user = read_user(sealer, hidden, creates);
	return sealer->has_user;
}

bool sealer_begin(struct sealer *sealer, struct user_key hidden)
{
	return begin(sealer, hidden, false);
}

bool sealer_begin_new(struct sealer *sealer, struct user_key hidden)
{
	return begin(sealer, hidden, true);
}

/* ---- values ---- */

/* In the order of forget_user(). */
enum keyed { KEYED_SEALS = 1, KEYED_OPENS = 2, KEYED_MASKS = 4, KEYED_UNMASKS = 8 };

/* A cipher gets the user's key when it is first needed. */
static struct cipher *keyed(struct sealer *sealer, struct cipher *cipher, enum keyed which)
{
	const bool masks = which >= KEYED_MASKS;
	if ((sealer->keyed & which) == 0)
		cipher_set_key(cipher, masks ? sealer->secret.mask : sealer->secret.data);
	sealer->keyed |= which;
	return cipher;
}

static void draw(struct sealer *sealer, char *out)
{
	if (sealer->random_left < SEAL_NONCE) {
		cipher_random(sealer->random, sizeof(sealer->random));
		sealer->random_left = sizeof(sealer->random);
	}
	sealer->random_left -= SEAL_NONCE;
	memcpy(out, sealer->random + sealer->random_left, SEAL_NONCE);
}

/* The last bytes of what is bound are those in which a user's records differ most. */
static void make_nonce(unsigned char nonce[CIPHER_NONCE], const char *drawn, struct slice bound)
{
	const size_t rest = CIPHER_NONCE - SEAL_NONCE;
	memcpy(nonce, drawn, SEAL_NONCE);
	memset(nonce + SEAL_NONCE, 0, rest);
	if (bound.size >= rest)
		memcpy(nonce + SEAL_NONCE, bound.data + bound.size - rest, rest);
	if (bound.size > 0)
		nonce[SEAL_NONCE] ^= (unsigned char)bound.data[0];
}

/* The place is sealed behind the text: as GCM's additional data, it would cost another call for
 * each record. */
static const struct slice nothing = {"", 0};

void sealer_seal(struct sealer *sealer, struct slice bound, struct slice plain, char *sealed)
{
	unsigned char nonce[CIPHER_NONCE];
	const struct slice both = {sealed + SEAL_NONCE, plain.size + bound.size};
	draw(sealer, sealed);
	make_nonce(nonce, sealed, bound);
	if (plain.size > 0)
		memcpy(sealed + SEAL_NONCE, plain.data, plain.size);
	if (bound.size > 0)
		memcpy(sealed + SEAL_NONCE + plain.size, bound.data, bound.size);
	cipher_seal(keyed(sealer, sealer->seals, KEYED_SEALS), nonce, nothing, both,
		    (unsigned char *)sealed + SEAL_NONCE);
}

bool sealer_open(struct sealer *sealer, struct slice bound, struct slice sealed, char *plain)
{
	unsigned char nonce[CIPHER_NONCE];
	if (sealed.size < SEAL_OVERHEAD + bound.size)
		return false;
	make_nonce(nonce, sealed.data, bound);
	const size_t at = sealed.size - SEAL_OVERHEAD - bound.size;
	return cipher_open(keyed(sealer, sealer->opens, KEYED_OPENS), nonce, nothing,
			   slice_part(sealed, SEAL_NONCE, sealed.size), (unsigned char *)plain) &&
	       slice_equal((struct slice){plain + at, bound.size}, bound);
}

/* ---- masks ---- */

void sealer_mask(struct sealer *sealer, unsigned char *bytes)
{
	cipher_blocks(keyed(sealer, sealer->masks, KEYED_MASKS), bytes, 1);
}

void sealer_unmask(struct sealer *sealer, unsigned char *bytes)
{
	cipher_blocks(keyed(sealer, sealer->unmasks, KEYED_UNMASKS), bytes, 1);
}

/* A block's first byte names its purpose, so that two uses never share a block. */
enum purpose { PURPOSE_HASH = 0xff, PURPOSE_ROUND = 0xf0, ROUNDS = 4 };

void sealer_hash(struct sealer *sealer, uint64_t *hashes, size_t count)
{
	unsigned char blocks[SEAL_HASHES][CIPHER_BLOCK] = {{0}};
	struct cipher *masks = keyed(sealer, sealer->masks, KEYED_MASKS);
	assert(count <= SEAL_HASHES);
	for (size_t i = 0; i < count; i++) {
		blocks[i][0] = PURPOSE_HASH;
		memcpy(blocks[i] + sizeof(*hashes), &hashes[i], sizeof(*hashes));
	}
	cipher_blocks(masks, blocks[0], count);
	for (size_t i = 0; i < count; i++)
		memcpy(&hashes[i], blocks[i], sizeof(*hashes));
}

static uint32_t round_of(struct sealer *sealer, unsigned number, uint32_t half)
{
	unsigned char block[CIPHER_BLOCK] = {(unsigned char)(PURPOSE_ROUND | number)};
	memcpy(block + sizeof(half), &half, sizeof(half));
	sealer_mask(sealer, block);
	memcpy(&half, block, sizeof(half));
	return half;
}

/* A Feistel network over the halves of a number, as Luby and Rackoff have it: with four rounds of a
 * pseudorandom function it is a pseudorandom permutation. */
uint64_t sealer_mask_number(struct sealer *sealer, uint64_t number)
{
	uint32_t left = (uint32_t)(number >> 32);
	uint32_t right = (uint32_t)number;
	for (unsigned i = 0; i < ROUNDS; i++) {
		const uint32_t next = left ^ round_of(sealer, i, right);
		left = right;
		right = next;
	}
	return (uint64_t)left << 32 | right;
}

uint64_t sealer_unmask_number(struct sealer *sealer, uint64_t masked)
{
	uint32_t left = (uint32_t)(masked >> 32);
	uint32_t right = (uint32_t)masked;
	for (unsigned i = ROUNDS; i-- > 0;) {
		const uint32_t before = right ^ round_of(sealer, i, left);
		right = left;
		left = before;
	}
	return (uint64_t)left << 32 | right;
}

/* ---- opening ---- */

enum { LONGEST_EXPORT = 3600 /* s; that of a million users takes about one */ };

/* errno is that of opening the file. Always returns false. */
static bool explain(const char *folder, enum key_file_fault fault, struct complaint complaint)
{
	switch (fault) {
	case KEY_FILE_MISSING:
		return complain(complaint,
				"the store in %s is encrypted, but its file \"" KEY_FILE
				"\" is missing; put it back from a copy: without it nothing can be "
				"read",
				folder);
	case KEY_FILE_NOT_OURS:
		return complain(complaint,
				"the store in %s has a file \"" KEY_FILE
				"\" that is damaged or not recalld's; put it back from a copy",
				folder);
	case KEY_FILE_OTHER_KEY:
		return complain(complaint,
				"the store in %s was encrypted with another key; set [storage] "
				"key_file or key_command to that one",
				folder);
	default:
		return complain(complaint,
				"cannot read or write the file \"" KEY_FILE "\" in %s: %s", folder,
				strerror(errno));
	}
}

/* A process that ended while it made the store may have left a file of keys, which serves. */
static struct key_file *open_file(const char *folder, const unsigned char *master,
				  enum seal_state state, bool writes, enum key_file_fault *fault)
{
	struct key_file *file = key_file_open(folder, master, writes, fault);
	if (file != NULL || *fault != KEY_FILE_MISSING || state != SEAL_NEW || !writes)
		return file;
	*fault = key_file_create(folder, master);
	return *fault == KEY_FILE_FINE ? key_file_open(folder, master, true, fault) : NULL;
}

bool seal_open(const char *folder, const unsigned char *master, enum seal_state state, uint64_t id,
	       bool writes, struct seal **seal, struct complaint complaint)
{
	enum key_file_fault fault;
	*seal = NULL;
	if (master == NULL && state == SEAL_WHOLE)
		return complain(complaint,
				"the store in %s is encrypted; set [storage] encrypt = on, and "
				"key_file or key_command to its key",
				folder);
	if (master == NULL || (state == SEAL_NONE && !writes))
		return true;
	if (state == SEAL_NONE)
		return complain(complaint, "the store in %s is not encrypted", folder);
	errno = 0;
	struct key_file *file = open_file(folder, master, state, writes, &fault);
	if (file == NULL)
		return explain(folder, fault, complaint);
	*seal = seal_create(file, folder);
	if (state == SEAL_NEW || seal_id(*seal) == id)
		return true;
	seal_destroy(*seal);
	*seal = NULL;
	return complain(complaint,
			"the store in %s has the file \"" KEY_FILE
			"\" of another store; put its own back from a copy",
			folder);
}

bool seal_rewrap(const char *folder, const unsigned char *from, const unsigned char *to,
		 size_t *users, struct complaint complaint)
{
	enum key_file_fault fault;
	return key_file_rewrap(folder, from, to, users, &fault) ||
	       explain(folder, fault, complaint);
}

bool seal_export(const char *folder, const unsigned char *from, const unsigned char *to, int out,
		 size_t *users, struct complaint complaint)
{
	enum key_file_fault fault;
	struct key_file *file = key_file_open(folder, from, false, &fault);
	if (file == NULL)
		return explain(folder, fault, complaint);
	*users = key_file_count(file);
	/* First, see exported_note(); and later than any user who still comes into the export. */
	bool noted = exported_note(folder, time(NULL) + LONGEST_EXPORT);
	bool done = noted && key_file_export(file, to, out);
	if (done)
		(void)exported_note(folder, time(NULL));
	else
		(void)complain(complaint, "cannot write %s: %s",
			       noted ? "the keys" : EXPORTED_FILE " in the store's directory",
			       strerror(errno));
	key_file_close(file);
	return done;
}

struct seal *seal_open_exported(const char *path, const unsigned char *key,
				struct complaint complaint)
{
	static const char *const faults[] = {
		[KEY_FILE_MISSING] = "it does not exist",
		[KEY_FILE_NOT_OURS] = "it is damaged, or not a file of \"recallctl export-keys\"",
		[KEY_FILE_OTHER_KEY] = "it was wrapped with another key",
	};
	enum key_file_fault fault;
	errno = 0;
	struct key_file *file = key_file_open_path(path, key, &fault);
	if (file != NULL)
		return seal_create(file, NULL);
	(void)complain(complaint, "cannot read the keys in %s: %s", path,
		       fault == KEY_FILE_UNREADABLE ? strerror(errno) : faults[fault]);
	return NULL;
}

struct key_file *seal_list(const char *folder, struct complaint complaint)
{
	enum key_file_fault fault;
	char *path = file_path(folder, KEY_FILE);
	errno = 0;
	struct key_file *file = key_file_open_path(path, NULL, &fault);
	if (file == NULL)
		(void)explain(folder, fault, complaint);
	free(path);
	return file;
}
