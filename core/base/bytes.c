#include "core/base/bytes.h"

#include <assert.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slice slice_of(const char *string)
{
	return (struct slice){string, string == NULL ? 0 : strlen(string)};
}

struct slice slice_part(struct slice whole, size_t begin, size_t end)
{
	/* C does not even allow adding 0 to NULL, the empty slice's data. */
	const char *data = whole.data == NULL ? NULL : whole.data + begin;
	return (struct slice){data, end - begin};
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool bytes_equal_nocase(const char *a, const char *b, size_t size)
{
	size_t at = 0;
	while (at < size && lower(a[at]) == lower(b[at]))
		at++;
	return at == size;
}

bool slice_ends_with(struct slice whole, struct slice suffix)
{
	if (suffix.size == 0 || whole.size < suffix.size)
		return suffix.size == 0;
	const char *end = whole.data + (whole.size - suffix.size);
	return memcmp(end, suffix.data, suffix.size) == 0;
}

/* In shorter texts, memmem() takes longer to prepare than to search. */
enum { SHORT_TEXT = 256 };

static const char *find_in_short(struct slice whole, struct slice part)
{
	assert(whole.data != NULL && part.data != NULL && part.size <= whole.size);
	const char *at = whole.data;
	const char *behind = whole.data + whole.size - part.size + 1;
	while ((at = memchr(at, part.data[0], (size_t)(behind - at))) != NULL) {
		if (memcmp(at, part.data, part.size) == 0)
			return at;
		at++;
	}
	return NULL;
}

size_t slice_find(struct slice whole, struct slice part, size_t from)
{
	if (from > whole.size || whole.size - from < part.size)
		return whole.size;
	if (part.size == 0)
		return from;
	const char *found =
		whole.size - from <= SHORT_TEXT
			? find_in_short(slice_part(whole, from, whole.size), part)
			: memmem(whole.data + from, whole.size - from, part.data, part.size);
	return found == NULL ? whole.size : (size_t)(found - whole.data);
}

bool slice_is_any_by(struct slice slice, const char *const *list,
		     bool (*test)(struct slice slice, struct slice one))
{
	while (*list != NULL && !test(slice, slice_of(*list)))
		list++;
	return *list != NULL;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct slice slice_trim(struct slice whole)
{
	while (whole.size > 0 && is_space(whole.data[0])) {
		whole.data++;
		whole.size--;
	}
	while (whole.size > 0 && is_space(whole.data[whole.size - 1]))
		whole.size--;
	return whole;
}

void out_of_memory(void)
{
	(void)fputs("recalld: out of memory\n", stderr);
	abort();
}

static void *or_die(void *memory)
{
	if (memory == NULL)
		out_of_memory();
	return memory;
}

void *xmalloc(size_t size)
{
	return or_die(malloc(size == 0 ? 1 : size));
}

void *xcalloc(size_t count, size_t size)
{
	return or_die(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size));
}

void *xrealloc(void *memory, size_t size)
{
	return or_die(realloc(memory, size == 0 ? 1 : size));
}

char *xstrdup(const char *string)
{
	return or_die(strdup(string));
}

void buffer_init(struct buffer *buffer, size_t limit)
{
	*buffer = (struct buffer){.limit = limit};
}

void buffer_finish(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){0};
}

void buffer_clear(struct buffer *buffer)
{
	buffer->size = 0;
	buffer->overflowed = false;
}

bool buffer_reserve(struct buffer *buffer, size_t more)
{
	if (more > buffer->limit - buffer->size) {
		buffer->overflowed = true;
		return false;
	}
	size_t needed = buffer->size + more;
	if (needed <= buffer->capacity)
		return true;
	size_t capacity = buffer->capacity < 256 ? 256 : buffer->capacity;
	while (capacity < needed)
		capacity += capacity;
	if (capacity > buffer->limit)
		capacity = buffer->limit;
	buffer->data = xrealloc(buffer->data, capacity);
	buffer->capacity = capacity;
	return true;
}

bool buffer_append_growing(struct buffer *buffer, struct slice bytes)
{
	if (!buffer_reserve(buffer, bytes.size))
		return false;
	if (bytes.size > 0)
		memcpy(buffer->data + buffer->size, bytes.data, bytes.size);
	buffer->size += bytes.size;
	return true;
}

enum { FORMAT_ROOM = 256 };

/* Formats into `room` if it fits, otherwise into allocated memory. */
__attribute__((format(printf, 3, 0))) static char *
format_text(char *room, size_t size, const char *format, va_list arguments, size_t *length)
{
	va_list again;
	va_copy(again, arguments);
	char *text = room;
	int needed = vsnprintf(room, size, format, arguments);
	if (needed >= 0 && (size_t)needed >= size) {
		text = xmalloc((size_t)needed + 1);
		needed = vsnprintf(text, (size_t)needed + 1, format, again);
	}
	va_end(again);
	if (needed < 0)
		out_of_memory();
	*length = (size_t)needed;
	return text;
}

enum { MAX_DIGITS = 20 };

static struct slice write_number(char digits[MAX_DIGITS], uint64_t number)
{
	size_t first = MAX_DIGITS;
	do {
		digits[--first] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return (struct slice){digits + first, MAX_DIGITS - first};
}

bool buffer_append_number(struct buffer *buffer, uint64_t number)
{
	char digits[MAX_DIGITS];
	return buffer_append(buffer, write_number(digits, number));
}

bool buffer_printf(struct buffer *buffer, const char *format, ...)
{
	char room[FORMAT_ROOM];
	size_t length;
	va_list arguments;
	va_start(arguments, format);
	char *text = format_text(room, sizeof(room), format, arguments, &length);
	va_end(arguments);
	bool fits = buffer_append(buffer, (struct slice){text, length});
	if (text != room)
		free(text);
	return fits;
}

struct slice buffer_slice(const struct buffer *buffer)
{
	return (struct slice){buffer->data, buffer->size};
}

struct arena_chunk {
	struct arena_chunk *next;
	size_t used;
	size_t capacity;
	char *taken; /* what a buffer held, or NULL */
	alignas(max_align_t) char bytes[];
};

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
/* Gives each allocation its own chunk, so that a sanitizer sees where it ends. */
enum { ARENA_FIRST_CHUNK = 0, ARENA_CHUNK = 0, ARENA_STEP = 1 };
#else
/* The first chunk is small: a stream keeps several arenas for long, and most need no second
 * chunk. */
enum {
	ARENA_FIRST_CHUNK = 1024 - sizeof(struct arena_chunk),
	ARENA_CHUNK = 8 * 1024,
	ARENA_STEP = alignof(max_align_t),
};
#endif

void arena_finish(struct arena *arena)
{
	while (arena->chunks != NULL) {
		struct arena_chunk *chunk = arena->chunks;
		arena->chunks = chunk->next;
		free(chunk->taken);
		free(chunk);
	}
}

static struct arena_chunk *chunk_create(size_t capacity)
{
	struct arena_chunk *chunk = xmalloc(sizeof(*chunk) + capacity);
	*chunk = (struct arena_chunk){.capacity = capacity};
	return chunk;
}

/* Adds a chunk after the current one, whose rest still serves small allocations. */
static struct arena_chunk *add_behind(struct arena *arena, struct arena_chunk *fresh)
{
	struct arena_chunk **place = arena->chunks == NULL ? &arena->chunks : &arena->chunks->next;
	fresh->next = *place;
	*place = fresh;
	return fresh;
}

char *arena_bytes(struct arena *arena, size_t size)
{
	size_t rounded = (size + ARENA_STEP - 1) & ~((size_t)ARENA_STEP - 1);
	struct arena_chunk *chunk = arena->chunks;
	if (chunk == NULL || chunk->capacity - chunk->used < rounded) {
		/* A large allocation gets its own chunk. */
		bool large = rounded > ARENA_CHUNK / 2;
		size_t usual = chunk == NULL ? ARENA_FIRST_CHUNK : ARENA_CHUNK;
		struct arena_chunk *fresh = chunk_create(rounded > usual ? rounded : usual);
		if (large) {
			chunk = add_behind(arena, fresh);
		} else {
			fresh->next = chunk;
			arena->chunks = chunk = fresh;
		}
	}
	char *memory = chunk->bytes + chunk->used;
	chunk->used += rounded;
	return memory;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return memset(arena_bytes(arena, size), 0, size);
}

enum { FIRST_CAPACITY = 16 };

static size_t next_capacity(size_t capacity)
{
	return capacity == 0 ? FIRST_CAPACITY : 2 * capacity;
}

void *arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	*capacity = next_capacity(*capacity);
	char *more = arena_bytes(arena, *capacity * size);
	if (count > 0)
		memcpy(more, array, count * size);
	memset(more + count * size, 0, (*capacity - count) * size);
	return more;
}

void *xgrow(void *array, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	*capacity = next_capacity(*capacity);
	return xrealloc(array, *capacity * size);
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
	return (struct slice){arena_string(arena, bytes), bytes.size};
}

char *arena_string(struct arena *arena, struct slice bytes)
{
	char *copy = arena_bytes(arena, bytes.size + 1);
	if (bytes.size > 0)
		memcpy(copy, bytes.data, bytes.size);
	copy[bytes.size] = '\0';
	return copy;
}

/* Less than this is cheaper to copy than to give its own chunk. */
enum { LEAST_TAKEN = 2048 };

struct slice arena_take(struct arena *arena, struct buffer *buffer)
{
	struct slice bytes = buffer_slice(buffer);
	if (bytes.size < LEAST_TAKEN) {
		bytes = arena_copy(arena, bytes);
		buffer_finish(buffer);
		return bytes;
	}
	char *taken = xrealloc(buffer->data, bytes.size + 1);
	taken[bytes.size] = '\0';
	add_behind(arena, chunk_create(0))->taken = taken;
	*buffer = (struct buffer){0};
	return (struct slice){taken, bytes.size};
}

struct slice arena_join(struct arena *arena, const struct slice *parts, size_t count)
{
	size_t size = 0;
	for (size_t i = 0; i < count; i++)
		size += parts[i].size;
	char *joined = arena_bytes(arena, size + 1);
	char *end = joined;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].size > 0)
			memcpy(end, parts[i].data, parts[i].size);
		end += parts[i].size;
	}
	*end = '\0';
	return (struct slice){joined, size};
}

struct slice arena_number(struct arena *arena, uint64_t number)
{
	char digits[MAX_DIGITS];
	return arena_copy(arena, write_number(digits, number));
}

struct slice arena_printf(struct arena *arena, const char *format, ...)
{
	char room[FORMAT_ROOM];
	size_t length;
	va_list arguments;
	va_start(arguments, format);
	char *text = format_text(room, sizeof(room), format, arguments, &length);
	va_end(arguments);
	struct slice copy = arena_copy(arena, (struct slice){text, length});
	if (text != room)
		free(text);
	return copy;
}
