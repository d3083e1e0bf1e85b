/* Bytes: the few containers that all other code uses.
 *
 * A slice points at bytes that somebody else owns; it is not NUL-terminated. A buffer owns bytes
 * and grows, but never beyond its limit. An arena owns many small allocations that end together,
 * such as those of one exchange. None of them is shared between threads. A failed small allocation
 * ends the process: everything promised is already on disk. */
#ifndef RECALLD_CORE_BASE_BYTES_H
#define RECALLD_CORE_BASE_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline size_t size_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline size_t size_max(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* A number in `size` bytes, at most 8, the highest first. */
static inline void number_put(unsigned char *out, uint64_t number, size_t size)
{
	for (; size > 0; number >>= 8)
		out[--size] = (unsigned char)number;
}
static inline uint64_t number_read(const unsigned char *in, size_t size)
{
	uint64_t number = 0;
	for (size_t i = 0; i < size; i++)
		number = number << 8 | in[i];
	return number;
}

struct slice {
	const char *data;
	size_t size;
};

/* A slice of a string literal, without its terminator. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
/* For printf's "%.*s". */
#define SLICE_PRINT(slice) (int)(slice).size, (slice).data

struct slice slice_of(const char *string); /* NULL gives the empty slice */
struct slice slice_part(struct slice whole, size_t begin, size_t end);

/* Inline, since most slices that are compared differ in their sizes. */
static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool slice_starts_with(struct slice whole, struct slice prefix)
{
	return whole.size >= prefix.size &&
	       slice_equal((struct slice){whole.data, prefix.size}, prefix);
}

/* Whether as many bytes are equal, ignoring the case of ASCII letters. */
bool bytes_equal_nocase(const char *a, const char *b, size_t size);

/* Inline, since most slices that are compared differ in their sizes or their last bytes. */
static inline bool slice_equal_nocase(struct slice a, struct slice b)
{
	return a.size == b.size &&
	       (a.size == 0 || (((a.data[a.size - 1] ^ b.data[b.size - 1]) & ~0x20) == 0 &&
				bytes_equal_nocase(a.data, b.data, a.size)));
}

bool slice_ends_with(struct slice whole, struct slice suffix);
/* The offset of the first `part` at or after `from`; whole.size if there is none. */
size_t slice_find(struct slice whole, struct slice part, size_t from);
static inline bool slice_has(struct slice whole, struct slice part)
{
	return slice_find(whole, part, 0) < whole.size;
}

/* Whether the test holds for one of the list's strings. A list ends with NULL. */
bool slice_is_any_by(struct slice slice, const char *const *list,
		     bool (*test)(struct slice slice, struct slice one));

static inline bool slice_is_any(struct slice slice, const char *const *list)
{
	return slice_is_any_by(slice, list, slice_equal);
}

static inline bool slice_is_any_nocase(struct slice slice, const char *const *list)
{
	return slice_is_any_by(slice, list, slice_equal_nocase);
}

static inline bool slice_has_any(struct slice whole, const char *const *list)
{
	return slice_is_any_by(whole, list, slice_has);
}

static inline bool slice_starts_with_any(struct slice whole, const char *const *list)
{
	return slice_is_any_by(whole, list, slice_starts_with);
}

static inline bool slice_ends_with_any(struct slice whole, const char *const *list)
{
	return slice_is_any_by(whole, list, slice_ends_with);
}

/* Without ASCII white space at either end. */
struct slice slice_trim(struct slice whole);
static inline bool slice_is_blank(struct slice whole)
{
	return slice_trim(whole).size == 0;
}

/* JSON's white space. */
static inline bool byte_is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Prints a message and ends the process. Also for a library's failed allocation, if continuing
 * would silently give a different result. */
_Noreturn void out_of_memory(void);
/* malloc, calloc and realloc that end the process instead of returning NULL. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *memory, size_t size);
char *xstrdup(const char *string);

/* Bytes that grow up to `limit`. A write that would exceed it writes nothing and sets `overflowed`,
 * which stays set: a caller may append many times and check once. */
struct buffer {
	char *data;
	size_t size;
	size_t capacity;
	size_t limit;
	bool overflowed;
};

void buffer_init(struct buffer *buffer, size_t limit);
void buffer_finish(struct buffer *buffer);
/* Allocates room for `more` bytes at once, instead of step by step. */
bool buffer_reserve(struct buffer *buffer, size_t more);
void buffer_clear(struct buffer *buffer); /* keeps the memory */
bool buffer_append_growing(struct buffer *buffer,
			   struct slice bytes); /* the slow path of buffer_append() */

/* Inline, since most pieces are a few bytes and fit. */
static inline bool buffer_append(struct buffer *buffer, struct slice bytes)
{
	if (bytes.size == 0 || bytes.size > buffer->capacity - buffer->size)
		return buffer_append_growing(buffer, bytes);
	memcpy(buffer->data + buffer->size, bytes.data, bytes.size);
	buffer->size += bytes.size;
	return true;
}

static inline bool buffer_append_byte(struct buffer *buffer, char byte)
{
	return buffer_append(buffer, (struct slice){&byte, 1});
}

bool buffer_append_number(struct buffer *buffer, uint64_t number); /* decimal */
/* For rare output; output in every exchange is appended piece by piece, which is cheaper. */
bool buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
struct slice buffer_slice(const struct buffer *buffer);

struct arena_chunk;
/* Zero-initialize it for an empty arena. */
struct arena {
	struct arena_chunk *chunks;
};

void arena_finish(struct arena *arena);
void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned for any type */
char *arena_bytes(struct arena *arena, size_t size); /* the same, not zeroed: fill it at once */
struct slice arena_copy(struct arena *arena, struct slice bytes);
char *arena_string(struct arena *arena, struct slice bytes); /* NUL-terminated */
/* Takes the buffer's content, NUL-terminated, and finishes the buffer. Large content is not
 * copied. */
struct slice arena_take(struct arena *arena, struct buffer *buffer);
/* Concatenates the parts, with a NUL that is not counted. */
struct slice arena_join(struct arena *arena, const struct slice *parts, size_t count);
struct slice arena_number(struct arena *arena, uint64_t number); /* decimal */
struct slice arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- arrays that grow by one element at a time ---- */

/* Makes room for one more element of `size` bytes behind `count` of them, and returns the array,
 * which may have moved. `capacity` doubles when it is used up; it is 0 at first, as the array is
 * NULL. Room in an arena is zeroed; room on the heap is the caller's to free. */
void *arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size);
void *xgrow(void *array, size_t count, size_t *capacity, size_t size);

#endif
