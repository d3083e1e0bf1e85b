#include "proxy/config/store_key.h"
#include "tests/unit/config_reading.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The key in the environment: each test is a process of its own, which takes it once. */

static const char good[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
static const char encrypts[] = "[storage]\nencrypt = on\n";

static void take(const char *value)
{
	ck_assert_int_eq(setenv(STORE_KEY_VARIABLE, value, 1), 0);
	const char *was = getenv(STORE_KEY_VARIABLE);
	if (was == NULL)
		ck_abort();
	store_key_take_environment();
	ck_assert_ptr_null(getenv(STORE_KEY_VARIABLE));
	for (size_t i = 0; value[i] != '\0'; i++)
		ck_assert_int_eq(was[i], '\0');
}

static bool read_key(unsigned char key[STORE_KEY_SIZE], struct buffer *why)
{
	struct config *config = read_good(encrypts);
	buffer_init(why, SIZE_MAX);
	bool fine = store_key_read(config, key, why);
	config_release(config);
	return fine;
}

START_TEST(the_variable_gives_the_key_once_and_is_gone)
{
	unsigned char key[STORE_KEY_SIZE];
	struct buffer why;
	ck_assert(!store_key_in_environment());
	take(good);
	ck_assert(store_key_in_environment());
	ck_assert(read_key(key, &why));
	ck_assert_uint_eq(why.size, 0);
	for (unsigned i = 0; i < STORE_KEY_SIZE; i++)
		ck_assert_uint_eq(key[i], i);
	ck_assert(!read_key(key, &why)); /* it is kept nowhere */
	ck_assert(store_key_in_environment());
	buffer_finish(&why);
}
END_TEST

static void assert_refused(const char *value)
{
	unsigned char key[STORE_KEY_SIZE];
	struct buffer why;
	take(value);
	ck_assert(!read_key(key, &why));
	const struct slice told = buffer_slice(&why);
	ck_assert(slice_starts_with(
		told, SLICE(STORE_KEY_VARIABLE " holds no key; it must be 32 random bytes")));
	ck_assert(*value == '\0' || slice_find(told, slice_of(value), 0) == told.size);
	buffer_finish(&why);
}

START_TEST(a_bad_one_is_refused_and_not_shown)
{
	static const char *const values[] = {
		"",
		"swordfish",
		"swordfish-that-has-thirty-two-by",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH*8=",
	};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		pid_t child = fork();
		if (child == 0) {
			assert_refused(values[i]);
			exit(EXIT_SUCCESS);
		}
		int status;
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_int_eq(status, 0);
	}
}
END_TEST

START_TEST(every_copy_of_it_goes)
{
	char first[] = STORE_KEY_VARIABLE "=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
	char second[] = STORE_KEY_VARIABLE "=swordfish";
	char other[] = STORE_KEY_VARIABLE "S=stays";
	char *variables[] = {first, other, second, NULL};
	char **before = environ;
	unsigned char key[STORE_KEY_SIZE];
	struct buffer why;
	environ = variables;
	store_key_take_environment();
	ck_assert_ptr_null(getenv(STORE_KEY_VARIABLE));
	ck_assert_str_eq(getenv(STORE_KEY_VARIABLE "S"), "stays");
	environ = before;
	ck_assert_str_eq(first, STORE_KEY_VARIABLE "=");
	ck_assert_str_eq(second, STORE_KEY_VARIABLE "=");
	ck_assert(read_key(key, &why));
	buffer_finish(&why);
}
END_TEST

START_TEST(beside_another_key_it_is_a_fault)
{
	take(good);
	assert_warns(encrypts, STORE_KEY_VARIABLE " gives the store's key: programs of the same "
						  "user");
	assert_warns("", STORE_KEY_VARIABLE " is set, but [storage] encrypt is off");
	assert_fault_has("[storage]\nencrypt = on\nkey_file = /k\n",
			 "one of the two, or unset " STORE_KEY_VARIABLE);
	assert_fault_has("[storage]\nencrypt = on\nkey_command = k\n",
			 "one of the two, or unset " STORE_KEY_VARIABLE);
	assert_fault_has("[storage]\nencrypt = on\nkey_file = /k\nkey_command = k\n",
			 "or unset " STORE_KEY_VARIABLE);
}
END_TEST

START_TEST(without_it_a_file_or_a_command_is_needed)
{
	store_key_take_environment();
	ck_assert(!store_key_in_environment());
	assert_fault_has(encrypts, "needs one key; set key_file or key_command, one of the two\n");
	finish_reading(&(struct reading){.config = read_good("[storage]\nencrypt = on\n"
							     "key_file = /k\n")});
}
END_TEST

UNIT_MAIN("store_key", the_variable_gives_the_key_once_and_is_gone,
	  a_bad_one_is_refused_and_not_shown, every_copy_of_it_goes,
	  beside_another_key_it_is_a_fault, without_it_a_file_or_a_command_is_needed)
