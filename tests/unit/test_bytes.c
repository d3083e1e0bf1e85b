#include "tests/unit/unit.h"

#include <ctype.h>
#include <stdio.h>

START_TEST(a_buffer_never_passes_its_limit)
{
	struct buffer buffer;
	buffer_init(&buffer, 5);
	ck_assert(buffer_append(&buffer, SLICE("abc")));
	ck_assert(!buffer_append(&buffer, SLICE("def")));
	ck_assert(buffer.overflowed);
	unit_assert_slice(buffer_slice(&buffer), "abc");
	buffer_finish(&buffer);
}
END_TEST

START_TEST(an_arena_keeps_small_and_large_apart_and_zeroed)
{
	struct arena arena = {0};
	char *small = arena_alloc(&arena, 10);
	char *large = arena_alloc(&arena, 100000);
	char *other = arena_alloc(&arena, 10);
	ck_assert(small != other && large != small);
	for (int i = 0; i < 100000; i++)
		ck_assert_int_eq(large[i], 0);
	unit_assert_slice(arena_printf(&arena, "%d turns", 3), "3 turns");
	const struct slice parts[] = {SLICE("Name"), SLICE(": "), SLICE(""), SLICE("value")};
	struct slice joined = arena_join(&arena, parts, 4);
	unit_assert_slice(joined, "Name: value");
	ck_assert_int_eq(joined.data[joined.size], 0);
	unit_assert_slice(arena_join(&arena, parts, 0), "");
	arena_finish(&arena);
	ck_assert_ptr_null(arena.chunks);
}
END_TEST

START_TEST(an_arena_takes_over_what_a_buffer_holds)
{
	struct arena arena = {0};
	struct buffer buffer;
	const size_t sizes[] = {0, 1, 256, 5000, 8192, 100000};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		buffer_init(&buffer, sizes[i]);
		for (size_t j = 0; j < sizes[i]; j++)
			buffer_append_byte(&buffer, (char)('a' + j % 26));
		struct slice taken = arena_take(&arena, &buffer);
		ck_assert_ptr_null(buffer.data);
		ck_assert_uint_eq(taken.size, sizes[i]);
		for (size_t j = 0; j < sizes[i]; j++)
			ck_assert_int_eq(taken.data[j], (char)('a' + j % 26));
		ck_assert_int_eq(taken.data[taken.size], '\0');
		memset(arena_bytes(&arena, 3000), 'x', 3000);
	}
	arena_finish(&arena);
	ck_assert_ptr_null(arena.chunks);
}
END_TEST

START_TEST(a_slice_is_found_in_a_text_of_any_length)
{
	char text[600];
	for (size_t size = 1; size < sizeof(text); size++) {
		for (size_t i = 0; i < size; i++)
			text[i] = i % 3 == 0 ? 'x' : 'y';
		struct slice whole = {text, size};
		ck_assert_uint_eq(slice_find(whole, SLICE("xyz"), 0), size);
		text[size - 1] = 'z';
		size_t expected = size >= 3 && (size - 1) % 3 == 2 ? size - 3 : size;
		ck_assert_uint_eq(slice_find(whole, SLICE("xyz"), 0), expected);
		ck_assert_uint_eq(slice_find(whole, SLICE("z"), size / 2), size - 1);
	}
}
END_TEST

START_TEST(slices_are_found_trimmed_and_compared)
{
	ck_assert_uint_eq(slice_find(SLICE("one two"), SLICE("two"), 0), 4);
	ck_assert_uint_eq(slice_find(SLICE("one two"), SLICE("three"), 0), 7);
	ck_assert_uint_eq(slice_find(SLICE("aab"), SLICE("ab"), 0), 1);
	ck_assert_uint_eq(slice_find(SLICE("aab"), SLICE("ab"), 2), 3);
	ck_assert_uint_eq(slice_find(SLICE("aa"), SLICE("a"), 2), 2);
	ck_assert_uint_eq(slice_find(SLICE("same"), SLICE("same"), 0), 0);
	unit_assert_slice(slice_trim(SLICE(" \t\r\n a b \n")), "a b");
	ck_assert(slice_equal_nocase(SLICE("X-User-Id"), SLICE("x-user-ID")));
	ck_assert(!slice_equal(SLICE("a"), SLICE("b")));
	ck_assert(slice_starts_with(SLICE("data: x"), SLICE("data:")));
	ck_assert(slice_ends_with(SLICE("data: x"), SLICE(": x")));
	ck_assert(!slice_ends_with(SLICE("x"), SLICE(": x")));
	ck_assert(slice_ends_with((struct slice){0}, SLICE("")));
	ck_assert(!slice_ends_with(SLICE("data: y"), SLICE(": x")));
}
END_TEST

START_TEST(numbers_are_written_as_printf_writes_them)
{
	static const uint64_t numbers[] = {0, 9, 10, 100, 1234567890, UINT64_MAX - 1, UINT64_MAX};
	struct arena arena = {0};
	struct buffer buffer;
	buffer_init(&buffer, SIZE_MAX);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char wanted[32];
		(void)snprintf(wanted, sizeof(wanted), "%llu", (unsigned long long)numbers[i]);
		unit_assert_slice(arena_number(&arena, numbers[i]), wanted);
		buffer_clear(&buffer);
		ck_assert(buffer_append_number(&buffer, numbers[i]));
		unit_assert_slice(buffer_slice(&buffer), wanted);
	}
	buffer_finish(&buffer);
	arena_finish(&arena);
}
END_TEST

START_TEST(letters_are_equal_in_either_case_and_nothing_else_is)
{
	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			char first[] = {'x', (char)a};
			char second[] = {'X', (char)b};
			bool expected = a == b || (a < 0x80 && b < 0x80 && isalpha(a) &&
						   isalpha(b) && tolower(a) == tolower(b));
			ck_assert_int_eq(slice_equal_nocase((struct slice){first, 2},
							    (struct slice){second, 2}),
					 expected);
		}
	}
	ck_assert(slice_equal_nocase((struct slice){0}, SLICE("")));
	ck_assert(!slice_equal_nocase(SLICE("a"), SLICE("ab")));
	ck_assert(!slice_equal_nocase(SLICE("ab"), SLICE("cb")));
}
END_TEST

START_TEST(a_slice_is_sought_in_a_list)
{
	const char *const list[] = {"no", "not", "never", NULL};
	const char *const empty[] = {NULL};
	ck_assert(slice_is_any(SLICE("not"), list));
	ck_assert(!slice_is_any(SLICE("Not"), list) && !slice_is_any(SLICE("nothing"), list));
	ck_assert(slice_is_any_nocase(SLICE("NEVER"), list));
	ck_assert(!slice_is_any_nocase(SLICE("NEVERS"), list));
	ck_assert(slice_has_any(SLICE("I never do"), list));
	ck_assert(!slice_has_any(SLICE("I always do"), list) && !slice_has_any(SLICE(""), list));
	ck_assert(slice_starts_with_any(SLICE("nevertheless"), list));
	ck_assert(!slice_starts_with_any(SLICE("I never"), list));
	ck_assert(slice_ends_with_any(SLICE("I never"), list));
	ck_assert(!slice_ends_with_any(SLICE("nevertheless"), list));
	ck_assert(!slice_is_any(SLICE("no"), empty) && !slice_has_any(SLICE("no"), empty));
}
END_TEST

UNIT_MAIN("bytes", a_slice_is_sought_in_a_list,
	  letters_are_equal_in_either_case_and_nothing_else_is, a_buffer_never_passes_its_limit,
	  an_arena_keeps_small_and_large_apart_and_zeroed, an_arena_takes_over_what_a_buffer_holds,
	  a_slice_is_found_in_a_text_of_any_length, slices_are_found_trimmed_and_compared,
	  numbers_are_written_as_printf_writes_them)
