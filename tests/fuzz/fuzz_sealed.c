/* Backups of an encrypted store, which anybody may have changed: a file of keys, a line of a sealed
 * export, and a record that is sealed, written as a line and opened again. The input's first byte
 * picks one of the three. */
#include "core/json/json.h"
#include "storage/dump/dump.h"
#include "storage/dump/form.h"
#include "storage/lmdb/table.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerInitialize(int *argument_count, char ***arguments);

enum { LINE_LIMIT = 1 << 24, USER = sizeof(struct user_key) };

static const unsigned char master[CIPHER_KEY] = "fuzz";
static const struct user_key owner = {{1, 2, 3}};
static struct sealer *sealer;

int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
	char folder[] = "/tmp/recalld-fuzz-XXXXXX";
	char path[64];
	enum key_file_fault fault;
	(void)argument_count;
	(void)arguments;
	FUZZ_ASSERT(mkdtemp(folder) != NULL);
	FUZZ_ASSERT(key_file_create(folder, master) == KEY_FILE_FINE);
	struct key_file *file = key_file_open(folder, master, true, &fault);
	FUZZ_ASSERT(file != NULL);
	sealer = seal_take(seal_create(file, NULL));
	FUZZ_ASSERT(sealer_begin_new(sealer, owner));
	(void)snprintf(path, sizeof(path), "%s/" KEY_FILE, folder);
	FUZZ_ASSERT(unlink(path) == 0 && rmdir(folder) == 0);
	return 0;
}

/* ---- a file of keys ---- */

static void check_file(int descriptor, const unsigned char *key, size_t size)
{
	char path[64];
	enum key_file_fault fault;
	struct user_secret secret;
	struct user_key user;
	size_t place = 0, users = 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
	struct key_file *file = key_file_open_path(path, key, &fault);
	FUZZ_ASSERT((file == NULL) == (fault != KEY_FILE_FINE));
	if (file == NULL)
		return;
	FUZZ_ASSERT((key_file_count(file) + key_file_damaged(file) + 1) * SLOT_SIZE <= size);
	for (; key_file_next(file, &place, &user); users++) {
		FUZZ_ASSERT(key_file_has(file, user));
		(void)key_file_read(file, user, &secret);
	}
	FUZZ_ASSERT(users == key_file_count(file));
	key_file_close(file);
}

/* The checks are mended: random bytes would hardly ever get past them. */
static void mend(unsigned char *bytes, size_t size)
{
	for (size_t at = 0; at + SLOT_SIZE <= size; at += SLOT_SIZE) {
		const uint32_t check = (uint32_t)crc32(0, bytes + at, SLOT_SIZE - 4);
		for (unsigned i = 0; i < 4; i++)
			bytes[at + SLOT_SIZE - 1 - i] = (unsigned char)(check >> 8 * i);
	}
}

static void check_keys(struct slice input)
{
	int file = memfd_create("keys", MFD_CLOEXEC);
	unsigned char *bytes = (unsigned char *)fuzz_copy(input);
	FUZZ_ASSERT(file >= 0 && write(file, bytes, input.size) == (ssize_t)input.size);
	check_file(file, master, input.size);
	mend(bytes, input.size);
	FUZZ_ASSERT(pwrite(file, bytes, input.size, 0) == (ssize_t)input.size);
	check_file(file, master, input.size);
	check_file(file, NULL, input.size);
	free(bytes);
	(void)close(file);
}

/* ---- a line ---- */

static enum dump_opened open_line(struct slice text, struct dump_line *line, struct arena *arena)
{
	json_t *object = json_loadb(text.data, text.size, JSON_ALLOW_NUL, NULL);
	if (object == NULL)
		return DUMP_NO_RECORD;
	const enum dump_opened opened = dump_open(object, sealer, line, arena);
	json_decref(object);
	return opened;
}

static void check_line(struct slice input)
{
	struct arena arena = {0};
	struct dump_line line;
	char *text = fuzz_copy(input);
	if (open_line((struct slice){text, input.size}, &line, &arena) == DUMP_OPENED)
		FUZZ_ASSERT(line.table != NULL && dump_seals(line.table));
	free(text);
	arena_finish(&arena);
}

/* ---- a record ---- */

/* The key in the table's tree: see table.c. */
static struct slice place_of(const struct dump_table *table, const struct key *key,
			     char place[KEY_MAX + 1])
{
	const bool shares = table->table >= FIRST_SHARED_TABLE;
	const size_t begin = shares ? USER : key->size;
	memcpy(place, key->bytes, begin);
	if (shares)
		place[begin] = (char)(table->table - FIRST_SHARED_TABLE);
	memcpy(place + begin + shares, key->bytes + begin, key->size - begin);
	return (struct slice){place, key->size + shares};
}

static void check_sealed(const struct dump_table *table, struct key key, struct slice value)
{
	struct arena arena = {0};
	struct dump_line line, taken;
	struct buffer text;
	char place[KEY_MAX + 1];
	const struct slice stored = {(const char *)key.bytes, key.size};
	struct key shown = key;
	form_show_key(sealer, table->table, &shown);
	const bool is_record =
		dump_take(table, (struct slice){(const char *)shown.bytes, shown.size}, value,
			  &taken, &arena);
	FUZZ_ASSERT(sealer_begin(sealer, owner));
	buffer_init(&text, LINE_LIMIT);
	FUZZ_ASSERT(dump_write_sealed(
		&text, table, stored,
		form_seal(sealer, table->table, place_of(table, &key, place), value)));
	const enum dump_opened opened = open_line(buffer_slice(&text), &line, &arena);
	FUZZ_ASSERT(opened == (is_record ? DUMP_OPENED : DUMP_UNREADABLE));
	FUZZ_ASSERT(!is_record || (line.table == table && user_equal(line.user, taken.user)));
	buffer_finish(&text);
	room_return(&sealer->room, 0);
	arena_finish(&arena);
}

/* Of the input the first byte picks the table; then come the key behind its user, and the value. */
static void check_record(struct slice input)
{
	const struct dump_table *table =
		&dump_tables[input.size == 0 ? 0 : (unsigned char)input.data[0] % DUMP_TABLES];
	struct key key = {.size = dump_key_size(table)};
	const size_t begin = dump_is_of_user(table) ? USER : 0;
	const size_t rest = key.size - begin;
	if (input.size < 1 + rest + 1 || !dump_is_of_user(table))
		return;
	memcpy(key.bytes, owner.bytes, begin);
	memcpy(key.bytes + begin, input.data + 1, rest);
	char *value = fuzz_copy(slice_part(input, 1 + rest, input.size));
	check_sealed(table, key, (struct slice){value, input.size - 1 - rest});
	free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice input = {(const char *)data, size};
	if (size == 0)
		return 0;
	const struct slice rest = slice_part(input, 1, size);
	if (data[0] % 3 == 0)
		check_keys(rest);
	else if (data[0] % 3 == 1)
		check_line(rest);
	else
		check_record(rest);
	return 0;
}
