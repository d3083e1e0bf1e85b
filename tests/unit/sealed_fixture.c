#include "tests/unit/sealed_fixture.h"

#include "tests/unit/store_oracle.h"
#include "tests/unit/store_picture.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const unsigned char sealed_wrong_key[STORE_KEY_SIZE] = "another key";

void sealed_begin(struct fixture *fixture)
{
	(void)setenv("ENCRYPTED", "1", 1);
	fixture_init(fixture, MAP);
}

void sealed_begin_clear(struct fixture *fixture)
{
	(void)unsetenv("ENCRYPTED");
	fixture_init(fixture, MAP);
}

void sealed_say(struct fixture *fixture, const char *user, const char *said, uint64_t receipt)
{
	static int64_t now = 1000;
	struct append append = fixture_exchange(said, "Bergamot is noted", now += 10);
	append.user = slice_of(user);
	append.session = SLICE("session-of-bergamot");
	append.receipt.id = receipt;
	append.receipt.text = SLICE("{\"block\":\"Bergamot\"}");
	ck_assert_int_eq(fixture_append(fixture, &append), STORE_OK);
}

void sealed_fill(struct fixture *fixture)
{
	static const struct change learned = {.kind = CHANGE_ADD,
					      .fact = {.entity = SLICE("user"),
						       .kind = SLICE("user"),
						       .key = SLICE("city"),
						       .value = SLICE("Bergamot"),
						       .quote = SLICE("Bergamot"),
						       .confidence = 0.9,
						       .exchange = 1}};
	struct job_input input;
	sealed_say(fixture, "alex", "I was born in Bergamot", 5);
	sealed_say(fixture, "alex", "my dog is called Quillon", 6);
	sealed_say(fixture, "ben", "Bergamot is my town too", 7);
	ck_assert_int_eq(fixture_input(fixture, JOB_FACTS, 1, &input), STORE_OK);
	ck_assert_int_eq(fixture_learned(fixture, 1, &learned, 1, false), STORE_OK);
	ck_assert_int_eq(fixture_input(fixture, JOB_SUMMARY, 0, &input), STORE_OK);
	ck_assert_int_eq(fixture_summarized(fixture, "Bergamot, then Quillon", 2, 0), STORE_OK);
}

void sealed_fill_postings(struct fixture *fixture)
{
	for (uint64_t i = 0; i < 80; i++)
		sealed_say(fixture, "alex", "nothing of any interest at all", 100 + i);
}

void sealed_put_settings(struct fixture *fixture, const struct user_settings *settings)
{
	struct fixture_wait wait = {0};
	(void)store_put_settings(fixture->store, fixture_key("alex"), settings,
				 (struct store_waiter){&fixture->loop.loop, fixture_done, &wait});
	ck_assert_int_eq(fixture_await(&fixture->loop, &wait), STORE_OK);
}

void sealed_path(const struct fixture *fixture, const char *name, char path[128])
{
	(void)snprintf(path, 128, "%s/%s", fixture->path, name);
}

char *sealed_read_file(const struct fixture *fixture, const char *name, size_t *size)
{
	char path[128];
	struct stat status;
	sealed_path(fixture, name, path);
	int file = open(path, O_RDONLY);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(fstat(file, &status), 0);
	*size = (size_t)status.st_size;
	char *bytes = xmalloc(*size);
	ck_assert_int_eq(read(file, bytes, *size), (ssize_t)*size);
	(void)close(file);
	return bytes;
}

void sealed_write_file(const struct fixture *fixture, const char *name, const char *bytes,
		       size_t size)
{
	char path[128];
	sealed_path(fixture, name, path);
	int file = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, bytes, size), (ssize_t)size);
	(void)close(file);
}

bool sealed_file_has(const struct fixture *fixture, const char *name, const void *bytes,
		     size_t size)
{
	size_t file_size;
	char *file = sealed_read_file(fixture, name, &file_size);
	bool has = memmem(file, file_size, bytes, size) != NULL;
	free(file);
	return has;
}

bool sealed_shows_anything(const struct fixture *fixture)
{
	unsigned char session[SHA256_DIGEST_LENGTH];
	const char id[] = "session-of-bergamot";
	const uint64_t turn = fixture_hash("I was born in Bergamot");
	const uint64_t answer = fixture_hash("Bergamot is noted");
	const struct user_key user = fixture_key("alex");
	(void)SHA256((const unsigned char *)id, strlen(id), session);
	const struct {
		const void *bytes;
		size_t size;
	} signs[] = {{"ergamot", 7},        {"uillon", 6}, {id, 10},    {"alex", 4},
		     {&turn, sizeof(turn)}, {session, 16}, {&user, 16}, {&answer, sizeof(answer)}};
	const uint64_t big_endian = __builtin_bswap64(answer);
	bool shows = sealed_file_has(fixture, "data.mdb", &big_endian, sizeof(big_endian));
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		shows = shows ||
			sealed_file_has(fixture, "data.mdb", signs[i].bytes, signs[i].size) ||
			sealed_file_has(fixture, "keys", signs[i].bytes, signs[i].size);
	}
	return shows;
}

size_t sealed_count_keys(const struct fixture *fixture)
{
	size_t size;
	size_t users = 0;
	char *bytes = sealed_read_file(fixture, "keys", &size);
	for (size_t at = 128; at + 128 <= size; at += 128)
		users += bytes[at] == 1;
	free(bytes);
	return users;
}

struct store *sealed_open(const struct fixture *fixture, const unsigned char *master,
			  char error[512])
{
	const struct store_options options = {
		.path = fixture->path, .map_size = MAP, .receipts = 100, .master = master};
	return store_open(&options, error, 512);
}

struct recall_result sealed_recall(struct fixture *fixture, const char *text)
{
	struct recall_question question = fixture_question(fixture, text);
	const struct recall recall = {.user = fixture_key("alex"),
				      .question = &question,
				      .carried_from = UINT32_MAX,
				      .text_limit = 1000};
	return fixture_recall(fixture, &recall);
}

struct buffer sealed_picture(struct fixture *fixture)
{
	struct buffer picture;
	buffer_init(&picture, SEALED_TEXT_LIMIT);
	ck_assert_int_eq(store_picture(fixture->store, &picture), STORE_OK);
	store_picture_counts(fixture->store, &picture);
	return picture;
}

static int compare_lines(const void *left, const void *right)
{
	const struct slice *a = left;
	const struct slice *b = right;
	int order = memcmp(a->data, b->data, a->size < b->size ? a->size : b->size);
	return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

/* Users come in the order of their hidden keys, which other keys change. */
static struct buffer sorted_lines(struct buffer *picture)
{
	enum { MOST = 10000 };
	static struct slice lines[MOST];
	struct buffer sorted;
	size_t count = 0;
	size_t begin = 0;
	for (size_t at = 0; at < picture->size; at++) {
		if (picture->data[at] != '\n')
			continue;
		ck_assert_uint_lt(count, MOST);
		lines[count++] = (struct slice){picture->data + begin, at + 1 - begin};
		begin = at + 1;
	}
	qsort(lines, count, sizeof(lines[0]), compare_lines);
	buffer_init(&sorted, SEALED_TEXT_LIMIT);
	for (size_t i = 0; i < count; i++)
		(void)buffer_append(&sorted, lines[i]);
	buffer_finish(picture);
	return sorted;
}

void sealed_assert_picture(struct fixture *fixture, struct buffer *before)
{
	struct buffer after = sealed_picture(fixture);
	struct buffer was = sorted_lines(before);
	struct buffer is = sorted_lines(&after);
	ck_assert_uint_gt(was.size, 0);
	ck_assert(slice_equal(buffer_slice(&was), buffer_slice(&is)));
	buffer_finish(&was);
	buffer_finish(&is);
}
