#include "storage/record/key_file.h"

#include "core/base/digest_table.h"
#include "storage/files/files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

/* ---- the head and the slots ---- */

enum {
	READ_AT_ONCE = 512, /* slots */
	MAGIC_SIZE = 8,
	CHECK_AT = SLOT_SIZE - 4, /* in both: a CRC-32 of what comes before */

	SALT_SIZE = 32,
	SALT_AT = MAGIC_SIZE,
	HEAD_NONCE_AT = SALT_AT + SALT_SIZE,
	HEAD_WRAPPED_AT = HEAD_NONCE_AT + CIPHER_NONCE,
	HEAD_WRAPPED_SIZE = sizeof(struct store_secret) + CIPHER_TAG,
	HEAD_MADE_AT = HEAD_WRAPPED_AT + HEAD_WRAPPED_SIZE,
	HEAD_MADE_SIZE = 8,

	STATE_AT = 0,
	CREATED_AT = 1,
	USER_AT = 8,
	NONCE_AT = USER_AT + sizeof(struct user_key),
	WRAPPED_AT = NONCE_AT + CIPHER_NONCE,
	WRAPPED_SIZE = sizeof(struct user_secret) + CIPHER_TAG,
};

static_assert(HEAD_MADE_AT + HEAD_MADE_SIZE <= CHECK_AT, "the head fits");
static_assert(WRAPPED_AT + WRAPPED_SIZE <= CHECK_AT, "a slot fits");

enum slot_state { SLOT_DAMAGED, SLOT_USED, SLOT_ERASED };

static const char magic[MAGIC_SIZE] = {'r', 'c', 'k', 'e', 'y', 's', '0', '2'};

static struct slice slice_at(const unsigned char *bytes, size_t size)
{
	return (struct slice){(const char *)bytes, size};
}

static void put_check(unsigned char *bytes)
{
	number_put(bytes + CHECK_AT, crc32(0, bytes, CHECK_AT), SLOT_SIZE - CHECK_AT);
}

static bool is_whole(const unsigned char *bytes)
{
	return number_read(bytes + CHECK_AT, SLOT_SIZE - CHECK_AT) == crc32(0, bytes, CHECK_AT);
}

static void slot_write_head(struct cipher *wraps, const unsigned char salt[SALT_SIZE], int64_t made,
			    const struct store_secret *secret, unsigned char bytes[SLOT_SIZE])
{
	memset(bytes, 0, SLOT_SIZE);
	memcpy(bytes, magic, MAGIC_SIZE);
	memcpy(bytes + SALT_AT, salt, SALT_SIZE);
	cipher_random(bytes + HEAD_NONCE_AT, CIPHER_NONCE);
	cipher_seal(wraps, bytes + HEAD_NONCE_AT, slice_at(bytes, HEAD_NONCE_AT),
		    slice_at((const unsigned char *)secret, sizeof(*secret)),
		    bytes + HEAD_WRAPPED_AT);
	number_put(bytes + HEAD_MADE_AT, (uint64_t)made, HEAD_MADE_SIZE);
	put_check(bytes);
}

static const unsigned char *slot_read_salt(const unsigned char bytes[SLOT_SIZE])
{
	return memcmp(bytes, magic, MAGIC_SIZE) == 0 && is_whole(bytes) ? bytes + SALT_AT : NULL;
}

static int64_t slot_read_made(const unsigned char bytes[SLOT_SIZE])
{
	return (int64_t)number_read(bytes + HEAD_MADE_AT, HEAD_MADE_SIZE);
}

static bool slot_read_head(struct cipher *unwraps, const unsigned char bytes[SLOT_SIZE],
			   struct store_secret *secret)
{
	return cipher_open(unwraps, bytes + HEAD_NONCE_AT, slice_at(bytes, HEAD_NONCE_AT),
			   slice_at(bytes + HEAD_WRAPPED_AT, HEAD_WRAPPED_SIZE),
			   (unsigned char *)secret);
}

static void slot_write(struct cipher *wraps, struct user_key user, int64_t created,
		       const struct user_secret *secret, unsigned char bytes[SLOT_SIZE])
{
	memset(bytes, 0, SLOT_SIZE);
	bytes[STATE_AT] = SLOT_USED;
	number_put(bytes + CREATED_AT, (uint64_t)created, USER_AT - CREATED_AT);
	memcpy(bytes + USER_AT, user.bytes, sizeof(user.bytes));
	cipher_random(bytes + NONCE_AT, CIPHER_NONCE);
	cipher_seal(wraps, bytes + NONCE_AT, slice_at(bytes, NONCE_AT),
		    slice_at((const unsigned char *)secret, sizeof(*secret)), bytes + WRAPPED_AT);
	put_check(bytes);
}

static enum slot_state slot_look(const unsigned char bytes[SLOT_SIZE], struct user_key *user,
				 int64_t *created)
{
	if (!is_whole(bytes) || bytes[STATE_AT] > SLOT_ERASED)
		return SLOT_DAMAGED;
	memcpy(user->bytes, bytes + USER_AT, sizeof(user->bytes));
	*created = (int64_t)number_read(bytes + CREATED_AT, USER_AT - CREATED_AT);
	return (enum slot_state)bytes[STATE_AT];
}

static bool slot_read(struct cipher *unwraps, const unsigned char bytes[SLOT_SIZE],
		      struct user_secret *secret)
{
	return cipher_open(unwraps, bytes + NONCE_AT, slice_at(bytes, NONCE_AT),
			   slice_at(bytes + WRAPPED_AT, WRAPPED_SIZE), (unsigned char *)secret);
}

static void slot_write_erased(unsigned char bytes[SLOT_SIZE])
{
	cipher_random(bytes, SLOT_SIZE);
	bytes[STATE_AT] = SLOT_ERASED;
	put_check(bytes);
}

/* ---- the file ---- */

struct key_file {
	int file;
	int64_t made;
	struct store_secret store;
	pthread_mutex_t lock;      /* over the next two; never held while the disk is waited for */
	struct digest_table users; /* the slot of each, by its hidden key */
	struct cipher *unwraps;
	/* Only the thread that writes uses the rest. */
	struct cipher *wraps;
	uint32_t *unused; /* erased slots */
	size_t unused_count;
	size_t unused_capacity;
	uint32_t end; /* the last slot */
	size_t damaged;
	bool is_dirty; /* a new slot has not been synced */
};

/* ---- slots on the disk ---- */

static void keep_unused(struct key_file *file, uint32_t slot)
{
	file->unused = xgrow(file->unused, file->unused_count, &file->unused_capacity,
			     sizeof(*file->unused));
	file->unused[file->unused_count++] = slot;
}

static off_t offset_of(uint32_t slot)
{
	return (off_t)slot * SLOT_SIZE;
}

static bool read_at(int file, void *bytes, size_t size, off_t at)
{
	return pread(file, bytes, size, at) == (ssize_t)size;
}

static void note_slot(struct key_file *file, uint32_t slot, const unsigned char *bytes)
{
	struct user_key user;
	int64_t created;
	switch (slot_look(bytes, &user, &created)) {
	case SLOT_USED:
		digest_table_put(&file->users, user.bytes, slot);
		return;
	case SLOT_ERASED:
		keep_unused(file, slot);
		return;
	default:
		file->damaged++;
	}
}

/* A slot that a crash cut off at the file's end is not there: nothing was sealed with it. */
static bool read_slots(struct key_file *file)
{
	unsigned char bytes[READ_AT_ONCE * SLOT_SIZE];
	for (;;) {
		ssize_t size = pread(file->file, bytes, sizeof(bytes), offset_of(file->end + 1));
		if (size < SLOT_SIZE)
			return size >= 0;
		for (ssize_t i = 0; i < size / SLOT_SIZE; i++)
			note_slot(file, ++file->end, bytes + i * SLOT_SIZE);
	}
}

/* ---- opening ---- */

static struct key_file *create(int descriptor, const unsigned char master[CIPHER_KEY],
			       const unsigned char salt[SALT_SIZE])
{
	unsigned char key[CIPHER_KEY];
	struct key_file *file = xcalloc(1, sizeof(*file));
	file->file = descriptor;
	pthread_mutex_init(&file->lock, NULL);
	file->wraps = cipher_create(CIPHER_SEAL);
	file->unwraps = cipher_create(CIPHER_OPEN);
	cipher_derive(slice_at(master, CIPHER_KEY), slice_at(salt, SALT_SIZE),
		      SLICE("recalld: wrap"), key, CIPHER_KEY);
	cipher_set_key(file->wraps, key);
	cipher_set_key(file->unwraps, key);
	cipher_wipe(key, sizeof(key));
	digest_table_init(&file->users);
	return file;
}

static enum key_file_fault read_file(struct key_file **opened, int descriptor,
				     const unsigned char *master)
{
	static const unsigned char none[CIPHER_KEY];
	unsigned char head[SLOT_SIZE];
	if (!read_at(descriptor, head, sizeof(head), 0))
		return KEY_FILE_NOT_OURS;
	const unsigned char *salt = slot_read_salt(head);
	if (salt == NULL)
		return KEY_FILE_NOT_OURS;
	*opened = create(descriptor, master == NULL ? none : master, salt);
	if (master != NULL && !slot_read_head((*opened)->unwraps, head, &(*opened)->store))
		return KEY_FILE_OTHER_KEY;
	(*opened)->made = slot_read_made(head);
	return read_slots(*opened) ? KEY_FILE_FINE : KEY_FILE_UNREADABLE;
}

static struct key_file *open_path(const char *path, const unsigned char *master, int flags,
				  enum key_file_fault *fault)
{
	struct key_file *file = NULL;
	int descriptor = open(path, flags | O_CLOEXEC);
	if (descriptor < 0) {
		*fault = errno == ENOENT ? KEY_FILE_MISSING : KEY_FILE_UNREADABLE;
		return NULL;
	}
	*fault = read_file(&file, descriptor, master);
	if (*fault == KEY_FILE_FINE)
		return file;
	int error = errno;
	if (file == NULL)
		(void)close(descriptor);
	key_file_close(file);
	errno = error;
	return NULL;
}

struct key_file *key_file_open(const char *folder, const unsigned char master[CIPHER_KEY],
			       bool writes, enum key_file_fault *fault)
{
	char *path = file_path(folder, KEY_FILE);
	struct key_file *file = open_path(path, master, writes ? O_RDWR : O_RDONLY, fault);
	free(path);
	return file;
}

struct key_file *key_file_open_path(const char *path, const unsigned char *master,
				    enum key_file_fault *fault)
{
	return open_path(path, master, O_RDONLY, fault);
}

void key_file_close(struct key_file *file)
{
	if (file == NULL)
		return;
	(void)close(file->file);
	pthread_mutex_destroy(&file->lock);
	cipher_destroy(file->wraps);
	cipher_destroy(file->unwraps);
	cipher_wipe(&file->store, sizeof(file->store));
	digest_table_finish(&file->users);
	free(file->unused);
	free(file);
}

/* ---- users ---- */

int64_t key_file_made(const struct key_file *file)
{
	return file->made;
}

const struct store_secret *key_file_store(const struct key_file *file)
{
	return &file->store;
}

/* 0: the user has none. */
static uint32_t slot_of(const struct key_file *file, struct user_key user)
{
	int64_t slot = digest_table_find(&file->users, user.bytes);
	return slot == DIGEST_NONE ? 0 : (uint32_t)slot;
}

bool key_file_has(const struct key_file *file, struct user_key user)
{
	return slot_of(file, user) != 0;
}

/* A slot may be overwritten meanwhile: then it is somebody else's, or nobody's. */
static bool read_slot(struct key_file *file, struct user_key user, unsigned char bytes[SLOT_SIZE],
		      int64_t *created)
{
	struct user_key owner;
	pthread_mutex_lock(&file->lock);
	const uint32_t slot = slot_of(file, user);
	pthread_mutex_unlock(&file->lock);
	return slot != 0 && read_at(file->file, bytes, SLOT_SIZE, offset_of(slot)) &&
	       slot_look(bytes, &owner, created) == SLOT_USED && user_equal(owner, user);
}

bool key_file_read(struct key_file *file, struct user_key user, struct user_secret *secret)
{
	unsigned char bytes[SLOT_SIZE];
	int64_t created;
	if (!read_slot(file, user, bytes, &created))
		return false;
	pthread_mutex_lock(&file->lock);
	const bool is_read = slot_read(file->unwraps, bytes, secret);
	pthread_mutex_unlock(&file->lock);
	return is_read;
}

int64_t key_file_created(struct key_file *file, struct user_key user)
{
	unsigned char bytes[SLOT_SIZE];
	int64_t created;
	return read_slot(file, user, bytes, &created) ? created : INT64_MAX;
}

/* 0: the user has none any longer. */
static void place_user(struct key_file *file, struct user_key user, uint32_t slot)
{
	pthread_mutex_lock(&file->lock);
	if (slot == 0)
		digest_table_remove(&file->users, user.bytes);
	else
		digest_table_put(&file->users, user.bytes, slot);
	pthread_mutex_unlock(&file->lock);
}

bool key_file_add(struct key_file *file, struct user_key user, int64_t now,
		  struct user_secret *secret)
{
	unsigned char bytes[SLOT_SIZE];
	const bool reuses = file->unused_count > 0;
	const uint32_t slot = reuses ? file->unused[file->unused_count - 1] : file->end + 1;
	cipher_random((unsigned char *)secret, sizeof(*secret));
	slot_write(file->wraps, user, now, secret, bytes);
	if (!file_write_at(file->file, bytes, sizeof(bytes), offset_of(slot)))
		return false;
	file->is_dirty = true;
	file->unused_count -= reuses;
	file->end += !reuses;
	place_user(file, user, slot);
	return true;
}

bool key_file_sync(struct key_file *file)
{
	if (file->is_dirty && fdatasync(file->file) != 0)
		return false;
	file->is_dirty = false;
	return true;
}

bool key_file_erase(struct key_file *file, struct user_key user)
{
	unsigned char bytes[SLOT_SIZE];
	unsigned char check[SLOT_SIZE];
	const uint32_t slot = slot_of(file, user);
	if (slot == 0)
		return true;
	slot_write_erased(bytes);
	if (!file_write_at(file->file, bytes, sizeof(bytes), offset_of(slot)) ||
	    fdatasync(file->file) != 0 ||
	    !read_at(file->file, check, sizeof(check), offset_of(slot)) ||
	    memcmp(bytes, check, sizeof(bytes)) != 0)
		return false;
	place_user(file, user, 0);
	keep_unused(file, slot);
	return true;
}

size_t key_file_count(const struct key_file *file)
{
	return file->users.count;
}

bool key_file_next(const struct key_file *file, size_t *place, struct user_key *user)
{
	const struct digest_entry *entry = digest_table_next(&file->users, place);
	if (entry != NULL)
		memcpy(user->bytes, entry->digest, sizeof(user->bytes));
	return entry != NULL;
}

size_t key_file_damaged(const struct key_file *file)
{
	return file->damaged;
}

/* ---- new files ---- */

/* Writes a head and slots of the same users as `from` (NULL: none). */
static bool write_slots(const struct key_file *file, const struct key_file *from,
			const unsigned char *salt)
{
	unsigned char bytes[SLOT_SIZE];
	struct user_secret secret;
	slot_write_head(file->wraps, salt, time(NULL), &file->store, bytes);
	bool written = file_write_on(file->file, bytes, sizeof(bytes));
	for (uint32_t slot = 1; written && from != NULL && slot <= from->end; slot++) {
		struct user_key user;
		int64_t created;
		if (!read_at(from->file, bytes, sizeof(bytes), offset_of(slot)))
			return false;
		if (slot_look(bytes, &user, &created) != SLOT_USED ||
		    !slot_read(from->unwraps, bytes, &secret))
			continue;
		slot_write(file->wraps, user, created, &secret, bytes);
		written = file_write_on(file->file, bytes, sizeof(bytes));
	}
	cipher_wipe(&secret, sizeof(secret));
	return written;
}

/* A file to be written: which keys, wrapped with what. */
struct writing {
	const unsigned char *master;
	const struct key_file *from; /* NULL: there are no users yet */
};

static bool write_keys(void *cookie, int descriptor)
{
	const struct writing *writing = cookie;
	const struct key_file *from = writing->from;
	unsigned char salt[SALT_SIZE];
	int own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return false;
	cipher_random(salt, sizeof(salt));
	struct key_file *file = create(own, writing->master, salt);
	if (from != NULL)
		file->store = from->store;
	else
		cipher_random((unsigned char *)&file->store, sizeof(file->store));
	bool written = write_slots(file, from, salt);
	int error = errno;
	key_file_close(file);
	errno = error;
	return written;
}

bool key_file_export(const struct key_file *file, const unsigned char master[CIPHER_KEY], int out)
{
	struct writing writing = {master, file};
	return write_keys(&writing, out);
}

static bool make_file(const char *folder, const unsigned char master[CIPHER_KEY],
		      const struct key_file *from)
{
	struct writing writing = {master, from};
	char *path = file_path(folder, KEY_FILE);
	bool made = file_replace(path, 0600, write_keys, &writing);
	int error = errno;
	free(path);
	errno = error;
	return made;
}

enum key_file_fault key_file_create(const char *folder, const unsigned char master[CIPHER_KEY])
{
	return make_file(folder, master, NULL) ? KEY_FILE_FINE : KEY_FILE_UNREADABLE;
}

bool key_file_rewrap(const char *folder, const unsigned char from[CIPHER_KEY],
		     const unsigned char to[CIPHER_KEY], size_t *users, enum key_file_fault *fault)
{
	struct key_file *file = key_file_open(folder, from, false, fault);
	if (file == NULL)
		return false;
	*users = key_file_count(file);
	*fault = make_file(folder, to, file) ? KEY_FILE_FINE : KEY_FILE_UNREADABLE;
	int error = errno;
	key_file_close(file);
	errno = error;
	return *fault == KEY_FILE_FINE;
}

/* ---- the note of exports ---- */

enum { LINE_SIZE = 32 };

static bool write_note(void *cookie, int file)
{
	const int64_t *at = cookie;
	char line[LINE_SIZE];
	const int size = snprintf(line, sizeof(line), "%" PRId64 "\n", *at);
	return file_write_on(file, line, (size_t)size);
}

bool exported_note(const char *folder, int64_t at)
{
	char *path = file_path(folder, EXPORTED_FILE);
	/* Everybody who may enter the folder may read it: root may have written it. */
	bool noted = file_replace(path, 0644, write_note, &at);
	int error = errno;
	free(path);
	errno = error;
	return noted;
}

int64_t exported_last(const char *folder)
{
	char line[LINE_SIZE] = "";
	char *end = line;
	char *path = file_path(folder, EXPORTED_FILE);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	const bool is_missing = file < 0 && errno == ENOENT;
	free(path);
	if (is_missing)
		return 0;
	if (file >= 0 && read(file, line, sizeof(line) - 1) < 0)
		line[0] = '\0';
	if (file >= 0)
		(void)close(file);
	const long long at = strtoll(line, &end, 10);
	return end == line || *end != '\n' || at <= 0 ? time(NULL) : at;
}
