#include "storage/files/erasures.h"

#include "core/base/digest_table.h"
#include "core/facts/facts.h"
#include "storage/files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file: a head, then entries; an entry that a crash cut off is overwritten. */
enum {
	NUMBER_SIZE = 8,
	MAGIC_SIZE = 8,
	KEY_SIZE = 32,
	HEAD_SIZE =
		MAGIC_SIZE + KEY_SIZE + NUMBER_SIZE, /* the last: how many entries were dropped */
	ENTRY_SIZE = DIGEST_SIZE + NUMBER_SIZE,
	LIMIT = 512 << 20, /* of the file */
};

static const char magic[MAGIC_SIZE] = {'r', 'c', 'e', 'r', 'a', 's', 'e', '1'};

struct erasures {
	pthread_mutex_t lock;
	char *path;
	unsigned char key[KEY_SIZE];
	bool has_head;   /* the file exists and is ours */
	bool is_useless; /* it cannot be read, so nothing is written to it */
	uint64_t dropped;
	struct digest_table table; /* when each was erased */
	size_t added;              /* entries on the disk and waiting, equal ones counted each */
	struct buffer waiting;
	off_t end; /* of the file's last whole entry */
};

/* The latest erasure counts. */
static void remember(struct erasures *erasures, const unsigned char *digest, int64_t at)
{
	erasures->added++;
	if (at > digest_table_find(&erasures->table, digest))
		digest_table_put(&erasures->table, digest, at);
}

/* ---- the file ---- */

static bool write_head(struct erasures *erasures, int file)
{
	unsigned char head[HEAD_SIZE];
	memcpy(head, magic, MAGIC_SIZE);
	memcpy(head + MAGIC_SIZE, erasures->key, KEY_SIZE);
	number_put(head + MAGIC_SIZE + KEY_SIZE, erasures->dropped, NUMBER_SIZE);
	return file_write_at(file, head, sizeof(head), 0);
}

static void read_entries(struct erasures *erasures, const unsigned char *bytes, size_t size,
			 int64_t since)
{
	for (size_t i = 0; i + ENTRY_SIZE <= size; i += ENTRY_SIZE) {
		int64_t at = (int64_t)number_read(bytes + i + DIGEST_SIZE, NUMBER_SIZE);
		if (at >= since)
			remember(erasures, bytes + i, at);
		else
			erasures->dropped++;
	}
}

static bool read_file(struct erasures *erasures, int file, int64_t since)
{
	struct stat status;
	if (fstat(file, &status) != 0 || status.st_size < HEAD_SIZE || status.st_size > LIMIT)
		return false;
	size_t size = (size_t)status.st_size;
	unsigned char *bytes = xmalloc(size);
	bool is_ours = pread(file, bytes, size, 0) == (ssize_t)size &&
		       memcmp(bytes, magic, MAGIC_SIZE) == 0;
	if (is_ours) {
		memcpy(erasures->key, bytes + MAGIC_SIZE, KEY_SIZE);
		erasures->dropped = number_read(bytes + MAGIC_SIZE + KEY_SIZE, NUMBER_SIZE);
		erasures->end = (off_t)(size - (size - HEAD_SIZE) % ENTRY_SIZE);
		read_entries(erasures, bytes + HEAD_SIZE, size - HEAD_SIZE, since);
	}
	free(bytes);
	return is_ours;
}

static bool write_entries(void *cookie, int file)
{
	struct erasures *erasures = cookie;
	const struct digest_entry *entry;
	bool written = write_head(erasures, file);
	erasures->end = HEAD_SIZE;
	for (size_t place = 0;
	     written && (entry = digest_table_next(&erasures->table, &place)) != NULL;) {
		unsigned char bytes[ENTRY_SIZE];
		memcpy(bytes, entry->digest, DIGEST_SIZE);
		number_put(bytes + DIGEST_SIZE, (uint64_t)entry->value, NUMBER_SIZE);
		written = file_write_at(file, bytes, sizeof(bytes), erasures->end);
		erasures->end += ENTRY_SIZE;
	}
	return written;
}

/* Dropped entries leave the disk. */
static void write_anew(struct erasures *erasures)
{
	const off_t end = erasures->end;
	const uint64_t dropped = erasures->dropped;
	erasures->dropped += erasures->added - erasures->table.count; /* equal ones become one */
	if (file_replace(erasures->path, 0600, write_entries, erasures)) {
		erasures->added = erasures->table.count;
		return;
	}
	erasures->end = end;
	erasures->dropped = dropped;
}

struct erasures *erasures_open(const char *folder, int64_t since)
{
	struct erasures *erasures = xcalloc(1, sizeof(*erasures));
	pthread_mutex_init(&erasures->lock, NULL);
	buffer_init(&erasures->waiting, LIMIT);
	erasures->path = file_path(folder, ERASURES_FILE);
	erasures->end = HEAD_SIZE;
	digest_table_init(&erasures->table);
	int file = open(erasures->path, O_RDONLY | O_CLOEXEC);
	if (file < 0) {
		erasures->is_useless =
			errno != ENOENT || getrandom(erasures->key, KEY_SIZE, 0) != KEY_SIZE;
		return erasures;
	}
	uint64_t dropped_before = 0;
	unsigned char number[NUMBER_SIZE];
	if (pread(file, number, sizeof(number), MAGIC_SIZE + KEY_SIZE) == sizeof(number))
		dropped_before = number_read(number, NUMBER_SIZE);
	erasures->has_head = read_file(erasures, file, since);
	erasures->is_useless = !erasures->has_head;
	(void)close(file);
	if (erasures->has_head && erasures->dropped > dropped_before)
		write_anew(erasures);
	return erasures;
}

void erasures_close(struct erasures *erasures)
{
	if (erasures == NULL)
		return;
	pthread_mutex_destroy(&erasures->lock);
	buffer_finish(&erasures->waiting);
	digest_table_finish(&erasures->table);
	free(erasures->path);
	free(erasures);
}

/* ---- entries ---- */

/* A fact is there as it was spelled, too: names of keys that mean the same may change with a
 * version.
 */
enum kind { KIND_USER, KIND_TURN, KIND_SPELLED_FACT, KIND_FACT };

static void add_text(struct buffer *out, struct slice text)
{
	buffer_append(out, text);
	buffer_append_byte(out, '\0');
}

/* A fact in whatever spelling and under whatever synonym of its key. */
static void add_fact(struct buffer *out, const struct fact *fact)
{
	struct arena scratch = {0};
	add_text(out, fact_fold(fact->entity, &scratch));
	add_text(out, fact_key(fact->key, &scratch));
	add_text(out, fact_fold(fact->value, &scratch));
	arena_finish(&scratch);
}

static void digest(const struct erasures *erasures, enum kind kind, struct user_key user,
		   uint64_t hash, const struct fact *fact, unsigned char out[EVP_MAX_MD_SIZE])
{
	struct buffer bytes;
	unsigned char number[NUMBER_SIZE];
	unsigned size = 0;
	buffer_init(&bytes, SIZE_MAX);
	buffer_append_byte(&bytes, (char)kind);
	buffer_append(&bytes, (struct slice){(const char *)user.bytes, sizeof(user.bytes)});
	number_put(number, hash, NUMBER_SIZE);
	buffer_append(&bytes, (struct slice){(const char *)number, sizeof(number)});
	if (fact != NULL && kind == KIND_FACT) {
		add_fact(&bytes, fact);
	} else if (fact != NULL) {
		add_text(&bytes, fact->entity);
		add_text(&bytes, fact->key);
		add_text(&bytes, fact->value);
	}
	struct slice text = buffer_slice(&bytes);
	if (HMAC(EVP_sha256(), erasures->key, KEY_SIZE, (const unsigned char *)text.data, text.size,
		 out, &size) == NULL)
		out_of_memory(); /* nothing else can fail here */
	buffer_finish(&bytes);
}

static void add(struct erasures *erasures, enum kind kind, struct user_key user, uint64_t hash,
		const struct fact *fact, int64_t at)
{
	unsigned char entry[EVP_MAX_MD_SIZE];
	pthread_mutex_lock(&erasures->lock);
	digest(erasures, kind, user, hash, fact, entry);
	remember(erasures, entry, at);
	number_put(entry + DIGEST_SIZE, (uint64_t)at, NUMBER_SIZE);
	(void)buffer_append(&erasures->waiting, (struct slice){(const char *)entry, ENTRY_SIZE});
	pthread_mutex_unlock(&erasures->lock);
}

void erasures_add_user(struct erasures *erasures, struct user_key user, int64_t at)
{
	add(erasures, KIND_USER, user, 0, NULL, at);
}

void erasures_add_turn(struct erasures *erasures, struct user_key user, uint64_t hash, int64_t at)
{
	if (hash != 0)
		add(erasures, KIND_TURN, user, hash, NULL, at);
}

void erasures_add_fact(struct erasures *erasures, struct user_key user, const struct fact *fact,
		       int64_t at)
{
	add(erasures, KIND_FACT, user, 0, fact, at);
	add(erasures, KIND_SPELLED_FACT, user, 0, fact, at);
}

static bool sync_waiting(struct erasures *erasures)
{
	struct slice waiting = buffer_slice(&erasures->waiting);
	if (waiting.size == 0)
		return true;
	if (erasures->is_useless || erasures->waiting.overflowed)
		return false;
	int file = open(erasures->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0)
		return false;
	bool written = (erasures->has_head || write_head(erasures, file)) &&
		       file_write_at(file, waiting.data, waiting.size, erasures->end) &&
		       fdatasync(file) == 0;
	(void)close(file);
	if (!written)
		return false;
	erasures->has_head = true;
	erasures->end += (off_t)waiting.size;
	buffer_clear(&erasures->waiting);
	return true;
}

bool erasures_sync(struct erasures *erasures)
{
	pthread_mutex_lock(&erasures->lock);
	bool written = sync_waiting(erasures);
	pthread_mutex_unlock(&erasures->lock);
	return written;
}

/* When it was erased; DIGEST_NONE: it was not. */
static int64_t erased_at(const struct erasures *erasures, enum kind kind, struct user_key user,
			 uint64_t hash, const struct fact *fact)
{
	unsigned char entry[EVP_MAX_MD_SIZE];
	if (erasures->table.count == 0)
		return DIGEST_NONE;
	digest(erasures, kind, user, hash, fact, entry);
	return digest_table_find(&erasures->table, entry);
}

static int64_t held_at(struct erasures *erasures, enum kind kind, struct user_key user,
		       uint64_t hash, const struct fact *fact, int64_t said_at)
{
	pthread_mutex_lock(&erasures->lock);
	int64_t at = erased_at(erasures, KIND_USER, user, 0, NULL);
	if ((at == DIGEST_NONE || said_at > at) && (hash != 0 || fact != NULL))
		at = erased_at(erasures, kind, user, hash, fact);
	if ((at == DIGEST_NONE || said_at > at) && fact != NULL)
		at = erased_at(erasures, KIND_SPELLED_FACT, user, hash, fact);
	pthread_mutex_unlock(&erasures->lock);
	return at != DIGEST_NONE && said_at <= at ? at : INT64_MIN;
}

bool erasures_hold_user(struct erasures *erasures, struct user_key user, int64_t said_at)
{
	return held_at(erasures, KIND_USER, user, 0, NULL, said_at) != INT64_MIN;
}

int64_t erasures_turn_at(struct erasures *erasures, struct user_key user, uint64_t hash,
			 int64_t said_at)
{
	return held_at(erasures, KIND_TURN, user, hash, NULL, said_at);
}

bool erasures_hold_turn(struct erasures *erasures, struct user_key user, uint64_t hash,
			int64_t said_at)
{
	return erasures_turn_at(erasures, user, hash, said_at) != INT64_MIN;
}

int64_t erasures_fact_at(struct erasures *erasures, struct user_key user, const struct fact *fact)
{
	return held_at(erasures, KIND_FACT, user, 0, fact, fact->observed_at);
}

bool erasures_hold_fact(struct erasures *erasures, struct user_key user, const struct fact *fact)
{
	return erasures_fact_at(erasures, user, fact) != INT64_MIN;
}

uint64_t erasures_total(struct erasures *erasures)
{
	pthread_mutex_lock(&erasures->lock);
	uint64_t total = erasures->dropped + erasures->added;
	pthread_mutex_unlock(&erasures->lock);
	return total;
}
